"""Sums by shape and unit of time."""

from hypothesis import given
from hypothesis import strategies as st

from audit.index import sums
from audit.index.criteria import And, Criteria, Everything, Exists, Not, Range, Term, Text, matches
from audit.index.document import IndexedRecord
from tests.index.records import criteria, records

bounds = st.one_of(st.none(), st.integers(-(10**15), 10**15))


@given(bounds, bounds, st.sampled_from([sums.UNITS, sums.UNITS[1:], sums.UNITS[2:], ()]))
def test_stretches_cover_each_moment_once(
    at_least: int | None, below: int | None, units: tuple[int, ...]
) -> None:
    pieces = sums.stretches(at_least, below, units)
    for moment in (-(10**15), -1, 0, 1, 899_999_999_999, 10**14, 10**15):
        inside = (at_least is None or at_least <= moment) and (below is None or moment < below)
        holding = [piece for piece in pieces if holds(piece, moment)]
        assert len(holding) == inside


def holds(piece: sums.Stretch, moment: int) -> bool:
    place = moment // piece.unit if piece.unit else moment
    return (piece.first is None or piece.first <= place) and (
        piece.end is None or place < piece.end
    )


@given(records(least=1, most=3), criteria)
def test_a_shape_answers_as_its_record_does(held: list[IndexedRecord], asked: Criteria) -> None:
    rest, _, _ = sums.without_time(asked)
    if sums.answers(rest):
        for record in held:
            shape = sums.shape_record(sums.shape_of(record))
            assert matches(rest, shape) == matches(rest, record)


def test_what_shapes_answer() -> None:
    assert sums.answers(Not(Exists("repeat_of")))
    assert sums.answers(And((Term("category", "query"), Everything())))
    assert not sums.answers(Term("repeat_of", "a-1"))
    assert not sums.answers(Term("user", "a"))
    assert not sums.answers(Text("a"))
    assert not sums.answers(Range("received", 1))


def test_units_that_divide() -> None:
    day, hour, quarter = sums.UNITS
    assert sums.dividing(day, 7 * day) == sums.UNITS
    assert sums.dividing(0, 2 * quarter) == (quarter,)
    assert sums.dividing(hour, 3 * hour) == (hour, quarter)
    assert sums.dividing(1, hour) == ()
