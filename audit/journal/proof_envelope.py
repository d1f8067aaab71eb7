"""What an envelope says of its record; the octets are docs/journal-format.md, sections 3 and 4."""

from dataclasses import dataclass
from hashlib import sha256
from struct import Struct

from audit.errors import IntegrityViolation
from audit.journal.entry import FINGERPRINT_OCTETS, LEAF_MAGIC, VERSION, EntryKind

_HEAD = Struct(">4sBBB")
_FIXED = Struct(">QQ16sQIBBHH")
_DIGEST_OCTETS = 32


@dataclass(frozen=True, slots=True)
class EnvelopeFacts:
    """The fields of an envelope that people ask for.

    Attributes:
        sequence: the record's place.
        kind: what its octets are.
        received_at: UTC nanoseconds.
        listener: which door.
        peer: the sender's address.
        certificate_sha256: of the sender's certificate, or empty.
        sent_length: octets that were sent.
        stored_length: octets that were kept, equal unless the message was too long.
        body_sha256: SHA-256 of the octets kept.
    """

    sequence: int
    kind: EntryKind
    received_at: int
    listener: str
    peer: str
    certificate_sha256: bytes
    sent_length: int
    stored_length: int
    body_sha256: bytes

    def require_message(self, message: bytes) -> None:
        """Let the message pass that the envelope was made for.

        Raises:
            IntegrityViolation: it is another one.
        """
        if len(message) != self.stored_length or sha256(message).digest() != self.body_sha256:
            raise IntegrityViolation("the message is not the one that the record was made of")


def read_envelope(envelope: bytes) -> EnvelopeFacts:
    """Read an envelope.

    Raises:
        IntegrityViolation: it is none.
    """
    metadata_end = len(envelope) - _DIGEST_OCTETS
    if metadata_end < _HEAD.size + _FIXED.size:
        raise IntegrityViolation("an envelope is cut short")
    magic, version, kind, _ = _HEAD.unpack_from(envelope)
    if magic != LEAF_MAGIC or version != VERSION or kind not in set(EntryKind):
        raise IntegrityViolation("no envelope of a known version and kind")
    sequence, received_at, _, sent, stored, *lengths = _FIXED.unpack_from(envelope, _HEAD.size)
    start = _HEAD.size + _FIXED.size
    if start + sum(lengths) != metadata_end or lengths[0] not in {0, FINGERPRINT_OCTETS}:
        raise IntegrityViolation("an envelope's lengths contradict each other")
    listener = start + lengths[0]
    peer = listener + lengths[1]
    attributes = peer + lengths[2]
    try:
        return EnvelopeFacts(
            sequence=sequence,
            kind=EntryKind(kind),
            received_at=received_at,
            listener=envelope[listener:peer].decode(),
            peer=envelope[peer:attributes].decode(),
            certificate_sha256=envelope[start:listener],
            sent_length=sent,
            stored_length=stored,
            body_sha256=envelope[metadata_end:],
        )
    except UnicodeDecodeError as error:
        raise IntegrityViolation("an envelope's listener or peer is no text") from error
