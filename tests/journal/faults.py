"""System calls that fail on purpose, or are recorded."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from typing_extensions import override

from audit.journal.background_disk import BackgroundWrite
from audit.journal.files import SystemCalls

Result = TypeVar("Result")
NAMES = (
    *("open", "pwritev", "pwrite", "fdatasync", "fsync", "ftruncate"),
    *("rename", "mkdir", "unlink"),
)


class FaultyCalls(SystemCalls):
    """Counts the calls of each name; from the N-th of one name on, they fail once or always.

    A failing write first writes half of what it was given, as a full disk does.
    """

    def __init__(
        self, name: str = "", at: int = 0, error: int = 0, *, sticky: bool = False
    ) -> None:
        self.fail(name, at, error, sticky=sticky)

    def fail(self, name: str, at: int, error: int, *, sticky: bool = False) -> None:
        """Count anew and fail so."""
        self.counts = dict.fromkeys(NAMES, 0)
        self.fired = False
        self._name, self._at, self._error, self._sticky = name, at, error, sticky

    def heal(self) -> None:
        """Fail no more."""
        self._name = ""

    def call(self, name: str, call: Callable[[], Result]) -> Result:
        """Do what is called so, or fail."""
        self.counts[name] += 1
        count = self.counts[name]
        if name == self._name and (count == self._at or (self._sticky and count > self._at)):
            self.fired = True
            raise OSError(self._error, os.strerror(self._error))
        return call()

    @override
    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        return self.call("open", lambda: super(FaultyCalls, self).open(path, flags, mode))

    @override
    def pwritev(self, fd: int, buffers: Sequence[bytes | memoryview], offset: int) -> int:
        def write() -> int:
            return super(FaultyCalls, self).pwritev(fd, buffers, offset)

        try:
            return self.call("pwritev", write)
        except OSError:
            octets = b"".join(buffers)
            os.pwrite(fd, octets[: len(octets) // 2], offset)
            raise

    @override
    def fdatasync(self, fd: int) -> None:
        self.call("fdatasync", lambda: super(FaultyCalls, self).fdatasync(fd))

    @override
    def background_write(self, fd: int, octets: bytes, offset: int) -> BackgroundWrite:
        return _FaultyWrite(self, fd, octets, offset)

    @override
    def fsync(self, fd: int) -> None:
        self.call("fsync", lambda: super(FaultyCalls, self).fsync(fd))

    @override
    def ftruncate(self, fd: int, length: int) -> None:
        self.call("ftruncate", lambda: super(FaultyCalls, self).ftruncate(fd, length))

    @override
    def rename(self, source: Path, target: Path) -> None:
        self.call("rename", lambda: super(FaultyCalls, self).rename(source, target))

    @override
    def mkdir(self, path: Path) -> None:
        self.call("mkdir", lambda: super(FaultyCalls, self).mkdir(path))

    @override
    def unlink(self, path: Path) -> None:
        self.call("unlink", lambda: super(FaultyCalls, self).unlink(path))


class _FaultyWrite(BackgroundWrite):
    """Counts as ``pwrite`` when it begins, or else when it is waited for, and as ``fdatasync``."""

    def __init__(self, calls: FaultyCalls, fd: int, octets: bytes, offset: int) -> None:
        super().__init__(fd, octets, offset)
        self._calls = calls
        self._half = fd, octets[: len(octets) // 2], offset
        self._counted = False
        self._failure: OSError | None = None

    def _count(self) -> None:
        if self._counted:
            return
        self._counted = True
        try:
            self._calls.call("pwrite", lambda: None)
        except OSError as error:
            self._failure = error
            os.pwrite(*self._half)

    @override
    def begin(self) -> None:
        self._count()
        if self._failure is None:
            super().begin()

    @override
    def written(self) -> int:
        self._count()
        if self._failure is not None:
            raise self._failure
        return super().written()

    @override
    def synced(self) -> None:
        self._calls.call("fdatasync", super().synced)


class ShortWrites(SystemCalls):
    """Writes at most seven octets at a time."""

    @override
    def background_write(self, fd: int, octets: bytes, offset: int) -> BackgroundWrite:
        return BackgroundWrite(fd, octets[:7], offset)

    @override
    def pwritev(self, fd: int, buffers: Sequence[bytes | memoryview], offset: int) -> int:
        return super().pwritev(fd, [b"".join(buffers)[:7]], offset)


class _UnsyncedWrite(BackgroundWrite):
    @override
    def begin(self) -> None:
        pass

    @override
    def synced(self) -> None:
        pass


class Unsynced(SystemCalls):
    """Never waits for the disk: for tests that don't cut its power."""

    @override
    def fdatasync(self, fd: int) -> None:
        pass

    @override
    def background_write(self, fd: int, octets: bytes, offset: int) -> BackgroundWrite:
        return _UnsyncedWrite(fd, octets, offset)

    @override
    def fsync(self, fd: int) -> None:
        pass


class LittleRoom(SystemCalls):
    """A disk that tells how much room it has as it is told."""

    def __init__(self, free: int) -> None:
        self.free = free

    @override
    def free_octets(self, path: Path) -> int:
        if self.free < 0:
            raise OSError(5, "no answer", path)
        return self.free
