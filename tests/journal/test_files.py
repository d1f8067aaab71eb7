"""audit.journal.files"""

import errno
import os
import resource
from functools import partial
from pathlib import Path

import pytest
from typing_extensions import override

from audit.journal.files import DiskStateUnknown, Files
from audit.journal.locks import lock_holder, try_lock_directory
from tests.journal.faults import FaultyCalls, ShortWrites


def test_replacing_keeps_the_old_content_until_the_new_is_durable(tmp_path: Path) -> None:
    path = tmp_path / "file"
    Files().replace_durably(path, b"old")
    for name in ("open", "pwritev", "fsync", "rename"):
        calls = FaultyCalls(name, 1, errno.EIO)
        with pytest.raises(OSError, match="Input/output"):
            Files(calls).replace_durably(path, b"new")
        assert path.read_bytes() == b"old"
    Files().replace_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_short_writes_are_continued(tmp_path: Path) -> None:
    files = Files(ShortWrites())
    fd = files.open_or_create_durably(tmp_path / "file")
    buffers = [bytes([n % 256]) * (n % 5) for n in range(2100)]
    end = files.write_at(fd, 3, buffers)
    files.close(fd)
    assert (tmp_path / "file").read_bytes() == b"\0\0\0" + b"".join(buffers)
    assert end == 3 + sum(map(len, buffers))


def test_failed_syncs_and_cuts_leave_the_disk_unknown(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    for name in ("fdatasync", "fsync", "ftruncate"):
        files = Files(FaultyCalls(name, 1, errno.ENOSPC))
        fd = files.open_existing(path)
        act = files.sync_data if name == "fdatasync" else partial(files.cut_durably, length=3)
        with pytest.raises(DiskStateUnknown) as caught:
            act(fd)
        assert caught.value.errno == errno.ENOSPC
        files.close(fd)


@pytest.fixture(params=["library", "no library"])
def files(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Files:
    if request.param == "no library":
        monkeypatch.setattr("audit.journal.background_disk._LIBRARY", None)
    return Files()


@pytest.mark.parametrize("begun", [True, False])
def test_a_write_may_begin_before_it_is_waited_for(
    files: Files, tmp_path: Path, begun: bool
) -> None:
    fd = files.open_or_create_durably(tmp_path / "file")
    octets = os.urandom(3_000_000)
    write = files.durable_write(fd, 5, octets)
    if begun:
        write.begin()
    write.wait()
    files.close(fd)
    assert (tmp_path / "file").read_bytes() == bytes(5) + octets


def test_a_sync_that_fails_counts_for_more_than_its_write(files: Files) -> None:
    no_file, other_end = os.pipe()
    with pytest.raises(DiskStateUnknown) as caught:
        _write(files, other_end, 0, b"octets")
    assert caught.value.errno == errno.EINVAL
    assert isinstance(caught.value.__context__, OSError)
    for end in (no_file, other_end):
        os.close(end)
    with pytest.raises(DiskStateUnknown) as caught:
        _write(files, other_end, 0, b"octets")
    assert caught.value.errno == errno.EBADF


def test_a_begun_write_that_finds_no_room_says_so(files: Files, tmp_path: Path) -> None:
    fd = files.open_or_create_durably(tmp_path / "file")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        for offset in (0, 1_000_000):
            with pytest.raises(OSError, match="too large") as caught:
                _write(files, fd, offset, bytes(2_000_000))
            assert caught.value.errno == errno.EFBIG
            assert not isinstance(caught.value, DiskStateUnknown)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    files.close(fd)
    assert (tmp_path / "file").stat().st_size == 1_000_000


def test_a_begun_write_that_ends_early_is_continued_and_synced_again(tmp_path: Path) -> None:
    class Counting(ShortWrites):
        syncs = 0

        @override
        def fdatasync(self, fd: int) -> None:
            self.syncs += 1
            super().fdatasync(fd)

    calls = Counting()
    files = Files(calls)
    fd = files.open_or_create_durably(tmp_path / "file")
    _write(files, fd, 0, b"sixteen or more octets")
    files.close(fd)
    assert (tmp_path / "file").read_bytes() == b"sixteen or more octets"
    assert calls.syncs == 1


def test_a_created_file_whose_name_is_not_durable_is_an_error(tmp_path: Path) -> None:
    before = _descriptors()
    with pytest.raises(DiskStateUnknown):
        Files(FaultyCalls("fsync", 1, errno.EIO)).open_or_create_durably(tmp_path / "file")
    assert _descriptors() == before


def test_without_a_descriptor_nothing_seems_done_that_is_not_durable(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Too many open files"):
        Files(FaultyCalls("open", 1, errno.EMFILE)).open_or_create_durably(tmp_path / "file")
    with pytest.raises(OSError, match="Too many open files"):
        Files(FaultyCalls("open", 1, errno.EMFILE)).make_directory_durably(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []
    kept = tmp_path / "kept"
    kept.touch()
    with pytest.raises(OSError, match="Too many open files"):
        Files(FaultyCalls("open", 1, errno.EMFILE)).remove_durably(kept)
    assert kept.exists()


def test_a_folder_has_one_holder(tmp_path: Path) -> None:
    fd = try_lock_directory(tmp_path)
    assert fd is not None
    assert try_lock_directory(tmp_path) is None
    assert lock_holder(tmp_path) == os.getpid()
    os.close(fd)
    assert lock_holder(tmp_path) is None


def test_room_is_that_of_the_file_system(tmp_path: Path) -> None:
    assert Files().free_octets(tmp_path) > 0


def _write(files: Files, fd: int, offset: int, octets: bytes) -> None:
    write = files.durable_write(fd, offset, octets)
    write.begin()
    write.wait()


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
