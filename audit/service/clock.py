"""Whether this machine's clock is synchronised, as the kernel knows it (adjtimex(2))."""

import ctypes
import ctypes.util
from dataclasses import dataclass

from typing_extensions import override

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


class _Timex(ctypes.Structure):
    """``struct timex`` of Linux: only its beginning is read; the rest is room for the kernel."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_byte * 512),
    )


@dataclass(frozen=True, slots=True)
class ClockState:
    """What the kernel says of the clock.

    Attributes:
        known: whether the kernel could be asked.
        synchronised: whether something disciplines the clock.
        max_error_s: the largest error the kernel reckons with, seconds.
    """

    known: bool
    synchronised: bool
    max_error_s: float

    @override
    def __str__(self) -> str:
        if not self.known:
            return "unknown: the kernel can't be asked"
        state = "synchronised" if self.synchronised else "not synchronised"
        return f"{state}, at most {self.max_error_s:.3f} s off by the kernel's reckoning"


def clock_state() -> ClockState:
    """Ask the kernel; an unknown state where it can't be asked."""
    library = ctypes.util.find_library("c")
    if library is None:
        return ClockState(known=False, synchronised=False, max_error_s=0.0)
    answer = _Timex()
    code = ctypes.CDLL(library, use_errno=True).adjtimex(ctypes.byref(answer))
    if code < 0:
        return ClockState(known=False, synchronised=False, max_error_s=0.0)
    unsynchronised = code == _TIME_ERROR or bool(answer.status & _STA_UNSYNC)
    return ClockState(
        known=True, synchronised=not unsynchronised, max_error_s=answer.maxerror / 1e6
    )
