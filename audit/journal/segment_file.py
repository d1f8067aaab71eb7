"""Reads one segment file: its head, one entry at an offset, all entries in order.

This is the one interface to a segment's octets; it only reads, and may do so beside the writer.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from audit.errors import IntegrityViolation
from audit.journal import segment
from audit.journal.entry import (
    HEADER_OCTETS,
    DecodedEntry,
    Entry,
    EntryHeader,
    decode_body,
    decode_header,
)

_WINDOW_OCTETS = 1 << 20


class Placed(NamedTuple):
    """An entry, the offset it begins at, the offset after it, and its leaf hash's input."""

    entry: Entry
    offset: int
    end: int
    decoded: DecodedEntry

    @property
    def leaf_hash(self) -> bytes:
        """As ``Entry.leaf_hash``, from the octets that were read."""
        return self.decoded.leaf_hash


class SegmentFile:
    """An open segment. Safe for several threads; close it when done."""

    def __init__(self, path: Path) -> None:
        """Open the file and check its head.

        Raises:
            IntegrityViolation: the head is damaged.
            OSError: it can't be read.
        """
        self.path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            length = segment.head_length(self.octets(0, segment.HEAD_OCTETS))
            self.head = segment.decode_head(self.octets(0, length))
        except BaseException:
            self.close()
            raise
        self.entries_start = length

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back; a second time does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def size(self) -> int:
        """Octets in the file now."""
        return os.fstat(self._fd).st_size

    def octets(self, offset: int, length: int) -> bytes:
        """At most ``length`` octets from ``offset``; fewer only at the file's end."""
        found = os.pread(self._fd, length, offset)
        if len(found) in {0, length}:
            return found
        parts = [found]
        missing = length - len(found)
        while missing and (found := os.pread(self._fd, missing, offset + length - missing)):
            parts.append(found)
            missing -= len(found)
        return b"".join(parts)

    def entry_header(self, offset: int) -> EntryHeader:
        """The head of the entry at ``offset``, its checksum not compared.

        Raises:
            IntegrityViolation: no entry begins there.
        """
        return decode_header(self.octets(offset, HEADER_OCTETS))

    def entry(self, offset: int) -> Placed:
        """The entry at ``offset``, its checksum compared.

        Raises:
            IntegrityViolation: no whole entry is there.
        """
        header = self.entry_header(offset)
        decoded = decode_body(self.octets(offset, header.entry_length), 0, header)
        return Placed(decoded.entry, offset, offset + decoded.end, decoded)

    def scan(self, start: int, end: int) -> Iterator[Placed]:
        """Every entry from offset ``start`` up to offset ``end``, checksums compared.

        Raises:
            IntegrityViolation: after the last whole entry, when other octets stand before ``end``.
        """
        offset = base = start
        window = b""
        while offset < end:
            if base + len(window) < offset + HEADER_OCTETS:
                window, base = self._window(offset, end, HEADER_OCTETS), offset
            header = decode_header(window, offset - base)
            if base + len(window) < offset + header.entry_length:
                window, base = self._window(offset, end, header.entry_length), offset
            decoded = decode_body(window, offset - base, header)
            stop = base + decoded.end
            yield Placed(decoded.entry, offset, stop, decoded)
            offset = stop

    def foot(self) -> segment.SegmentFoot:
        """The foot at the end of a closed segment.

        Only for a segment that has a successor: the octets of a message could imitate a foot at
        the end of the open one.

        Raises:
            IntegrityViolation: there is none.
        """
        return segment.decode_foot(self.octets(self.foot_start(), self.size()))

    def foot_start(self) -> int:
        """Where the foot of a closed segment begins, by its last octets; same care as ``foot``."""
        size = self.size()
        length = segment.foot_length(self.octets(size - segment.END_OCTETS, segment.END_OCTETS))
        if length is None or not self.entries_start <= size - length <= size:
            raise IntegrityViolation(f"{self.path.name} has no foot")
        return size - length

    def offset_by_foot(self, number: int) -> int:
        """Where the entry with this number (from 0) begins, by the foot of a closed segment.

        Raises:
            IntegrityViolation: there is no foot, or it tells no possible offset.
        """
        start = self.foot_start()
        place = start + segment.OFFSETS_START + number * segment.OFFSET_OCTETS
        offset = int.from_bytes(self.octets(place, segment.OFFSET_OCTETS))
        if place >= self.size() or not self.entries_start <= offset < start:
            raise IntegrityViolation(f"{self.path.name} has no entry {number}")
        return offset

    def _window(self, offset: int, end: int, needed: int) -> bytes:
        return self.octets(offset, min(max(needed, _WINDOW_OCTETS), end - offset))
