"""What a segment file holds, read as the octets of a plain segment, however the file keeps them.

All readers work on the image: the octets of the segment as its writer wrote them. Offsets that
they name are offsets in the image.
"""

import os
from bisect import bisect_right
from dataclasses import replace
from functools import cached_property
from typing import Protocol
from zlib import crc32

import zstandard

from audit.errors import IntegrityViolation
from audit.journal import sealed_index, segment
from audit.journal.entry import HEADER_OCTETS, decode_header
from audit.journal.sealed_index import Block, SealIndex
from audit.journal.segment import SegmentHead


class SegmentImage(Protocol):
    """A segment's octets."""

    def size(self) -> int:
        """Octets in the image now."""

    def octets(self, offset: int, length: int) -> bytes:
        """At most ``length`` octets from ``offset``; fewer only at the image's end."""

    def foot_start(self) -> int:
        """Where the foot begins; only for a segment that has a successor."""

    def offset_of(self, number: int) -> int:
        """Where the entry with this number (from 0) begins; only as ``foot_start``."""


def read_at(fd: int, offset: int, length: int) -> bytes:
    """At most ``length`` octets of a file from ``offset``; fewer only at its end."""
    found = os.pread(fd, length, offset)
    if len(found) in {0, length}:
        return found
    parts = [found]
    missing = length - len(found)
    while missing and (found := os.pread(fd, missing, offset + length - missing)):
        parts.append(found)
        missing -= len(found)
    return b"".join(parts)


class PlainImage:
    """The file is the image."""

    def __init__(self, fd: int, start: int) -> None:
        self._fd = fd
        self._start = start

    def size(self) -> int:
        """Octets in the file now."""
        return os.fstat(self._fd).st_size

    def octets(self, offset: int, length: int) -> bytes:
        """At most ``length`` octets from ``offset``; fewer only at the file's end."""
        return read_at(self._fd, offset, length)

    def foot_start(self) -> int:
        """Where the foot begins, by the file's last octets."""
        size = self.size()
        length = segment.foot_length(self.octets(size - segment.END_OCTETS, segment.END_OCTETS))
        if length is None or not self._start <= size - length <= size:
            raise IntegrityViolation("the segment has no foot")
        return size - length

    def offset_of(self, number: int) -> int:
        """Where an entry begins, by the foot."""
        start = self.foot_start()
        place = start + segment.OFFSETS_START + number * segment.OFFSET_OCTETS
        offset = int.from_bytes(self.octets(place, segment.OFFSET_OCTETS))
        if place >= self.size() or not self._start <= offset < start:
            raise IntegrityViolation(f"the segment has no entry {number}")
        return offset


class SealedImage:
    """The file holds the image in compressed blocks; keeps the block read last."""

    def __init__(self, fd: int, head: SegmentHead, start: int) -> None:
        """Read the index.

        Raises:
            IntegrityViolation: it is damaged.
        """
        self._fd = fd
        self._head = head
        self._start = start
        self._index = self._read_index()
        self._offsets = [block.image_offset for block in self._index.blocks]
        self._kept: tuple[int, bytes] = (-1, b"")

    def size(self) -> int:
        """Octets of the image, which never changes."""
        return self._index.image_size

    def octets(self, offset: int, length: int) -> bytes:
        """At most ``length`` octets from ``offset``; fewer only at its end or at damage."""
        end = min(offset + length, self.size())
        if end <= offset:
            return b""
        parts = [self._plain_head[offset:end]] if offset < self._start else []
        offset = max(offset, self._start)
        number = bisect_right(self._offsets, offset) - 1
        while offset < end:
            block = self._index.blocks[number]
            within = offset - block.image_offset
            try:
                part = self._content(number)[within : end - block.image_offset]
            except IntegrityViolation:
                if parts:  # what stands before the damage is whole; who goes on meets it there
                    break
                raise
            parts.append(part)
            offset += len(part)
            number += 1
        return b"".join(parts)

    def foot_start(self) -> int:
        """Where the foot begins."""
        return self._index.blocks[-1].image_offset

    def offset_of(self, number: int) -> int:
        """Where an entry begins: its block is read, and the heads in it followed."""
        if not 0 <= number < self._index.entries:
            raise IntegrityViolation(f"the segment has no entry {number}")
        place = bisect_right(self._index.blocks, number, key=lambda block: block.first) - 1
        while self._index.blocks[place].sizes.entries == 0:
            place -= 1
        block, content = self._index.blocks[place], self._content(place)
        within = 0
        for _ in range(number - block.first):
            header = decode_header(content[within : within + HEADER_OCTETS])
            within += header.entry_length
        return block.image_offset + within

    @cached_property
    def _plain_head(self) -> bytes:
        return segment.encode_head(replace(self._head, encoding=segment.ENCODING_PLAIN))

    def _read_index(self) -> SealIndex:
        size = os.fstat(self._fd).st_size
        end = read_at(self._fd, max(0, size - sealed_index.END_OCTETS), sealed_index.END_OCTETS)
        begin = size - sealed_index.index_length(end)
        if begin < self._start:
            raise IntegrityViolation("the index of a sealed segment has no possible length")
        return sealed_index.decode_index(
            read_at(self._fd, begin, size - begin), self._start, begin
        )

    def _content(self, number: int) -> bytes:
        kept, content = self._kept
        if kept != number:
            content = self._decompressed(self._index.blocks[number])
            self._kept = (number, content)
        return content

    def _decompressed(self, block: Block) -> bytes:
        sizes = block.sizes
        stored = read_at(self._fd, block.offset, sizes.stored_octets)
        if len(stored) != sizes.stored_octets or crc32(stored) != sizes.checksum:
            raise IntegrityViolation("the checksum of a sealed segment's block does not match")
        try:
            told = zstandard.frame_content_size(stored)
            if told != sizes.image_octets:
                raise IntegrityViolation("a sealed segment's block has another length")
            return zstandard.ZstdDecompressor().decompress(stored, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise IntegrityViolation(f"a sealed segment's block is damaged: {error}") from error


def open_image(fd: int, head: SegmentHead, start: int) -> SegmentImage:
    """The image that the file holds; ``start`` is the length of its head.

    Raises:
        IntegrityViolation: it is damaged.
    """
    if head.encoding == segment.ENCODING_SEALED:
        return SealedImage(fd, head, start)
    return PlainImage(fd, start)
