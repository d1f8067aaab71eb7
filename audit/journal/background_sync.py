"""fdatasync(2) beside the thread that asks for it, by POSIX aio_fsync(3).

A thread of the C library waits for the disk. A thread of ours would need the interpreter's lock to
begin and again to tell the end, which costs about as much as a quick disk takes. Where the library
can't do it, the sync happens when it is waited for.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from functools import partial

_SIGEV_NONE = 1


class ControlBlock(ctypes.Structure):
    """``struct aiocb`` of <aio.h> on 64-bit Linux, as far as aio_fsync(3) reads it.

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
        ("rest", ctypes.c_char * 256),
    )


def _library() -> ctypes.CDLL | None:
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:  # noqa: PLR2004 — octets
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "aio_fsync"):
        return None
    block = ctypes.POINTER(ControlBlock)
    library.aio_fsync.argtypes = (ctypes.c_int, block)
    library.aio_error.argtypes = library.aio_return.argtypes = (block,)
    library.aio_return.restype = ctypes.c_ssize_t
    library.aio_suspend.argtypes = (ctypes.POINTER(block), ctypes.c_int, ctypes.c_void_p)
    return library


_LIBRARY = _library()
_underway: dict[int, ControlBlock] = {}
"""The library writes to these, so they must outlive whoever forgets to wait."""


def begin_fdatasync(fd: int) -> Callable[[], None]:
    """Begin to make a file's data durable.

    Returns:
        What waits until it is, and raises the OSError of the sync. To be called once, before the
        descriptor is closed.
    """
    if _LIBRARY is None:
        return partial(os.fdatasync, fd)
    block = ControlBlock(aio_fildes=fd, sigev_notify=_SIGEV_NONE)
    if _LIBRARY.aio_fsync(os.O_DSYNC, block) != 0:
        return partial(os.fdatasync, fd)
    _underway[ctypes.addressof(block)] = block
    return partial(_wait, _LIBRARY, block)


def _wait(library: ctypes.CDLL, block: ControlBlock) -> None:
    waited_for = (ctypes.POINTER(ControlBlock) * 1)(ctypes.pointer(block))
    while (error := library.aio_error(block)) == errno.EINPROGRESS:
        library.aio_suspend(waited_for, 1, None)
    library.aio_return(block)
    del _underway[ctypes.addressof(block)]
    if error != 0:
        raise OSError(error, os.strerror(error))
