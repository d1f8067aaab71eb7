"""audit.journal.background_sync"""

import ctypes
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from audit.journal import background_sync
from audit.journal.background_sync import ControlBlock, begin_fdatasync

FIELDS = {
    "aio_fildes": "aio_fildes",
    "aio_lio_opcode": "aio_lio_opcode",
    "aio_reqprio": "aio_reqprio",
    "aio_buf": "aio_buf",
    "aio_nbytes": "aio_nbytes",
    "aio_sigevent.sigev_value": "sigev_value",
    "aio_sigevent.sigev_signo": "sigev_signo",
    "aio_sigevent.sigev_notify": "sigev_notify",
}
COMPILER = shutil.which(str(sysconfig.get_config_var("CC") or "cc").split()[0])


@pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
def test_the_control_block_is_laid_out_as_the_c_library_has_it(tmp_path: Path) -> None:
    assert COMPILER is not None
    asked = "".join(f'printf("%zu ", offsetof(struct aiocb, {name}));' for name in FIELDS)
    (tmp_path / "layout.c").write_text(
        "#include <aio.h>\n#include <stddef.h>\n#include <stdio.h>\n"
        f'int main(void) {{ {asked} printf("%zu %d", sizeof(struct aiocb), SIGEV_NONE); }}\n'
    )
    program = tmp_path / "layout"
    subprocess.run([COMPILER, "-o", program, tmp_path / "layout.c"], check=True)
    told = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    *offsets, size, none = map(int, told.split())
    assert [getattr(ControlBlock, name).offset for name in FIELDS.values()] == offsets
    assert size <= ctypes.sizeof(ControlBlock)
    assert none == background_sync._SIGEV_NONE


def test_the_library_does_the_work_here() -> None:
    assert background_sync._LIBRARY is not None


def test_many_may_be_underway_and_end_in_any_order(tmp_path: Path) -> None:
    descriptors = [os.open(tmp_path / str(n), os.O_CREAT | os.O_WRONLY) for n in range(40)]
    for fd in descriptors:
        os.write(fd, b"octets" * 1000)
    before = set(background_sync._underway)
    waits = [begin_fdatasync(fd) for fd in descriptors]
    assert len(background_sync._underway) == len(before) + len(descriptors)
    for wait in reversed(waits):
        wait()
    assert set(background_sync._underway) == before
    for fd in descriptors:
        os.close(fd)


def test_a_library_that_refuses_to_begin_leaves_the_sync_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing:
        def aio_fsync(self, *_: object) -> int:
            return -1

    monkeypatch.setattr(background_sync, "_LIBRARY", Refusing())
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    fd = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    wait = begin_fdatasync(fd)
    assert synced == []
    wait()
    assert synced == [fd]
    os.close(fd)
