"""Wrong clocks of senders hide nothing from a search of last night, and lose nothing early."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.index.criteria import And, Everything, Range, Term
from audit.index.document import IndexedRecord
from audit.index.port import Span, Total
from audit.index.sqlite_directory import month_in
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from audit.index.sqlite_sealed import build_sealed
from audit.projector.options import ProjectionOptions
from audit.projector.project import project
from tests.projector.messages import DAY, NOW, ORIGIN, entry, event, message, person, syslog

CLOCKS = (
    "1970-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2000-01-01T00:00:00Z",
    "2099-12-31T23:59:59Z",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "2026-05-28T23:59:60Z",
    "2016-12-31T23:59:60Z",
    "2026-05-28T20:26:40",
    "2026-02-30T00:00:00Z",
    "20260528202640",
    "",
)
LAST_NIGHT = Range("time", NOW - DAY, NOW + DAY)


def records() -> list[IndexedRecord]:
    return [
        project(
            entry(
                syslog(message(event(event_date_time=clock), (person(f"user-{n}"),))), sequence=n
            ),
            ORIGIN,
            options=ProjectionOptions(),
        )
        for n, clock in enumerate(CLOCKS)
    ]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqliteIndex]:
    made = SqliteIndex(SqliteIndexOptions(directory=tmp_path))
    made._sealer.build = build_sealed
    yield made
    made.close()


@pytest.mark.parametrize("sealed", [False, True])
def test_last_night_holds_them_all_and_they_stay_together(
    index: SqliteIndex, sealed: bool
) -> None:
    index.put(records(), len(CLOCKS))
    if sealed:
        assert index._sealer.seal(month_in(index._directory.parts()[0]))
    assert index.describe()["months"] == 1
    assert index.count(LAST_NIGHT) == Total(len(CLOCKS))
    for n in range(len(CLOCKS)):
        found = index.search(And((LAST_NIGHT, Term("user", f"user-{n}"))), limit=5)
        assert [r.sequence for r in found.records] == [n]
    span = Span(start=NOW - DAY, end=NOW + DAY, interval=DAY // 24)
    assert sum(bucket.total for bucket in index.histogram(Everything(), span)) == len(CLOCKS)


def test_a_wrong_clock_is_told() -> None:
    told = {one.sequence for one in records() if "clock-skew" in one.values("finding")}
    assert told >= {0, 2, 3}
    assert all(NOW - DAY < one.time < NOW + DAY for one in records())


def test_what_is_imported_keeps_its_time_and_is_found_by_it(index: SqliteIndex) -> None:
    old = project(
        entry(
            syslog(message(event(event_date_time="2000-01-01T00:00:00Z"))),
            sequence=0,
            listener="import",
        ),
        ORIGIN,
        options=ProjectionOptions(),
    )
    index.put([old, *records()[1:]], len(CLOCKS))
    century = 946_684_800 * 1_000_000_000
    found = index.search(Range("time", century, century + DAY), limit=5)
    assert [r.sequence for r in found.records] == [0]
    assert index.count(LAST_NIGHT) == Total(len(CLOCKS) - 1)
