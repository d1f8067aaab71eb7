"""The Sigma rules can be read, ask for fields of our ECS documents, and find their events."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule

from audit.record import build
from audit.record.serialise import serialise
from audit.siem.formats import SiemFormat
from audit.standards.files import read_toml
from tests.siem.records import corpus, formatter, record_of

FOLDER = Path(__file__).parents[2] / "dashboards" / "sigma"
FIELDS = {*read_toml("siem/ecs.toml")["fields"], "event.action", "event.category", "event.type"}

ALERTS = {
    "recording stopped": build.Alert.AUDIT_RECORDING_STOPPED,
    "recording started": build.Alert.AUDIT_RECORDING_STARTED,
    "override stopped": build.Alert.EMERGENCY_OVERRIDE_STOPPED,
}
OCCURRENCE = build.Occurrence(
    when=datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC),
    source=build.audit_source("pacs-1", None, [build.SourceType.APPLICATION_SERVER]),
)
FOUND = {
    "emergency_override": {"110113 full"},
    "audit_recording_stopped": {"recording stopped"},
    "node_authentication_failed": {"110113 minimal", "110113 typical"},
    "study_deleted": {"110105 minimal", "110105 typical", "110105 full"},
    "export_to_media": {"110106 minimal", "110106 typical"},
    "failed_logins": {"110114 full"},
    "many_patients": {
        "110103 minimal",
        *(f"{event} typical" for event in ("110109", "110110", "110111")),
    },
}
"""Examples of the corpus that each rule finds, those of the first rule of a file."""


@cache
def collection(name: str) -> SigmaCollection:
    return SigmaCollection.from_yaml((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))


@cache
def documents() -> dict[str, dict[str, Any]]:
    made = formatter(SiemFormat.ECS)
    records = {name: one for name, one in corpus().items() if name.split()[0].isdecimal()}
    process = build.Process(process_id="815", address="10.1.2.9")
    for name, kind in ALERTS.items():
        alert = build.security_alert(OCCURRENCE, kind, [process])
        records[name] = record_of(serialise(alert))
    return {name: json.loads(made.line(record)) for name, record in records.items()}


def values_at(document: Any, path: str) -> list[str]:
    for part in path.split("."):
        document = document.get(part, {})
    values = document if isinstance(document, list) else [document]
    return [str(value) for value in values if value != {}]


def finds(rule: SigmaRule, document: dict[str, Any]) -> bool:
    """A plain reading of rules whose condition is their one selection."""
    selection: SigmaDetection = rule.detection.detections["selection"]
    return all(
        not {str(value) for value in item.value}.isdisjoint(values_at(document, item.field or ""))
        for item in selection.detection_items
        if isinstance(item, SigmaDetectionItem)
    )


def test_every_file_is_tested() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_rules_can_be_read_and_ask_for_our_fields(name: str) -> None:
    rules = collection(name)
    assert not rules.errors
    asked: set[str] = set()
    for rule in rules.rules:
        assert not rule.errors
        assert rule.id
        assert rule.level
        if isinstance(rule, SigmaCorrelationRule):
            asked.update(rule.group_by or ())
            condition: Any = rule.condition
            asked.update(filter(None, [getattr(condition, "fieldref", None)]))
        else:
            (selection,) = rule.detection.detections.values()
            asked.update(str(item.field) for item in selection.detection_items)  # type: ignore[union-attr]
            assert [one.condition for one in rule.detection.parsed_condition] == ["selection"]
    assert asked <= FIELDS


@pytest.mark.parametrize("name", FOUND)
def test_rules_find_their_events_and_no_others(name: str) -> None:
    rule = collection(name).rules[0]
    assert isinstance(rule, SigmaRule)
    assert {one for one, document in documents().items() if finds(rule, document)} == FOUND[name]


def test_no_two_rules_have_one_id() -> None:
    ids = [rule.id for name in FOUND for rule in collection(name).rules]
    assert len(set(ids)) == len(ids)
