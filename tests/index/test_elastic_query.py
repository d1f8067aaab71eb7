"""Criteria as query DSL, and the mapping they are asked of."""

from typing import Any

import pytest
from hypothesis import given

from audit.index import elastic_mapping
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
)
from audit.index.elastic_documents import document_of, record_of
from audit.index.elastic_query import query_of
from audit.standards.fields import all_fields
from tests.index.records import LONG, criteria, records


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        (Everything(), {"match_all": {}}),
        (Term("user", " ÄNNA "), {"term": {"user": "anna"}}),
        (Prefix("user", "An*"), {"prefix": {"user": "an*"}}),
        (Prefix("user", ""), {"exists": {"field": "user"}}),
        (Exists("user"), {"exists": {"field": "user"}}),
        (Text("b A"), {"match": {"text": {"query": "b a", "operator": "and"}}}),
        (Text("!"), {"match_all": {}}),
        (Phrase("x-ray"), {"match_phrase": {"text": "x ray"}}),
        (Range("time", 3, None), {"range": {"time": {"gte": 3}}}),
        (Range("time", 1 << 70), {"match_none": {}}),
        (Range("time"), {"match_all": {}}),
        (Or((Term("user", "a"), Term("user", "B"))), {"terms": {"user": ["a", "b"]}}),
        (Or(()), {"match_none": {}}),
        (And(()), {"match_all": {}}),
        (Not(Term("user", "a")), {"bool": {"must_not": [{"term": {"user": "a"}}]}}),
    ],
)
def test_queries(asked: Criteria, body: dict[str, Any]) -> None:
    told = query_of(asked)
    assert told.body == body
    assert told.exact


def test_what_the_index_can_not_tell_is_looked_at_again() -> None:
    for asked in (Prefix("user", LONG + "y"), Term("text", "two words")):
        assert not query_of(asked).exact
        assert query_of(Not(asked)).body == {"bool": {"must_not": [{"match_none": {}}]}}


@pytest.mark.parametrize("asked", [Term("a:b", "x"), Range("user", 1), Exists("")])
def test_fields_that_can_not_be_are_refused(asked: Criteria) -> None:
    with pytest.raises(ValueError, match="field"):
        query_of(asked)


@given(criteria)
def test_every_criterion_has_a_query(asked: Criteria) -> None:
    assert query_of(asked).depth <= 20


def test_the_template_holds_every_field_and_no_other() -> None:
    template = elastic_mapping.index_template("arr", 1)
    mappings = template["template"]["mappings"]
    assert mappings["dynamic"] == "strict"
    own = {elastic_mapping.TIMESTAMP, elastic_mapping.ADDRESS_BITS, elastic_mapping.RECORD}
    assert set(mappings["properties"]) == {f.name for f in all_fields()} | own
    assert template["template"]["settings"]["index.number_of_replicas"] == 1


@given(records(least=1, most=2))
def test_documents_fit_the_mapping_and_give_the_record_back(held: list[Any]) -> None:
    known = elastic_mapping.properties()
    for record in held:
        document = document_of(record)
        assert set(document) <= set(known)
        assert record_of({"_id": record.id, "_source": document}) == record
