"""What a segment file holds, read as the octets of a plain segment, however the file keeps them.

All readers work on the image: the octets of the segment as its writer wrote them. Offsets that
they name are offsets in the image.
"""

import os
import threading
from bisect import bisect_right
from dataclasses import replace
from typing import Protocol

import zstandard
from typing_extensions import override
from zlib_ng.zlib_ng import crc32

from audit.errors import IntegrityViolation
from audit.journal import sealed_index, segment
from audit.journal.entry import HEADER_OCTETS, decode_header
from audit.journal.master_keys import MasterKeys
from audit.journal.sealed_index import Block, SealIndex
from audit.journal.segment import SegmentHead
from audit.journal.segment_cipher import (
    BLOCK_PURPOSE,
    FRAME_HEAD,
    FRAME_OVERHEAD,
    FRAME_PURPOSE,
    KEY_BLOCK_OCTETS,
    MAX_FRAME_OCTETS,
    SegmentCipher,
)


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

    def stored_end(self) -> int:
        """Offset in the file after the last octets that belong to the image."""

    def stored_offset(self, offset: int) -> int:
        """Where in the file the octets from this offset of the image on are kept.

        Raises:
            IntegrityViolation: they don't begin a frame, so the file can't be cut there.
        """


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

    def stored_end(self) -> int:
        """The file's end."""
        return self.size()

    def stored_offset(self, offset: int) -> int:
        """The same."""
        return offset


class EncryptedImage(PlainImage):
    """The file holds the image in encrypted frames, in order; keeps the frame read last."""

    def __init__(self, fd: int, head: SegmentHead, start: int, cipher: SegmentCipher) -> None:
        super().__init__(fd, start)
        self._head = head
        self._cipher = cipher
        self._offsets: list[int] = []
        self._stored: list[int] = []
        self._end = start
        self._stored_end = start + KEY_BLOCK_OCTETS
        self._kept: tuple[int, bytes] = (-1, b"")
        self._growing = threading.Lock()

    @override
    def size(self) -> int:
        """Octets in whole frames now; what follows them is a frame that is not all there."""
        with self._growing:
            self._find_frames()
            return self._end

    @override
    def octets(self, offset: int, length: int) -> bytes:
        """At most ``length`` octets from ``offset``; fewer only at the end or at damage."""
        end = offset + length
        if end > self._end:
            end = min(end, self.size())
        parts = [_plain_head(self._head)[offset:end]] if offset < self._start else []
        offset = max(offset, self._start)
        number = bisect_right(self._offsets, offset) - 1
        while offset < end:
            try:
                part = self._frame(number)[offset - self._offsets[number] :]
            except IntegrityViolation:
                if parts:
                    break
                raise
            part = part[: end - offset]
            parts.append(part)
            offset += len(part)
            number += 1
        return b"".join(parts)

    @override
    def stored_end(self) -> int:
        """Offset in the file after the last whole frame."""
        self.size()
        return self._stored_end

    @override
    def stored_offset(self, offset: int) -> int:
        """Where the frame that begins at this offset of the image lies."""
        if offset >= self.size():
            return self._stored_end
        number = bisect_right(self._offsets, offset) - 1
        if number < 0 or self._offsets[number] != offset:
            raise IntegrityViolation("an encrypted frame holds more than it should")
        return self._stored[number]

    def _find_frames(self) -> None:
        size = os.fstat(self._fd).st_size
        while self._stored_end + FRAME_OVERHEAD < size:
            head = read_at(self._fd, self._stored_end, FRAME_HEAD.size)
            (length,) = FRAME_HEAD.unpack(head)
            stored_end = self._stored_end + FRAME_OVERHEAD + length
            if not 0 < length <= MAX_FRAME_OCTETS or stored_end > size:
                return
            self._offsets.append(self._end)
            self._stored.append(self._stored_end)
            self._end += length
            self._stored_end = stored_end

    def _frame(self, number: int) -> bytes:
        kept, content = self._kept
        if kept != number:
            after = self._stored[number + 1 : number + 2] or [self._stored_end]
            begin = self._stored[number] + FRAME_HEAD.size
            stored = read_at(self._fd, begin, after[0] - begin)
            content = self._cipher.decrypt(FRAME_PURPOSE, self._offsets[number], stored)
            self._kept = (number, content)
        return content


class SealedImage:
    """The file holds the image in blocks, compressed and perhaps encrypted; keeps the last."""

    def __init__(
        self, fd: int, head: SegmentHead, start: int, cipher: SegmentCipher | None
    ) -> None:
        """Read the index.

        Raises:
            IntegrityViolation: it is damaged.
        """
        self._fd = fd
        self._head = head
        self._start = start
        self._cipher = cipher
        self._shift = 0 if cipher is None else KEY_BLOCK_OCTETS
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
        parts = [_plain_head(self._head)[offset:end]] if offset < self._start else []
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

    def stored_end(self) -> int:
        """The file's end."""
        return os.fstat(self._fd).st_size

    def stored_offset(self, offset: int) -> int:
        """A sealed file is never cut."""
        raise IntegrityViolation(f"a sealed segment can't be cut at {offset}")

    def _read_index(self) -> SealIndex:
        size = os.fstat(self._fd).st_size
        end = read_at(self._fd, max(0, size - sealed_index.END_OCTETS), sealed_index.END_OCTETS)
        begin = size - sealed_index.index_length(end)
        if begin < self._start:
            raise IntegrityViolation("the index of a sealed segment has no possible length")
        return sealed_index.decode_index(
            read_at(self._fd, begin, size - begin), self._start, begin - self._shift
        )

    def _content(self, number: int) -> bytes:
        kept, content = self._kept
        if kept != number:
            content = self._decompressed(self._index.blocks[number])
            self._kept = (number, content)
        return content

    def _decompressed(self, block: Block) -> bytes:
        sizes = block.sizes
        stored = read_at(self._fd, block.offset + self._shift, sizes.stored_octets)
        if len(stored) != sizes.stored_octets or crc32(stored) != sizes.checksum:
            raise IntegrityViolation("the checksum of a sealed segment's block does not match")
        if self._cipher is not None:
            stored = self._cipher.decrypt(BLOCK_PURPOSE, block.image_offset, stored)
        try:
            told = zstandard.frame_content_size(stored)
            if told != sizes.image_octets:
                raise IntegrityViolation("a sealed segment's block has another length")
            return zstandard.ZstdDecompressor().decompress(stored, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise IntegrityViolation(f"a sealed segment's block is damaged: {error}") from error


def _plain_head(head: SegmentHead) -> bytes:
    return segment.encode_head(replace(head, encoding=segment.ENCODING_PLAIN))


def open_cipher(fd: int, head: SegmentHead, start: int, keys: MasterKeys) -> SegmentCipher | None:
    """What opens the file, None when it is not encrypted; ``start`` is the length of its head.

    Raises:
        KeyMissing: it is encrypted with a key that is not in the ring.
        IntegrityViolation: it is damaged.
    """
    if not head.is_encrypted:
        return None
    block = read_at(fd, start, KEY_BLOCK_OCTETS)
    return SegmentCipher.open(keys, segment.encode_head(head), block)


def open_image(
    fd: int, head: SegmentHead, start: int, cipher: SegmentCipher | None
) -> SegmentImage:
    """The image that the file holds; ``start`` is the length of its head.

    Raises:
        IntegrityViolation: it is damaged.
    """
    if head.is_sealed:
        return SealedImage(fd, head, start, cipher)
    return PlainImage(fd, start) if cipher is None else EncryptedImage(fd, head, start, cipher)
