"""How row ids stand to time: by second while a month file grows, one by one when it is sealed."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Protocol

import apsw

from audit.index import row_ids

Hit = tuple[int, int, int]
"""time, sequence, row id"""


class RowOrder(Protocol):
    """What a search must know of row ids."""

    def bounds(self, lane: int, at_least: int | None, below: int | None) -> tuple[int, int]:
        """First and last row id of a lane that can hold a time in [at_least, below)."""

    def span_of(self, first_row: int, last_row: int) -> tuple[int, int]:
        """Times between which (the second not included) those of all these rows lie."""

    def sorted(self, hits: Iterable[Hit], *, newest_first: bool) -> Iterator[Hit]:
        """Hits in the order of row ids to hits in the order of (time, sequence)."""


class BySecond:
    """A file that grows: see `audit.index.row_ids`."""

    def bounds(self, lane: int, at_least: int | None, below: int | None) -> tuple[int, int]:
        """First and last row id of a lane that can hold a time in [at_least, below)."""
        return row_ids.lane_bounds(lane, at_least, below)

    def span_of(self, first_row: int, last_row: int) -> tuple[int, int]:
        """Whole seconds."""
        first, last = row_ids.second_of(first_row), row_ids.second_of(last_row)
        return first * row_ids.SECOND, (last + 1) * row_ids.SECOND

    def sorted(self, hits: Iterable[Hit], *, newest_first: bool) -> Iterator[Hit]:
        """Sort what lies within one second."""
        for _, same_second in groupby(hits, key=lambda hit: hit[2] >> row_ids.COUNTER_BITS):
            yield from sorted(same_second, reverse=newest_first)


class OneByOne:
    """A sealed file: row ids count the records in the order of (time, sequence).

    Args:
        connection: the file; its rows may be removed, never added, so that the ends found now
            hold for good.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._first_time, self._last_time, self._last_row = self._ends()

    def _ends(self) -> tuple[int, int, int]:
        low: Any = self._connection.execute(
            "SELECT time FROM documents ORDER BY rowid LIMIT 1"
        ).fetchone()
        high: Any = self._connection.execute(
            "SELECT time, rowid FROM documents ORDER BY rowid DESC LIMIT 1"
        ).fetchone()
        return (0, 0, 0) if low is None else (low[0], *high)

    def bounds(self, lane: int, at_least: int | None, below: int | None) -> tuple[int, int]:
        """First and last row id whose time lies in [at_least, below); exact. Lane 0 is all."""
        first = 1 if at_least is None else self._first_row_from(at_least)
        last = self._last_row if below is None else self._first_row_from(below) - 1
        return (first, last) if lane == 0 else (1, 0)

    def _first_row_from(self, time: int) -> int:
        """The first row with this time or a later one; one after the last when there is none."""
        if time <= self._first_time:
            return 1
        low, high = 1, self._last_row + 1
        if time > self._last_time:
            return high
        while low < high:
            middle = (low + high) // 2
            row_id, there = self._row_from(middle)
            low, high = (row_id + 1, high) if there < time else (low, middle)
        return low

    def _row_from(self, row_id: int) -> tuple[int, int]:
        row: Any = self._connection.execute(
            "SELECT rowid, time FROM documents WHERE rowid >= ? ORDER BY rowid LIMIT 1", (row_id,)
        ).fetchone()
        return (self._last_row, self._last_time) if row is None else row

    def span_of(self, first_row: int, last_row: int) -> tuple[int, int]:  # noqa: ARG002
        """The times of all rows."""
        return self._first_time, self._last_time + 1

    def sorted(self, hits: Iterable[Hit], *, newest_first: bool) -> Iterator[Hit]:  # noqa: ARG002
        """They are."""
        return iter(hits)
