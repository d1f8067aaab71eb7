"""pwrite(2) and fdatasync(2) beside the thread that asks for them, by POSIX aio_write(3).

A thread of the C library writes and waits for the disk. A thread of ours would need the
interpreter's lock to begin and again to tell the end, which costs about as much as a quick disk
takes. What the library can't do is done when it is waited for.
"""

import contextlib
import ctypes
import errno
import os
import sys

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


class _Request:
    """What the library is asked for.

    Its memory is taken before, so that it can be waited for whatever happens later.
    """

    __slots__ = ("_block", "_library", "_waited_for", "is_underway")

    def __init__(self, library: ctypes.CDLL, block: ControlBlock) -> None:
        self._library = library
        self._block = block
        self._waited_for = _ControlBlocks(ctypes.pointer(block))
        self.is_underway = False

    def begin_write(self) -> bool:
        self.is_underway = self._library.aio_write(self._block) == 0
        return self.is_underway

    def begin_sync(self) -> None:
        self.is_underway = self._library.aio_fsync(os.O_DSYNC, self._block) == 0

    def wait(self) -> int:
        while (error := self._library.aio_error(self._block)) == errno.EINPROGRESS:
            self._library.aio_suspend(self._waited_for, 1, None)
        self.is_underway = False
        result = int(self._library.aio_return(self._block))
        if error != 0:
            raise OSError(error, os.strerror(error))
        return result


_underway: "set[BackgroundWrite]" = set()
"""The library uses their memory until it is done, so they must outlive whoever forgets to wait."""


class BackgroundWrite:
    """A write at an offset, and the sync of the file's data after it.

    ``begin`` it or not, then wait for ``written`` and for ``synced``, each once and in this order,
    or for ``abandon``, before the descriptor is closed.
    """

    def __init__(self, fd: int, octets: bytes, offset: int) -> None:
        self._fd = fd
        self._octets = octets
        self._offset = offset
        self._write: _Request | None = None
        self._sync: _Request | None = None

    def begin(self) -> None:
        """Go on beside this thread, if the library can."""
        if _LIBRARY is None:
            return
        writing = ControlBlock(
            aio_fildes=self._fd,
            aio_buf=ctypes.cast(ctypes.c_char_p(self._octets), ctypes.c_void_p).value,
            aio_nbytes=len(self._octets),
            sigev_notify=_SIGEV_NONE,
            aio_offset=self._offset,
        )
        syncing = ControlBlock(aio_fildes=self._fd, sigev_notify=_SIGEV_NONE)
        self._write, self._sync = _Request(_LIBRARY, writing), _Request(_LIBRARY, syncing)
        _underway.add(self)
        if self._write.begin_write():
            self._sync.begin_sync()
        else:
            _underway.discard(self)

    def written(self) -> int:
        """Octets that were written, which may be fewer than asked; raises OSError."""
        if self._write is not None and self._write.is_underway:
            return self._write.wait()
        return os.pwrite(self._fd, self._octets, self._offset)

    def synced(self) -> None:
        """Return once the file's data is durable; raises OSError."""
        try:
            if self._sync is not None and self._sync.is_underway:
                self._sync.wait()
            else:
                os.fdatasync(self._fd)
        finally:
            _underway.discard(self)

    def abandon(self) -> None:
        """Return once nothing is done any more, however it ended; what didn't begin never will."""
        for request in (self._write, self._sync):
            if request is not None and request.is_underway:
                with contextlib.suppress(OSError):
                    request.wait()
        _underway.discard(self)
