"""Store and forward: messages wait on disk, in order, until a receiver can be reached.

A folder of segment files. A record is ``u32 length, u32 CRC-32, message``, big-endian. The file
``removed`` tells how many messages were ever taken away; being one step behind after a crash
only means that a message is sent twice.
"""

import fcntl
import os
import struct
import threading
import zlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from audit.errors import ConfigurationError, StorageError

_RECORD = struct.Struct(">II")
_SUFFIX = ".spool"
_DAMAGED_SUFFIX = ".damaged"


class SpoolFull(StorageError):
    """There is no room on the spool; the message was not taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolOptions:
    """Limits of a spool.

    Attributes:
        max_octets: of all messages that wait, with 8 octets each.
        segment_octets: a new file is begun above this; files are removed as a whole.
        sync: make each message durable before ``put`` returns.
    """

    max_octets: int = 256 * 1024 * 1024
    segment_octets: int = 4 * 1024 * 1024
    sync: bool = True


@dataclass(frozen=True, slots=True)
class _Place:
    number: int
    segment: int
    offset: int
    octets: int


class Spool:
    """A bounded queue of messages on disk, first in, first out. Thread-safe, one process.

    ``damaged_octets`` counts what a crash tore or the disk lost; it is set aside in files
    ending in ``.damaged``, never sent.
    """

    def __init__(self, folder: Path, options: SpoolOptions | None = None) -> None:
        """Opens the spool, made if missing, with what waits in it.

        Raises:
            ConfigurationError: another process uses it.
            StorageError: it can't be read or written.
        """
        self._folder = folder
        self._options = options or SpoolOptions()
        self._lock = threading.Lock()
        self._waiting: deque[_Place] = deque()
        self._next = 0
        self.waiting_octets = 0
        self.damaged_octets = 0
        self._removed = 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock_file = _lock(folder)
        except OSError as error:
            raise StorageError(f"{folder}: {error}") from error
        try:
            self._load()
        except OSError as error:
            os.close(self._lock_file)
            raise StorageError(f"{folder}: {error}") from error
        self._next = max(self._next, self._removed)
        self._segment = self._next
        self._tail: int | None = None
        self._tail_octets = 0

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._waiting)

    def put(self, *messages: bytes) -> None:
        """Keeps the messages, all or none, behind those that wait.

        Raises:
            SpoolFull: they don't fit.
            StorageError: the disk failed; whether they are kept is unknown.
        """
        if not messages:
            return
        records = [
            _RECORD.pack(len(message), zlib.crc32(message)) + message for message in messages
        ]
        needed = sum(map(len, records))
        with self._lock:
            if self.waiting_octets + needed > self._options.max_octets:
                raise SpoolFull(
                    f"{self._folder}: {self.waiting_octets} of "
                    f"{self._options.max_octets} octets are in use"
                )
            try:
                self._append(records)
            except OSError as error:
                self._leave_segment()
                self._next += len(records)  # some may stand in the file: their numbers are taken
                raise StorageError(f"{self._folder}: {error}") from error

    def peek(self, max_messages: int, max_octets: int) -> list[bytes]:
        """The oldest messages, at least one if any waits; they stay.

        Raises:
            StorageError: the disk failed.
        """
        found: list[bytes] = []
        total = 0
        with self._lock:
            for place in self._waiting:
                total += place.octets
                if found and (len(found) >= max_messages or total > max_octets):
                    break
                found.append(self._read(place))
        return found

    def remove(self, count: int) -> None:
        """Forgets the oldest ``count`` messages: they are delivered.

        Raises:
            StorageError: the disk failed; some may be sent again after a restart.
        """
        with self._lock:
            before = self._waiting[0].segment if self._waiting else self._segment
            for _ in range(count):
                place = self._waiting.popleft()
                self.waiting_octets -= place.octets + _RECORD.size
                self._removed = place.number + 1
            try:
                self._note_removed()
                self._remove_segments(before)
            except OSError as error:
                raise StorageError(f"{self._folder}: {error}") from error

    def close(self) -> None:
        """Closes the files; what waits stays."""
        with self._lock:
            self._leave_segment()
            os.close(self._lock_file)

    # -------- Writing

    def _append(self, records: list[bytes]) -> None:
        if self._tail is None or self._tail_octets >= self._options.segment_octets:
            self._begin_segment()
        tail, octets = self._tail, b"".join(records)
        if tail is None:
            raise OSError("no segment")
        view = memoryview(octets)
        while view:
            view = view[os.write(tail, view) :]
        if self._options.sync:
            os.fdatasync(tail)
        for record in records:
            length = len(record) - _RECORD.size
            start = self._tail_octets + _RECORD.size
            self._waiting.append(_Place(self._next, self._segment, start, length))
            self._tail_octets += len(record)
            self._next += 1
        self.waiting_octets += len(octets)

    def _begin_segment(self) -> None:
        self._leave_segment()
        self._segment = self._next
        path = self._path(self._segment)
        self._tail = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._tail_octets = 0
        if self._options.sync:
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _leave_segment(self) -> None:
        if self._tail is not None:
            os.close(self._tail)
            self._tail = None

    # -------- Reading

    def _read(self, place: _Place) -> bytes:
        try:
            with self._path(place.segment).open("rb") as file:
                file.seek(place.offset)
                return file.read(place.octets)
        except OSError as error:
            raise StorageError(f"{self._folder}: {error}") from error

    def _load(self) -> None:
        """Finds what waits; sets aside the rest of a segment behind a damaged record."""
        try:
            self._removed = int((self._folder / "removed").read_text())
        except (FileNotFoundError, ValueError):
            self._removed = 0
        segments = sorted(int(path.stem) for path in self._folder.glob(f"*{_SUFFIX}"))
        if segments:
            self._removed = max(self._removed, segments[0])
        for segment in segments:
            self._load_segment(segment)

    def _load_segment(self, segment: int) -> None:
        path = self._path(segment)
        octets = path.read_bytes()
        offset, number = 0, segment
        while place := _next_record(segment, number, octets, offset):
            if number >= self._removed:
                self._waiting.append(place)
                self.waiting_octets += place.octets + _RECORD.size
            offset = place.offset + place.octets
            number += 1
        if offset < len(octets):
            self.damaged_octets += len(octets) - offset
            path.with_suffix(_DAMAGED_SUFFIX).write_bytes(octets[offset:])
            os.truncate(path, offset)
        self._next = max(self._next, number)
        if number <= self._removed or number == segment:
            path.unlink()

    # -------- Removing

    def _note_removed(self) -> None:
        temporary = self._folder / "removed.new"
        temporary.write_text(str(self._removed))
        temporary.replace(self._folder / "removed")

    def _remove_segments(self, first: int) -> None:
        """Removes the files before the one that the oldest waiting message lies in."""
        if self._waiting:
            oldest = self._waiting[0].segment
        else:
            self._leave_segment()
            oldest = self._next
        if oldest == first:
            return
        for path in self._folder.glob(f"*{_SUFFIX}"):
            if int(path.stem) < oldest:
                path.unlink()

    def _path(self, segment: int) -> Path:
        return self._folder / f"{segment:020d}{_SUFFIX}"


def _next_record(segment: int, number: int, octets: bytes, offset: int) -> _Place | None:
    """The record at the offset; None at the end, or where it is cut or damaged."""
    start = offset + _RECORD.size
    if start > len(octets):
        return None
    length, checksum = _RECORD.unpack_from(octets, offset)
    message = memoryview(octets)[start : start + length]
    if len(message) < length or zlib.crc32(message) != checksum:
        return None
    return _Place(number, segment, start, length)


def _lock(folder: Path) -> int:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ConfigurationError(f"{folder}: another process uses this spool") from error
    return descriptor
