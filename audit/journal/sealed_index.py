"""The index that a sealed segment ends with; pure. docs/journal-format.md, section 2.1.

A sealed segment holds the same octets as the closed segment it was made from, its *image*, in
compressed blocks. The index tells of each block how long it is in the file and in the image; where
it begins follows from those before it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

from zlib_ng.zlib_ng import crc32

from audit.errors import IntegrityViolation
from audit.journal.entry import HEADER_OCTETS, MAX_BODY_OCTETS, MAX_METADATA_OCTETS, Octets

INDEX_MAGIC = b"ARRI"
END_MAGIC = b"ARRX"
VERSION = 1
ENTRIES_PER_BLOCK = 256
BLOCK_OCTETS = 4 << 20
"""A block is closed before it grows beyond this in the image; a larger entry is alone in its."""

_HEAD = Struct(">4sB3xII")
_BLOCK = Struct(">IIII")
_END = Struct(">I4s")
END_OCTETS = _END.size
_CHECKSUM_OCTETS = 4
_SMALLEST = _HEAD.size + _CHECKSUM_OCTETS + _END.size
_MAX_IMAGE_OCTETS = HEADER_OCTETS + MAX_METADATA_OCTETS + MAX_BODY_OCTETS


class BlockSizes(NamedTuple):
    """What the index tells of one block.

    Attributes:
        entries: in it; 0 for the last block, which holds the foot.
        image_octets: of its content.
        stored_octets: in the file.
        checksum: CRC-32 of its octets in the file.
    """

    entries: int
    image_octets: int
    stored_octets: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Block:
    """A block at its places.

    Attributes:
        sizes: as the index tells.
        first: number (from 0) of its first entry in the segment.
        image_offset: where its content begins in the image.
        offset: where it begins in the file.
    """

    sizes: BlockSizes
    first: int
    image_offset: int
    offset: int


@dataclass(frozen=True, slots=True)
class SealIndex:
    """All blocks of a sealed segment, in order; the last one holds the foot."""

    blocks: tuple[Block, ...]

    @property
    def entries(self) -> int:
        """Entries in the segment."""
        return self.blocks[-1].first

    @property
    def image_size(self) -> int:
        """Octets of the segment that was sealed."""
        last = self.blocks[-1]
        return last.image_offset + last.sizes.image_octets


def encode_index(blocks: Sequence[BlockSizes]) -> bytes:
    """The one byte form of an index."""
    entries = sum(block.entries for block in blocks)
    body = _HEAD.pack(INDEX_MAGIC, VERSION, entries, len(blocks)) + b"".join(
        _BLOCK.pack(*block) for block in blocks
    )
    length = len(body) + _CHECKSUM_OCTETS + _END.size
    return body + crc32(body).to_bytes(_CHECKSUM_OCTETS) + _END.pack(length, END_MAGIC)


def index_length(end: Octets) -> int:
    """Octets of the whole index, told by the file's last eight.

    Raises:
        IntegrityViolation: there is none.
    """
    if len(end) >= _END.size:
        length, magic = _END.unpack_from(end, len(end) - _END.size)
        if magic == END_MAGIC and length >= _SMALLEST:
            return int(length)
    raise IntegrityViolation("a sealed segment does not end with its index")


def decode_index(octets: Octets, start: int, end: int) -> SealIndex:
    """Read an index from exactly its octets.

    Args:
        octets: the index.
        start: offset of the first block, in the file and in the image.
        end: offset in the file at which the index begins.

    Raises:
        IntegrityViolation: cut short, altered, or not one of blocks from ``start`` to ``end``.
    """
    if index_length(octets) != len(octets):
        raise IntegrityViolation("the index of a sealed segment is cut short")
    magic, version, entries, count = _HEAD.unpack_from(octets)
    if magic != INDEX_MAGIC or version != VERSION:
        raise IntegrityViolation("no index of a known version begins here")
    if len(octets) != _SMALLEST + count * _BLOCK.size:
        raise IntegrityViolation("the lengths in a sealed segment's index contradict each other")
    sizes = [
        BlockSizes(*fields)
        for fields in _BLOCK.iter_unpack(octets[_HEAD.size : _HEAD.size + count * _BLOCK.size])
    ]
    if encode_index(sizes) != bytes(octets):
        raise IntegrityViolation("the checksum of a sealed segment's index does not match")
    index = SealIndex(tuple(_placed(sizes, start)))
    if not _is_possible(index, entries, end):
        raise IntegrityViolation("the index of a sealed segment contradicts itself")
    return index


def _placed(sizes: Iterable[BlockSizes], start: int) -> Iterable[Block]:
    first, image_offset, offset = 0, start, start
    for block in sizes:
        yield Block(block, first, image_offset, offset)
        first += block.entries
        image_offset += block.image_octets
        offset += block.stored_octets


def _is_possible(index: SealIndex, entries: int, end: int) -> bool:
    if not index.blocks or index.entries != entries:
        return False
    *others, last = index.blocks
    return (
        last.sizes.entries == 0
        and last.offset + last.sizes.stored_octets == end
        and all(0 < block.sizes.entries <= ENTRIES_PER_BLOCK for block in others)
        and all(0 < block.sizes.image_octets <= _MAX_IMAGE_OCTETS for block in index.blocks)
    )
