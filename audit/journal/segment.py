"""Head and foot of a segment file; pure. The format is docs/journal-format.md, section 2.

The head holds all that a writer needs to go on from here (the tree's peaks, the certificates that
are in the log), so that a restart reads the last segment only. The foot, written when a segment is
closed, holds where each entry begins, so that any entry is one read away.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct

from zlib_ng.zlib_ng import crc32

from audit.errors import IntegrityViolation
from audit.journal import layout
from audit.journal.entry import FINGERPRINT_OCTETS, Octets
from audit.journal.merkle import HASH_OCTETS, Tree

HEAD_MAGIC = b"ARRSEGM1"
FOOT_MAGIC = b"ARRF"
END_MAGIC = b"ARRZ"
VERSION = 1
ENCODING_PLAIN = 0
ENCODING_SEALED = 1
"""A bit: compressed blocks."""
ENCODING_ENCRYPTED = 2
"""A bit: encrypted frames, or blocks."""
ENCODINGS = frozenset(range(4))
MAX_KNOWN_CERTIFICATES = 4096
"""A head names at most so many, the newest; older ones are journaled anew when seen again."""
MAX_HEAD_OCTETS = 1 << 20

_HEAD = Struct(">8sBBHIQQBBH")
_CERTIFICATE = Struct(f">{FINGERPRINT_OCTETS}sQ")
_FOOT = Struct(">4sB3xIQQ")
_END = Struct(">I4s")
HEAD_OCTETS = _HEAD.size
_ENCODING_AT = 9
END_OCTETS = _END.size
OFFSET_OCTETS = 8
OFFSETS_START = _FOOT.size
_CHECKSUM_OCTETS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentHead:
    """What a segment file begins with.

    Attributes:
        first_sequence: of its first entry; also the size of the tree before it.
        created_at: UTC nanoseconds.
        origin: short name of the log.
        peaks: of the tree before the first entry.
        certificates: SHA-256 of each peer certificate in the log before this segment, with the
            sequence of its newest CERTIFICATE entry; in order of that sequence.
        encoding: how the file holds what follows its head.
    """

    first_sequence: int
    created_at: int
    origin: str
    peaks: tuple[bytes, ...] = ()
    certificates: tuple[tuple[bytes, int], ...] = ()
    encoding: int = ENCODING_PLAIN

    @property
    def is_sealed(self) -> bool:
        """Whether the file holds compressed blocks."""
        return bool(self.encoding & ENCODING_SEALED)

    @property
    def is_encrypted(self) -> bool:
        """Whether the file is encrypted."""
        return bool(self.encoding & ENCODING_ENCRYPTED)

    @property
    def tree(self) -> Tree:
        """The tree before the first entry."""
        return Tree(self.first_sequence, self.peaks)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFoot:
    """What a closed segment file ends with.

    Attributes:
        offsets: where each entry begins in the file.
        earliest: smallest received-at of its entries, 0 without any.
        latest: largest received-at of its entries, 0 without any.
        root: of the tree after its last entry.
    """

    offsets: tuple[int, ...]
    earliest: int
    latest: int
    root: bytes


class KnownCertificates:
    """Fingerprints of the certificates in the log, with the newest sequence of each; bounded."""

    def __init__(self, pairs: Iterable[tuple[bytes, int]] = ()) -> None:
        self._sequence_of = dict(pairs)

    def __contains__(self, fingerprint: object) -> bool:
        return fingerprint in self._sequence_of

    def add(self, fingerprint: bytes, sequence: int) -> None:
        """Note an entry; forgets the oldest beyond the bound."""
        self._sequence_of.pop(fingerprint, None)
        self._sequence_of[fingerprint] = sequence
        if len(self._sequence_of) > MAX_KNOWN_CERTIFICATES:
            del self._sequence_of[next(iter(self._sequence_of))]

    def sequence(self, fingerprint: bytes) -> int | None:
        """Where the certificate stands in the log; None when it is not known to."""
        return self._sequence_of.get(fingerprint)

    def pairs(self) -> tuple[tuple[bytes, int], ...]:
        """All, in order of sequence."""
        return tuple(self._sequence_of.items())


def encode_head(head: SegmentHead) -> bytes:
    """The one byte form of a segment's head."""
    origin = head.origin.encode()
    body = b"".join(
        (
            origin,
            *head.peaks,
            *(_CERTIFICATE.pack(fingerprint, at) for fingerprint, at in head.certificates),
        )
    )
    fixed = _HEAD.pack(
        HEAD_MAGIC,
        VERSION,
        head.encoding,
        0,
        _HEAD.size + len(body) + _CHECKSUM_OCTETS,
        head.first_sequence,
        head.created_at,
        len(origin),
        len(head.peaks),
        len(head.certificates),
    )
    return fixed + body + crc32(body, crc32(fixed)).to_bytes(_CHECKSUM_OCTETS)


def head_length(octets: Octets) -> int:
    """Octets of the whole head, told by its first 36.

    Raises:
        IntegrityViolation: no segment of a known kind begins so.
    """
    if len(octets) < _HEAD.size:
        raise IntegrityViolation("a segment's head is cut short")
    magic, version, encoding, reserved, length, *_ = _HEAD.unpack_from(octets)
    if magic != HEAD_MAGIC or version != VERSION:
        raise IntegrityViolation("no segment of a known version begins here")
    if encoding not in ENCODINGS or reserved:
        raise IntegrityViolation(f"a segment of encoding {encoding} is unknown")
    if not _HEAD.size + _CHECKSUM_OCTETS <= length <= MAX_HEAD_OCTETS:
        raise IntegrityViolation("a segment's head has no possible length")
    return int(length)


def decode_head(octets: Octets) -> SegmentHead:
    """Read a segment's head from the beginning of its file.

    Raises:
        IntegrityViolation: cut short, altered, or not in the one canonical form.
    """
    length = head_length(octets)
    if len(octets) < length:
        raise IntegrityViolation("a segment's head is cut short")
    checked = bytes(octets[: length - _CHECKSUM_OCTETS])
    if crc32(checked) != int.from_bytes(octets[length - _CHECKSUM_OCTETS : length]):
        raise IntegrityViolation("the checksum of a segment's head does not match")
    _, _, _, _, _, first, created_at, origin_length, peaks, certificates = _HEAD.unpack_from(
        checked
    )
    peaks_start = _HEAD.size + origin_length
    certificates_start = peaks_start + peaks * HASH_OCTETS
    if len(checked) != certificates_start + certificates * _CERTIFICATE.size:
        raise IntegrityViolation("the lengths in a segment's head contradict each other")
    origin = checked[_HEAD.size : peaks_start].decode("ascii", "replace")
    if not layout.is_origin(origin) or first.bit_count() != peaks:
        raise IntegrityViolation("a segment's head contradicts itself")
    return SegmentHead(
        first_sequence=first,
        created_at=created_at,
        origin=origin,
        peaks=tuple(
            checked[place : place + HASH_OCTETS]
            for place in range(peaks_start, certificates_start, HASH_OCTETS)
        ),
        certificates=tuple(_CERTIFICATE.iter_unpack(checked[certificates_start:])),
        encoding=octets[_ENCODING_AT],
    )


def encode_foot(foot: SegmentFoot) -> bytes:
    """The one byte form of a segment's foot."""
    body = b"".join(
        (
            _FOOT.pack(FOOT_MAGIC, VERSION, len(foot.offsets), foot.earliest, foot.latest),
            Struct(f">{len(foot.offsets)}Q").pack(*foot.offsets),
            foot.root,
        )
    )
    length = len(body) + _CHECKSUM_OCTETS + _END.size
    return body + crc32(body).to_bytes(_CHECKSUM_OCTETS) + _END.pack(length, END_MAGIC)


def foot_length(end: Octets) -> int | None:
    """Octets of the whole foot, told by the file's last eight; None when there is no foot."""
    if len(end) < _END.size:
        return None
    length, magic = _END.unpack_from(end, len(end) - _END.size)
    return int(length) if magic == END_MAGIC else None


def decode_foot(octets: Octets) -> SegmentFoot:
    """Read a foot from exactly its octets.

    Raises:
        IntegrityViolation: cut short, altered, or not in the one canonical form.
    """
    smallest = _FOOT.size + HASH_OCTETS + _CHECKSUM_OCTETS + _END.size
    if len(octets) < smallest or foot_length(octets) != len(octets):
        raise IntegrityViolation("a segment's foot is cut short")
    magic, version, count, earliest, latest = _FOOT.unpack_from(octets)
    if magic != FOOT_MAGIC or version != VERSION:
        raise IntegrityViolation("no foot of a known version begins here")
    if len(octets) != smallest + count * OFFSET_OCTETS:
        raise IntegrityViolation("the lengths in a segment's foot contradict each other")
    root_start = _FOOT.size + count * OFFSET_OCTETS
    foot = SegmentFoot(
        offsets=Struct(f">{count}Q").unpack_from(octets, _FOOT.size),
        earliest=earliest,
        latest=latest,
        root=bytes(octets[root_start : root_start + HASH_OCTETS]),
    )
    if encode_foot(foot) != bytes(octets):
        raise IntegrityViolation("the checksum of a segment's foot does not match")
    return foot
