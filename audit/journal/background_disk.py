"""pwrite(2) and fdatasync(2) beside the thread that asks for them, by POSIX aio_write(3).

A thread of the C library writes and waits for the disk. A thread of ours would need the
interpreter's lock to begin and again to tell the end, which costs about as much as a quick disk
takes. What the library can't do is done when it is waited for.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

_SIGEV_NONE = 1
_SIGEVENT_OCTETS = 64


class ControlBlock(ctypes.Structure):
    """``struct aiocb`` of <aio.h> on 64-bit Linux, as far as it is ours to fill.

    The rest is the library's own, and shorter than the room left here.
    """

    _fields_ = (
        ("aio_fildes", ctypes.c_int),
        ("aio_lio_opcode", ctypes.c_int),
        ("aio_reqprio", ctypes.c_int),
        ("aio_buf", ctypes.c_void_p),
        ("aio_nbytes", ctypes.c_size_t),
        ("sigev_value", ctypes.c_void_p),
        ("sigev_signo", ctypes.c_int),
        ("sigev_notify", ctypes.c_int),
        ("sigev_rest", ctypes.c_char * (_SIGEVENT_OCTETS - 16)),
        ("of_the_library", ctypes.c_char * 32),
        ("aio_offset", ctypes.c_int64),
        ("rest", ctypes.c_char * 128),
    )


_ControlBlocks = ctypes.POINTER(ControlBlock) * 1


def _library() -> ctypes.CDLL | None:
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:  # noqa: PLR2004 — octets
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if not (hasattr(library, "aio_write") and hasattr(library, "aio_fsync")):
        return None
    block = ctypes.POINTER(ControlBlock)
    library.aio_write.argtypes = (block,)
    library.aio_fsync.argtypes = (ctypes.c_int, block)
    library.aio_error.argtypes = library.aio_return.argtypes = (block,)
    library.aio_return.restype = ctypes.c_ssize_t
    library.aio_suspend.argtypes = (ctypes.POINTER(block), ctypes.c_int, ctypes.c_void_p)
    return library


_LIBRARY = _library()
_underway: dict[int, tuple[ControlBlock, bytes]] = {}
"""The library uses these until it is done, so they must outlive whoever forgets to wait."""

Begun: TypeAlias = tuple[Callable[[], int], Callable[[], object]]
"""What waits for a write and returns how many octets were written, and what waits for the sync
after it. Each is called once, in this order, and raises the OSError of its own."""


def begin_pwrite_and_fdatasync(fd: int, octets: bytes, offset: int) -> Begun:
    """Begin to write at an offset and then to make the file's data durable.

    The descriptor must not be closed before both were waited for.
    """
    written = partial(os.pwrite, fd, octets, offset)
    synced = partial(os.fdatasync, fd)
    if _LIBRARY is None:
        return written, synced
    address = ctypes.cast(ctypes.c_char_p(octets), ctypes.c_void_p).value
    block = ControlBlock(
        aio_fildes=fd,
        aio_buf=address,
        aio_nbytes=len(octets),
        sigev_notify=_SIGEV_NONE,
        aio_offset=offset,
    )
    if _LIBRARY.aio_write(block) != 0:
        return written, synced
    written = _waiting(_LIBRARY, block, octets)
    block = ControlBlock(aio_fildes=fd, sigev_notify=_SIGEV_NONE)
    if _LIBRARY.aio_fsync(os.O_DSYNC, block) != 0:
        return written, synced
    return written, _waiting(_LIBRARY, block, b"")


def _waiting(library: ctypes.CDLL, block: ControlBlock, octets: bytes) -> "partial[int]":
    _underway[ctypes.addressof(block)] = block, octets
    return partial(_wait, library, block)


def _wait(library: ctypes.CDLL, block: ControlBlock) -> int:
    while (error := library.aio_error(block)) == errno.EINPROGRESS:
        library.aio_suspend(_ControlBlocks(ctypes.pointer(block)), 1, None)
    result = int(library.aio_return(block))
    del _underway[ctypes.addressof(block)]
    if error != 0:
        raise OSError(error, os.strerror(error))
    return result
