"""SARIF: the structure that the published schema requires, and places that are right."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from audit.frame.octet_counting import encode
from audit.query.message_sources import messages_of
from audit.query.sarif import sarif
from audit.query.validation import validate_message, validate_sources
from audit.standards.rules import all_rules
from tests.conformance.corpus import changed, example
from tests.conformance.json_cases import QUERY

GOOD = example("110103")
BAD = changed(GOOD, ('UserIsRequestor="true"', 'UserIsRequestor="TRUE"'))
HEADER = b"<85>1 2026-03-01T09:30:00.000Z pacs.example pacs 815 IHE+RFC-3881 - "
WRONG = 'UserIsRequestor="TRUE"'

_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
REQUIRED = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "$schema": {"type": "string", "format": "uri"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {"$ref": "#/$defs/rule"},
                                    }
                                },
                            }
                        },
                    },
                    "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
                },
            },
        },
    },
    "$defs": {
        "rule": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string"},
                "name": {"type": "string"},
                "shortDescription": _TEXT,
                "fullDescription": _TEXT,
                "help": _TEXT,
                "defaultConfiguration": {"type": "object", "properties": {"level": _LEVEL}},
                "properties": {
                    "type": "object",
                    "properties": {"tags": {"type": "array", "uniqueItems": True}},
                },
            },
        },
        "result": {
            "type": "object",
            "required": ["message"],
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": -1},
                "level": _LEVEL,
                "message": _TEXT,
                "locations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "physicalLocation": {
                                "type": "object",
                                "required": ["artifactLocation"],
                                "properties": {
                                    "artifactLocation": {
                                        "type": "object",
                                        "properties": {
                                            "uri": {"type": "string", "format": "uri-reference"}
                                        },
                                    },
                                    "region": {
                                        "type": "object",
                                        "properties": {
                                            "startLine": {"type": "integer", "minimum": 1},
                                            "startColumn": {"type": "integer", "minimum": 1},
                                        },
                                    },
                                },
                            }
                        },
                    },
                },
            },
        },
    },
}
"""What SARIF 2.1.0 requires of the members that are written here; own words."""


def log_of(source: str, octets: bytes) -> dict[str, Any]:
    log = sarif(validate_message(one) for one in messages_of(source, octets))
    Draft202012Validator(REQUIRED).validate(log)
    json.dumps(log)
    return log


def results(log: dict[str, Any]) -> list[dict[str, Any]]:
    (run,) = log["runs"]
    found: list[dict[str, Any]] = run["results"]
    return found


def region(result: dict[str, Any]) -> tuple[int, int]:
    found = result["locations"][0]["physicalLocation"]["region"]
    return found["startLine"], found["startColumn"]


def pointed_at(octets: bytes, result: dict[str, Any]) -> str:
    """The text of the file from where the result points."""
    line, column = region(result)
    return octets.decode().split("\n")[line - 1][column - 1 :]


def test_every_rule_is_described_with_its_clause_and_mend() -> None:
    (run,) = log_of("a.xml", GOOD)["runs"]
    assert run["results"] == []
    for told, rule in zip(run["tool"]["driver"]["rules"], all_rules(), strict=True):
        assert told["id"] == rule.id
        assert rule.fix in told["help"]["text"]
        assert rule.clause in told["help"]["text"]
        assert told["properties"]["clause"] == rule.clause


def test_what_code_scanning_needs_is_there() -> None:
    log = log_of("a.xml", BAD + b"\n" + BAD)
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    for rule in run["tool"]["driver"]["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in {"note", "warning", "error"}
        assert 1 <= len(rule["properties"]["tags"]) <= 10
        assert rule["properties"]["precision"] == "very-high"
        severity = rule["properties"]["problem.severity"]
        assert severity in {"recommendation", "warning", "error"}
    first, second = results(log)
    assert first["partialFingerprints"] != second["partialFingerprints"]
    for result in (first, second):
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "a.xml"
        assert min(region(result)) >= 1
        assert result["message"]["text"]


def test_no_object_has_a_member_that_the_standard_does_not_know() -> None:
    (run,) = log_of("a.xml", BAD)["runs"]
    assert run.keys() <= {"tool", "columnKind", "results"}
    driver = run["tool"]["driver"]
    assert run["tool"].keys() == {"driver"}
    assert driver.keys() <= {"name", "version", "rules"}
    for rule in driver["rules"]:
        assert rule.keys() <= {
            "id", "name", "shortDescription", "fullDescription", "help", "helpUri",
            "defaultConfiguration", "properties",
        }  # fmt: skip
        assert rule["help"].keys() <= {"text", "markdown"}
        assert rule["defaultConfiguration"].keys() == {"level"}
    for result in run["results"]:
        assert result.keys() <= {
            "ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints",
            "properties",
        }  # fmt: skip
        (location,) = result["locations"]
        assert location.keys() <= {"physicalLocation", "logicalLocations"}
        assert location["physicalLocation"].keys() <= {"artifactLocation", "region"}
        assert location["physicalLocation"]["region"].keys() <= {"startLine", "startColumn"}
        assert [one.keys() for one in location["logicalLocations"]] == [{"fullyQualifiedName"}]


def test_a_result_names_rule_level_message_and_place() -> None:
    log = log_of("sent/a b.xml", BAD)
    (result,) = results(log)
    assert result["ruleId"] == "user-is-requestor"
    assert log["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["level"] == "error"
    assert "TRUE" in result["message"]["text"]
    assert "lower case" in result["message"]["text"]
    location = result["locations"][0]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "sent/a%20b.xml"
    assert location["logicalLocations"][0]["fullyQualifiedName"].endswith("/@UserIsRequestor")
    assert pointed_at(BAD, result).startswith(WRONG)


FLAT = BAD.replace(b"\n", b"")


@pytest.mark.parametrize(
    "octets",
    [
        GOOD + b"\n\n" + BAD,
        HEADER + GOOD.replace(b"\n", b"") + b"\n" + HEADER + FLAT,
        encode(HEADER + GOOD) + encode(HEADER + BAD) + encode(GOOD),
        encode(HEADER + FLAT) + encode(HEADER + FLAT) + encode(FLAT),
        HEADER.replace(b"pacs", "pâçs".encode()) + FLAT,
        HEADER + b"\xef\xbb\xbf" + FLAT,
    ],
    ids=["bare", "lines", "octet-counted", "one-line", "characters", "bom"],
)
def test_places_count_in_the_file_whatever_wraps_the_message(octets: bytes) -> None:
    found = [one for one in results(log_of("f", octets)) if one["ruleId"] == "user-is-requestor"]
    assert found
    for result in found:
        assert pointed_at(octets, result).startswith(WRONG)
    assert len({region(one) for one in found}) == len(found)


def test_a_finding_without_a_line_points_at_the_message() -> None:
    octets = (HEADER + GOOD).replace(b"<85>", b"<13>").replace(b"\n", b"")
    (result,) = results(log_of("f", octets))
    assert result["ruleId"] == "syslog-pri"
    assert pointed_at(octets, result).startswith("<?xml")


@pytest.mark.parametrize(
    ("file", "address"),
    [
        ("-", "stdin"),
        ("/srv/a#b.xml", "file:///srv/a%23b.xml"),
        ("a:b.xml", "a%3Ab.xml"),
        ("d/ü.xml", "d/%C3%BC.xml"),
        ("odd\udcff.xml", "odd%FF.xml"),
        ("../up.xml", "../up.xml"),
        ("./here.xml", "here.xml"),
        ("100% a?b.xml", "100%25%20a%3Fb.xml"),
    ],
)
def test_addresses_are_uri_references(file: str, address: str) -> None:
    (result,) = results(log_of(file, b"x"))
    where = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert where["uri"] == address


def test_all_files_are_in_one_run(tmp_path: Path) -> None:
    for name in ("1.xml", "2.xml"):
        (tmp_path / name).write_bytes(BAD)
    assert len(results(sarif(validate_sources([str(tmp_path)])))) == 2


def test_json_is_pointed_at_as_well() -> None:
    flat = json.dumps(json.loads(QUERY)).encode().replace(b'"PIX|ST_ANNA"', b'"todo"')
    for octets in (QUERY.replace(b'"PIX|ST_ANNA"', b'"todo"'), flat + b"\n" + flat, b"\n" + flat):
        found = results(log_of("f", octets))
        assert found
        for result in found:
            assert pointed_at(octets, result).startswith('"who"')
