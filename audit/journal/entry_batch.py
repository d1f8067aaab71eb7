"""The byte forms of many records at once, for the one who appends them; pure.

Each is what ``entry.encode`` makes of the same entry. The leaf hashes are made in the same pass,
while an entry's octets are in the processor's cache.
"""

from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate
from struct import Struct
from typing import NamedTuple

from zlib_ng.zlib_ng import crc32

from audit.journal.entry import (
    FORM_WHOLE,
    LEAF_MAGIC,
    MAGIC,
    SALT_OCTETS,
    VERSION,
    EntryKind,
    Received,
    attribute_octets,
)

_BEGIN = Struct(">4sBBBBI")
_CHECKED = Struct(f">{_BEGIN.size}sIQQ{SALT_OCTETS}sQI")
"""What the checksum begins with: the header without it, and the fixed metadata up to the lengths,
which follow from the sender."""
_CHECKED_HEADER_OCTETS = _BEGIN.size + 4
_CHECKSUM = Struct(">I")
_LENGTHS = Struct(">BBHH")
_LEAF_BEGIN = Struct(">s4sBBB")
_SALT = Struct(f">{SALT_OCTETS}s")

Alike = tuple[EntryKind, str, str, bytes, tuple[tuple[int, bytes], ...], int]
"""Kind, listener, peer, certificate, attributes, flags: what many records have in common."""


class _Common(NamedTuple):
    """What is the same in the octets of records that are alike."""

    begin: bytes
    rest: bytes
    leaf_begin: bytes


class EncodedBatch:
    """Consecutive entries, ready to be written.

    Attributes:
        buffers: head and body of each, in order; an empty body is left out.
        lengths: octets of each entry.
        leaves: RFC 6962 2.1 leaf hash of each entry's envelope.
        earliest: smallest received-at.
        latest: largest received-at.
        kinds: of the entries.
    """

    __slots__ = ("buffers", "earliest", "kinds", "latest", "leaves", "lengths")

    def __init__(self, first: int, salts: bytes, batch: Sequence[Received]) -> None:
        """Encode.

        Args:
            first: sequence of the first entry.
            salts: 16 octets for each.
            batch: one record at least.

        Raises:
            ValueError: there are not so many salts.
        """
        if len(salts) != SALT_OCTETS * len(batch):
            raise ValueError("each entry has a salt of its own, of 16 octets")
        self.buffers: list[bytes] = []
        self.lengths: list[int] = []
        self.leaves: list[bytes] = []
        self._encode(first, salts, batch)
        times = [received.received_at for received in batch]
        self.earliest, self.latest = min(times), max(times)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def octets(self) -> int:
        """All of them."""
        return sum(self.lengths)

    def ends(self, start: int) -> list[int]:
        """The offset after each entry, the first of which begins at ``start``."""
        return list(accumulate(self.lengths, initial=start))[1:]

    def _encode(self, first: int, salts: bytes, batch: Sequence[Received]) -> None:
        """One loop without calls of our own: this is what an append spends its time with."""
        known: dict[Alike, _Common] = {}
        add, add_length, add_leaf = (
            self.buffers.append, self.lengths.append, self.leaves.append
        )  # fmt: skip
        pack_checksum, pack = _CHECKSUM.pack, _CHECKED.pack
        last: Alike | None = None
        begin = rest = leaf_begin = b""
        numbered = enumerate(zip(batch, _SALT.iter_unpack(salts), strict=True), first)
        for sequence, (received, (salt,)) in numbered:
            alike = (
                received.kind, received.listener, received.peer, received.certificate_sha256,
                received.attributes, received.flags,
            )  # fmt: skip
            if alike != last:
                begin, rest, leaf_begin = known.get(alike) or known.setdefault(
                    alike, _common(alike)
                )
                last = alike
            raw, sent = received.raw, received.original_length
            length = len(raw)
            sent = length if sent is None else sent
            checked = (
                pack(begin, length, sequence, received.received_at, salt, sent, length) + rest
            )
            metadata = checked[_CHECKED_HEADER_OCTETS:]
            checksum = pack_checksum(crc32(raw, crc32(checked)))
            head = checked[:_CHECKED_HEADER_OCTETS] + checksum + metadata
            add(head)
            if raw:
                add(raw)
            add_length(len(head) + length)
            add_leaf(sha256(leaf_begin + metadata + sha256(raw).digest()).digest())
        self.kinds = frozenset(kind for kind, *_ in known)


def _common(alike: Alike) -> _Common:
    kind, listener, peer, certificate, attributes, flags = alike
    texts = listener.encode(), peer.encode()
    more = attribute_octets(attributes) if attributes else b""
    lengths = _LENGTHS.pack(len(certificate), len(texts[0]), len(texts[1]), len(more))
    rest = b"".join((lengths, certificate, *texts, more))
    metadata_length = _CHECKED.size - _CHECKED_HEADER_OCTETS + len(rest)
    return _Common(
        _BEGIN.pack(MAGIC, VERSION, FORM_WHOLE, kind, flags, metadata_length),
        rest,
        _LEAF_BEGIN.pack(b"\x00", LEAF_MAGIC, VERSION, kind, flags),
    )
