"""audit.journal.files"""

import errno
import os
from functools import partial
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("known", [True, False])
def test_a_sync_may_begin_before_it_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    if not known:
        monkeypatch.setattr("audit.journal.background_sync._LIBRARY", None)
    files = Files()
    fd = files.open_or_create_durably(tmp_path / "file")
    files.write_at(fd, 0, [b"octets"])
    files.begin_sync(fd)()
    files.close(fd)
    no_file, other_end = os.pipe()
    with pytest.raises(DiskStateUnknown) as caught:
        files.begin_sync(no_file)()
    assert caught.value.errno == errno.EINVAL
    for end in (no_file, other_end):
        os.close(end)
    with pytest.raises(DiskStateUnknown) as caught:
        files.begin_sync(no_file)()
    assert caught.value.errno == errno.EBADF


def test_a_created_file_whose_name_is_not_durable_is_an_error(tmp_path: Path) -> None:
    before = _descriptors()
    with pytest.raises(DiskStateUnknown):
        Files(FaultyCalls("fsync", 1, errno.EIO)).open_or_create_durably(tmp_path / "file")
    assert _descriptors() == before


def test_a_folder_has_one_holder(tmp_path: Path) -> None:
    fd = try_lock_directory(tmp_path)
    assert fd is not None
    assert try_lock_directory(tmp_path) is None
    assert lock_holder(tmp_path) == os.getpid()
    os.close(fd)
    assert lock_holder(tmp_path) is None


def test_room_is_that_of_the_file_system(tmp_path: Path) -> None:
    assert Files().free_octets(tmp_path) > 0


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
