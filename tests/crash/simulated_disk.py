"""A disk that loses power: records every system call and rebuilds what could be left of them.

The model is stricter than a real file system. A file's octets are there for sure after a sync of
the file, a name after a sync of its folder. Of what came since, any beginning may be there, and of
the last write to a file any of its sectors of 512 octets; octets between are zero.
"""

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from audit.journal.background_disk import BackgroundWrite
from audit.journal.files import SystemCalls

SECTOR_OCTETS = 512
_REMOVED = -1


@dataclass
class Content:
    """One file's octets: what is durable, and the operations since."""

    durable: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """(offset, octets written) or (length, None) for a cut."""

    def current(self) -> bytes:
        """As a running program sees it."""
        octets = bytearray(self.durable)
        for operation in self.pending:
            apply(octets, *operation)
        return bytes(octets)

    def left(self, chance: random.Random) -> bytes:
        """One of the contents that power loss could leave."""
        octets = bytearray(self.durable)
        whole = chance.randint(0, len(self.pending))
        for operation in self.pending[:whole]:
            apply(octets, *operation)
        if whole < len(self.pending):
            offset, written = self.pending[whole]
            if written is not None and chance.random() < 0.8:
                tear(octets, offset, written, chance)
        return bytes(octets)


def apply(octets: bytearray, offset: int, written: bytes | None) -> None:
    """Do one operation whole."""
    if written is None:
        del octets[offset:]
        return
    octets.extend(bytes(max(0, offset - len(octets))))
    octets[offset : offset + len(written)] = written


def tear(octets: bytearray, offset: int, written: bytes, chance: random.Random) -> None:
    """Do a write sector by sector, each or not."""
    start = offset
    while start < offset + len(written):
        end = min(offset + len(written), (start // SECTOR_OCTETS + 1) * SECTOR_OCTETS)
        if chance.random() < 0.5:
            apply(octets, start, written[start - offset : end - offset])
        start = end


def rename(
    names: dict[Path, int | None], name: Path, number: int | None, source: Path | None
) -> None:
    """Change what is called how: made (``source`` None), moved, or removed."""
    if source is not None:
        names.pop(source, None)
    if number == _REMOVED:
        names.pop(name, None)
    else:
        names[name] = number


class Disk(SystemCalls):
    """Does every call on the real disk and keeps what it would mean for power loss."""

    def __init__(self, root: Path) -> None:
        self.calls = 0
        self._root = root
        self._files: dict[int, Content] = {}
        self._next = 0
        self._names: dict[Path, int | None] = {}
        self._durable_names: dict[Path, int | None] = {root: None}
        self._pending_names: dict[Path, list[tuple[Path, int | None, Path | None]]] = {}
        self._open: dict[int, Path] = {}

    def left(self, target: Path, chance: random.Random) -> None:
        """Write one of the states that power loss could leave now below ``target``."""
        names = dict(self._durable_names)
        for pending in self._pending_names.values():
            for change in pending[: chance.randint(0, len(pending))]:
                rename(names, *change)
        contents: dict[int, bytes] = {}
        for name, number in sorted(names.items(), key=lambda pair: len(pair[0].parts)):
            place = target / name.relative_to(self._root)
            if number is None and (name == self._root or place.parent.is_dir()):
                place.mkdir(exist_ok=True)
            if number is None or not place.parent.is_dir():
                continue
            if number not in contents:
                contents[number] = self._files[number].left(chance)
            place.write_bytes(contents[number])
            place.chmod(0o600)

    @override
    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        self.calls += 1
        fd = super().open(path, flags, mode)
        self._open[fd] = path
        if flags & os.O_DIRECTORY:
            return fd
        number = self._names.get(path)
        if number is None:
            number = self._next
            self._next += 1
            self._files[number] = Content()
            self._change(path, number)
        if flags & os.O_TRUNC:
            self._files[number].pending.append((0, None))
        return fd

    @override
    def close(self, fd: int) -> None:
        self._open.pop(fd)
        super().close(fd)

    @override
    def pwritev(self, fd: int, buffers: Sequence[bytes | memoryview], offset: int) -> int:
        self.calls += 1
        self._content(fd).pending.append((offset, b"".join(buffers)))
        return super().pwritev(fd, buffers, offset)

    @override
    def ftruncate(self, fd: int, length: int) -> None:
        self.calls += 1
        self._content(fd).pending.append((length, None))
        super().ftruncate(fd, length)

    @override
    def fdatasync(self, fd: int) -> None:
        self._sync(fd)

    @override
    def background_write(self, fd: int, octets: bytes, offset: int) -> BackgroundWrite:
        return _RecordedWrite(self, fd, octets, offset)

    @override
    def fsync(self, fd: int) -> None:
        self._sync(fd)

    @override
    def rename(self, source: Path, target: Path) -> None:
        self.calls += 1
        super().rename(source, target)
        self._change(target, self._names.pop(source), source)

    @override
    def mkdir(self, path: Path) -> None:
        self.calls += 1
        super().mkdir(path)
        self._change(path, None)

    @override
    def unlink(self, path: Path) -> None:
        self.calls += 1
        super().unlink(path)
        self._names.pop(path)
        self._pending_names.setdefault(path.parent, []).append((path, _REMOVED, None))

    def _content(self, fd: int) -> Content:
        number = self._names[self._open[fd]]
        assert number is not None
        return self._files[number]

    def _change(self, path: Path, number: int | None, source: Path | None = None) -> None:
        self._names[path] = number
        self._pending_names.setdefault(path.parent, []).append((path, number, source))

    def _sync(self, fd: int) -> None:
        self.calls += 1
        path = self._open[fd]
        if not path.is_dir():
            content = self._content(fd)
            content.durable, content.pending = content.current(), []
            return
        for change in self._pending_names.pop(path, []):
            rename(self._durable_names, *change)


class _RecordedWrite(BackgroundWrite):
    """Written when it begins, or else when it is waited for; synced when that is waited for."""

    def __init__(self, disk: Disk, fd: int, octets: bytes, offset: int) -> None:
        super().__init__(fd, octets, offset)
        self._disk = disk
        self._what = fd, [octets], offset
        self._done = 0

    @override
    def begin(self) -> None:
        self._done = self._disk.pwritev(*self._what)

    @override
    def written(self) -> int:
        return self._done or self._disk.pwritev(*self._what)

    @override
    def synced(self) -> None:
        self._disk.fdatasync(self._what[0])
