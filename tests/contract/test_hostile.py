"""Hostile values and clocks, on both backends: found by exactly themselves, hiding nothing."""

from collections import Counter

import pytest

from audit.index.criteria import (
    And,
    Criteria,
    Everything,
    Exists,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    Term,
    Text,
    fold,
    matches,
)
from audit.index.document import IndexedRecord
from audit.index.port import SearchIndex, Span, Total
from audit.index.row_ids import SECOND
from audit.projector.project import project
from tests.index import records as made
from tests.index.records import MONTH_START
from tests.projector.messages import DAY, NOW, ORIGIN, entry, event, message, person, syslog

TOKEN = "k" * 65_535
VALUES = tuple(
    dict.fromkeys(
        (
            *made.HOSTILE,
            TOKEN + "0",
            TOKEN + "1",
            "né\x00e",
            "a\x00",
            "\x00a",
            'say "hello"',
            '""',
            "user:mallory",
            "NEAR(a b, 2)",
            "a + b - c",
            "{a b} : c",
            "-a",
            "a*",
            "a NOT b",
            "\\*",
            "/a|b/",
            "a~2",
            "[a TO b]",
            "a && b || !c",
            "\u202eevil\u202c",
            "\u200f\u05e9\u05dc\u05d5\u05dd\u200f",
            "مرحبا",
            "👩\u200d👩\u200d👧",
            "👩",
            "🏳\ufe0f\u200d🌈",
            "o\u0302\u0323",
            "ô",
            "ọ",
            "a" + "\u0301" * 300,
            "\ufeffbom",
            "\u2028line",
            "\uffff",
            "\U0010ffff",
            "nul\\u0000",
            "%00",
            "';--",
        )
    )
)


def record(sequence: int, value: str) -> IndexedRecord:
    time = MONTH_START + sequence * SECOND
    return IndexedRecord(
        id=f"k3f9-{sequence}",
        sequence=sequence,
        time=time,
        received=time,
        fields={"user": (value,), "patient": ("plain", value), "text": (value,)},
        body={"value": value},
    )


def found_by(index: SearchIndex, criteria: Criteria) -> list[int]:
    page = index.search(criteria, limit=1_000, newest_first=False)
    assert (page.next_place, page.partial) == (None, False)
    return [one.sequence for one in page.records]


@pytest.fixture
def held(index: SearchIndex) -> list[IndexedRecord]:
    records = [record(n, value) for n, value in enumerate(VALUES)]
    for start in range(0, len(records), 20):
        index.put(records[start : start + 20], min(start + 20, len(records)))
    return records


def test_each_value_is_found_by_exactly_itself(
    index: SearchIndex, held: list[IndexedRecord]
) -> None:
    for value in VALUES:
        for asked in (
            Term("user", value),
            Term("patient", value),
            Prefix("user", value),
            Text(value),
            Phrase(value),
            And((Term("user", value), Not(Text("plain")))),
        ):
            want = [one.sequence for one in held if matches(asked, one)]
            assert found_by(index, asked) == want, (asked, ascii(value[:40]))


def test_long_tokens_that_differ_in_their_last_octet_stay_apart(
    index: SearchIndex, held: list[IndexedRecord]
) -> None:
    for last in "01":
        for asked in (Term("user", TOKEN + last), Text(TOKEN + last), Phrase(TOKEN + last)):
            found = [held[n].first("user") for n in found_by(index, asked)]
            assert found == [TOKEN + last]
    assert found_by(index, Term("user", TOKEN)) == found_by(index, Text(TOKEN)) == []
    assert len(found_by(index, Prefix("user", TOKEN))) == 2


def test_they_are_counted_listed_and_given_back_as_they_were(
    index: SearchIndex, held: list[IndexedRecord]
) -> None:
    counted = Counter(fold(value) for value in VALUES)
    ranked = tuple(sorted(counted.items(), key=lambda vn: (-vn[1], vn[0])))
    assert index.facets(Everything(), ["user"], 1_000)["user"] == ranked
    assert index.distinct("user", size=1_000) == tuple(sorted(counted))
    for one in held:
        assert index.get(one.id) == one


def test_they_can_all_be_asked_for_at_once_and_removed(
    index: SearchIndex, held: list[IndexedRecord]
) -> None:
    every = Or(tuple(Term("user", value) for value in VALUES))
    assert index.count(every) == Total(len(held))
    assert index.remove([one.id for one in held[::2]]) == len(held[::2])
    left = [one for one in held if one.sequence % 2]
    assert found_by(index, Exists("user")) == [one.sequence for one in left]
    assert index.count(every) == Total(len(left))
    for one in held[:20:2]:
        asked = Term("user", one.first("user"))
        assert found_by(index, asked) == [o.sequence for o in left if matches(asked, o)]


CLOCKS = (
    "1970-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2000-01-01T00:00:00Z",
    "2099-12-31T23:59:59Z",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "2026-05-28T23:59:60Z",
    "2016-12-31T23:59:60Z",
    "2026-02-30T00:00:00Z",
    "",
)
LAST_NIGHT = Range("time", NOW - DAY, NOW + DAY)


def sent(sequence: int, clock: str, listener: str = "tls") -> IndexedRecord:
    """What the projector makes of a message with that time, received now."""
    raw = syslog(message(event(event_date_time=clock), (person(f"user-{sequence}"),)))
    return project(entry(raw, sequence=sequence, listener=listener), ORIGIN)


def test_wrong_clocks_hide_nothing_from_a_search_of_last_night(index: SearchIndex) -> None:
    index.put([sent(n, clock) for n, clock in enumerate(CLOCKS)], len(CLOCKS))
    assert index.count(LAST_NIGHT) == Total(len(CLOCKS))
    for n in range(len(CLOCKS)):
        assert found_by(index, And((LAST_NIGHT, Term("user", f"user-{n}")))) == [n]
    span = Span(start=NOW - DAY, end=NOW + DAY, interval=DAY // 24)
    assert sum(bucket.total for bucket in index.histogram(Everything(), span)) == len(CLOCKS)


def test_wrong_clocks_open_no_month_that_would_be_dropped_before_the_others(
    index: SearchIndex,
) -> None:
    index.put([sent(n, clock) for n, clock in enumerate(CLOCKS)], len(CLOCKS))
    assert index.describe()["months"] == 1


def test_imported_times_of_any_century_are_kept_found_and_in_order(index: SearchIndex) -> None:
    clocks = ("1970-01-01T00:00:00Z", "2000-01-01T00:00:00Z", "2016-12-31T23:59:60Z")
    old = [sent(n, clock, "import") for n, clock in enumerate(clocks)]
    late = sent(3, "2099-12-31T23:59:59Z", "import")
    night = [sent(4, "2099-12-31T23:59:59Z"), sent(5, "")]
    index.put([*night, late, *old], 6)
    assert index.describe()["months"] == 1
    assert found_by(index, LAST_NIGHT) == [4, 5]
    assert found_by(index, Everything()) == [0, 1, 2, 4, 5, 3]
    for one in (*old, late):
        second = one.time // SECOND * SECOND
        assert found_by(index, Range("time", second, second + SECOND)) == [one.sequence]
        assert found_by(index, Range("time", one.time, one.time + 1)) == [one.sequence]
        assert found_by(index, Range("time", one.time + 1, one.time + DAY)) == []
