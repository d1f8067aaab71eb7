"""What is learned of a patient's records by reading few of them."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import IndexUnavailable
from audit.index.criteria import Term
from audit.index.document import IndexedRecord
from audit.query import lessons
from audit.query.lessons import Lessons
from tests.query.memory_index import MemoryIndex

OWN = frozenset({"p1"})


def record(
    sequence: int, patients: Iterable[str], studies: Iterable[str], objects: Iterable[str] = ()
) -> IndexedRecord:
    return IndexedRecord(
        id=f"t-{sequence}",
        sequence=sequence,
        time=sequence,
        received=sequence,
        fields={
            "patient": tuple(patients),
            "study": tuple(studies),
            "object": (*patients, *studies, *objects),
            "category": ("access",),
        },
    )


def indexed(records: list[IndexedRecord]) -> MemoryIndex:
    index = MemoryIndex()
    index.put(records, len(records))
    return index


def learned(told: Lessons) -> tuple[set[str], int]:
    """Values that a record of the patient alone carries, and how many records were read."""
    values: set[str] = set()
    read = 0
    for one in told:
        read += 1
        if set(one.values("patient")) <= OWN:
            told.told_by(one)
            values |= {*one.values("study"), *one.values("object")}
    return values, read


def of_patient(index: MemoryIndex, most: int = 10_000) -> Lessons:
    return Lessons(index, Term("patient", "P1"), 10_000, most)  # type: ignore[arg-type]  # asks alike


SOME = st.lists(st.integers(0, 9).map("s{}".format), max_size=3, unique=True)
PATIENTS = st.sampled_from([("p1",), ("p1",), ("p1", "p2"), ("p2",)])


@given(st.lists(st.tuples(PATIENTS, SOME, SOME), max_size=40), st.integers(1, 4))
def test_all_is_learned_that_reading_every_record_teaches(
    drawn: list[tuple[tuple[str, ...], list[str], list[str]]], few: int
) -> None:
    records = [record(n, *one) for n, one in enumerate(drawn)]
    alone = [one for one in records if one.values("patient") == ("p1",)]
    everything = {v for one in alone for v in (*one.values("study"), *one.values("object"))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lessons, "_NEWEST", few)
        patch.setattr(lessons, "_FEW", few)
        patch.setattr(lessons, "_ASKED_FOR", few)
        told = of_patient(indexed(records))
        assert learned(told)[0] == everything
    assert told.are_all


def test_of_thousands_of_records_few_are_read() -> None:
    old = record(0, ["p1"], ["old"])
    many = [record(n, ["p1"], [f"s{n % 3}"]) for n in range(1, 3_000)]
    values, read = learned(of_patient(indexed([old, *many])))
    assert values == {"p1", "old", "s0", "s1", "s2"}
    assert read < 300


def test_of_very_many_studies_the_newest_are_learned() -> None:
    records = [record(n, ["p1"], [f"s{n}"]) for n in range(600)]
    told = of_patient(indexed(records), most=300)
    assert learned(told) == ({"p1", *(f"s{n}" for n in range(300, 600))}, 300)
    assert not told.are_all


def test_records_of_others_beside_end() -> None:
    """Nothing can be learned of what never stands with the patient alone."""
    records = [record(n, ["p1", "p2"], ["shared"]) for n in range(200)]
    told = of_patient(indexed(records))
    assert learned(told)[0] == set()
    assert told.are_all


def test_where_values_cannot_be_counted_the_newest_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unavailable(*_: object) -> object:
        raise IndexUnavailable("a month is damaged")

    index = indexed([record(n, ["p1"], [f"s{n % 2}"]) for n in range(120)])
    monkeypatch.setattr(index, "facets", unavailable)
    assert learned(of_patient(index)) == ({"p1", "s0", "s1"}, 120)
