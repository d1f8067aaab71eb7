"""Columns of integers, and the chunks that a month file keeps of them."""

from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit.index.column_cache import ColumnCache
from audit.index.columns import packed, unpacked
from audit.index.criteria import Everything, Term
from audit.index.document import IndexedRecord
from audit.index.port import Total
from audit.index.row_ids import SECOND
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from tests.index.records import MONTH_START

whole = st.integers(-(1 << 61), 1 << 61)


@given(st.lists(whole, max_size=40), st.booleans())
@example([0, 1 << 61, -(1 << 61)], True)
@example([], True)
@example([-5], False)
def test_columns_come_back_as_they_were(numbers: list[int], rising: bool) -> None:
    made = packed(np.array(numbers, dtype=np.int64), rising=rising)
    assert unpacked(made).tolist() == numbers


def test_columns_are_short() -> None:
    numbers = np.arange(10_000, dtype=np.int64) * 997 + (1 << 60)
    assert len(packed(numbers, rising=True)) < 200
    assert unpacked(packed(np.array([3, 200, 7]))).dtype == np.uint8


def test_the_cache_keeps_what_was_used_last_within_its_bound() -> None:
    cache = ColumnCache(80)
    loads: list[int] = []

    def column(number: int, size: int = 4) -> int:
        def load() -> Any:
            loads.append(number)
            return np.full(size, number, dtype=np.int64)

        return int(cache.column(("file", number), load)[0])

    assert [column(1), column(2), column(1)] == [1, 2, 1]
    assert (loads, cache.octets) == ([1, 2], 64)
    column(3)
    assert [column(1), column(2)] == [1, 2]
    assert loads == [1, 2, 3, 2]
    column(9, size=50)
    assert (column(9, size=50), cache.octets) == (9, 64)
    cache.clear()
    assert cache.octets == 0


def record(sequence: int, **fields: str) -> IndexedRecord:
    values: dict[str, tuple[str, ...]] = {name: (value,) for name, value in fields.items()}
    time = MONTH_START + sequence * SECOND
    return IndexedRecord(
        id=f"k3f9-{sequence}", sequence=sequence, time=time, received=time, fields=values
    )


def rows_of(folder: Path, sql: str) -> list[Any]:
    connection = apsw.Connection(str(folder / "current" / "2026-02.db"))
    rows = connection.execute(sql).fetchall()
    connection.close()
    return rows


@pytest.mark.parametrize("batch", [1, 7])
def test_chunks_are_merged_and_answer_the_same(tmp_path: Path, batch: int) -> None:
    index = SqliteIndex(SqliteIndexOptions(directory=tmp_path))
    for start in range(0, 140, batch):
        held = [record(n, user=f"u{n % 3}") for n in range(start, min(140, start + batch))]
        index.put(held[::-1], start + batch)
    chunks = rows_of(tmp_path, "SELECT records FROM chunks")
    assert sum(records for (records,) in chunks) == 140
    assert len(chunks) < 20
    assert index.facets(Everything(), ["user"])["user"] == (("u0", 47), ("u1", 47), ("u2", 46))
    assert index.remove([f"k3f9-{n}" for n in range(0, 140, 3)]) == 47
    assert index.facets(Everything(), ["user"])["user"] == (("u1", 47), ("u2", 46))
    assert index.count(Term("user", "u1")) == Total(47)
    index.close()


def test_numbers_of_forgotten_values_are_not_given_again(tmp_path: Path) -> None:
    index = SqliteIndex(SqliteIndexOptions(directory=tmp_path))
    index.put([record(1, user="anna"), record(2, user="bert")], 3)
    index.remove(["k3f9-2"])
    index.close()
    again = SqliteIndex(SqliteIndexOptions(directory=tmp_path))
    assert again.facets(Everything(), ["user"])["user"] == (("anna", 1),)
    again.put([record(3, user="carla")], 4)
    assert again.facets(Everything(), ["user"])["user"] == (("anna", 1), ("carla", 1))
    values = rows_of(tmp_path, "SELECT value_set FROM value_sets WHERE number = 4 ORDER BY id")
    again.close()
    assert [value for (value,) in values] == ['["anna"]', None, '["carla"]']
