"""Broken FHIR AuditEvents, one for each rule of JSON and FHIR at least, and where."""

from pathlib import Path

from tests.conformance.corpus import changed
from tests.conformance.rule_cases import RuleCase

RESOURCES = Path(__file__).parent / "resources"
QUERY = (RESOURCES / "query.json").read_bytes()
STUDY = (RESOURCES / "study.json").read_bytes()

_MIB = 1024 * 1024


def _malformed(rule: str, octets: bytes) -> RuleCase:
    return RuleCase(rule, QUERY, octets, "malformed", "none")


def _broken(
    rule: str, old: str, new: str, path: str, line_with: str = "", verdict: str = "invalid"
) -> RuleCase:
    tier = "none" if verdict == "invalid" else "legacy"
    return RuleCase(rule, QUERY, b"", verdict, tier, path, line_with, changes=((old, new),))


JSON_CASES: list[RuleCase] = [
    _malformed("json-not-well-formed", QUERY[:-3]),
    _malformed("json-not-well-formed", QUERY.replace(b"Patient Number", b"\xff")),
    _malformed("json-not-well-formed", QUERY.replace(b'"4712"', b"NaN")),
    _malformed("json-duplicate-name", changed(QUERY, ('"altId"', '"requestor": true, "altId"'))),
    _malformed("json-too-large", QUERY + b" " * 16 * _MIB),
    _malformed("json-too-many-values", b'{"a": [' + b"{}," * 20_001 + b"{}]}"),
    _malformed("json-too-many-values", b'{"a": [' + b"1," * 60_001 + b"1]}"),
    _malformed("json-too-deep", b'{"a":' * 33 + b"1" + b"}" * 33),
    _malformed("json-too-deep", b'{"a":' * 9_000 + b"1" + b"}" * 9_000),
    _broken(
        "fhir-resource-type", '"AuditEvent"', '"Bundle"', "AuditEvent.resourceType", '"Bundle"'
    ),
    _broken("fhir-edition", '"type": {', '"code": {', "AuditEvent.code", '"code": {'),
    _broken(
        "fhir-element-missing", '      "requestor": true,\n', "", "AuditEvent.agent[0].requestor"
    ),
    _broken(
        "fhir-element-missing",
        '"valueString": "4712"',
        '"id": "x"',
        "AuditEvent.entity[1].detail[0]",
    ),
    _broken(
        "fhir-element-unexpected",
        '"altId"',
        '"alternateId"',
        "AuditEvent.agent[0].alternateId",
        '"alternateId"',
    ),
    _broken(
        "fhir-edition",
        '"altId"',
        '"userId"',
        "AuditEvent.agent[0].userId",
        '"userId"',
    ),
    _broken(
        "fhir-type",
        '"requestor": false',
        '"requestor": "false"',
        "AuditEvent.agent[1].requestor",
        '"false"',
    ),
    _broken("fhir-type", '"altId": "4711"', '"altId": 4711', "AuditEvent.agent[0].altId", "4711"),
    _broken("fhir-type", '"code": "1"', '"code": []', "AuditEvent.entity[0].type.code", "[]"),
    _broken(
        "fhir-value",
        '"2026-03-01T09:30:00.000+01:00"',
        '"2026-03-01T09:30:00"',
        "AuditEvent.recorded",
        '"recorded"',
    ),
    _broken("fhir-value", '"outcome": "0"', '"outcome": "1"', "AuditEvent.outcome", '"1"'),
    _broken("fhir-value", "UVBEfFE5OQ==", "UVB*", "AuditEvent.entity[1].query", "UVB*"),
    _broken("fhir-value", '"4711"', '"47\\u000011"', "AuditEvent.agent[0].altId", "altId"),
    _broken("fhir-value", '"4711"', '"\\ud800"', "AuditEvent.agent[0].altId", "altId"),
    _broken("fhir-value", '"4711"', '" "', "AuditEvent.agent[0].altId", "altId"),
    _broken(
        "fhir-name-and-query",
        '"query":',
        '"name": "q", "query":',
        "AuditEvent.entity[1].query",
        '"query":',
    ),
    _broken("fhir-outcome-missing", '  "outcome": "0",\n', "", "AuditEvent.outcome", "", "valid"),
]
