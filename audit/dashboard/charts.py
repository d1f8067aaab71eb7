"""Geometry of the stacked bars: counts → rectangles. No colours, no markup, no time zones."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

WIDTH = 960
HEIGHT = 200
_GAP = 0.18
"""Part of a bar's place that stays empty."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """One segment of one bar, in units of the view box."""

    name: str
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket: its segments from the bottom up."""

    start: int
    total: int
    rectangles: tuple[Rectangle, ...]

    def count_of(self, name: str) -> int:
        """Of one segment; 0 when the bar has none of it."""
        return sum(part.count for part in self.rectangles if part.name == name)


@dataclass(frozen=True, slots=True)
class BarChart:
    """Stacked bars in a box of WIDTH by HEIGHT.

    Attributes:
        bars: one a bucket, in order of time.
        names: the segments that occur, in stacking order, with their totals.
        top: the value at the upper edge, a round number.
    """

    bars: tuple[Bar, ...]
    names: tuple[tuple[str, int], ...]
    top: int

    @property
    def is_empty(self) -> bool:
        """No bucket has anything."""
        return not self.names


_STEPS = (10, 12, 14, 16, 20, 24, 30, 40, 50, 60, 80)
"""Tenths of a power of ten at which a scale may end; half of each is a whole number too."""


def round_up(value: int) -> int:
    """The least good end of a scale that is no less than the value, and at least 1."""
    if value <= 1:
        return 1
    power = 1
    while True:
        for step in _STEPS:
            end, rest = divmod(step * power, 10)
            if rest == 0 and end % 2 == 0 and end >= value:
                return end
        power *= 10


def stacked_bars(buckets: Sequence[tuple[int, dict[str, int]]], order: Sequence[str]) -> BarChart:
    """Bars for (start, counts by name); names not in ``order`` are stacked last."""
    totals: dict[str, int] = {}
    for _, counts in buckets:
        for name, count in counts.items():
            totals[name] = totals.get(name, 0) + count
    known = [name for name in order if totals.get(name)]
    names = known + sorted(name for name, count in totals.items() if count and name not in order)
    top = round_up(max((sum(counts.values()) for _, counts in buckets), default=0))
    place = WIDTH / max(1, len(buckets))
    bars = tuple(
        Bar(start, sum(counts.values()), _stack(counts, names, top, (place * i, place)))
        for i, (start, counts) in enumerate(buckets)
    )
    return BarChart(bars, tuple((name, totals[name]) for name in names), top)


def _stack(
    counts: dict[str, int], names: Sequence[str], top: int, place: tuple[float, float]
) -> tuple[Rectangle, ...]:
    present = [(name, counts[name]) for name in names if counts.get(name)]
    heights = [HEIGHT * count / top for _, count in present]
    left, width = place
    return tuple(
        Rectangle(
            name,
            count,
            x=round(left + width * _GAP / 2, 2),
            y=round(HEIGHT - reached, 2),
            width=round(width * (1 - _GAP), 2),
            height=round(height, 2),
        )
        for (name, count), height, reached in zip(
            present, heights, accumulate(heights), strict=True
        )
    )
