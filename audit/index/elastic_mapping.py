"""The Elasticsearch template, made from the one field table. Pure.

Keyword fields hold folded values, made by `tokens.shortened`; ``text`` holds the words of each
value, parted by spaces, so that both backends cut words in the same place. What was sent stands
unindexed in ``record``.
"""

from typing import Any, Final

from audit.standards.fields import fields_of

FORMAT: Final = 2
"""Raised with every change to the mapping or to what is put into it: the index is rebuilt."""

TIMESTAMP: Final = "@timestamp"
ADDRESS_BITS: Final = "address_bits"
RECORD: Final = "record"
VALUE_GAP: Final = 1000
"""Positions between two values, so that no phrase reaches from one into the next."""


def events_pattern(prefix: str) -> str:
    """The name pattern of all monthly indices."""
    return f"{prefix}-events-*"


def events_index(prefix: str, month: str) -> str:
    """The index of a month of receipt, for example ``arr-events-2026.02`` of ``2026-02``."""
    return f"{prefix}-events-{month.replace('-', '.')}"


def properties() -> dict[str, Any]:
    """The mapping's properties: every field of the table, and four of the index's own."""
    made: dict[str, Any] = {
        TIMESTAMP: {"type": "date", "format": "epoch_millis"},
        ADDRESS_BITS: {"type": "keyword", "doc_values": False},
        RECORD: {"type": "object", "enabled": False},
    }
    made |= {f.name: {"type": "long"} for f in fields_of("time", "number")}
    made |= {f.name: {"type": "keyword"} for f in fields_of("keyword")}
    made |= {
        f.name: {
            "type": "text",
            "analyzer": "whitespace",
            "norms": False,
            "position_increment_gap": VALUE_GAP,
        }
        for f in fields_of("text")
    }
    return made


def index_settings(replicas: int) -> dict[str, Any]:
    """Settings of a monthly index."""
    return {
        "index.number_of_shards": 1,
        "index.number_of_replicas": replicas,
        "index.codec": "best_compression",
        "index.refresh_interval": "-1",
        "index.merge.policy.expunge_deletes_allowed": 0,
        "index.sort.field": ["time", "sequence"],
        "index.sort.order": ["desc", "desc"],
    }


def index_template(prefix: str, replicas: int) -> dict[str, Any]:
    """The composable index template of the monthly indices."""
    return {
        "index_patterns": [events_pattern(prefix)],
        "priority": 500,
        "_meta": {"format": FORMAT, "from": "schemas/index/fields.toml"},
        "template": {
            "aliases": {f"{prefix}-events": {}},
            "settings": index_settings(replicas),
            "mappings": {"dynamic": "strict", "properties": properties()},
        },
    }
