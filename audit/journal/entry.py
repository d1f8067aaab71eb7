"""One journal entry and its byte form; pure. The format is docs/journal-format.md, section 3.

The byte form and the leaf hash are final: what version 1 wrote, every later version reads.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import NamedTuple, TypeAlias

from zlib_ng.zlib_ng import crc32

from audit.errors import IntegrityViolation, NotFound

Octets: TypeAlias = bytes | bytearray | memoryview

MAGIC = b"ARRE"
LEAF_MAGIC = b"ARRL"
VERSION = 1
FORM_WHOLE = 0
FORM_REMOVED = 1
"""Body and salt were lawfully removed; the leaf hash stands in the body's place."""
LEAF_HASH_OCTETS = 32
SALT_OCTETS = 16
FINGERPRINT_OCTETS = 32
BROKEN_OFF = 0x01
"""Flag: the sender's stream ended within this message, or couldn't be cut into messages here."""
MAX_BODY_OCTETS = 1 << 30
MAX_LISTENER_OCTETS = 64
MAX_PEER_OCTETS = 1024
MAX_ATTRIBUTES_OCTETS = 32_768
"""These three keep an envelope below the 65,535 octets of a C2SP entry bundle's entry."""

_HEADER = struct.Struct(">4sBBBBIII")
_CHECKED_HEADER = struct.Struct(">4sBBBBII")
_FIXED = struct.Struct(">QQ16sQIBBHH")
_LEAF_HEAD = struct.Struct(">4sBBB")
_ATTRIBUTE = struct.Struct(">HH")
HEADER_OCTETS = _HEADER.size
_CHECKED_HEADER_OCTETS = _CHECKED_HEADER.size
MAX_METADATA_OCTETS = (
    _FIXED.size
    + FINGERPRINT_OCTETS
    + MAX_LISTENER_OCTETS
    + MAX_PEER_OCTETS
    + MAX_ATTRIBUTES_OCTETS
)


class EntryKind(IntEnum):
    """What the octets of an entry are."""

    MESSAGE = 1
    """A SYSLOG-MSG, or another transport's message, exactly as framed."""
    CERTIFICATE = 2
    """A peer's certificate (DER), kept once, so that its fingerprint can be named later."""
    TRUNCATED = 3
    """The beginning of a message longer than the limit, or whose sender broke off;
    ``original_length`` is the whole's."""


_SALT_START = 16
_FORMS = frozenset({FORM_WHOLE, FORM_REMOVED})
_MAX_U8 = 0xFF
_MAX_U64 = 0xFFFF_FFFF_FFFF_FFFF
_KINDS = {int(kind): kind for kind in EntryKind}


@dataclass(frozen=True, slots=True)
class Received:
    """What came in and how, before it has a place in the journal.

    Attributes:
        raw: the octets as received.
        received_at: when, in UTC nanoseconds since 1970.
        listener: which door: ``tls``, ``udp``, ``tcp``, ``fhir``, ``import``, ``own`` …
        peer: the sender's address as text; may be empty.
        certificate_sha256: SHA-256 of the peer's certificate (DER), or empty.
        kind: what ``raw`` is.
        original_length: octets the sender sent, when more than were kept; else None.
        flags: eight bits of the record: ``BROKEN_OFF``; the others are not defined yet.
        attributes: further facts as (tag, value), tags rising; none defined yet.

    Raises:
        ValueError: a field does not fit the byte form.
    """

    raw: bytes
    received_at: int
    listener: str
    peer: str
    certificate_sha256: bytes = b""
    kind: EntryKind = EntryKind.MESSAGE
    original_length: int | None = None
    flags: int = 0
    attributes: tuple[tuple[int, bytes], ...] = ()

    def __post_init__(self) -> None:
        if len(self.certificate_sha256) not in {0, FINGERPRINT_OCTETS}:
            raise ValueError("a certificate's SHA-256 has 32 octets, or none when there is no one")
        if len(self.raw) > MAX_BODY_OCTETS:
            raise ValueError(f"{len(self.raw)} octets are more than an entry holds")
        if self.original_length is not None and self.original_length <= len(self.raw):
            raise ValueError("the original length is given only when not all octets were kept")
        if (
            len(self.listener.encode()) > MAX_LISTENER_OCTETS
            or len(self.peer.encode()) > MAX_PEER_OCTETS
            or (self.attributes and len(attribute_octets(self.attributes)) > MAX_ATTRIBUTES_OCTETS)
        ):
            raise ValueError("the listener, the peer or the attributes are too long")
        if not (
            0 <= self.received_at <= _MAX_U64 >= self.sent_length and 0 <= self.flags <= _MAX_U8
        ):
            raise ValueError("a time, a length or the flags are beyond their bounds")

    @property
    def sent_length(self) -> int:
        """Octets that the sender sent."""
        return len(self.raw) if self.original_length is None else self.original_length


class EncodedEntry(NamedTuple):
    """The byte form, in two parts so that the body needn't be copied, and the leaf hash."""

    head: bytes
    body: bytes
    leaf_hash: bytes


class EntryHeader(NamedTuple):
    """The first 20 octets of an entry, checked for plausibility but not yet by checksum."""

    kind: EntryKind
    flags: int
    metadata_length: int
    body_length: int
    checksum: int
    form: int = FORM_WHOLE

    @property
    def entry_length(self) -> int:
        """Octets of the whole entry, this header included."""
        return HEADER_OCTETS + self.metadata_length + self.body_length


@dataclass(frozen=True, slots=True)
class Entry:
    """A received record at its place.

    Attributes:
        sequence: its place, zero-based, without gaps; also its leaf index in the tree.
        salt: 16 random octets, so that a leaf hash says nothing about a guessed message.
        received: what came in; without octets when they were removed.
        removed_leaf: the leaf hash, when body and salt were lawfully removed; else empty.
    """

    sequence: int
    salt: bytes
    received: Received
    removed_leaf: bytes = b""

    @property
    def is_removed(self) -> bool:
        """Whether body and salt were lawfully removed: ``received.raw`` is empty then."""
        return bool(self.removed_leaf)

    @property
    def envelope(self) -> bytes:
        """The canonical octets that the leaf hash covers; they hold no octet of the message.

        Raises:
            NotFound: body and salt were removed, so that nobody can make the envelope again.
        """
        if self.is_removed:
            raise NotFound(f"the content of entry {self.sequence} was lawfully removed")
        received = self.received
        return _envelope(received.kind, received.flags, _metadata(self), received.raw)

    @property
    def leaf_hash(self) -> bytes:
        """RFC 6962 2.1 leaf hash of the envelope; as kept, when the envelope is gone."""
        return self.removed_leaf or sha256(b"\x00" + self.envelope).digest()


class DecodedEntry(NamedTuple):
    """An entry as read, with its metadata octets, and the offset after it."""

    entry: Entry
    metadata: bytes
    end: int

    @property
    def leaf_hash(self) -> bytes:
        """As ``Entry.leaf_hash``, from the octets that were read."""
        received = self.entry.received
        return self.entry.removed_leaf or _leaf_hash(
            received.kind, received.flags, self.metadata, received.raw
        )


def encode(entry: Entry) -> EncodedEntry:
    """The entry's one byte form.

    Raises:
        ValueError: the sequence or the salt does not fit, or the content was removed; all else a
            ``Received`` has checked.
    """
    if entry.is_removed:
        raise ValueError("an entry without its content can't be written anew")
    received = entry.received
    raw = received.raw
    metadata = _metadata(entry)
    header = _CHECKED_HEADER.pack(
        MAGIC, VERSION, FORM_WHOLE, received.kind, received.flags, len(metadata), len(raw)
    )
    checksum = crc32(raw, crc32(metadata, crc32(header)))
    return EncodedEntry(
        b"".join((header, checksum.to_bytes(4), metadata)),
        raw,
        _leaf_hash(received.kind, received.flags, metadata, raw),
    )


def removed_form(decoded: DecodedEntry) -> bytes:
    """The byte form that is left of a whole entry when its body and salt are removed.

    Raises:
        ValueError: they were removed before, or it is a certificate, which names other entries'
            senders and is never removed.
    """
    entry = decoded.entry
    if entry.is_removed or entry.received.kind is EntryKind.CERTIFICATE:
        raise ValueError(f"entry {entry.sequence} holds nothing that may be removed")
    metadata = decoded.metadata
    bare = metadata[:_SALT_START] + bytes(SALT_OCTETS) + metadata[_SALT_START + SALT_OCTETS :]
    received, leaf = entry.received, decoded.leaf_hash
    header = _CHECKED_HEADER.pack(
        MAGIC, VERSION, FORM_REMOVED, received.kind, received.flags, len(bare), len(leaf)
    )
    checksum = crc32(leaf, crc32(bare, crc32(header)))
    return b"".join((header, checksum.to_bytes(4), bare, leaf))


def decode_header(octets: Octets, offset: int = 0) -> EntryHeader:
    """Read the 20 octets at ``offset``; lengths are bounded, so a caller may read that much.

    Raises:
        IntegrityViolation: this is not the head of an entry.
    """
    if len(octets) - offset < HEADER_OCTETS:
        raise IntegrityViolation("the head of an entry is cut short")
    magic, version, form, kind, flags, metadata_length, body_length, checksum = (
        _HEADER.unpack_from(octets, offset)
    )
    if magic != MAGIC:
        raise IntegrityViolation("no entry begins here")
    if version != VERSION or form not in _FORMS:
        raise IntegrityViolation(f"an entry of version {version}, form {form} is unknown")
    if metadata_length > MAX_METADATA_OCTETS or body_length > MAX_BODY_OCTETS:
        raise IntegrityViolation("an entry's lengths are beyond their bounds")
    known_kind = _KINDS.get(kind)
    if known_kind is None:
        raise IntegrityViolation(f"an entry of kind {kind} is unknown")
    if form == FORM_REMOVED and body_length != LEAF_HASH_OCTETS:
        raise IntegrityViolation("an entry without its body holds its leaf hash")
    return EntryHeader(known_kind, flags, metadata_length, body_length, checksum, form)


def decode(octets: Octets, offset: int = 0) -> tuple[Entry, int]:
    """The entry at ``offset`` and the offset after it, its checksum compared.

    Raises:
        IntegrityViolation: cut short, altered, or not in the one canonical form.
    """
    decoded = decode_body(octets, offset, decode_header(octets, offset))
    return decoded.entry, decoded.end


def decode_body(octets: Octets, offset: int, header: EntryHeader) -> DecodedEntry:
    """As ``decode``, for a header that was read already.

    Raises:
        IntegrityViolation: cut short, altered, or not in the one canonical form.
    """
    start = offset + HEADER_OCTETS
    body_start = start + header.metadata_length
    end = body_start + header.body_length
    if len(octets) < end:
        raise IntegrityViolation("an entry is cut short")
    metadata = bytes(octets[start:body_start])
    raw = bytes(octets[body_start:end])
    checksum = crc32(octets[offset : offset + _CHECKED_HEADER_OCTETS])
    if crc32(raw, crc32(metadata, checksum)) != header.checksum:
        raise IntegrityViolation("an entry's checksum does not match")
    return DecodedEntry(_from_parts(header, metadata, raw), metadata, end)


def _from_parts(header: EntryHeader, metadata: bytes, raw: bytes) -> Entry:
    if len(metadata) < _FIXED.size:
        raise IntegrityViolation("an entry's metadata is cut short")
    sequence, received_at, salt, sent, stored, *lengths = _FIXED.unpack_from(metadata)
    removed = header.form == FORM_REMOVED
    if removed:
        _require_removable(header.kind, salt, stored, sent)
    elif stored != len(raw):
        raise IntegrityViolation("an entry's lengths contradict each other")
    if len(metadata) != _FIXED.size + sum(lengths):
        raise IntegrityViolation("an entry's lengths contradict each other")
    listener = _FIXED.size + lengths[0]
    peer = listener + lengths[1]
    attributes = peer + lengths[2]
    try:
        received = Received(
            raw=b"" if removed else raw,
            received_at=received_at,
            listener=metadata[listener:peer].decode(),
            peer=metadata[peer:attributes].decode(),
            certificate_sha256=metadata[_FIXED.size : listener],
            kind=header.kind,
            original_length=None if sent == (0 if removed else stored) else sent,
            flags=header.flags,
            attributes=_attributes(metadata[attributes:]) if lengths[3] else (),
        )
    except ValueError as error:
        raise IntegrityViolation(f"an entry's metadata is wrong: {error}") from error
    return Entry(sequence, salt, received, raw if removed else b"")


def _require_removable(kind: EntryKind, salt: bytes, stored: int, sent: int) -> None:
    if kind is EntryKind.CERTIFICATE or any(salt) or stored > min(sent, MAX_BODY_OCTETS):
        raise IntegrityViolation("an entry without its body is not in the one canonical form")


def _metadata(entry: Entry) -> bytes:
    received = entry.received
    listener = received.listener.encode()
    peer = received.peer.encode()
    attributes = attribute_octets(received.attributes) if received.attributes else b""
    if len(entry.salt) != SALT_OCTETS or not 0 <= entry.sequence <= _MAX_U64:
        raise ValueError("a salt has 16 octets, a sequence 64 bits")
    fixed = _FIXED.pack(
        entry.sequence,
        received.received_at,
        entry.salt,
        received.sent_length,
        len(received.raw),
        len(received.certificate_sha256),
        len(listener),
        len(peer),
        len(attributes),
    )
    return b"".join((fixed, received.certificate_sha256, listener, peer, attributes))


def _envelope(kind: EntryKind, flags: int, metadata: bytes, raw: bytes) -> bytes:
    head = _LEAF_HEAD.pack(LEAF_MAGIC, VERSION, kind, flags)
    return b"".join((head, metadata, sha256(raw).digest()))


def _leaf_hash(kind: EntryKind, flags: int, metadata: bytes, raw: bytes) -> bytes:
    return sha256(b"\x00" + _envelope(kind, flags, metadata, raw)).digest()


def attribute_octets(attributes: tuple[tuple[int, bytes], ...]) -> bytes:
    """The byte form of attributes.

    Raises:
        ValueError: their tags don't rise, or one doesn't fit.
    """
    tags = [tag for tag, _ in attributes]
    if tags != sorted(set(tags)):
        raise ValueError("attributes stand in rising order of their tags, each once")
    try:
        return b"".join(_ATTRIBUTE.pack(tag, len(value)) + value for tag, value in attributes)
    except struct.error as error:
        raise ValueError(f"an attribute's tag or length is beyond 16 bits: {error}") from error


def _attributes(octets: bytes) -> tuple[tuple[int, bytes], ...]:
    found: list[tuple[int, bytes]] = []
    place = 0
    while place < len(octets):
        if len(octets) - place < _ATTRIBUTE.size:
            raise ValueError("the head of an attribute is cut short")
        tag, length = _ATTRIBUTE.unpack_from(octets, place)
        place += _ATTRIBUTE.size + length
        if place > len(octets) or (found and tag <= found[-1][0]):
            raise ValueError("attributes are cut short or out of order")
        found.append((tag, octets[place - length : place]))
    return tuple(found)
