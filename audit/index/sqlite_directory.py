"""The folder of the embedded index: one generation of month files, and who may write.

DIR/lock                     held by the one writer
DIR/current -> FORMAT-NAME   the generation that answers; replaced in one step
DIR/next -> FORMAT-NAME      one that is being filled to take its place; DIR/next.lock
DIR/FORMAT-NAME/head.db      the position
DIR/FORMAT-NAME/key          where it is encrypted: its key, wrapped
DIR/FORMAT-NAME/2026-01.db   records received in that month
"""

import fcntl
import os
import shutil
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import apsw

from audit.errors import IndexUnavailable
from audit.index.row_ids import SECOND
from audit.index.sqlite_generation import (
    HEAD,
    KEY,
    answers,
    connect_head,
    create_generation,
    is_encrypted,
    key_in,
    why_outdated,
)
from audit.index.sqlite_key import IndexKeys, wrap_anew
from audit.index.sqlite_schema import BESIDE, discard, open_for_reading

MONTH_CHARS: Final = 7
"""Of the name of a file those that name the month."""

_CURRENT: Final = "current"
_NEXT: Final = "next"
_SECONDS_A_DAY: Final = 86_400
_UNFINISHED: Final = frozenset({".new", ".building"})


def month_of(received: int) -> str:
    """The month (UTC) of a time in nanoseconds, for example ``2026-01``."""
    return _month_of_day(received // SECOND // _SECONDS_A_DAY)


@lru_cache(maxsize=64)
def _month_of_day(day: int) -> str:
    return datetime.fromtimestamp(day * _SECONDS_A_DAY, UTC).strftime("%Y-%m")


def month_in(name: str) -> str:
    """The month that a file belongs to, by its name; the whole name while the file grows."""
    return name[:MONTH_CHARS]


class IndexDirectory:
    """Names and switches generations; knows nothing of what is in a month file.

    Args:
        path: the folder.
        keys: the operator's; with one, what is made new is encrypted.
        is_next: this is the generation that is being filled, not the one that answers.
    """

    def __init__(
        self, path: Path, keys: IndexKeys | None = None, *, is_next: bool = False
    ) -> None:
        self.path = path
        self._keys = keys or IndexKeys()
        self._known_key: tuple[Path, bytes | None] | None = None
        self._link = path / (_NEXT if is_next else _CURRENT)
        self._lock_file = path / (f"{_NEXT}.lock" if is_next else "lock")
        self._lock: int | None = None
        self._head: apsw.Connection | None = None

    def generation(self) -> Path | None:
        """The generation that answers; None when there is none that this version reads."""
        try:
            name = self._link.readlink()
        except FileNotFoundError:
            return None
        return self.path / name if answers(name.name) else None

    def has_other_format(self) -> bool:
        """Whether an index is there that only another version of this program reads."""
        return self._link.is_symlink() and self.generation() is None

    def why_outdated(self) -> str:
        """Why the answering generation is to be built anew, although it is sound; else empty."""
        generation = self.generation()
        return "" if generation is None else why_outdated(generation.name, self._keys)

    def is_deleted(self) -> bool:
        """Whether a generation is to answer that somebody has deleted, or the head of it."""
        generation = self.generation()
        return generation is not None and not (generation / HEAD).exists()

    def parts(self) -> list[str]:
        """Names of the month files of the answering generation, oldest month first."""
        return [path.stem for path in self.parts_of(self.generation())]

    def parts_of(self, generation: Path | None) -> list[Path]:
        """The month files of a generation, oldest month first; none when it is gone."""
        try:
            there = [] if generation is None else list(generation.iterdir())
        except FileNotFoundError:
            return []
        return sorted(path for path in there if path.suffix == ".db" and path.name != HEAD)

    def key_of(self, generation: Path) -> bytes | None:
        """The key of a generation's files; None when they are plain.

        Raises:
            IndexUnavailable: it can't be had.
        """
        known = self._known_key
        if known is None or known[0] != generation:
            known = self._known_key = generation, key_in(generation, self._keys)
        return known[1]

    @property
    def is_encrypted(self) -> bool:
        """Whether the answering generation is."""
        generation = self.generation()
        return generation is not None and is_encrypted(generation.name)

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
        head = connect_head(generation, self.key_of(generation))
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
        if self._lock is None or not self._is_lock_there(self._lock):
            self.close()
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = self._take_lock()
        generation = self.generation()
        return self.new_generation() if generation is None else generation

    def _is_lock_there(self, lock: int) -> bool:
        """Whether the lock is what others find: somebody may have deleted the folder."""
        try:
            return self._lock_file.stat().st_ino == os.fstat(lock).st_ino
        except FileNotFoundError:
            return False

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
        key = self.key_of(generation)
        for path in list(generation.iterdir()):
            if _is_left(path):
                path.unlink(missing_ok=True)
        replaced = {
            file for path in self.parts_of(generation) for file in _about(path, key, "replaces")
        }
        for path in self.parts_of(generation):
            if replaced.intersection(_about(path, key, "file")):
                discard(path)

    def wrap_key_anew(self, generation: Path) -> None:
        """Have the operator's current key wrap the generation's, when another one did.

        Raises:
            IndexUnavailable: the generation's key can't be had.
        """
        if is_encrypted(generation.name):
            wrap_anew(generation / KEY, self._keys)

    def new_generation(self) -> Path:
        """Switch to an empty generation and delete what was before."""
        self._close_head()
        generation, key = create_generation(self.path, self._keys)
        self._known_key = generation, key
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
            generation = self.lock()
            self._head = connect_head(generation, self.key_of(generation))
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


def _is_left(path: Path) -> bool:
    """Whether a file is unfinished, or stood beside one that is gone."""
    if path.suffix.partition("-")[0] in _UNFINISHED:
        return True
    main = next((path.name.removesuffix(e) for e in BESIDE if path.name.endswith(e)), path.name)
    return not path.with_name(main).exists()


def _about(path: Path, key: bytes | None, name: str) -> list[str]:
    """The words of what a month file says of itself; none when it can't be read."""
    try:
        connection = open_for_reading(path, key)
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
