"""Plausible pixel data without an image library: a body outline, organs and noise."""

from array import array
from random import Random
from sys import byteorder

BODY, ORGAN, AIR = 1040, 1100, 24
TEXTURE_LENGTH = 4096
FAINT = bytes(value & 63 for value in range(256))
"""Makes octets into noise that is weak beside the tissue."""


def cross_section(chance: Random, edge: int, position: float) -> bytes:
    """A square ``edge`` x ``edge`` image of 16-bit little-endian words, 12 bits used.

    ``position`` runs from 0 to 1 along the body and lets neighbouring slices differ a little.
    """
    texture = array("H", list(chance.randbytes(TEXTURE_LENGTH).translate(FAINT)))
    words = array("H", bytes(2 * edge * edge))
    for row in range(edge):
        _paint_row(words, row, edge, position)
        start = chance.randrange(TEXTURE_LENGTH - edge)
        here = slice(row * edge, row * edge + edge)
        words[here] = _sum(words[here], texture[start : start + edge])
    if byteorder == "big":  # pragma: no cover - PS3.5 orders the words, not the machine
        words.byteswap()
    return words.tobytes()


def echo_fan(chance: Random, edge: int) -> bytes:
    """A square 8-bit image of an ultrasound fan: echoes that fade with depth."""
    pixels = bytearray(edge * edge)
    for row in range(edge):
        half = min(edge // 2, edge // 12 + row // 2)
        left = edge // 2 - half
        echo = max(1, 220 - 150 * row // edge)
        pixels[row * edge + left : row * edge + left + 2 * half] = bytes(
            value * echo >> 8 for value in chance.randbytes(2 * half)
        )
    return bytes(pixels)


def _sum(row: "array[int]", noise: "array[int]") -> "array[int]":
    """Word by word; as one large number, for no sum reaches the next word."""
    total = int.from_bytes(row.tobytes(), byteorder) + int.from_bytes(noise.tobytes(), byteorder)
    return array("H", total.to_bytes(2 * len(row), byteorder))


def _paint_row(words: "array[int]", row: int, edge: int, position: float) -> None:
    for value, size, shift in ((AIR, 2.0, 0.0), (BODY, 0.9, 0.0), (ORGAN, 0.35, 0.2)):
        left, right = _ellipse(row, edge, size * (0.8 + 0.2 * position), shift)
        words[row * edge + left : row * edge + right] = array("H", [value] * (right - left))


def _ellipse(row: int, edge: int, size: float, shift: float) -> tuple[int, int]:
    """Columns [left, right) that an ellipse covers in this row; all of them for a size over 1."""
    if size > 1:
        return 0, edge
    height = (2 * row / edge - 1 - shift) / (0.75 * size)
    if abs(height) >= 1:
        return 0, 0
    half = int(edge / 2 * size * (1 - height * height) ** 0.5)
    return edge // 2 - half, edge // 2 + half
