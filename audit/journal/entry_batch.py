"""The byte forms of many records at once, for the one who appends them; pure.

Each is what ``entry.encode`` makes of the same entry. Leaf hashes are made apart, since they are
needed only once the octets are durable, and so can be made while those are on their way to disk.
"""

from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate
from struct import Struct
from typing import NamedTuple
from zlib import crc32

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

_LENGTH = Struct(">I")
_ALWAYS = Struct(">QQ16sQI")
"""The fixed metadata up to the lengths, which follow from the sender."""
_LENGTHS = Struct(">BBHH")
_BEGIN = Struct(">4sBBBBI")
_LEAF_BEGIN = Struct(">s4sBBB")
_SALT = Struct(f">{SALT_OCTETS}s")

_MESSAGE = EntryKind.MESSAGE

Alike = tuple[str, str, bytes, tuple[tuple[int, bytes], ...], int]
"""Listener, peer, certificate, attributes, flags: what many messages have in common."""


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
        earliest: smallest received-at.
        latest: largest received-at.
    """

    __slots__ = ("_leaf_parts", "buffers", "earliest", "latest", "lengths")

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
        self._leaf_parts: list[tuple[bytes, bytes, bytes]] = []
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

    def leaf_hashes(self) -> list[bytes]:
        """RFC 6962 2.1 leaf hash of each entry's envelope."""
        return [
            sha256(begin + metadata + sha256(raw).digest()).digest()
            for begin, metadata, raw in self._leaf_parts
        ]

    def _encode(self, first: int, salts: bytes, batch: Sequence[Received]) -> None:
        """One loop without calls of our own: this is what an append spends its time with."""
        known: dict[Alike, _Common] = {}
        add, add_length, add_leaf = (
            self.buffers.append, self.lengths.append, self._leaf_parts.append
        )  # fmt: skip
        pack_length, pack = _LENGTH.pack, _ALWAYS.pack
        numbered = enumerate(zip(batch, _SALT.iter_unpack(salts), strict=True), first)
        for sequence, (received, (salt,)) in numbered:
            alike = (
                received.listener, received.peer, received.certificate_sha256,
                received.attributes, received.flags,
            )  # fmt: skip
            common = known.get(alike) if received.kind is _MESSAGE else None
            if common is None:
                common = _common(received.kind, alike)
                if received.kind is _MESSAGE:
                    known[alike] = common
            begin, rest, leaf_begin = common
            raw = received.raw
            length, sent = len(raw), received.original_length
            sent = length if sent is None else sent
            checked = begin + pack_length(length)
            metadata = pack(sequence, received.received_at, salt, sent, length) + rest
            checksum = crc32(raw, crc32(metadata, crc32(checked)))
            head = checked + pack_length(checksum) + metadata
            add(head)
            if raw:
                add(raw)
            add_length(len(head) + length)
            add_leaf((leaf_begin, metadata, raw))


def _common(kind: EntryKind, alike: Alike) -> _Common:
    listener, peer, certificate, attributes, flags = alike
    texts = listener.encode(), peer.encode()
    more = attribute_octets(attributes) if attributes else b""
    lengths = _LENGTHS.pack(len(certificate), len(texts[0]), len(texts[1]), len(more))
    rest = b"".join((lengths, certificate, *texts, more))
    metadata_length = _ALWAYS.size + len(rest)
    return _Common(
        _BEGIN.pack(MAGIC, VERSION, FORM_WHOLE, kind, flags, metadata_length),
        rest,
        _LEAF_BEGIN.pack(b"\x00", LEAF_MAGIC, VERSION, kind, flags),
    )
