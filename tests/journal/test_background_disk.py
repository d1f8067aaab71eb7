"""audit.journal.background_disk"""

import ctypes
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from audit.journal import background_disk
from audit.journal.background_disk import BackgroundWrite, ControlBlock

FIELDS = {
    "aio_fildes": "aio_fildes",
    "aio_lio_opcode": "aio_lio_opcode",
    "aio_reqprio": "aio_reqprio",
    "aio_buf": "aio_buf",
    "aio_nbytes": "aio_nbytes",
    "aio_sigevent.sigev_value": "sigev_value",
    "aio_sigevent.sigev_signo": "sigev_signo",
    "aio_sigevent.sigev_notify": "sigev_notify",
    "aio_offset": "aio_offset",
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
    assert none == background_disk._SIGEV_NONE


def test_the_library_does_the_work_here() -> None:
    assert background_disk._LIBRARY is not None


def test_many_may_be_underway_and_end_in_any_order(tmp_path: Path) -> None:
    paths = [tmp_path / str(n) for n in range(40)]
    descriptors = [os.open(path, os.O_CREAT | os.O_WRONLY) for path in paths]
    before = set(background_disk._underway)
    writes = [BackgroundWrite(fd, bytes([n]) * 100_000, n) for n, fd in enumerate(descriptors)]
    for write in writes:
        write.begin()
    assert background_disk._underway == before | set(writes)
    for write in reversed(writes):
        assert write.written() == 100_000
        write.synced()
    assert background_disk._underway == before
    for n, (fd, path) in enumerate(zip(descriptors, paths, strict=True)):
        os.close(fd)
        assert path.read_bytes() == bytes(n) + bytes([n]) * 100_000


def test_an_abandoned_write_is_waited_for_if_it_has_begun(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    begun, unbegun = BackgroundWrite(fd, b"begun", 0), BackgroundWrite(fd, b"unbegun", 100)
    no_file = BackgroundWrite(12345, b"failing", 0)
    before = set(background_disk._underway)
    for write in (begun, no_file):
        write.begin()
    for write in (begun, unbegun, no_file):
        write.abandon()
    assert background_disk._underway == before
    os.close(fd)
    assert (tmp_path / "file").read_bytes() == b"begun"


@pytest.mark.parametrize("refused", ["aio_write", "aio_fsync"])
def test_what_the_library_refuses_to_begin_is_left_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    library = background_disk._LIBRARY

    class Refusing:
        def __getattr__(self, name: str) -> object:
            return (lambda *_: -1) if name == refused else getattr(library, name)

    monkeypatch.setattr(background_disk, "_LIBRARY", Refusing())
    done: list[str] = []
    fdatasync, pwrite = os.fdatasync, os.pwrite

    def syncing(fd: int) -> None:
        done.append("fdatasync")
        fdatasync(fd)

    def writing(fd: int, octets: bytes, offset: int) -> int:
        done.append("pwrite")
        return pwrite(fd, octets, offset)

    monkeypatch.setattr(os, "fdatasync", syncing)
    monkeypatch.setattr(os, "pwrite", writing)
    fd = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    write = BackgroundWrite(fd, b"octets", 1)
    write.begin()
    assert done == []
    assert write.written() == 6
    write.synced()
    assert write not in background_disk._underway
    assert done == (["pwrite", "fdatasync"] if refused == "aio_write" else ["fdatasync"])
    os.close(fd)
    assert (tmp_path / "file").read_bytes() == b"\0octets"
