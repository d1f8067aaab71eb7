"""Columns of integers as octets: what an index counts by. Pure.

A column is a number that is taken from all, the smallest width that holds the rest, and the rest
compressed; of a rising column the steps are kept instead (docs/index-format.md).
"""

import struct
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import zstandard

Integers: TypeAlias = npt.NDArray[np.integer[Any]]
Truth: TypeAlias = npt.NDArray[np.bool_]

_HEADER: Final = struct.Struct("<BBIqq")
_WIDTHS: Final = (1, 2, 4, 8)
_LEVEL: Final = 3


def packed(values: Integers, *, rising: bool = False) -> bytes:
    """The octets of a column; ``rising`` pays when each number is near the one before."""
    numbers = values.astype(np.int64, copy=False)
    first = int(numbers[0]) if rising and numbers.size else 0
    rest = np.diff(numbers) if rising else numbers
    least = int(rest.min()) if rest.size else 0
    least = least if rising else min(least, 0)
    offsets = (rest - least).view(np.uint64)
    width = _width(int(offsets.max()) if offsets.size else 0)
    header = _HEADER.pack(width, rising, numbers.size, first, least)
    octets = offsets.astype(f"<u{width}").tobytes()
    return header + zstandard.ZstdCompressor(level=_LEVEL).compress(octets)


def _width(most: int) -> int:
    return next(width for width in _WIDTHS if most < 1 << 8 * width)


def unpacked(octets: bytes) -> Integers:
    """The column of such octets; numbers that were never negative nor long stay short."""
    width, rising, size, first, least = _HEADER.unpack_from(octets)
    plain = zstandard.ZstdDecompressor().decompress(octets[_HEADER.size :])
    offsets = np.frombuffer(plain, dtype=f"<u{width}")
    if not rising:
        return offsets if least == 0 else offsets.astype(np.int64) + least
    numbers = np.empty(size, dtype=np.int64)
    if size:
        numbers[0] = first
        np.cumsum(offsets.astype(np.int64) + least, out=numbers[1:])
        numbers[1:] += first
    return numbers
