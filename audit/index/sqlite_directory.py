"""The folder of the embedded index: one generation of month files, and who may write.

DIR/lock                     held by the one writer
DIR/current -> FORMAT-NAME   the generation that answers; replaced in one step
DIR/next -> FORMAT-NAME      one that is being filled to take its place; DIR/next.lock
DIR/FORMAT-NAME/head.db      the position
DIR/FORMAT-NAME/2026-01.db   records received in that month
"""

import fcntl
import os
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import apsw

from audit.errors import IndexUnavailable
from audit.index.row_ids import SECOND
from audit.index.sqlite_schema import FORMAT, discard, open_for_reading

_CURRENT: Final = "current"
_NEXT: Final = "next"
_HEAD: Final = "head.db"
_UNFINISHED: Final = frozenset({".new", ".building"})


def month_of(received: int) -> str:
    """The month (UTC) of a time in nanoseconds, for example ``2026-01``."""
    return datetime.fromtimestamp(received // SECOND, UTC).strftime("%Y-%m")


class IndexDirectory:
    """Names and switches generations; knows nothing of what is in a month file.

    Args:
        path: the folder.
        is_next: this is the generation that is being filled, not the one that answers.
    """

    def __init__(self, path: Path, *, is_next: bool = False) -> None:
        self.path = path
        self._link = path / (_NEXT if is_next else _CURRENT)
        self._lock_file = path / (f"{_NEXT}.lock" if is_next else "lock")
        self._lock: int | None = None
        self._head: apsw.Connection | None = None

    def generation(self) -> Path | None:
        """The generation that answers; None when there is none of this format."""
        try:
            name = self._link.readlink()
        except FileNotFoundError:
            return None
        return self.path / name if name.name.startswith(f"{FORMAT}-") else None

    def has_other_format(self) -> bool:
        """Whether an index is there that another version of this program wrote."""
        return self._link.is_symlink() and self.generation() is None

    def parts(self) -> list[str]:
        """Names of the month files of the answering generation, oldest month first."""
        return [path.stem for path in self.parts_of(self.generation())]

    def parts_of(self, generation: Path | None) -> list[Path]:
        """The month files of a generation, oldest month first; none when it is gone."""
        try:
            there = [] if generation is None else list(generation.iterdir())
        except FileNotFoundError:
            return []
        return sorted(path for path in there if path.suffix == ".db" and path.name != _HEAD)

    def octets(self) -> int:
        """Size of everything in the answering generation."""
        generation = self.generation()
        if generation is None:
            return 0
        return sum(file.stat().st_size for file in generation.iterdir())

    def position(self) -> int:
        """The position that was committed last, 0 when there is none."""
        generation = self.generation()
        if generation is None:
            return 0
        head = _connect_head(generation)
        try:
            return int(head.execute("SELECT position FROM head").get)
        finally:
            head.close()

    # What follows is for the writer.

    def lock(self) -> Path:
        """Become the writer; the generation to write to, made when there is none.

        Raises:
            IndexUnavailable: another process or object is the writer.
        """
        if self._lock is None:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = self._take_lock()
        generation = self.generation()
        return self.new_generation() if generation is None else generation

    def _take_lock(self) -> int:
        lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise IndexUnavailable(f"another process writes the index in {self.path}") from error
        return lock

    def remove_leftovers(self, generation: Path) -> None:
        """Delete what a crash left: unfinished files, and files that a sealed one replaces."""
        for path in list(generation.iterdir()):
            if path.suffix in _UNFINISHED:
                path.unlink()
        replaced = {
            file for path in self.parts_of(generation) for file in _about(path, "replaces")
        }
        for path in self.parts_of(generation):
            if replaced.intersection(_about(path, "file")):
                discard(path)

    def new_generation(self) -> Path:
        """Switch to an empty generation and delete what was before."""
        self._close_head()
        generation = self.path / f"{FORMAT}-{secrets.token_hex(4)}"
        generation.mkdir(mode=0o700)
        _create_head(generation)
        self._point_to(generation)
        return generation

    def adopt(self, other: "IndexDirectory") -> None:
        """Let the generation that another one filled answer from now on; it must be closed.

        Raises:
            IndexUnavailable: there is none.
        """
        generation = other.generation()
        if generation is None:
            raise IndexUnavailable(f"nothing was built in {self.path}")
        self._close_head()
        self._point_to(generation)
        other.drop()

    def drop(self) -> None:
        """Forget which generation this was; what nobody else uses is deleted."""
        self._link.unlink(missing_ok=True)
        self._delete_unused()

    def _point_to(self, generation: Path) -> None:
        """Replace the link in one step."""
        link = self.path / f".{self._link.name}"
        link.unlink(missing_ok=True)
        link.symlink_to(generation.name)
        link.replace(self._link)
        self._delete_unused()

    def _delete_unused(self) -> None:
        used = {link.readlink().name for link in self.path.iterdir() if link.is_symlink()}
        for old in list(self.path.iterdir()):
            if old.is_dir() and not old.is_symlink() and old.name not in used:
                shutil.rmtree(old)

    def commit_position(self, position: int) -> None:
        """Remember the position; on disk when this returns."""
        if self._head is None:
            self._head = _connect_head(self.lock())
        self._head.execute("UPDATE head SET position = ?", (position,))

    def close(self) -> None:
        """Stop to be the writer."""
        self._close_head()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _close_head(self) -> None:
        if self._head is not None:
            self._head.close()
            self._head = None


def _about(path: Path, name: str) -> list[str]:
    """The words of what a month file says of itself; none when it can't be read."""
    try:
        connection = open_for_reading(path)
    except apsw.Error:
        return []
    try:
        return str(
            connection.execute("SELECT value FROM about WHERE name = ?", (name,)).get
        ).split()
    except apsw.Error:
        return []
    finally:
        connection.close()


def _create_head(generation: Path) -> None:
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    head = apsw.Connection(str(generation / _HEAD), flags=flags)
    head.execute("PRAGMA journal_mode = WAL")
    head.execute("CREATE TABLE head(position INTEGER NOT NULL); INSERT INTO head VALUES(0)")
    head.close()


def _connect_head(generation: Path) -> apsw.Connection:
    head = apsw.Connection(str(generation / _HEAD), flags=apsw.SQLITE_OPEN_READWRITE)
    head.set_busy_timeout(10_000)
    head.execute("PRAGMA synchronous = FULL")
    return head
