"""The columns of one month file, written: chunks of rows that are merged as they grow in number.

A chunk is never changed, only replaced by one with another number, so that readers may keep what
they read of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import apsw
import numpy as np

from audit.index.columns import Integers, packed, unpacked
from audit.index.value_sets import Values, ValueSets, columns_to_keep

COLUMN_BITS: Final = 8
ROWS: Final = 0
TIMES: Final = 1
FIRST_COUNTED: Final = 2
_RISING: Final = (ROWS, TIMES)

_MERGED_AT_ONCE: Final = 8
_LARGEST_MERGED: Final = 1 << 17
"""Records of a chunk that is large enough to stay as it is."""


def place_of(chunk: int, number: int) -> int:
    """Under what a column of a chunk stands."""
    return chunk << COLUMN_BITS | number


def create_columns(connection: apsw.Connection) -> None:
    """Note in a new month file which columns it keeps."""
    connection.executemany(
        "INSERT INTO counted VALUES(?, ?, 1)", enumerate(columns_to_keep(), FIRST_COUNTED)
    )


class ColumnWriter:
    """Adds and removes rows; every call belongs inside a transaction of the caller."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        rows: Any = connection.execute("SELECT number, name FROM counted WHERE usable").fetchall()
        self._sets = [ValueSets(connection, number, name) for number, name in rows]

    def add(self, rows: Sequence[tuple[int, int, tuple[Values, ...]]]) -> None:
        """Rows that aren't there yet: their ids, in order, times, and `columns_to_keep`."""
        if not rows:
            return
        row_ids, times, records = zip(*rows, strict=True)
        made: dict[int, Integers] = {
            ROWS: np.array(row_ids, dtype=np.int64),
            TIMES: np.array(times, dtype=np.int64),
        }
        columns = list(zip(*records, strict=True))
        for sets in self._sets:
            made[sets.number] = np.array(sets.ids_of(columns[sets.place]), dtype=np.int64)
        self._write(made)
        for sets in [sets for sets in self._sets if sets.is_overfull]:
            self._give_up(sets)
        self._merge()

    def _write(self, columns: dict[int, Integers]) -> None:
        chunk: int = self._connection.execute(
            "INSERT INTO chunks(records) VALUES(?) RETURNING chunk", (columns[ROWS].size,)
        ).get
        self._connection.executemany(
            "INSERT INTO columns VALUES(?, ?)",
            (
                (place_of(chunk, number), packed(values, rising=number in _RISING))
                for number, values in columns.items()
            ),
        )

    def _give_up(self, sets: ValueSets) -> None:
        """Too many different values: whoever counts this field reads the records."""
        self._sets.remove(sets)
        self._connection.execute("UPDATE counted SET usable = 0 WHERE number = ?", (sets.number,))
        self._connection.execute("DELETE FROM value_sets WHERE number = ?", (sets.number,))
        self._connection.execute(
            "DELETE FROM columns WHERE place & ? = ?", ((1 << COLUMN_BITS) - 1, sets.number)
        )

    def _merge(self) -> None:
        """Eight chunks of about one size become one."""
        by_size: dict[int, list[int]] = defaultdict(list)
        for chunk, records in self._connection.execute("SELECT chunk, records FROM chunks"):
            if records < _LARGEST_MERGED:
                by_size[records.bit_length() // 3].append(chunk)
        for chunks in by_size.values():
            if len(chunks) >= _MERGED_AT_ONCE:
                self._replace(chunks, self._together(chunks))

    def merge_all(self) -> None:
        """As few chunks as can be, for a file that grows no more."""
        chunks = self._chunks()
        if len(chunks) > 1:
            self._replace(chunks, self._together(chunks))

    def _together(self, chunks: Sequence[int]) -> dict[int, Integers]:
        rows = np.concatenate([self._column(chunk, ROWS) for chunk in chunks])
        order = np.argsort(rows, kind="stable")
        numbers = (ROWS, TIMES, *(sets.number for sets in self._sets))
        return {
            number: np.concatenate([self._column(chunk, number) for chunk in chunks])[order]
            for number in numbers
        }

    def _replace(self, chunks: Sequence[int], columns: dict[int, Integers]) -> None:
        if columns[ROWS].size:
            self._write(columns)
        for chunk in chunks:
            self._connection.execute("DELETE FROM chunks WHERE chunk = ?", (chunk,))
            self._connection.execute(
                "DELETE FROM columns WHERE place >= ? AND place < ?",
                (place_of(chunk, 0), place_of(chunk + 1, 0)),
            )

    def _column(self, chunk: int, number: int) -> Integers:
        octets: bytes = self._connection.execute(
            "SELECT data FROM columns WHERE place = ?", (place_of(chunk, number),)
        ).get
        return unpacked(octets)

    def _chunks(self) -> list[int]:
        return [chunk for (chunk,) in self._connection.execute("SELECT chunk FROM chunks")]

    def remove(self, row_ids: Iterable[int]) -> None:
        """Take rows out, and the sets of values that no other row has."""
        wanted = np.array(sorted(row_ids), dtype=np.int64)
        gone: dict[int, set[int]] = defaultdict(set)
        for chunk in self._chunks():
            out = np.isin(self._column(chunk, ROWS), wanted)
            if not out.any():
                continue
            columns = self._together([chunk])
            for sets in self._sets:
                gone[sets.number].update(np.unique(columns[sets.number][out]).tolist())
            self._replace([chunk], {number: c[~out] for number, c in columns.items()})
        for sets in self._sets:
            self._forget(sets, gone[sets.number] - {0})

    def _forget(self, sets: ValueSets, gone: set[int]) -> None:
        for chunk in self._chunks() if gone else ():
            gone.difference_update(np.unique(self._column(chunk, sets.number)).tolist())
        if gone:
            sets.forget(gone)
