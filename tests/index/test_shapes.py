"""Shapes: what the few-valued fields tell together."""

from hypothesis import given

from audit.index import shapes
from audit.index.criteria import And, Criteria, Everything, Exists, Not, Range, Term, Text, matches
from audit.index.document import IndexedRecord
from tests.index.records import criteria, records


@given(records(least=1, most=3), criteria)
def test_a_shape_answers_as_its_record_does(held: list[IndexedRecord], asked: Criteria) -> None:
    if shapes.answers(asked):
        for record in held:
            shape = shapes.shape_record(shapes.facts_of(shapes.values_of(record)))
            assert matches(asked, shape) == matches(asked, record)


def test_what_shapes_answer() -> None:
    assert shapes.answers(Not(Exists("repeat_of")))
    assert shapes.answers(And((Term("category", "query"), Everything())))
    assert not shapes.answers(Term("repeat_of", "a-1"))
    assert not shapes.answers(Term("user", "a"))
    assert not shapes.answers(Text("a"))
    assert not shapes.answers(Range("received", 1))
