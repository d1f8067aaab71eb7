"""The tree's hashes on disk: level 0 the leaf hashes, level n the roots of 256**n leaves each.

A level is a row of 32-octet hashes, cut into files of 2**20; so any tile of the C2SP tlog-tiles
layout is one read of consecutive octets, and a proof reads a few tiles.
"""

from collections.abc import Sequence
from pathlib import Path

from audit.errors import IntegrityViolation
from audit.journal import layout
from audit.journal.files import Files
from audit.journal.merkle import HASH_OCTETS, TILE_HEIGHT, hash_node

TILE_WIDTH = 1 << TILE_HEIGHT
_LEVELS = 8
"""Levels of tiles in a tree of 2**64 leaves."""


def hashes_at_level(size: int, level: int) -> int:
    """How many hashes a tree of ``size`` leaves has at a level."""
    return size >> (TILE_HEIGHT * level)


class TreeWriter:
    """Collects hashes in memory and makes them durable when told; for the writer only."""

    def __init__(self, journal_dir: Path, files: Files, size: int) -> None:
        self._dir = journal_dir
        self._files = files
        self._next = size
        self._pending: dict[int, tuple[int, bytearray]] = {}

    def add(self, leaf_hash: bytes, completed: list[tuple[int, bytes]]) -> None:
        """Take the next leaf hash and what it completed at higher levels."""
        self.add_many([leaf_hash], completed)

    def add_many(self, leaf_hashes: Sequence[bytes], completed: list[tuple[int, bytes]]) -> None:
        """Take the next leaf hashes and what they completed, as ``Tree.extend`` returns it."""
        before = self._next
        self._take(0, before, b"".join(leaf_hashes))
        self._next += len(leaf_hashes)
        for level, nodes in completed:
            self._take(level, hashes_at_level(before, level), nodes)

    def flush_durably(self) -> None:
        """All hashes taken so far are on disk; after an OSError they are still held."""
        for level, (start, octets) in sorted(self._pending.items()):
            self._write_level(level, start, bytes(octets))
        self._pending.clear()

    def cut_beyond(self, size: int) -> None:
        """Drop hashes that a tree of ``size`` leaves doesn't have, left by a lost tail."""
        for level in range(_LEVELS):
            wanted = hashes_at_level(size, level)
            for chunk, path in _chunks(self._dir, level):
                excess = chunk * layout.HASHES_PER_CHUNK
                length = min(max(wanted - excess, 0), layout.HASHES_PER_CHUNK) * HASH_OCTETS
                if path.stat().st_size > length:
                    self._cut(path, length)

    def _take(self, level: int, index: int, nodes: bytes) -> None:
        _, octets = self._pending.setdefault(level, (index, bytearray()))
        octets += nodes

    def _write_level(self, level: int, start: int, octets: bytes) -> None:
        self._files.make_directory_durably(self._dir / layout.TREE / str(level))
        place = 0
        while place < len(octets):
            chunk, within = divmod(start + place // HASH_OCTETS, layout.HASHES_PER_CHUNK)
            part = octets[place : place + (layout.HASHES_PER_CHUNK - within) * HASH_OCTETS]
            fd = self._files.open_or_create_durably(self._dir / layout.chunk_name(level, chunk))
            try:
                self._files.write_at(fd, within * HASH_OCTETS, (part,))
                self._files.sync_data(fd)
            finally:
                self._files.close(fd)
            place += len(part)

    def _cut(self, path: Path, length: int) -> None:
        fd = self._files.open_existing(path)
        try:
            self._files.cut_durably(fd, length)
        finally:
            self._files.close(fd)


class TreeReader:
    """Reads hashes and tiles of a published tree."""

    def __init__(self, journal_dir: Path) -> None:
        self._dir = journal_dir

    def hashes(self, level: int, start: int, count: int) -> bytes:
        """``count`` consecutive hashes of a level.

        Raises:
            IntegrityViolation: not all of them are there.
        """
        parts = []
        while count:
            chunk, within = divmod(start, layout.HASHES_PER_CHUNK)
            here = min(count, layout.HASHES_PER_CHUNK - within)
            parts.append(self._read(level, chunk, within, here))
            start, count = start + here, count - here
        return b"".join(parts)

    def tile(self, level: int, tile: int, width: int = TILE_WIDTH) -> bytes:
        """A tile as C2SP tlog-tiles serves it, full or partial.

        Raises:
            IntegrityViolation: not all its hashes are there.
        """
        return self.hashes(level, tile * TILE_WIDTH, width)

    def node(self, height: int, index: int) -> bytes:
        """A ``merkle.NodeSource``: the root of a complete subtree."""
        level, above = divmod(height, TILE_HEIGHT)
        octets = self.hashes(level, index << above, 1 << above)
        row = [octets[n : n + HASH_OCTETS] for n in range(0, len(octets), HASH_OCTETS)]
        while len(row) > 1:
            row = [hash_node(row[n], row[n + 1]) for n in range(0, len(row), 2)]
        return row[0]

    def count(self, level: int) -> int:
        """Hashes on disk at a level, counted by its last file."""
        chunk, path = max(_chunks(self._dir, level), default=(0, None))
        if path is None:
            return 0
        return chunk * layout.HASHES_PER_CHUNK + path.stat().st_size // HASH_OCTETS

    def _read(self, level: int, chunk: int, start: int, count: int) -> bytes:
        path = self._dir / layout.chunk_name(level, chunk)
        try:
            with path.open("rb") as stream:
                stream.seek(start * HASH_OCTETS)
                octets = stream.read(count * HASH_OCTETS)
        except OSError as error:
            raise IntegrityViolation(f"tree hashes are missing: {error}") from error
        if len(octets) != count * HASH_OCTETS:
            raise IntegrityViolation(f"tree hashes are missing at the end of {path.name}")
        return octets


def _chunks(journal_dir: Path, level: int) -> list[tuple[int, Path]]:
    folder = journal_dir / layout.TREE / str(level)
    if not folder.is_dir():
        return []
    return [
        (chunk, path)
        for path in folder.iterdir()
        if (chunk := layout.chunk_number(path.name)) is not None
    ]
