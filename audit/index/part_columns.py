"""The columns of one month file, read: as they are in the transaction of the reader."""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any

import apsw
import numpy as np
import orjson

from audit.index import shapes
from audit.index.column_cache import ColumnCache
from audit.index.columns import Integers, Truth, unpacked
from audit.index.criteria import Criteria, matches
from audit.index.sqlite_columns import ROWS, TIMES, place_of
from audit.index.sqlite_documents import from_json
from audit.index.value_sets import SHAPE

_FEW = 64
_MOST = (1 << 63) - 1


@lru_cache(maxsize=65_536)
def _values_of(text: str) -> tuple[str, ...]:
    return tuple(from_json(text.encode()))


@lru_cache(maxsize=4_096)
def shape_facts(text: str) -> dict[str, list[str]]:
    """The folded values of a shape by field."""
    facts: dict[str, list[str]] = from_json(text.encode())
    return facts


@lru_cache(maxsize=16_384)
def _shape_meets(criteria: Criteria, text: str) -> bool:
    return matches(criteria, shapes.shape_record(shape_facts(text)))


class PartColumns:
    """The columns of one state of a month file.

    Args:
        connection: the file, in a transaction.
        file: its identity.
        cache: columns read before.
        sealed: the file is.

    Attributes:
        size: how many positions there are.
        in_order: they are in the order of time.
    """

    def __init__(
        self, connection: apsw.Connection, file: str, cache: ColumnCache, *, sealed: bool
    ) -> None:
        self._connection = connection
        self._file = file
        self._cache = cache
        chunks: Any = connection.execute("SELECT chunk, records FROM chunks ORDER BY 1").fetchall()
        self._chunks: list[int] = [chunk for chunk, _ in chunks]
        self.size: int = sum(records for _, records in chunks)
        self.in_order = sealed and len(chunks) <= 1
        self._numbers: dict[str, int] = dict(
            connection.execute("SELECT name, number FROM counted WHERE usable")
        )

    def has(self, name: str) -> bool:
        """Whether there is a column of that field."""
        return name in self._numbers

    @property
    def has_shapes(self) -> bool:
        """Whether there is a column of shapes."""
        return SHAPE in self._numbers

    @cached_property
    def rows(self) -> Integers:
        """The row id of each position."""
        return self._column(ROWS)

    @cached_property
    def times(self) -> Integers:
        """The time of each position, in UTC nanoseconds."""
        return self._column(TIMES)

    def first_at(self, time: int) -> int:
        """The first position at that time or later, where they are in order."""
        return int(np.searchsorted(self.times, min(max(time, -_MOST - 1), _MOST)))

    @cached_property
    def shape_ids(self) -> Integers:
        """The shape of each position."""
        return self._column(self._numbers[SHAPE])

    def ids(self, name: str) -> Integers:
        """The set of values that each position has in a field, 0 for none."""
        return self._column(self._numbers[name])

    @cached_property
    def shape_texts(self) -> dict[int, str]:
        """The shapes, as JSON."""
        return dict(self._sets(SHAPE))

    def sets(self, name: str, wanted: Integers) -> Iterator[tuple[int, tuple[str, ...]]]:
        """The values that these set numbers of a field stand for."""
        found = self._some_sets(name, wanted) if wanted.size < _FEW else self._sets(name)
        return ((set_id, _values_of(text)) for set_id, text in found)

    def all_shapes_meet(self, criteria: Criteria) -> bool:
        """Whether every record meets criteria that shapes can answer."""
        return all(_shape_meets(criteria, text) for text in self.shape_texts.values())

    def shape_truth(self, criteria: Criteria) -> Truth:
        """By number of the shape: whether it meets criteria that shapes can answer."""
        truth = np.zeros(max(self.shape_texts, default=0) + 1, dtype=np.bool_)
        for number, text in self.shape_texts.items():
            truth[number] = _shape_meets(criteria, text)
        return truth

    def positions_of(self, row_ids: Integers) -> Integers:
        """The positions of rows that are in this file, in their order."""
        if self._order is None:
            return np.searchsorted(self.rows, row_ids)
        places = np.searchsorted(self._sorted_rows, row_ids)
        found: Integers = self._order[places]
        return found

    @cached_property
    def _order(self) -> Integers | None:
        """How to sort the rows; None when they are."""
        rows = self.rows
        return None if np.all(rows[1:] > rows[:-1]) else np.argsort(rows, kind="stable")

    @cached_property
    def _sorted_rows(self) -> Integers:
        found: Integers = self.rows[self._order]
        return found

    def _sets(self, name: str) -> Iterator[tuple[int, str]]:
        rows: Any = self._connection.execute(
            "SELECT id, value_set FROM value_sets WHERE number = ? AND value_set IS NOT NULL",
            (self._numbers[name],),
        )
        return iter(rows)

    def _some_sets(self, name: str, wanted: Integers) -> Iterator[tuple[int, str]]:
        rows: Any = self._connection.execute(
            "SELECT id, value_set FROM value_sets WHERE number = ?"
            " AND id IN (SELECT value FROM json_each(?))",
            (self._numbers[name], orjson.dumps(wanted.tolist()).decode()),
        )
        return iter(rows)

    def _column(self, number: int) -> Integers:
        pieces = [self._piece(chunk, number) for chunk in self._chunks]
        if len(pieces) == 1:
            return pieces[0]
        return np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int64)

    def _piece(self, chunk: int, number: int) -> Integers:
        place = place_of(chunk, number)
        return self._cache.column((self._file, place), lambda: self._load(place))

    def _load(self, place: int) -> Integers:
        octets: bytes = self._connection.execute(
            "SELECT data FROM columns WHERE place = ?", (place,)
        ).get
        return unpacked(octets)
