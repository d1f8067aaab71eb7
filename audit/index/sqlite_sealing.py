"""Seals months that are past, beside the writer: builds the new file, then swaps it in.

Whoever lists the files between the two steps of the swap sees old and new; the new one names those
that it replaces, so nothing is found twice.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Any, Final

import apsw

from audit.errors import IndexUnavailable
from audit.index.sqlite_directory import IndexDirectory, month_in
from audit.index.sqlite_schema import discard, open_for_reading, sync_directory
from audit.index.sqlite_sealed import UNFINISHED, build_sealed_gently
from audit.index.sqlite_writing import Months

_SEALED: Final = ".sealed-"


class Sealer:
    """Seals one month at a time.

    Args:
        directory: the folder of the index.
        months: the open files of the writer.
        writing: held by whoever writes.

    Attributes:
        build: makes the sealed file of others, in a process of its own.
    """

    def __init__(self, directory: IndexDirectory, months: Months, writing: Lock) -> None:
        self._directory = directory
        self._months = months
        self._writing = writing
        self._process: BaseProcess | None = None
        self._is_closed = False
        self.build: Callable[[Sequence[Path], Path, bytes | None], None] = self._build

    def due(self, idle_s: float) -> list[str]:
        """Past months with a file that grew, but not in the last ``idle_s`` seconds."""
        parts = self._directory.parts_of(self._directory.generation())
        newest = month_in(parts[-1].stem) if parts else ""
        growing = [path for path in parts if path.stem == month_in(path.stem)]
        before = time.time() - idle_s
        return [
            path.stem for path in growing if path.stem != newest and _changed_at(path) <= before
        ]

    def seal(self, month: str) -> bool:
        """Seal a month; False when it was written to meanwhile, and stays as it is."""
        parts = self._directory.parts_of(self._directory.generation())
        sources = [path for path in parts if month_in(path.stem) == month]
        if not sources:
            return False
        target = sources[0].parent / f"{month}{_SEALED}{token_hex(4)}.db"
        unfinished = target.with_suffix(UNFINISHED)
        key = self._directory.key_of(target.parent)
        with _unchanged(sources, key) as unchanged:
            self.build(sources, unfinished, key)
            with self._writing:
                if not unchanged() or self._directory.generation() != target.parent:
                    discard(unfinished)
                    return False
                self._swap(sources, unfinished, target)
        return True

    def _build(self, sources: Sequence[Path], unfinished: Path, key: bytes | None) -> None:
        if self._is_closed:
            raise IndexUnavailable("the index is closed")
        process = get_context("spawn").Process(
            target=build_sealed_gently, args=(sources, unfinished, key)
        )
        self._process = process
        process.start()
        process.join()
        self._process = None
        if process.exitcode != 0:
            raise IndexUnavailable(f"{unfinished.stem} could not be sealed")

    def _swap(self, sources: Sequence[Path], unfinished: Path, target: Path) -> None:
        unfinished.replace(target)
        sync_directory(target.parent)
        self._months.replace([path.stem for path in sources], target.stem)
        for path in sources:
            discard(path)

    def close(self) -> None:
        """Break off what is being built."""
        self._is_closed = True
        process = self._process
        if process is not None:
            process.kill()


def _changed_at(path: Path) -> float:
    logs = (path, Path(f"{path}-wal"))
    return max((file.stat().st_mtime for file in logs if file.exists()), default=0.0)


@contextmanager
def _unchanged(paths: Sequence[Path], key: bytes | None) -> Iterator[Callable[[], bool]]:
    """Tells whether nobody has written to these files since."""
    with ExitStack() as undo:
        opened = [undo.enter_context(closing(open_for_reading(path, key))) for path in paths]
        before = [_version(connection) for connection in opened]
        yield lambda: [_version(connection) for connection in opened] == before


def _version(connection: apsw.Connection) -> Any:
    return connection.execute("PRAGMA data_version").get
