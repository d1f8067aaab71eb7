"""The journal's only changes to the file system; each function's name is its guarantee.

``SystemCalls`` is the thin edge to the kernel, so that tests can let the N-th call fail or record
every call; ``Files`` builds the guarantees from it. Any OSError passes through unchanged: what a
failure means is decided by the writer. A sync that failed is never repeated here.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

from audit.journal import layout
from audit.journal.background_disk import BackgroundWrite

P = ParamSpec("P")
T = TypeVar("T")

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
_BUFFERS_PER_CALL = 1000
"""Below IOV_MAX (1024 on Linux)."""


class DiskStateUnknown(OSError):
    """A sync or a cut failed: what is on disk is unknown.

    It must not be tried again: after a failed sync the kernel may call lost pages clean.
    """


class SystemCalls:
    """The system calls that change or secure a file, one method each."""

    def open(self, path: Path, flags: int, mode: int = PRIVATE_FILE) -> int:
        """A descriptor, never inherited by a program started later."""
        return os.open(path, flags | os.O_CLOEXEC, mode)

    def close(self, fd: int) -> None:
        """Give a descriptor back."""
        os.close(fd)

    def pwritev(self, fd: int, buffers: Sequence[bytes | memoryview], offset: int) -> int:
        """Write at an offset; may write less than asked; the octets written."""
        return os.pwritev(fd, buffers, offset)

    def fdatasync(self, fd: int) -> None:
        """Make a file's data durable."""
        os.fdatasync(fd)

    def background_write(self, fd: int, octets: bytes, offset: int) -> BackgroundWrite:
        """A write and a sync after it, neither of them begun."""
        return BackgroundWrite(fd, octets, offset)

    def fsync(self, fd: int) -> None:
        """Make a file's data and metadata, or a folder's names, durable."""
        os.fsync(fd)

    def ftruncate(self, fd: int, length: int) -> None:
        """Set a file's length."""
        os.ftruncate(fd, length)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name, replacing what had it."""
        source.replace(target)

    def mkdir(self, path: Path) -> None:
        """Make a folder, for the owner only."""
        path.mkdir(PRIVATE_DIRECTORY)

    def unlink(self, path: Path) -> None:
        """Remove a name."""
        path.unlink()

    def free_octets(self, path: Path) -> int:
        """What an ordinary user may still write to that file system, by statvfs(3)."""
        status = os.statvfs(path)
        return status.f_bavail * status.f_frsize


class Files:
    """File operations that hold what their names say once they return."""

    def __init__(self, calls: SystemCalls | None = None) -> None:
        self._calls = SystemCalls() if calls is None else calls

    def make_directory_durably(self, path: Path) -> None:
        """The folder is there, with those it lies in, also after power loss."""
        if path.is_dir():
            return
        self.make_directory_durably(path.parent)
        with self._durable_names(path.parent):
            self._calls.mkdir(path)

    def replace_durably(self, path: Path, content: bytes) -> None:
        """The file holds all of ``content``; until then, and if this fails, what it held before.

        Holds at every moment and after power loss. Readers see the one or the other.
        """
        self.put_in_place_durably(self.write_unfinished_durably(path, (content,)), path)

    @staticmethod
    def unfinished_name(path: Path) -> Path:
        """Where a file is written before it takes its place; a leftover there means nothing."""
        return path.with_name(path.name + layout.UNFINISHED_SUFFIX)

    def discard(self, unfinished: Path) -> None:
        """An unfinished file is gone, if it was there and the disk lets it go."""
        with contextlib.suppress(OSError):
            self._calls.unlink(unfinished)

    def write_unfinished_durably(self, path: Path, parts: Iterable[bytes]) -> Path:
        """All parts are durable in a file beside ``path``, whose unfinished name is returned."""
        unfinished = self.unfinished_name(path)
        fd = self._calls.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            end = 0
            for part in parts:
                end = self.write_at(fd, end, (part,))
            self._fsync(fd)
        finally:
            self._calls.close(fd)
        return unfinished

    def put_in_place_durably(self, unfinished: Path, path: Path) -> None:
        """The unfinished file takes the place of ``path`` in one step, also after power loss."""
        with self._durable_names(path.parent):
            self._calls.rename(unfinished, path)

    def open_existing(self, path: Path) -> int:
        """A file descriptor for reading and writing a file that is there."""
        return self._calls.open(path, os.O_RDWR)

    def open_or_create_durably(self, path: Path) -> int:
        """As ``open_existing``, but an empty file is made, with its name durable, when missing."""
        if not path.exists():
            with self._durable_names(path.parent):
                self._calls.close(self._calls.open(path, os.O_RDWR | os.O_CREAT))
        return self.open_existing(path)

    def write_at(self, fd: int, offset: int, buffers: Sequence[bytes | memoryview]) -> int:
        """All octets are handed to the kernel, not yet durable; the offset after them."""
        for start in range(0, len(buffers), _BUFFERS_PER_CALL):
            waiting = list(buffers[start : start + _BUFFERS_PER_CALL])
            while waiting:
                written = self._calls.pwritev(fd, waiting, offset)
                offset += written
                whole = written == sum(map(len, waiting))
                waiting = [] if whole else _rest(waiting, written)
        return offset

    def sync_data(self, fd: int) -> None:
        """Everything written to the file so far is durable."""
        _surely(self._calls.fdatasync, fd)

    def durable_write(self, fd: int, offset: int, octets: bytes) -> "DurableWrite":
        """A write of all octets at that place, durable once it was waited for; not begun."""
        write = self._calls.background_write(fd, octets, offset)
        return DurableWrite(self, fd, offset, octets, write)

    def cut(self, fd: int, length: int) -> None:
        """The file ends at ``length``; durable after the next ``sync_data``.

        Raises:
            DiskStateUnknown: it may not.
        """
        _surely(self._calls.ftruncate, fd, length)

    def cut_durably(self, fd: int, length: int) -> None:
        """The file ends at ``length``, also after power loss."""
        self.cut(fd, length)
        self._fsync(fd)

    def remove_durably(self, path: Path) -> None:
        """The file is gone, also after power loss."""
        with self._durable_names(path.parent):
            self._calls.unlink(path)

    def sync_directory(self, path: Path) -> None:
        """Names made, changed or removed in the folder are durable."""
        with self._durable_names(path):
            pass

    @contextlib.contextmanager
    def _durable_names(self, folder: Path) -> Iterator[None]:
        """Names made, changed or removed meanwhile are durable.

        The folder is opened first: without a free descriptor, nothing is done that would look as
        if it had been done whole to the next try.
        """
        fd = self._calls.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield
            self._fsync(fd)
        finally:
            self._calls.close(fd)

    def open_scratch(self, path: Path) -> int:
        """A descriptor for a file that may be lost; made when missing, never synced."""
        return self._calls.open(path, os.O_RDWR | os.O_CREAT)

    def close(self, fd: int) -> None:
        """Give the descriptor back; nothing is synced by this."""
        self._calls.close(fd)

    def free_octets(self, path: Path) -> int:
        """Room that is left on the file system."""
        return self._calls.free_octets(path)

    def _fsync(self, fd: int) -> None:
        _surely(self._calls.fsync, fd)


class DurableWrite:
    """Octets that become durable at a place of a file.

    ``begin`` it or not, then ``wait`` or ``abandon`` before anything else is written to the file,
    or it is closed.
    """

    def __init__(
        self, files: Files, fd: int, offset: int, octets: bytes, write: BackgroundWrite
    ) -> None:
        self._files = files
        self._fd = fd
        self._offset = offset
        self._octets = octets
        self._write = write

    def begin(self) -> None:
        """Let the disk begin beside this thread."""
        self._write.begin()

    def wait(self) -> None:
        """All octets are durable.

        Raises:
            DiskStateUnknown: a sync failed.
            OSError: writing failed; part of the octets may be there.
        """
        try:
            done = self._write.written()
        finally:  # the disk may be at work on the file until both have ended
            _surely(self._write.synced)
        if done < len(self._octets):
            rest = memoryview(self._octets)[done:]
            self._files.write_at(self._fd, self._offset + done, (rest,))
            self._files.sync_data(self._fd)

    def abandon(self) -> None:
        """Return once the disk no longer works on it; what wasn't begun is never written."""
        self._write.abandon()


def _surely(call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Nothing can be taken for granted once this fails."""
    try:
        return call(*arguments, **named)
    except OSError as error:
        raise DiskStateUnknown(error.errno, error.strerror) from error


def _rest(buffers: list[bytes | memoryview], written: int) -> list[bytes | memoryview]:
    for number, buffer in enumerate(buffers):
        if written < len(buffer):
            return [memoryview(buffer)[written:], *buffers[number + 1 :]]
        written -= len(buffer)
    return []
