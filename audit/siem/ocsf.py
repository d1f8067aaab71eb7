"""A record as an event of the Open Cybersecurity Schema Framework, one line of JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from audit.siem.lines import json_line
from audit.siem.mapping import JsonObject, Row, fill, put, rows_of
from audit.siem.rules import Rules
from audit.siem.shown import Shown
from audit.siem.values import Facts
from audit.standards.files import read_toml

NEWEST = "1.8.0"
_NS_PER_MS = 1_000_000
_ALERT = "110113"
_STATUS = {"success": (1, "Success"), "failure": (2, "Failure"), "unknown": (0, "Unknown")}
_SHA256 = 3
_OBSERVABLES = (("ips", 2, "IP Address"), ("hosts", 1, "Hostname"), ("users", 4, "User Name"))
"""Facts whose values a SIEM looks for in every event: type_id and type of 1.8.0."""


@dataclass(frozen=True, slots=True)
class _Class:
    uid: int
    caption: str
    category: str
    activities: Mapping[str, str]
    rows: tuple[Row, ...]
    constants: Mapping[str, Any]
    required: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Mapping:
    rows: tuple[Row, ...]
    constants: Mapping[str, Any]
    rules: Rules
    classes: Mapping[int, _Class]
    severity: Mapping[str, Mapping[str, Any]]
    has_hash: bool


@cache
def _mapping(version: str) -> _Mapping:
    table = read_toml("siem/ocsf.toml")
    if version not in table["versions"]:
        raise ValueError(f"OCSF {version} is not known; there are {', '.join(table['versions'])}")
    # Of x.y.z with single digits the texts are in the order of the versions.
    later = {path for path, since in table["since"].items() if since > version}
    return _Mapping(
        rows_of({path: row for path, row in table["fields"].items() if path not in later}),
        table["constants"] | {"metadata.version": version},
        Rules(table["rule"]),
        {int(uid): _class(int(uid), row) for uid, row in table["class"].items()},
        table["severity"],
        has_hash="raw_data_hash" not in later,
    )


def _class(uid: int, row: Mapping[str, Any]) -> _Class:
    return _Class(
        uid,
        row["caption"],
        row["category"],
        row["activities"],
        rows_of(row["fields"]),
        row.get("constants", {}),
        row.get("required", {}),
    )


def ocsf_event(shown: Shown, version: str = NEWEST) -> JsonObject:
    """The event, as ``schemas/siem/ocsf.toml`` has it for one of its versions."""
    mapping, facts = _mapping(version), shown.facts
    said = mapping.rules.ruling(facts)
    chosen, activity = mapping.classes[said["class"]], said["activity"]
    event: JsonObject = {
        "class_uid": chosen.uid,
        "class_name": chosen.caption,
        "category_uid": chosen.uid // 1000,
        "category_name": chosen.category,
        "activity_id": activity,
        "activity_name": chosen.activities[str(activity)],
        "type_uid": chosen.uid * 100 + activity,
        "type_name": f"{chosen.caption}: {chosen.activities[str(activity)]}",
        **_severity(facts, mapping.severity),
    }
    event["status_id"], event["status"] = _STATUS[shown.first("outcome") or "unknown"]
    for path, value in (*mapping.constants.items(), *chosen.constants.items()):
        put(event, path, value)
    fill(event, (*mapping.rows, *chosen.rows), facts, _milliseconds, shown.max_values)
    for path, value in chosen.required.items():
        _put_if_missing(event, path, value)
    _add_query(event, shown)
    _add_observables(event, shown)
    _add_original(event, shown, has_hash=mapping.has_hash)
    return event


def ocsf_line(shown: Shown, version: str = NEWEST) -> bytes:
    """The event as one line, without its end."""
    return json_line(ocsf_event(shown, version))


def _milliseconds(ns: int) -> int:
    return ns // _NS_PER_MS


def _severity(facts: Facts, table: Mapping[str, Mapping[str, Any]]) -> JsonObject:
    indicator = str(next(iter(facts.get("outcome_indicator", ())), "0"))
    is_alert = _ALERT in facts.get("event_code", ())
    number = table["alert" if is_alert else "act"][indicator]
    return {"severity_id": number, "severity": table["names"][str(number)]}


def _put_if_missing(event: JsonObject, path: str, value: Any) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        event = event.setdefault(parent, {})
    event.setdefault(name, value)


def _add_query(event: JsonObject, shown: Shown) -> None:
    """What was asked for, where the class has a place for it."""
    keys = [str(key) for key in shown.facts.get("query", ())][: shown.max_values]
    if keys and "database" in event:
        event["query_info"] = {"name": "DICOM query", "query_string": " ".join(keys)}


def _add_observables(event: JsonObject, shown: Shown) -> None:
    found = [
        {"name": f"unmapped.{name}", "type_id": number, "type": kind, "value": str(value)}
        for name, number, kind in _OBSERVABLES
        for value in shown.facts.get(name, ())[: shown.max_values]
    ]
    if found:
        event["observables"] = found


def _add_original(event: JsonObject, shown: Shown, *, has_hash: bool) -> None:
    if shown.original:
        event["raw_data"] = shown.original.decode("utf-8", "replace")
    if shown.original and has_hash:
        digest = sha256(event["raw_data"].encode()).hexdigest()
        event["raw_data_hash"] = {
            "algorithm": "SHA-256",
            "algorithm_id": _SHA256,
            "value": digest,
        }
