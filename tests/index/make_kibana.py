"""Makes ``dashboards/kibana/audit-records.ndjson`` anew: ``python -m tests.index.make_kibana``.

A data view and saved searches for Kibana 8, from the field table and the product's own criteria.
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
                "meta": {"alias": title, "disabled": False, "negate": False, "type": "custom"},
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
        "references": [{"id": DATA_VIEW, "name": _INDEX, "type": "index-pattern"}],
    }


def saved_objects() -> list[dict[str, Any]]:
    """The data view, then the searches."""
    searches = (_search(id_, *described) for id_, described in SEARCHES.items())
    return [_data_view(), *searches]


def ndjson() -> str:
    """One saved object a line, as Kibana imports it."""
    lines = (json.dumps(made, ensure_ascii=False, sort_keys=True) for made in saved_objects())
    return "".join(line + "\n" for line in lines)


if __name__ == "__main__":
    TARGET.write_text(ndjson(), encoding="utf-8")
