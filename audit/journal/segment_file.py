"""Reads one segment file: its head, one entry at an offset, all entries in order.

This is the one interface to a segment's octets, plain, sealed or encrypted: offsets are those of
the plain form. It only reads, and may do so beside the writer.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from audit.journal import master_keys, segment
from audit.journal.entry import (
    HEADER_OCTETS,
    DecodedEntry,
    Entry,
    EntryHeader,
    decode_body,
    decode_header,
)
from audit.journal.master_keys import KeyMissing, MasterKeys
from audit.journal.segment_cipher import SegmentCipher
from audit.journal.segment_image import open_cipher, open_image, read_at

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

    def __init__(self, path: Path, keys: MasterKeys | None = None) -> None:
        """Open the file and check its head, and its index when it is sealed.

        Args:
            path: the file.
            keys: for encrypted segments; the process's own when not given.

        Raises:
            IntegrityViolation: the head is damaged.
            KeyMissing: the segment is encrypted with a key that is not among these.
            OSError: it can't be read.
        """
        self.path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            length = segment.head_length(read_at(self._fd, 0, segment.HEAD_OCTETS))
            self.head = segment.decode_head(read_at(self._fd, 0, length))
            ring = master_keys.in_use() if keys is None else keys
            self.cipher = self._open_cipher(length, ring)
            self._image = open_image(self._fd, self.head, length, self.cipher)
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

    def _open_cipher(self, start: int, keys: MasterKeys) -> SegmentCipher | None:
        try:
            return open_cipher(self._fd, self.head, start, keys)
        except KeyMissing as error:
            raise KeyMissing(f"{self.path.name} is {error}") from error

    def size(self) -> int:
        """Octets of the image now."""
        return self._image.size()

    def stored_end(self) -> int:
        """Offset in the file after the image; what follows is an encrypted frame cut short."""
        return self._image.stored_end()

    def stored_offset(self, offset: int) -> int:
        """Where in the file an entry at this offset of the image is kept, if it can be cut there.

        Raises:
            IntegrityViolation: it can't.
        """
        return self._image.stored_offset(offset)

    def stored_octets(self, offset: int, length: int) -> bytes:
        """At most ``length`` octets of the file itself."""
        return read_at(self._fd, offset, length)

    def stored_size(self) -> int:
        """Octets of the file now; the image's, if it is plain."""
        return os.fstat(self._fd).st_size

    def is_in_place(self) -> bool:
        """Whether the file that was opened is still the one of that name."""
        try:
            return os.path.samestat(os.fstat(self._fd), self.path.stat())
        except FileNotFoundError:
            return False

    def octets(self, offset: int, length: int) -> bytes:
        """At most ``length`` octets of the image from ``offset``; fewer only at its end or damage.

        Raises:
            IntegrityViolation: the file is sealed, and damaged at ``offset``.
        """
        return self._image.octets(offset, length)

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
        """Where the foot of a closed segment begins; same care as ``foot``.

        Raises:
            IntegrityViolation: there is none.
        """
        return self._image.foot_start()

    def offset_of(self, number: int) -> int:
        """Where the entry with this number (from 0) begins in a closed segment; as ``foot``.

        Raises:
            IntegrityViolation: there is no foot, or it tells no possible offset.
        """
        return self._image.offset_of(number)

    def _window(self, offset: int, end: int, needed: int) -> bytes:
        return self.octets(offset, min(max(needed, _WINDOW_OCTETS), end - offset))
