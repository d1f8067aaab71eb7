"""What is learned of a patient's records by reading few of them."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit.errors import IndexUnavailable
from audit.index.criteria import Term
from audit.index.document import IndexedRecord
from audit.query import lessons
from audit.query.identities import Identities, Setting
from audit.query.lessons import Lessons
from audit.state.aliases import Somebody
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
            carried = [(name, v) for name in ("study", "object") for v in one.values(name)]
            told.tell(carried)
            values |= {v for _, v in carried}
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


UIDS = st.sampled_from(["1.2", "1.3", "1.4"])
NUMBERS = st.sampled_from(["7", "8", "9"])
OBJECTS = st.lists(
    st.tuples(st.sampled_from(["110180", "110181"]), UIDS)
    | st.tuples(st.sampled_from(["9", "3"]), NUMBERS)
    | st.tuples(st.just("110180 of a person"), NUMBERS),
    max_size=3,
)
MENTIONED = st.lists(UIDS, max_size=2)
"""Studies that a description or a query names."""


def sent(
    sequence: int,
    patients: tuple[str, ...],
    objects: list[tuple[str, str]],
    mentioned: list[str],
) -> IndexedRecord:
    """A record as the projector makes it of a message with these objects."""
    made = [
        {"id_type": {"code": code[:6]}, "type": "1" if "person" in code else "2", "id": one}
        for code, one in objects
    ]
    people = [{"id_type": {"code": "2"}, "type": "1", "id": one} for one in patients]
    studies = [one for code, one in objects if code.startswith("110180")]
    plain = record(
        sequence,
        patients,
        dict.fromkeys([*studies, *mentioned]),
        dict.fromkeys(one for _, one in objects),
    )
    return replace(plain, body={"message": {"objects": [*people, *made]}})


@given(st.lists(st.tuples(PATIENTS, OBJECTS, MENTIONED), max_size=30), st.integers(1, 4))
@example([(("p1",), [("110180", "1.2")], []), *[(("p1",), [], ["1.2"])] * 4], 2)
@example([(("p1",), [("9", "7")], []), *[(("p1",), [("3", "7")], [])] * 4], 2)
def test_the_same_is_learned_as_from_reading_every_record(
    drawn: list[tuple[tuple[str, ...], list[tuple[str, str]], list[str]]], few: int
) -> None:
    index = indexed([sent(n, *one) for n, one in enumerate(drawn)])
    setting = Setting(index, 10_000)  # type: ignore[arg-type]  # asks alike
    identities = Identities(NoOthers())
    everything = identities.applied(Term("patient", "p1"), setting)
    with pytest.MonkeyPatch.context() as patch:
        for size in ("_NEWEST", "_FEW", "_ASKED_FOR"):
            patch.setattr(lessons, size, few)
        assert identities.applied(Term("patient", "p1"), setting) == everything


class NoOthers:
    """A table in which nobody has another name."""

    def version(self) -> int:
        return 0

    def find(self, *_: object) -> tuple[Somebody, ...]:
        return ()
