"""Every record as an OCSF event, held against the schema of 1.8.0 in a package of others."""

import json
from dataclasses import replace
from functools import cache
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema  # type: ignore[import-untyped]

from audit.settings.siem import SiemSettings
from audit.siem.formats import SiemFormat, Unmappable
from audit.siem.ocsf import NEWEST
from audit.standards.files import read_toml
from tests.siem.records import corpus, formatter, record_of

VERSIONS: list[str] = read_toml("siem/ocsf.toml")["versions"]


@cache
def schema(version: str) -> OcsfJsonSchemaEmbedded:
    return OcsfJsonSchemaEmbedded(get_ocsf_schema(version))


@cache
def validator(name: str, version: str) -> Draft202012Validator:
    return Draft202012Validator(schema(version).get_class_schema(name))


def event_of(name: str, **disclosure: bool) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(
        formatter(SiemFormat.OCSF, **disclosure).line(corpus()[name])
    )
    return event


def objections(event: dict[str, Any]) -> list[str]:
    name = read_toml("siem/ocsf.toml")["class"][str(event["class_uid"])]["name"]
    return [
        f"{list(error.absolute_path)}: {error.message}"
        for error in validator(name, event["metadata"]["version"]).iter_errors(event)
    ]


@pytest.mark.parametrize("name", corpus())
def test_every_event_is_valid(name: str) -> None:
    for event in (event_of(name), event_of(name, patients=True)):
        assert objections(event) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_every_event_is_valid_in_older_versions_too(version: str) -> None:
    made = replace(formatter(SiemFormat.OCSF, original=True), ocsf_version=version)
    made = replace(made, read_original=lambda _: b"abc")
    for record in corpus().values():
        event = json.loads(made.line(record))
        assert event["metadata"]["version"] == version
        assert objections(event) == []


def test_versions_are_those_of_the_setting() -> None:
    chosen = SiemSettings.model_fields["ocsf_version"]
    assert list(get_args(chosen.annotation)) == VERSIONS
    assert chosen.default == NEWEST == VERSIONS[-1]
    with pytest.raises(Unmappable, match=r"1\.9\.0 is not known"):
        replace(formatter(SiemFormat.OCSF), ocsf_version="1.9.0").line(corpus()["words"])


def test_names_of_classes_and_activities_are_those_of_the_schema() -> None:
    known = get_ocsf_schema("1.8.0")
    for uid, row in read_toml("siem/ocsf.toml")["class"].items():
        listed = known["classes"][row["name"]]
        assert (str(listed["uid"]), listed["caption"]) == (uid, row["caption"])
        captions = listed["attributes"]["activity_id"]["enum"]
        for number, name in row["activities"].items():
            assert captions[number]["caption"] == name


@pytest.mark.parametrize(
    ("name", "type_uid"),
    [
        ("110112 full", 600504),
        ("110106 full", 600107),
        ("110107 full", 600106),
        ("110114 minimal", 300201),
        ("110114 typical", 300202),
        ("110100 minimal", 600203),
        ("110110 typical", 300402),
        ("110105 full", 600507),
        ("110113 full", 200401),
        ("words", 99),
    ],
)
def test_class_and_activity(name: str, type_uid: int) -> None:
    assert event_of(name)["type_uid"] == type_uid


def test_the_gravity_of_an_alert_is_its_severity() -> None:
    alert = event_of("110113 full")
    assert (alert["severity"], alert["status"]) == ("Medium", "Unknown")
    failed = event_of("110112 full")
    assert (failed["severity"], failed["status"]) == ("Low", "Failure")


def test_the_original_comes_with_its_hash() -> None:
    made = formatter(SiemFormat.OCSF, original=True)
    object.__setattr__(made, "read_original", lambda _: b"abc")
    event = json.loads(made.line(record_of(b"<x/>")))
    assert objections(event) == []
    assert event["raw_data"] == "abc"
    assert event["raw_data_hash"]["value"].startswith("ba7816bf")
