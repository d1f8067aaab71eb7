import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from audit.errors import QuerySyntaxError
from audit.index.criteria import And, Criteria, Exists, Not, Or, Phrase, Prefix, Range, Term, Text
from audit.query.language import LanguageLimits, parse_query
from audit.query.query_tree import OPERATIONS, Bare, QueryNode, written
from tests.properties import examples
from tests.query.test_language_times import NOW, at

TREE: TypeAdapter[Any] = TypeAdapter(QueryNode)


def asked(tree: object) -> Criteria:
    return parse_query(written(TREE.validate_python(tree)).text, now=NOW)


def is_(field: str, value: str) -> dict[str, object]:
    return {"op": "is", "field": field, "value": value}


def all_of(*parts: object) -> dict[str, object]:
    return {"op": "all", "of": list(parts)}


@pytest.mark.parametrize(
    ("tree", "criteria"),
    [
        (is_("patient", 'a "b" \\ (c) OR *'), Term("patient", 'a "b" \\ (c) OR *')),
        (is_("query_key", "PatientID=7"), Term("query_key", "PatientID=7")),
        (is_("action", "c"), Term("action", "c")),
        ({"op": "begins", "field": "user", "value": "jd"}, Prefix("user", "jd")),
        ({"op": "has", "field": "finding"}, Exists("finding")),
        ({"op": "words", "text": "Chest"}, Text("chest")),
        ({"op": "words", "text": 'chest "OR" ct'}, And((Text("chest"), Text("or"), Text("ct")))),
        ({"op": "phrase", "text": 'chest "ct"'}, Phrase('chest "ct"')),
        ({"op": "after", "time": "2026-01-31"}, Range("time", at_least=at(2026, 1, 31))),
        ({"op": "before", "time": "2026-01-31"}, Range("time", below=at(2026, 1, 31))),
        (
            {"op": "between", "field": "time", "first": "2026-01-31", "last": "2026-01-31"},
            Range("time", at(2026, 1, 31), at(2026, 2, 1)),
        ),
        ({"op": "between", "field": "sequence", "last": "9"}, Range("sequence", None, 10)),
        ({"op": "not", "of": {"op": "not", "of": is_("ae", "A")}}, Not(Not(Term("ae", "A")))),
        (
            {"op": "not", "of": {"op": "words", "text": "a b"}},
            Not(And((Text("a"), Text("b")))),
        ),
        (
            all_of(is_("ae", "A"), {"op": "any", "of": [is_("ae", "-"), is_("ae", "AND")]}),
            And((Term("ae", "A"), Or((Term("ae", "-"), Term("ae", "AND"))))),
        ),
    ],
)  # fmt: skip
def test_a_tree_asks_what_it_says(tree: object, criteria: Criteria) -> None:
    assert asked(tree) == criteria


def test_a_network_and_a_union_mean_what_they_do_in_text() -> None:
    network = {"op": "network", "network": "10.0.0.0/8"}
    assert asked(network) == parse_query("address:10.0.0.0/8", now=NOW)
    assert asked(is_("outcome", "failure")) == parse_query("outcome:failure", now=NOW)


LEAVES = st.one_of(
    st.builds(
        is_, st.sampled_from(["patient", "user", "object"]), st.text(min_size=1, max_size=9)
    ),
    st.builds(lambda text: {"op": "phrase", "text": text}, st.text('ab"\\ ():-*', min_size=1)),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(
            lambda op, of: {"op": op, "of": of},
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda of: {"op": "not", "of": of}, inner),
    ),
    max_leaves=8,
)


def meant(tree: Any) -> Criteria:
    """The meaning of a tree, without the language."""
    parts = tree.get("of")
    match tree["op"]:
        case "not":
            return Not(meant(parts))
        case "all" | "any" if len(parts) == 1:
            return meant(parts[0])
        case "all":
            return And(tuple(map(meant, parts)))
        case "any":
            return Or(tuple(map(meant, parts)))
        case "is":
            return Term(tree["field"], tree["value"])
        case _:
            return Phrase(tree["text"])


@examples(30)
@given(TREES)
def test_every_tree_and_its_text_ask_the_same(tree: Any) -> None:
    try:
        found = asked(tree)
    except QuerySyntaxError as error:
        assert any(part in str(error) for part in ("needs a value", "no letter", "nests"))  # noqa: PT017 - blank values are allowed to fail so
        return
    assert found == meant(tree)


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"op": "is", "field": "patient"},
        {"op": "is", "field": "pa tient", "value": "1"},
        {"op": "is", "field": "patient", "value": "1", "more": 2},
        {"op": "is", "field": "patient", "value": 1},
        {"op": "begins", "field": "user", "value": "a b"},
        {"op": "begins", "field": "user", "value": 'a"'},
        {"op": "after", "time": "2026 OR user:x"},
        {"op": "between", "field": "patient", "first": "1"},
        {"op": "all", "of": []},
        {"op": "drop", "of": []},
    ],
)
def test_what_is_no_tree_is_refused(tree: object) -> None:
    with pytest.raises(ValidationError):
        TREE.validate_python(tree)


def test_a_fault_is_told_by_its_node() -> None:
    tree = {"op": "all", "of": [is_("ae", "A"), {"op": "not", "of": is_("patientt", "1")}]}
    query = written(TREE.validate_python(tree))
    with pytest.raises(QuerySyntaxError) as caught:
        parse_query(query.text, now=NOW)
    assert query.pointer_at(caught.value.column) == "/of/1/of"


def test_depth_is_bounded() -> None:
    tree = is_("ae", "A")
    for _ in range(5):
        tree = {"op": "not", "of": tree}
    limits = LanguageLimits(max_depth=4)
    with pytest.raises(QuerySyntaxError, match="deeper than 4") as caught:
        written(TREE.validate_python(tree), limits)
    assert caught.value.pointer == "/of" * 5
    assert written(TREE.validate_python(tree), LanguageLimits(max_depth=5)).text == '-----ae:"A"'


def test_every_operation_is_written() -> None:
    names = {kind.model_fields["op"].annotation.__args__[0] for kind in OPERATIONS}  # type: ignore[union-attr]  # each is a Literal
    assert len(names) == len(OPERATIONS) == 12


def test_a_bare_value_holds_what_the_language_takes_for_one_value() -> None:
    bare: TypeAdapter[str] = TypeAdapter(Bare)
    for character in map(chr, (*range(0xD800), *range(0xE000, 0x11000))):
        is_one = re.fullmatch(r'[^\s()"*]', character) is not None
        try:
            bare.validate_python(character)
        except ValidationError:
            assert not is_one, hex(ord(character))
        else:
            assert is_one, hex(ord(character))
