"""A record as a document of the Elastic Common Schema, one line of JSON."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any

from audit.record.times import format_ns
from audit.siem.lines import json_line
from audit.siem.mapping import JsonObject, Row, fill, put, rows_of
from audit.siem.rules import Rules
from audit.siem.shown import Shown
from audit.standards.files import read_toml


@cache
def _mapping() -> tuple[tuple[Row, ...], dict[str, Any], Rules]:
    table = read_toml("siem/ecs.toml")
    return rows_of(table["fields"]), table["constants"], Rules(table["rule"])


def what_happened(shown: Shown) -> Mapping[str, Any]:
    """``action``, and where ECS has them ``category``, ``types`` and ``outcome``, of a record."""
    return _mapping()[2].ruling(shown.facts)


def ecs_document(shown: Shown) -> JsonObject:
    """The document, as ``schemas/siem/ecs.toml`` has it."""
    rows, constants, _ = _mapping()
    document: JsonObject = {}
    for path, value in constants.items():
        put(document, path, value)
    fill(document, rows, shown.facts, format_ns, shown.max_values)
    said = what_happened(shown)
    event = document["event"]
    event["action"] = said["action"]
    if "category" in said:
        event["category"], event["type"] = list(said["category"]), list(said["types"])
    if "outcome" in said:
        event["outcome"] = said["outcome"]
    if shown.original:
        event["original"] = shown.original.decode("utf-8", "replace")
        event["hash"] = sha256(event["original"].encode()).hexdigest()
    return document


def ecs_line(shown: Shown) -> bytes:
    """The document as one line, without its end."""
    return json_line(ecs_document(shown))
