"""Open month files, lent to one thread at a time."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

import apsw

from audit.errors import IndexUnavailable
from audit.index.column_cache import ColumnCache
from audit.index.sqlite_directory import IndexDirectory
from audit.index.sqlite_reader import PartReader
from audit.index.sqlite_schema import open_for_reading

_LISTED_AGAIN: Final = 5


class ReaderPool:
    """Lends the month files of the answering generation, each in one state of its own.

    Args:
        directory: the folder of the index.
        idle_per_part: how many open readers of one month are kept for the next question.
        column_octets: memory that columns may take.
    """

    def __init__(self, directory: IndexDirectory, idle_per_part: int, column_octets: int) -> None:
        self._columns = ColumnCache(column_octets)
        self._directory = directory
        self._idle_per_part = idle_per_part
        self._lock = Lock()
        self._generation: Path | None = None
        self._idle: dict[Path, list[PartReader]] = {}

    @contextmanager
    def lend(self) -> Iterator[tuple[list[PartReader], tuple[str, ...]]]:
        """Readers of all months, oldest first, and why any month is missing among them."""
        with ExitStack() as stack:
            for _ in range(_LISTED_AGAIN):
                lent = self._lend_listed(stack)
                if lent is not None:
                    break
            else:
                raise IndexUnavailable("the files of the index change too often")
            readers, faults = lent
            replaced = frozenset[str]().union(*(reader.replaces for reader in readers))
            yield [r for r in readers if r.file not in replaced], tuple(faults)

    def _lend_listed(self, stack: ExitStack) -> tuple[list[PartReader], list[str]] | None:
        """Readers of the files that are there now; None when one went while they were opened."""
        paths = self._directory.parts_of(self._follow())
        self._drop_gone(paths)
        readers: list[PartReader] = []
        faults: list[str] = []
        for path in paths:
            try:
                reader = self._borrow(path)
            except (apsw.Error, OSError, KeyError) as error:
                if not path.exists():
                    return None
                faults.append(f"the index of {path.stem} can't be read ({error})")
            else:
                stack.callback(self._give_back, reader)
                readers.append(reader)
        return readers, faults

    def _drop_gone(self, paths: Sequence[Path]) -> None:
        """Close what is idle of files that were sealed meanwhile."""
        with self._lock:
            for path in self._idle.keys() - set(paths):
                for reader in self._idle.pop(path):
                    reader.close()

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            self._drop_idle()

    def _follow(self) -> Path | None:
        generation = self._directory.generation()
        with self._lock:
            if generation != self._generation:
                self._drop_idle()
                self._generation = generation
        return generation

    def _drop_idle(self) -> None:
        for readers in self._idle.values():
            for reader in readers:
                reader.close()
        self._idle.clear()
        self._columns.clear()

    def _borrow(self, path: Path) -> PartReader:
        with self._lock:
            idle = self._idle.get(path)
            reader = idle.pop() if idle else None
        if reader is not None and reader.inode != path.stat().st_ino:
            reader.close()
            reader = None
        if reader is None:
            connection = open_for_reading(path, self._directory.key_of(path.parent))
            reader = PartReader(path, connection, self._columns)
        try:
            reader.begin()
        except apsw.Error:
            reader.close()
            raise
        return reader

    def _give_back(self, reader: PartReader) -> None:
        with self._lock:
            idle = self._idle.setdefault(reader.path, [])
            if reader.path.parent == self._generation and len(idle) < self._idle_per_part:
                reader.end()
                idle.append(reader)
            else:
                reader.close()
