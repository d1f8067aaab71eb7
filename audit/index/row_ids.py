"""Row ids: they rise with time, so that newest-first stops early. Pure.

``lane << 50 | (second + 2**34) << 14 | counter``: a second has room for 16,384 records in lane 0;
what is more goes to the same second of the next lane. A lane is thus a run of row ids in the order
of seconds, and a search merges the lanes of a file (docs/index-format.md).
"""

from typing import Final

SECOND: Final = 1_000_000_000
COUNTER_BITS: Final = 14
LANE_BITS: Final = 50
LANES: Final = 1 << 13
PER_SECOND: Final = 1 << COUNTER_BITS
SECOND_OFFSET: Final = 1 << 34
"""Added to a second since 1970 so that times before it stay positive."""

LANE_MASK: Final = (1 << LANE_BITS) - 1
FIRST: Final = 0
LAST: Final = (LANES << LANE_BITS) - 1


def first_row(lane: int, second: int) -> int:
    """The first row id of a second in a lane."""
    return lane << LANE_BITS | (second + SECOND_OFFSET) << COUNTER_BITS


def last_row(lane: int, second: int) -> int:
    """The last row id of a second in a lane."""
    return first_row(lane, second) + PER_SECOND - 1


def second_of(row_id: int) -> int:
    """The second since 1970 that a row id stands for."""
    return ((row_id & LANE_MASK) >> COUNTER_BITS) - SECOND_OFFSET


def lane_of(row_id: int) -> int:
    """The lane of a row id."""
    return row_id >> LANE_BITS


def lane_bounds(
    lane: int, at_least: int | None = None, below: int | None = None
) -> tuple[int, int]:
    """First and last row id of a lane that can hold a time in [at_least, below) nanoseconds."""
    first = lane << LANE_BITS
    last = first | LANE_MASK
    if at_least is not None:
        first = max(first, min(first_row(lane, _held(at_least // SECOND)), last))
    if below is not None:
        last = min(last, last_row(lane, _held((below - 1) // SECOND)))
    return first, last


def _held(second: int) -> int:
    """The second, brought inside what a row id can hold."""
    return max(-SECOND_OFFSET, min(second, SECOND_OFFSET - 1))
