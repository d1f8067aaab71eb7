"""What a push keeps on disk: the place that its receiver confirmed, and letters it can't take."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from audit.errors import StorageError

_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700


class KeptPlace:
    """The first sequence that a receiver has not confirmed, in a file replaced as a whole.

    Args:
        path: the file.
        origin: the log that sequences belong to; a place in another log is none.
    """

    def __init__(self, path: Path, origin: str) -> None:
        self._path = path
        self._origin = origin

    def read(self) -> int | None:
        """The place; None before the first one, or when it is one of another log.

        Raises:
            StorageError: there is a file that can't be read.
        """
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            return int(kept["position"]) if kept["origin"] == self._origin else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, LookupError) as error:
            raise StorageError(
                f"{self._path}: the place of a push can't be read ({error}); mend it, or remove "
                "it to begin anew"
            ) from error

    def write(self, position: int) -> None:
        """Keep a place, durable when this returns; raises StorageError."""
        text = json.dumps({"origin": self._origin, "position": position})
        partial = self._path.with_suffix(".part")
        try:
            self._path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            _write_durably(partial, text.encode(), os.O_TRUNC)
            partial.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise StorageError(f"{self._path}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that a receiver was not sent.

    Attributes:
        id: of the record.
        sequence: its place in the journal.
        received: when it was received (RFC 3339 UTC).
        reason: why it was not sent.
    """

    id: str
    sequence: int
    received: str
    reason: str


class DeadLetters:
    """Dead letters of one destination: a file of JSON lines that only grows.

    A record is known by its id and the time of its receipt: after a restore, or in a journal begun
    anew, another record may have the place of an earlier one.

    Args:
        path: the file.
        most: beyond so many they are counted, not kept.
    """

    def __init__(self, path: Path, most: int = 100_000) -> None:
        self._path = path
        self._most = most
        self._kept: set[tuple[str, str]] = set()
        self._last_counted = -1
        self._is_whole = _ends_with_a_line(path)
        self.count = 0
        for letter in dead_letters(path):
            self.count += 1
            self._kept.add((letter.id, letter.received))

    def add(self, letter: DeadLetter) -> None:
        """Keep a letter, once however often it comes again; raises StorageError."""
        if (letter.id, letter.received) in self._kept:
            return
        if len(self._kept) < self._most:
            self._write(letter)
            self._kept.add((letter.id, letter.received))
        elif letter.sequence <= self._last_counted:
            return
        else:
            self._last_counted = letter.sequence
        self.count += 1

    def _write(self, letter: DeadLetter) -> None:
        line = json.dumps(asdict(letter), ensure_ascii=False).encode() + b"\n"
        begin = b"" if self._is_whole else b"\n"  # behind a line that a crash tore
        self._is_whole = False
        try:
            self._path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            _write_durably(self._path, begin + line, os.O_APPEND)
        except OSError as error:
            raise StorageError(f"{self._path}: {error}") from error
        self._is_whole = True


def dead_letters(path: Path) -> Iterator[DeadLetter]:
    """The letters in a file, oldest first; a last line that a crash tore is left out.

    Raises:
        StorageError: the file can't be read.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"{path}: {error}") from error
    for line in lines:
        try:
            yield DeadLetter(**json.loads(line))
        except (ValueError, TypeError):
            continue


def _ends_with_a_line(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
            return file.read(1) in {b"", b"\n"}
    except OSError:
        return True  # there is none yet, or whoever reads it says what is wrong


def _write_durably(path: Path, octets: bytes, how: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | how, _PRIVATE_FILE)
    try:
        view = memoryview(octets)
        while view:
            view = view[os.write(file, view) :]
        os.fdatasync(file)
    finally:
        os.close(file)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
