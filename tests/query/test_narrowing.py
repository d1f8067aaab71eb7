"""Facets, the course over time, and hints, beside an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import Denied, JournalUnavailable, QuerySyntaxError, RequestError
from audit.query.narrowing import FEWEST_BARS, INTERVALS_S, Beside, Narrowing, cut, narrowing
from tests.projector.messages import NOW, SECOND
from tests.query.trail import MARA, NOBODY, Trail

HOUR = 3_600 * SECOND


@pytest.fixture
def filled(trail: Trail) -> Trail:
    """Sequence n is n minutes after the first."""
    for n in range(9):
        host = "even" if n % 2 == 0 else "odd"
        trail.take(f"<85>1 - {host} app - - - number {n}".encode(), at=NOW + n * 60 * SECOND)
    trail.follow()
    return trail


def beside(trail: Trail, query: str = "", **asked: object) -> Narrowing:
    return narrowing(trail.service().trail, MARA, query, Beside(**asked))  # type: ignore[arg-type]


def test_commonest_values_each_list_as_long_as_asked(filled: Trail) -> None:
    found = beside(filled, facets=(("host", 1), ("listener", 5)))
    assert found.facets["host"] == (("even", 5),)
    assert sum(count for _, count in found.facets["listener"]) == 9


def test_bars_cover_all_that_matches(filled: Trail) -> None:
    found = beside(filled, "host:odd", bars=60, split=None)
    assert found.span is not None
    assert len(found.bars) <= 60
    assert sum(bar.total for bar in found.bars) == 4
    assert found.span.start <= NOW + 60 * SECOND < NOW + 7 * 60 * SECOND < found.span.end


def test_bars_cover_the_time_asked_for(filled: Trail) -> None:
    found = beside(filled, f"after:-1h received:{_at(NOW)}..", bars=60)
    assert found.span is not None
    assert found.span.start <= NOW - HOUR
    assert sum(bar.total for bar in found.bars) == 9
    choice = beside(filled, "after:-1h OR host:odd", bars=60)
    assert choice.span is not None
    assert choice.span.start > NOW - HOUR


def _at(ns: int) -> str:
    from audit.record.times import format_ns

    return format_ns(ns)


def test_nothing_that_matches_has_no_course(filled: Trail) -> None:
    found = beside(filled, "host:none", bars=60, instead=("", "host:odd", "host:none"))
    assert (found.span, found.bars) == (None, ())
    assert [total.value for total in found.instead] == [9, 4, 0]


def test_repeats_are_counted_when_they_are_shown(filled: Trail) -> None:
    filled.take(b"<85>1 - odd app - - - number 1", at=NOW + 700 * SECOND)
    filled.follow()
    assert dict(beside(filled, facets=(("host", 5),)).facets["host"])["odd"] == 4
    again = beside(filled, facets=(("host", 5),), include_repeats=True)
    assert dict(again.facets["host"])["odd"] == 5


def test_it_is_one_look_or_part_of_one(filled: Trail) -> None:
    beside(filled, "host:odd", facets=(("host", 3),))
    assert filled.details()[-1] == {"query": "host:odd", "overview of": "host"}
    before = len(filled.appended)
    beside(filled, "host:odd", facets=(("host", 3),), recorded=True)
    assert len(filled.appended) == before


def test_no_record_no_answer_and_no_scope_no_look(filled: Trail) -> None:
    trail = filled.service().trail
    with pytest.raises(Denied):
        narrowing(trail, NOBODY, "", Beside())
    filled.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        narrowing(trail, MARA, "", Beside())


def test_bounds_are_kept(filled: Trail) -> None:
    with pytest.raises(RequestError, match="size is 1001"):
        beside(filled, facets=(("host", 1_001),))
    with pytest.raises(RequestError, match="bars is 1001"):
        beside(filled, bars=1_001)
    with pytest.raises(QuerySyntaxError):
        beside(filled, "hots:x")


@given(
    st.integers(0, 4 * 10**18),
    st.integers(1, 2 * 10**18),
    st.integers(FEWEST_BARS, 200),
    st.sampled_from([0, HOUR, -5 * HOUR, 19_800 * SECOND]),
)
def test_any_time_is_cut_into_few_bars(start: int, length: int, most: int, offset: int) -> None:
    span = cut(start, start + length, most, offset)
    bars = (span.end - span.start) / span.interval
    assert span.start <= start
    assert start + length <= span.end
    assert bars == int(bars)
    assert 1 <= bars <= most + 1
    if span.interval // SECOND in INTERVALS_S:
        assert (span.start + offset) % span.interval == 0
