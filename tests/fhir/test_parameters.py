"""Search parameters: criteria never miss what holds, and hold only what was asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import RequestError
from audit.fhir.matching import Token, refers_to, values_at
from audit.fhir.parameters import Setting, condition, known_parameter, parameters
from audit.fhir.values import Json
from audit.index.criteria import matches
from audit.index.document import IndexedRecord
from audit.projector.project import project
from audit.record.audit_message import CodedValue
from tests.fhir.samples import as_fhir, samples
from tests.projector.messages import NOW, ORIGIN, entry, message, patient, person, syslog

SETTING = Setting(NOW, ORIGIN)
ROLES = (CodedValue("224608005", "SCT", "Nurse"), CodedValue("110150", "DCM", "Application"))
OTHERS = (
    syslog(message(participants=(person(role_id_codes=ROLES), person("DOM\\anna")))),
    syslog(message(participants=(person(user_name="al<mara@urn:ids:st-anna>", user_id="4711"),))),
    syslog(message(objects=(patient("P1^^^St. Anna&2.999.17&ISO~P2^^^Other"),))),
)
KNOWN: list[tuple[IndexedRecord, Json]] = [
    (project(entry(octets), ORIGIN), as_fhir(octets))
    for octets in (*(octets for _, octets in samples()), *OTHERS)
]
LOOKED_AT = {
    "agent": "agent.who.reference",
    "entity": "entity.what.reference",
    "source": "source.observer.reference",
    "patient": "patient().reference",
}
CUT = "record-indexed-partly"


def escaped(value: str) -> str:
    for character in "\\,|$":
        value = value.replace(character, f"\\{character}")
    return value


def written(value: object) -> set[str]:
    """The ways in which a client may ask for a value of a resource."""
    if not isinstance(value, dict):
        return {escaped(str(value))}
    if "coding" in value:
        return {one for coding in value["coding"] for one in written(coding)}
    told = value.get("code", value.get("value"))
    if told is None:
        return set()
    system = value.get("system", "")
    return {escaped(told), f"{escaped(system)}|{escaped(told)}"}


@pytest.mark.parametrize("name", [name for name in parameters() if name != "policy"])
def test_every_value_of_a_resource_finds_its_record(name: str) -> None:
    parameter = parameters()[name]
    asked, seen = 0, set[str]()
    for record, resource in KNOWN:
        if CUT in record.values("finding"):
            continue
        path = LOOKED_AT.get(name, parameter.path)
        for value in {text for one in values_at(resource, path) for text in written(one)}:
            told = condition(parameter, "", value, SETTING)
            assert told.holds(resource), (name, value)
            assert matches(told.criteria, record), (name, value)
            for other, shown in KNOWN if told.exact and value not in seen else ():
                assert matches(told.criteria, other) is told.holds(shown), (name, value)
            seen.add(value)
            asked += 1
    assert asked or name in LOOKED_AT


@pytest.mark.parametrize(
    ("name", "modifier"),
    [
        (name, modifier)
        for name, parameter in parameters().items()
        for modifier in ("missing", "not", "text", "exact", "contains")
        if not (parameter.type != "token" and modifier in {"not", "text"})
        and not (parameter.type != "string" and modifier in {"exact", "contains"})
    ],
)
def test_modified_conditions_never_miss_what_holds(name: str, modifier: str) -> None:
    parameter = parameters()[name]
    values = ["true", "false"] if modifier == "missing" else ["110112", "a", "Query", "Mül", "C"]
    for value in values:
        told = condition(parameter, modifier, value, SETTING)
        for record, resource in KNOWN:
            if told.holds(resource):
                assert matches(told.criteria, record), value
            elif told.exact:
                assert not matches(told.criteria, record), value


@given(st.sampled_from(sorted(parameters())), st.text(max_size=12))
def test_any_value_is_read_or_refused_and_never_missed(name: str, value: str) -> None:
    try:
        told = condition(parameters()[name], "", value, SETTING)
    except RequestError:
        return
    for record, resource in KNOWN[::9]:
        if told.holds(resource):
            assert matches(told.criteria, record)
        elif told.exact:
            assert not matches(told.criteria, record)


def test_a_modifier_is_known_or_refused() -> None:
    assert known_parameter("colour") is None
    found = known_parameter("agent:identifier")
    assert found is not None
    assert found[0].name == "agent.identifier"
    for name in ("agent:missing", "type:not", "address:exact"):
        assert known_parameter(name) is not None
    for name in ("type:identifier", "address:not", "date:exact", "agent:Patient", "type:"):
        with_modifier = name.partition(":")[2]
        if with_modifier:
            with pytest.raises(RequestError):
                known_parameter(name)


@pytest.mark.parametrize(
    ("token", "value", "holds"),
    [
        (Token(None, "1.2.3"), {"value": "urn:oid:1.2.3"}, True),
        (Token(None, "urn:oid:1.2.3"), {"value": "1.2.3"}, True),
        (Token("urn:dicom:uid", "urn:oid:1.2.3"), {"value": "1.2.3"}, True),
        (Token("urn:dicom:uid", "1.2.3"), {"value": "1.2.3", "system": "x"}, False),
        (Token("", "a"), {"value": "a"}, True),
        (Token("", "a"), {"value": "a", "system": "x"}, False),
        (Token("x", ""), {"value": "a", "system": "x"}, True),
        (Token("x", "b"), {"value": "a", "system": "x"}, False),
        (Token(None, "MÜLLER"), {"value": "muller"}, True),
        (Token(None, "a"), {"coding": [{"code": "b"}, {"code": "a"}]}, True),
    ],
)
def test_tokens(token: Token, value: Json, holds: bool) -> None:
    assert token.holds(value) is holds


def test_references_are_literal_whole_or_by_their_end() -> None:
    there = {"reference": "https://x.example/fhir/Patient/1"}
    assert refers_to(there, "Patient/1")
    assert refers_to(there, "https://x.example/fhir/Patient/1")
    assert not refers_to(there, "Patient/11")
    assert not refers_to(there, "atient/1")
    assert not refers_to({"display": "x"}, "x")


def test_patients_are_told_by_kind_by_number_or_by_reference() -> None:
    number = {"identifier": {"type": {"coding": [{"code": "2"}]}, "value": "b"}}
    resource: Json = {
        "entity": [
            {"what": {"identifier": {"value": "a"}}, "type": {"code": "1"}, "role": {"code": "1"}},
            {"what": number, "type": {"code": "1"}},
            {"what": {"reference": "Patient/c"}},
            {"what": {"reference": "Study/d"}, "type": {"code": "2"}, "role": {"code": "3"}},
            {"what": {"identifier": {"value": "e"}}, "type": {"code": "1"}, "role": {"code": "6"}},
            {"description": "nothing"},
        ],
        "agent": [{"who": {"type": "Patient", "identifier": {"value": "f"}}}, {"name": "g"}],
    }
    assert values_at(resource, "patient().identifier.value") == ["a", "b", "f"]
    assert values_at(resource, "patient().reference") == ["Patient/c"]
