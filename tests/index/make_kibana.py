"""Makes ``dashboards/kibana/audit-records.ndjson`` anew: ``python -m tests.index.make_kibana``.

A data view, saved searches, charts over them and a dashboard for Kibana 8.9 and later, from the
field table and the product's own criteria.
"""

import json
from pathlib import Path
from typing import Any

from audit.index.criteria import And, Criteria, Exists, Not, Or, Term
from audit.index.elastic_mapping import TIMESTAMP, events_pattern
from audit.index.elastic_query import query_of
from audit.query.home import failed_acts
from audit.standards.fields import all_fields

TARGET = Path(__file__).parents[2] / "dashboards" / "kibana" / "audit-records.ndjson"
PREFIX = "arr"
DATA_VIEW = "arr-audit-records"
_INDEX = "kibanaSavedObjectMeta.searchSourceJSON.index"
_FILTER_INDEX = "kibanaSavedObjectMeta.searchSourceJSON.filter[0].meta.index"

CORE_VERSION = "8.8.0"
VERSIONS = {
    "index-pattern": "8.0.0",
    "search": "8.0.0",
    "visualization": "8.5.0",
    "dashboard": "8.9.0",
}
"""The form that each object is written in, as Kibana 8.9 exports it; a later one migrates from it,
and without it takes an object for one of the oldest form."""

_ONCE = Not(Exists("repeat_of"))

SEARCHES: dict[str, tuple[str, Criteria, tuple[str, ...]]] = {
    "arr-queries": (
        "Audit: queries",
        And((Term("category", "query"), _ONCE)),
        ("requestor", "query_key", "patient", "source", "destination", "outcome"),
    ),
    "arr-access": (
        "Audit: accesses",
        And((Term("category", "access"), _ONCE)),
        ("requestor", "patient", "study", "node", "outcome"),
    ),
    "arr-exports": (
        "Audit: exports",
        And((Term("category", "export"), _ONCE)),
        ("requestor", "kind", "patient", "destination", "media", "outcome"),
    ),
    "arr-failures": (
        "Audit: failed acts",
        And((failed_acts(), _ONCE)),
        ("category", "event_type", "user", "address", "node", "outcome"),
    ),
    "arr-findings": (
        "Audit: senders with findings",
        And((Or((Term("severity", "error"), Term("severity", "warning"))), _ONCE)),
        ("node", "host", "finding", "verdict", "tier"),
    ),
}


def _data_view() -> dict[str, Any]:
    described = {f.name: {"customDescription": f.meaning[:300]} for f in all_fields()}
    return {
        "id": DATA_VIEW,
        "type": "index-pattern",
        "attributes": {
            "title": events_pattern(PREFIX),
            "name": "Audit records",
            "timeFieldName": TIMESTAMP,
            "fieldAttrs": json.dumps(described, ensure_ascii=False, sort_keys=True),
            "fields": "[]",
            "fieldFormatMap": "{}",
            "runtimeFieldMap": "{}",
            "sourceFilters": "[]",
        },
        "references": [],
    }


def _search(search_id: str, title: str, criteria: Criteria, columns: tuple[str, ...]) -> Any:
    asked = {
        "query": {"language": "kuery", "query": ""},
        "filter": [
            {
                "$state": {"store": "appState"},
                "meta": {
                    "alias": title,
                    "disabled": False,
                    "indexRefName": _FILTER_INDEX,
                    "negate": False,
                    "type": "custom",
                },
                "query": query_of(criteria).body,
            }
        ],
        "indexRefName": _INDEX,
    }
    return {
        "id": search_id,
        "type": "search",
        "attributes": {
            "title": title,
            "description": "",
            "columns": list(columns),
            "sort": [[TIMESTAMP, "desc"]],
            "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(asked, sort_keys=True)},
        },
        "references": [
            {"id": DATA_VIEW, "name": name, "type": "index-pattern"}
            for name in (_INDEX, _FILTER_INDEX)
        ],
    }


CHARTS: dict[str, tuple[str, str]] = {
    "arr-queries": ("outcome", "requestor"),
    "arr-access": ("outcome", "requestor"),
    "arr-exports": ("kind", "destination"),
    "arr-failures": ("category", "address"),
}
"""By search: what its bars over time are split by, and what its table counts."""

DASHBOARD = "arr-overview"
_WIDTH = 48
_BARS_WIDTH = 32
_HEIGHT = 10
_NO_FILTER = json.dumps({"filter": [], "query": {"language": "kuery", "query": ""}})


def _terms(agg: str, schema: str, field: str, size: int) -> dict[str, Any]:
    params = {"field": field, "size": size, "order": "desc", "orderBy": "1", "otherBucket": True}
    return {"id": agg, "enabled": True, "type": "terms", "schema": schema, "params": params}


def _bars(search: str, field: str) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
    over_time = {"field": TIMESTAMP, "interval": "auto", "min_doc_count": 1}
    times = {
        "id": "2",
        "enabled": True,
        "type": "date_histogram",
        "schema": "segment",
        "params": over_time,
    }
    shown = {"type": "histogram", "addLegend": True, "legendPosition": "right"}
    return f"{search}-over-time", [times, _terms("3", "group", field, 8)], shown


def _table(search: str, field: str) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
    shown = {"perPage": 10, "showTotal": False, "totalFunc": "sum"}
    return f"{search}-by-{field}", [_terms("2", "bucket", field, 20)], shown


def _chart(
    search: str, kind: str, made: tuple[str, list[dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    chart_id, buckets, shown = made
    title = f"{SEARCHES[search][0]}, {chart_id.removeprefix(search + '-').replace('-', ' ')}"
    count = {"id": "1", "enabled": True, "type": "count", "schema": "metric", "params": {}}
    state = {"title": title, "type": kind, "params": shown, "aggs": [count, *buckets]}
    return {
        "id": chart_id,
        "type": "visualization",
        "attributes": {
            "title": title,
            "description": "",
            "version": 1,
            "uiStateJSON": "{}",
            "visState": json.dumps(state, sort_keys=True),
            "savedSearchRefName": "search_0",
            "kibanaSavedObjectMeta": {"searchSourceJSON": _NO_FILTER},
        },
        "references": [{"id": search, "name": "search_0", "type": "search"}],
    }


def _charts() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for search, (split, counted) in CHARTS.items():
        made.append(_chart(search, "histogram", _bars(search, split)))
        made.append(_chart(search, "table", _table(search, counted)))
    return made


def _panel(number: int, chart: dict[str, Any]) -> dict[str, Any]:
    row, right = divmod(number, 2)
    place = {
        "x": _BARS_WIDTH * right,
        "y": _HEIGHT * row,
        "w": _WIDTH - _BARS_WIDTH if right else _BARS_WIDTH,
        "h": _HEIGHT,
        "i": str(number),
    }
    return {
        "type": chart["type"],
        "panelIndex": str(number),
        "panelRefName": f"panel_{number}",
        "gridData": place,
        "embeddableConfig": {"enhancements": {}},
    }


def _dashboard(charts: list[dict[str, Any]]) -> dict[str, Any]:
    panels = [_panel(number, chart) for number, chart in enumerate(charts)]
    return {
        "id": DASHBOARD,
        "type": "dashboard",
        "attributes": {
            "title": "Audit: queries, accesses, exports, failed acts",
            "description": "Records that repeat an earlier one are not counted.",
            "version": 1,
            "timeRestore": True,
            "timeFrom": "now-7d",
            "timeTo": "now",
            "optionsJSON": json.dumps({"hidePanelTitles": False, "useMargins": True}),
            "panelsJSON": json.dumps(panels, sort_keys=True),
            "kibanaSavedObjectMeta": {"searchSourceJSON": _NO_FILTER},
        },
        "references": [
            {"id": chart["id"], "name": f"{number}:panel_{number}", "type": chart["type"]}
            for number, chart in enumerate(charts)
        ],
    }


def saved_objects() -> list[dict[str, Any]]:
    """The data view, the searches, the charts, the dashboard."""
    searches = (_search(id_, *described) for id_, described in SEARCHES.items())
    charts = _charts()
    made = [_data_view(), *searches, *charts, _dashboard(charts)]
    return [
        one | {"coreMigrationVersion": CORE_VERSION, "typeMigrationVersion": VERSIONS[one["type"]]}
        for one in made
    ]


def of_type(kind: str) -> list[dict[str, Any]]:
    """The saved objects of a type."""
    return [made for made in saved_objects() if made["type"] == kind]


def ndjson() -> str:
    """One saved object a line, as Kibana imports it."""
    lines = (json.dumps(made, ensure_ascii=False, sort_keys=True) for made in saved_objects())
    return "".join(line + "\n" for line in lines)


if __name__ == "__main__":
    TARGET.write_text(ndjson(), encoding="utf-8")
