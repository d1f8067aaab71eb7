"""Sealed months stand in the order of time: stretches and buckets are cut, not looked for."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.index import sqlite_counts
from audit.index.criteria import And, Criteria, Everything, Exists, Not, Range, Term, matches
from audit.index.document import IndexedRecord
from audit.index.port import Span
from audit.index.row_ids import SECOND
from audit.index.sqlite_index import SqliteIndexOptions
from tests.contract.conftest import AlwaysSealed
from tests.index.records import MONTH_START

HOUR = 3600 * SECOND
RECORDS = 240


def one(sequence: int) -> IndexedRecord:
    """Out of the order of time, some of them repeats, two of three categories of one hour."""
    time = MONTH_START + (sequence * 7919 % RECORDS) * HOUR // 10
    fields: dict[str, tuple[str, ...]] = {
        "category": (("query", "access", "export")[sequence % 3],),
        "user": ("anna",),
    }
    if sequence % 5 == 0:
        fields["repeat_of"] = ("k3f9-1",)
    if sequence % 4 == 0:
        fields["user"] = ("ben",)
    return IndexedRecord(
        id=f"k3f9-{sequence}",
        sequence=sequence,
        time=time,
        received=MONTH_START + sequence,
        fields=fields,
    )


HELD = [one(sequence) for sequence in range(RECORDS)]
NEW = Not(Exists("repeat_of"))
LATER = Range("time", MONTH_START + 5 * HOUR + 1, MONTH_START + 17 * HOUR)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AlwaysSealed]:
    monkeypatch.setattr(sqlite_counts, "_WORTH_A_RUN", 1)
    made = AlwaysSealed(SqliteIndexOptions(directory=tmp_path / "index"))
    made.put(HELD, RECORDS)
    yield made
    made.close()


@pytest.mark.parametrize("split", [None, "category"])
@pytest.mark.parametrize(
    "criteria",
    [
        Everything(),
        NEW,
        LATER,
        And((NEW, LATER)),
        And((Term("user", "ben"), NEW)),
        And((Term("user", "ben"), LATER)),
        And((LATER, Range("time", None, MONTH_START + 9 * HOUR))),
        And((LATER, Range("time", MONTH_START + 20 * HOUR, None))),
        Term("user", "nobody"),
    ],
)
def test_bars_and_counts_are_those_of_a_look_at_each_record(
    index: AlwaysSealed, criteria: Criteria, split: str | None
) -> None:
    span = Span(start=MONTH_START + 2 * HOUR, end=MONTH_START + 23 * HOUR, interval=HOUR)
    found = [record for record in HELD if matches(criteria, record)]
    bars = Counter(
        ((r.time - span.start) // HOUR, r.first(split) if split else "")
        for r in found
        if span.start <= r.time < span.end
    )
    assert (
        Counter(
            {
                (number, value): count
                for number, bucket in enumerate(index.histogram(criteria, span, split))
                for value, count in bucket.counts.items()
            }
        )
        == bars
    )
    assert index.count(criteria).value == len(found)
    facets = dict(index.facets(criteria, ["category"])["category"])
    assert facets == Counter(record.first("category") for record in found)
