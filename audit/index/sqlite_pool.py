"""Open month files, lent to one thread at a time."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock

import apsw

from audit.index.column_cache import ColumnCache
from audit.index.sqlite_directory import IndexDirectory
from audit.index.sqlite_reader import PartReader
from audit.index.sqlite_schema import open_for_reading


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
        generation = self._follow()
        readers: list[PartReader] = []
        faults: list[str] = []
        with ExitStack() as stack:
            for path in self._directory.parts_of(generation):
                try:
                    reader = self._borrow(path)
                except (apsw.Error, OSError, KeyError) as error:
                    faults.append(f"the index of {path.stem} can't be read ({error})")
                else:
                    stack.callback(self._give_back, reader)
                    readers.append(reader)
            yield readers, tuple(faults)

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
        if reader is None:
            reader = PartReader(path, open_for_reading(path), self._columns)
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
