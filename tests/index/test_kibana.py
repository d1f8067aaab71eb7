"""The saved objects for Kibana fit the index."""

import json
from typing import Any

import pytest

from audit.index import elastic_mapping
from audit.index.criteria import matches
from audit.index.document import IndexedRecord
from tests.index.make_kibana import SEARCHES, TARGET, ndjson, saved_objects


def test_the_file_is_the_generated_one() -> None:
    assert TARGET.read_text(encoding="utf-8") == ndjson()


def test_the_data_view_describes_fields_of_the_mapping() -> None:
    view = saved_objects()[0]["attributes"]
    known = elastic_mapping.properties()
    assert set(json.loads(view["fieldAttrs"])) <= set(known)
    assert known[view["timeFieldName"]]["type"] == "date"
    assert view["title"] == elastic_mapping.events_pattern("arr")


@pytest.mark.parametrize("saved", saved_objects()[1:], ids=lambda saved: str(saved["id"]))
def test_searches_name_fields_of_the_mapping(saved: dict[str, Any]) -> None:
    known = set(elastic_mapping.properties())
    attributes = saved["attributes"]
    assert set(attributes["columns"]) <= known
    asked = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
    assert set(fields_in(asked["filter"][0]["query"])) <= known
    assert [reference["name"] for reference in saved["references"]] == [asked["indexRefName"]]


def fields_in(query: Any) -> set[str]:
    """Names of the fields that a query asks for."""
    if isinstance(query, list):
        return {name for part in query for name in fields_in(part)}
    ((kind, inner),) = query.items()
    if kind == "bool":
        groups = {"filter", "should", "must_not"} & set(inner)
        return {name for group in groups for name in fields_in(inner[group])}
    return {inner["field"]} if kind == "exists" else set(inner)


def test_searches_mean_what_the_product_means() -> None:
    export = IndexedRecord(
        id="a-1", sequence=1, time=0, received=0, fields={"category": ("export",)}
    )
    _, criteria, _ = SEARCHES["arr-exports"]
    assert matches(criteria, export)
