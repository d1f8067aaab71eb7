"""One journal entry and its byte form; pure. The format is docs/journal-format.md, section 3.

The byte form and the leaf hash are final: what version 1 wrote, every later version reads.
"""

from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from struct import Struct
from typing import NamedTuple, TypeAlias
from zlib import crc32

from audit.errors import IntegrityViolation

Octets: TypeAlias = bytes | bytearray | memoryview

MAGIC = b"ARRE"
LEAF_MAGIC = b"ARRL"
VERSION = 1
FORM_WHOLE = 0
SALT_OCTETS = 16
FINGERPRINT_OCTETS = 32
MAX_BODY_OCTETS = 1 << 30
MAX_LISTENER_OCTETS = 64
MAX_PEER_OCTETS = 1024
MAX_ATTRIBUTES_OCTETS = 32_768
"""These three keep an envelope below the 65,535 octets of a C2SP entry bundle's entry."""

_HEADER = Struct(">4sBBBBIII")
_FIXED = Struct(">QQ16sQIBBHH")
_LEAF_HEAD = Struct(">4sBBB")
_ATTRIBUTE = Struct(">HH")
HEADER_OCTETS = _HEADER.size
_CHECKED_HEADER_OCTETS = HEADER_OCTETS - 4
MAX_METADATA_OCTETS = (
    _FIXED.size
    + FINGERPRINT_OCTETS
    + MAX_LISTENER_OCTETS
    + MAX_PEER_OCTETS
    + MAX_ATTRIBUTES_OCTETS
)
_MAX_U16 = 0xFFFF
_MAX_U64 = 0xFFFF_FFFF_FFFF_FFFF


class EntryKind(IntEnum):
    """What the octets of an entry are."""

    MESSAGE = 1
    """A SYSLOG-MSG, or another transport's message, exactly as framed."""
    CERTIFICATE = 2
    """A peer's certificate (DER), kept once, so that its fingerprint can be named later."""
    TRUNCATED = 3
    """The head of a message longer than the limit; ``original_length`` is the whole's."""


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
        flags: eight bits of the record, none defined yet.
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
        received: what came in.
    """

    sequence: int
    salt: bytes
    received: Received

    @property
    def envelope(self) -> bytes:
        """The canonical octets that the leaf hash covers; they hold no octet of the message."""
        received = self.received
        metadata = _metadata(self)
        return _envelope(received.kind, received.flags, metadata, sha256(received.raw).digest())

    @property
    def leaf_hash(self) -> bytes:
        """RFC 6962 2.1 leaf hash of the envelope."""
        return sha256(b"\x00" + self.envelope).digest()


def encode(entry: Entry) -> EncodedEntry:
    """The entry's one byte form.

    Raises:
        ValueError: a field does not fit.
    """
    received = entry.received
    metadata = _metadata(entry)
    header = _HEADER.pack(
        MAGIC,
        VERSION,
        FORM_WHOLE,
        received.kind,
        _within(received.flags, 0xFF, "flags"),
        len(metadata),
        len(received.raw),
        0,
    )[:_CHECKED_HEADER_OCTETS]
    checksum = crc32(received.raw, crc32(metadata, crc32(header)))
    envelope = _envelope(received.kind, received.flags, metadata, sha256(received.raw).digest())
    return EncodedEntry(
        b"".join((header, checksum.to_bytes(4), metadata)),
        received.raw,
        sha256(b"\x00" + envelope).digest(),
    )


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
    if version != VERSION or form != FORM_WHOLE:
        raise IntegrityViolation(f"an entry of version {version}, form {form} is unknown")
    if metadata_length > MAX_METADATA_OCTETS or body_length > MAX_BODY_OCTETS:
        raise IntegrityViolation("an entry's lengths are beyond their bounds")
    try:
        known_kind = EntryKind(kind)
    except ValueError:
        raise IntegrityViolation(f"an entry of kind {kind} is unknown") from None
    return EntryHeader(known_kind, flags, metadata_length, body_length, checksum)


def decode(octets: Octets, offset: int = 0) -> tuple[Entry, int]:
    """The entry at ``offset`` and the offset after it, its checksum compared.

    Raises:
        IntegrityViolation: cut short, altered, or not in the one canonical form.
    """
    header = decode_header(octets, offset)
    end = offset + header.entry_length
    if len(octets) < end:
        raise IntegrityViolation("an entry is cut short")
    view = memoryview(octets)
    body_start = offset + HEADER_OCTETS + header.metadata_length
    checksum = crc32(view[offset : offset + _CHECKED_HEADER_OCTETS])
    checksum = crc32(view[offset + HEADER_OCTETS : end], checksum)
    if checksum != header.checksum:
        raise IntegrityViolation("an entry's checksum does not match")
    metadata = bytes(view[offset + HEADER_OCTETS : body_start])
    return _from_parts(header, metadata, bytes(view[body_start:end])), end


def _from_parts(header: EntryHeader, metadata: bytes, raw: bytes) -> Entry:
    if len(metadata) < _FIXED.size:
        raise IntegrityViolation("an entry's metadata is cut short")
    sequence, received_at, salt, sent, stored, *lengths = _FIXED.unpack_from(metadata)
    if stored != len(raw) or len(metadata) != _FIXED.size + sum(lengths):
        raise IntegrityViolation("an entry's lengths contradict each other")
    parts = []
    place = _FIXED.size
    for length in lengths:
        parts.append(metadata[place : place + length])
        place += length
    try:
        received = Received(
            raw=raw,
            received_at=received_at,
            listener=parts[1].decode(),
            peer=parts[2].decode(),
            certificate_sha256=parts[0],
            kind=header.kind,
            original_length=None if sent == stored else sent,
            flags=header.flags,
            attributes=_attributes(parts[3]),
        )
    except ValueError as error:
        raise IntegrityViolation(f"an entry's metadata is wrong: {error}") from error
    return Entry(sequence, salt, received)


def _metadata(entry: Entry) -> bytes:
    received = entry.received
    listener = received.listener.encode()
    peer = received.peer.encode()
    attributes = _attribute_octets(received.attributes) if received.attributes else b""
    if len(entry.salt) != SALT_OCTETS:
        raise ValueError("a salt has 16 octets")
    fixed = _FIXED.pack(
        _within(entry.sequence, _MAX_U64, "sequence"),
        _within(received.received_at, _MAX_U64, "received_at"),
        entry.salt,
        _within(received.sent_length, _MAX_U64, "original_length"),
        len(received.raw),
        len(received.certificate_sha256),
        _within(len(listener), MAX_LISTENER_OCTETS, "listener"),
        _within(len(peer), MAX_PEER_OCTETS, "peer"),
        _within(len(attributes), MAX_ATTRIBUTES_OCTETS, "attributes"),
    )
    return b"".join((fixed, received.certificate_sha256, listener, peer, attributes))


def _envelope(kind: EntryKind, flags: int, metadata: bytes, digest: bytes) -> bytes:
    return b"".join((_LEAF_HEAD.pack(LEAF_MAGIC, VERSION, kind, flags), metadata, digest))


def _attribute_octets(attributes: tuple[tuple[int, bytes], ...]) -> bytes:
    tags = [tag for tag, _ in attributes]
    if tags != sorted(set(tags)):
        raise ValueError("attributes stand in rising order of their tags, each once")
    return b"".join(
        _ATTRIBUTE.pack(_within(tag, _MAX_U16, "tag"), _within(len(value), _MAX_U16, "attribute"))
        + value
        for tag, value in attributes
    )


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


def _within(value: int, most: int, name: str) -> int:
    if not 0 <= value <= most:
        raise ValueError(f"{name} is {value}, allowed are 0 to {most}")
    return value
