"""The saved objects for Kibana fit the index."""

import json
from typing import Any

import pytest

from audit.index import elastic_mapping
from audit.index.criteria import matches
from audit.index.document import IndexedRecord
from audit.index.elastic_client import ElasticIndexOptions
from audit.index.elastic_index import ElasticIndex
from tests.elasticsearch_server import ElasticsearchServer
from tests.index.make_kibana import CHARTS, SEARCHES, TARGET, ndjson, of_type, saved_objects
from tests.index.records import MONTH_START


def test_the_file_is_the_generated_one() -> None:
    assert TARGET.read_text(encoding="utf-8") == ndjson()


def test_the_data_view_describes_fields_of_the_mapping() -> None:
    view = saved_objects()[0]["attributes"]
    known = elastic_mapping.properties()
    assert set(json.loads(view["fieldAttrs"])) <= set(known)
    assert known[view["timeFieldName"]]["type"] == "date"
    assert view["title"] == elastic_mapping.events_pattern("arr")


@pytest.mark.parametrize("saved", of_type("search"), ids=lambda saved: str(saved["id"]))
def test_searches_name_fields_of_the_mapping(saved: dict[str, Any]) -> None:
    known = set(elastic_mapping.properties())
    attributes = saved["attributes"]
    assert set(attributes["columns"]) <= known
    asked = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
    assert set(fields_in(asked["filter"][0]["query"])) <= known
    assert {known_types(name) for (name, _) in attributes["sort"]} <= {"date", "keyword", "long"}
    named = {asked["indexRefName"], *(f["meta"]["indexRefName"] for f in asked["filter"])}
    assert {reference["name"] for reference in saved["references"]} == named


def known_types(name: str) -> str:
    return str(elastic_mapping.properties()[name]["type"])


@pytest.mark.parametrize("saved", saved_objects(), ids=lambda saved: str(saved["id"]))
def test_objects_tell_the_form_that_they_are_written_in(saved: dict[str, Any]) -> None:
    """A form that Kibana 8.9 has, so that 8.19 and 9 bring it up to theirs."""
    assert set(saved) == {
        "attributes",
        "coreMigrationVersion",
        "id",
        "references",
        "type",
        "typeMigrationVersion",
    }
    for name in ("coreMigrationVersion", "typeMigrationVersion"):
        assert (8, 0, 0) <= tuple(map(int, saved[name].split("."))) <= (8, 9, 0)


def references_in(value: Any) -> set[str]:
    """Names of references that an object's attributes use, JSON in strings included."""
    if isinstance(value, str):
        try:
            return references_in(json.loads(value)) if value[:1] in ("{", "[") else set()
        except ValueError:
            return set()
    if isinstance(value, list):
        return {name for part in value for name in references_in(part)}
    if not isinstance(value, dict):
        return set()
    named = {inner for key, inner in value.items() if key.endswith("RefName")}
    if "panelRefName" in value:
        named = {f"{value['panelIndex']}:{value['panelRefName']}"}
    return named | {name for inner in value.values() for name in references_in(inner)}


@pytest.mark.parametrize("saved", saved_objects(), ids=lambda saved: str(saved["id"]))
def test_every_name_of_a_reference_is_used_and_resolved(saved: dict[str, Any]) -> None:
    assert references_in(saved["attributes"]) == {one["name"] for one in saved["references"]}


def aggregations(chart: dict[str, Any]) -> dict[str, Any]:
    """What Kibana asks Elasticsearch for to draw a chart, without its own extras."""
    state = json.loads(chart["attributes"]["visState"])
    asked: dict[str, Any] = {}
    for agg in reversed(state["aggs"][1:]):
        params = agg["params"]
        if agg["type"] == "terms":
            made = {"terms": {"field": params["field"], "size": params["size"]}}
        else:
            made = {"date_histogram": {"field": params["field"], "fixed_interval": "1h"}}
        asked = {agg["id"]: made | ({"aggs": asked} if asked else {})}
    return asked


def test_everything_that_is_referred_to_is_there() -> None:
    known = {(made["type"], made["id"]) for made in saved_objects()}
    assert len(known) == len(saved_objects()) == 1 + len(SEARCHES) + 2 * len(CHARTS) + 1
    for made in saved_objects():
        assert {(one["type"], one["id"]) for one in made["references"]} <= known


def test_the_dashboard_shows_every_chart_once_and_none_over_another() -> None:
    (dashboard,) = of_type("dashboard")
    panels = json.loads(dashboard["attributes"]["panelsJSON"])
    named = {one["name"]: one["id"] for one in dashboard["references"]}
    shown = [named[f"{p['panelIndex']}:{p['panelRefName']}"] for p in panels]
    assert sorted(shown) == sorted(chart["id"] for chart in of_type("visualization"))
    cells = [
        (x, y)
        for place in (panel["gridData"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells)) == 48 * 10 * len(CHARTS)


@pytest.mark.parametrize("chart", of_type("visualization"), ids=lambda made: str(made["id"]))
def test_charts_count_by_fields_that_can_be_counted(chart: dict[str, Any]) -> None:
    known = elastic_mapping.properties()
    state = json.loads(chart["attributes"]["visState"])
    fields = [agg["params"]["field"] for agg in state["aggs"][1:]]
    assert {known[name]["type"] for name in fields} <= {"keyword", "date"}
    assert all(known[name].get("doc_values", True) for name in fields)
    made = {agg["id"] for agg in state["aggs"]}
    assert len(made) == len(state["aggs"])
    assert {agg["params"].get("orderBy", "1") for agg in state["aggs"][1:]} <= made
    assert state["title"] == chart["attributes"]["title"]


@pytest.mark.elastic
@pytest.mark.slow
def test_elasticsearch_answers_searches_and_charts(
    elasticsearch_server: ElasticsearchServer,
) -> None:
    index = ElasticIndex(ElasticIndexOptions(urls=(elasticsearch_server.url,)))
    index.clear()
    categories = ("query", "access", "export", "export")
    index.put([made_record(n, category) for n, category in enumerate(categories)], 4)
    counted = {}
    for chart in of_type("visualization"):
        (search,) = (
            made for made in of_type("search") if made["id"] == chart["references"][0]["id"]
        )
        source = json.loads(search["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
        answer = index._reader.ask(
            source["filter"][0]["query"], size=0, aggs=aggregations(chart), track_total_hits=True
        )
        counted[chart["id"]] = answer["hits"]["total"]["value"]
        assert sum(b["doc_count"] for b in answer["aggregations"]["2"]["buckets"]) in (
            0,
            counted[chart["id"]],
        )
    index.close()
    assert counted["arr-exports-over-time"] == counted["arr-exports-by-destination"] == 2
    assert counted["arr-failures-over-time"] == 4


def made_record(sequence: int, category: str) -> IndexedRecord:
    return IndexedRecord(
        id=f"k3f9-{sequence}",
        sequence=sequence,
        time=MONTH_START,
        received=MONTH_START,
        fields={
            "category": (category,),
            "outcome": ("serious-failure",),
            "requestor": ("anna",),
            "destination": ("disk",),
            "address": ("10.0.0.1",),
        },
    )


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
