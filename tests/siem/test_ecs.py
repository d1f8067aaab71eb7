"""Every record as an ECS document, held against Elastic's own list of fields."""

import json
from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from audit.siem.formats import SiemFormat
from tests.needs import missing
from tests.siem.records import corpus, formatter, record_of

FIELDS = Path(__file__).parents[2] / ".cache" / "ecs" / "8.11.5.json"
OWN = ("dicom.", "arr.")
TEXT_TYPES = {"keyword", "wildcard", "match_only_text", "constant_keyword", "text"}


@pytest.fixture(scope="module")
def fields() -> dict[str, dict[str, Any]]:
    if not FIELDS.exists():
        missing("the list of ECS fields (npm @elastic/ecs 8.11.5)")
    listed: dict[str, dict[str, Any]] = json.loads(FIELDS.read_text(encoding="utf-8"))
    return listed


def document_of(name: str, **disclosure: bool) -> dict[str, Any]:
    line = formatter(SiemFormat.ECS, **disclosure).line(corpus()[name])
    document: dict[str, Any] = json.loads(line)
    return document


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from flat(inner, f"{path}.{name}" if path else name)
    else:
        yield path, value


def objections(document: dict[str, Any], fields: dict[str, dict[str, Any]]) -> Iterator[str]:
    for path, value in flat(document):
        if path.startswith(OWN):
            continue
        known = fields.get(path)
        if known is None:
            yield f"{path} is no field"
            continue
        if isinstance(value, list) != ("array" in known["normalize"]):
            yield f"{path} should be a list, or should be none"
        for one in value if isinstance(value, list) else [value]:
            if not _fits(known["type"], one):
                yield f"{path} = {one!r} is no {known['type']}"
            allowed = [row["name"] for row in known.get("allowed_values", ())]
            if allowed and one not in allowed:
                yield f"{path} = {one!r} is not allowed"
    yield from _mismatched_types(document["event"], fields)


def _mismatched_types(event: dict[str, Any], fields: dict[str, dict[str, Any]]) -> Iterator[str]:
    rows = {row["name"]: row for row in fields["event.category"]["allowed_values"]}
    expected = [
        set(rows[category]["expected_event_types"]) for category in event.get("category", ())
    ]
    for one in event.get("type", ()):
        if not any(one in types for types in expected):
            yield f"event.type {one} in categories {event['category']}"
    for types in expected:
        if types.isdisjoint(event["type"]):
            yield f"a category without any of its types: {event}"


def _fits(kind: str, value: Any) -> bool:
    match kind:
        case "long":
            return isinstance(value, int) and abs(value) < 2**63
        case "ip":
            return bool(ip_address(value))
        case "date":
            return datetime.fromisoformat(value).tzinfo is not None
        case _:
            return kind in TEXT_TYPES and isinstance(value, str)


@pytest.mark.parametrize("name", corpus())
def test_every_field_is_one_of_ecs(name: str, fields: dict[str, dict[str, Any]]) -> None:
    assert list(objections(document_of(name), fields)) == []
    known = document_of(name, patients=True, original=True)
    assert list(objections(known, fields)) == []


def test_what_happened_is_told_in_the_words_of_ecs() -> None:
    login = document_of("110114 minimal")["event"]
    assert (login["category"], login["type"], login["outcome"]) == (
        ["authentication"],
        ["start"],
        "success",
    )
    query = document_of("110112 full")
    assert query["event"]["category"] == ["database"]
    assert query["event"]["action"] == "query"
    assert query["dicom"]["audit"]["query"][0] == "QueryRetrieveLevel=STUDY"


def test_the_gravity_of_an_alert_is_no_failure() -> None:
    override = document_of("110113 full")["event"]
    assert (override["outcome"], override["severity"]) == ("unknown", 4)
    refused = document_of("110113 typical")["event"]
    assert (refused["action"], refused["outcome"]) == ("node-authentication-failed", "failure")


def test_only_access_control_roles_are_the_users() -> None:
    document = document_of("110106 full")
    assert "roles" not in document["user"]
    assert document["destination"]["domain"] == "ct1.st-anna.example"


def test_the_original_comes_with_its_hash_and_only_when_it_may() -> None:
    record = record_of(b"<x/>")
    shy, open_ = (formatter(SiemFormat.ECS, original=original) for original in (False, True))
    object.__setattr__(open_, "read_original", lambda _: b"abc")
    assert "original" not in json.loads(shy.line(record))["event"]
    event = json.loads(open_.line(record))["event"]
    assert event["original"] == "abc"
    assert event["hash"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
