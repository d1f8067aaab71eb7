"""FHIR R4 AuditEvents put into the words of PS3.15, and judged."""

import json
import time
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.record.assess import Assessment, assess
from audit.record.audit_message import AuditMessage, CodedValue
from audit.record.fhir import fhir_path
from audit.record.fhir_mapping import message_of
from audit.record.parse import parse
from audit.record.serialise import serialise
from audit.record.xml_input import XmlLimits
from tests.conformance.json_cases import QUERY, STUDY

MOST_CPU_SECONDS = 2.0


def resource_of(octets: bytes) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(octets)
    return made


def told(resource: dict[str, Any]) -> Assessment:
    return assess(json.dumps(resource).encode())


def mapped(resource: dict[str, Any]) -> AuditMessage:
    message = told(resource).message
    assert message is not None
    return message


@pytest.mark.parametrize(("octets", "event"), [(QUERY, "110112"), (STUDY, "110103")])
def test_an_audit_event_is_valid_in_tier_legacy(octets: bytes, event: str) -> None:
    said = assess(octets)
    assert (said.dialect, said.tier, said.verdict, said.event) == (
        "fhir", "legacy", "valid", event,
    )  # fmt: skip
    assert said.findings == ()


def test_the_layout_of_the_json_does_not_matter() -> None:
    flat = json.dumps(resource_of(QUERY), separators=(",", ":"), ensure_ascii=True).encode()
    assert assess(flat) == assess(b"\xef\xbb\xbf\r\n" + QUERY + b"\n\x00")


def test_the_event_is_named_as_in_an_audit_message() -> None:
    event = mapped(resource_of(QUERY)).event_identification
    assert event.event_id == CodedValue("110112", "DCM", "Query")
    assert event.event_type_codes == (CodedValue("ITI-9", "IHE Transactions", "PIX Query"),)
    assert (event.event_action_code, event.event_outcome_indicator) == ("E", "0")
    assert event.event_date_time == "2026-03-01T09:30:00.000+01:00"
    assert [one.csd_code for one in event.purposes_of_use] == ["TREAT"]


def test_agents_become_participants() -> None:
    asking, asked = mapped(resource_of(QUERY)).active_participants
    assert (asking.user_id, asking.alternative_user_id) == ("PORTAL|ST_ANNA", "4711")
    assert asking.user_is_requestor
    assert not asked.user_is_requestor
    assert asking.role_id_codes == (CodedValue("110153", "DCM", "Source Role ID"),)
    assert asked.network_access_point_id == "pix.st-anna.example"
    assert asked.network_access_point_type_code == "1"
    (person,) = mapped(resource_of(STUDY)).active_participants
    assert (person.user_id, person.user_name) == ("mvoss", "Mara Voss")


@pytest.mark.parametrize(
    ("agent", "user_id", "user_name"),
    [
        ({"who": {"reference": "Practitioner/7", "display": "Voss"}}, "Practitioner/7", "Voss"),
        ({"who": {"display": "Voss"}}, "Voss", None),
        ({"who": {"display": "mvoss"}, "name": "Voss"}, "mvoss", "Voss"),
        ({"name": "Voss"}, "Voss", "Voss"),
        ({"altId": "x7"}, "x7", None),
        ({"network": {"address": "10.0.0.1"}}, "10.0.0.1", None),
        ({}, "", None),
    ],
)
def test_a_user_is_named_by_the_best_there_is(
    agent: dict[str, Any], user_id: str, user_name: str | None
) -> None:
    (one,) = message_of({"agent": [agent]}).active_participants
    assert (one.user_id, one.user_name) == (user_id, user_name)


def test_roles_purposes_and_media_of_agents_are_kept() -> None:
    resource = resource_of(STUDY)
    resource["agent"][0] |= {
        "type": {"text": "reader"},
        "role": [
            {"coding": [{"system": "urn:x", "code": "1"}, {
                "system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110150"}]},
            {"coding": [{"system": "urn:oid:1.2.3", "code": "MD", "display": "Doctor"}]},
        ],
        "purposeOfUse": [{"coding": [{"code": "ETREAT"}]}],
        "media": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110030"},
    }  # fmt: skip
    message = mapped(resource)
    (one,) = message.active_participants
    assert one.role_id_codes == (
        CodedValue("", "", "reader"),
        CodedValue("110150", "DCM", ""),
        CodedValue("MD", "1.2.3", "Doctor"),
    )
    assert one.media_type == CodedValue("110030", "DCM", "")
    purposes = message.event_identification.purposes_of_use
    assert [purpose.csd_code for purpose in purposes] == ["ETREAT"]


def test_the_observer_becomes_the_audit_source() -> None:
    (source,) = mapped(resource_of(QUERY)).audit_sources
    assert source.audit_source_id == "portal.st-anna.example"
    assert source.audit_enterprise_site_id == "radiology"
    assert source.audit_source_type_codes == (CodedValue("4"),)
    resource = resource_of(QUERY)
    resource["source"]["type"] = [{"system": "urn:x", "code": "a"}, {"code": "b"}]
    (source,) = mapped(resource).audit_sources
    assert source.audit_source_type_codes == (CodedValue("a", "urn:x", "a"), CodedValue("b"))


def test_a_patient_has_its_assigner_and_a_study_its_bare_uid() -> None:
    study, patient = mapped(resource_of(STUDY)).participant_objects
    assert patient.participant_object_id == "P48003^^^&1.2.276.0.76.3.1&ISO"
    assert patient.participant_object_id_type_code.csd_code == "2"
    assert patient.is_patient
    assert study.participant_object_id == "1.2.840.99.7.1"
    assert study.participant_object_id_type_code.csd_code == "110180"
    (description,) = study.participant_object_descriptions
    assert description.accessions == ("A7741",)
    assert description.sop_classes[0].uid == "1.2.840.10008.5.1.4.1.1.2"
    assert description.sop_classes[0].number_of_instances == "120"


def test_queries_and_details_are_carried_through() -> None:
    _, query = mapped(resource_of(QUERY)).participant_objects
    assert query.query_octets == b"QPD|Q99"
    (detail,) = query.participant_object_details
    assert (detail.type, detail.octets) == ("MSH-10", b"4712")


def extension(name: str, **value: Any) -> dict[str, Any]:
    return {"url": f"http://hl7.org/fhir/StructureDefinition/auditevent-{name}", **value}


def test_the_core_extensions_become_a_description() -> None:
    entity = {
        "_description": {
            "extension": [
                extension("MPPS", valueIdentifier={"value": "urn:oid:1.2.3"}),
                extension("Instance", valueIdentifier={"value": "urn:oid:1.2.4"}),
                extension("Encrypted", valueBoolean=True),
                extension("Anonymized", valueBoolean=False),
                extension("ParticipantObjectContainsStudy", valueIdentifier={"value": "1.2.5"}),
                {"url": "urn:other", "valueString": "x"},
            ]
        },
        "securityLabel": [{"code": "R"}, {"display": "VIP"}],
        "lifecycle": {"code": "6"},
        "what": {"display": "something"},
    }
    (one,) = message_of({"entity": [entity]}).participant_objects
    (description,) = one.participant_object_descriptions
    assert description.mpps == ("1.2.3",)
    assert description.contains_study == ("1.2.5",)
    assert (description.encrypted, description.anonymized) == ("true", "false")
    assert (description.sop_classes[0].uid, description.sop_classes[0].instances) == (
        None, ("1.2.4",),
    )  # fmt: skip
    assert one.participant_object_sensitivity == "R VIP"
    assert one.participant_object_data_life_cycle == "6"
    assert one.participant_object_id == "something"


@pytest.mark.parametrize(
    ("code", "kind"), [("Patient", "1"), ("Organization", "3"), ("ImagingStudy", "2"), ("4", "4")]
)
def test_resource_types_are_kinds_of_objects(code: str, kind: str) -> None:
    (one,) = message_of({"entity": [{"type": {"code": code}}]}).participant_objects
    assert one.participant_object_type_code == kind


def test_the_rules_of_the_event_are_applied_and_weigh_as_for_other_legacy_messages() -> None:
    resource = resource_of(QUERY)
    del resource["entity"][1]
    resource["agent"][1]["who"]["identifier"]["value"] = "null"
    said = told(resource)
    found = {(one.rule, one.path) for one in said.findings}
    assert ("placeholder", "AuditEvent.agent[1].who") in found
    assert any(one.rule.startswith("ihe-object") for one in said.findings)
    assert said.verdict == "valid"


def test_findings_name_path_and_line() -> None:
    octets = QUERY.replace(b'"value": "PIX|ST_ANNA"', b'"value": "todo"')
    (one,) = assess(octets).findings
    assert (one.rule, one.path) == ("placeholder", "AuditEvent.agent[1].who")
    assert octets.decode().split("\n")[one.line - 1].strip() == '"who": {'


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/AuditMessage", "AuditEvent"),
        ("/AuditMessage/EventIdentification/@EventDateTime", "AuditEvent.recorded"),
        ("/AuditMessage/EventIdentification/EventTypeCode[2]", "AuditEvent.subtype[1]"),
        ("/AuditMessage/ActiveParticipant/@AlternativeUserID", "AuditEvent.agent[0].altId"),
        ("/AuditMessage/ActiveParticipant[2]/RoleIDCode", "AuditEvent.agent[1].type"),
        ("/AuditMessage/ActiveParticipant[2]/RoleIDCode[2]", "AuditEvent.agent[1].role[0]"),
        ("/AuditMessage/ActiveParticipant/RoleIDCode[2]", "AuditEvent.agent[0].role[1]"),
        ("/AuditMessage/ActiveParticipant[9]/RoleIDCode", "AuditEvent.agent[8].role[0]"),
        ("/AuditMessage/ActiveParticipant/MediaIdentifier/MediaType", "AuditEvent.agent[0].media"),
        (
            "/AuditMessage/ParticipantObjectIdentification[3]/ParticipantObjectDetail[2]/@value",
            "AuditEvent.entity[2].detail[1]",
        ),
    ],
)
def test_paths_of_an_audit_message_have_their_place_in_the_resource(
    path: str, expected: str
) -> None:
    assert fhir_path(path, {"agent": [{}, {"type": {}}]}) == expected


def test_an_event_of_restful_access_is_not_unknown() -> None:
    resource = resource_of(STUDY)
    resource["type"] = {
        "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
        "code": "rest",
    }
    assert told(resource).findings == ()
    resource["type"]["system"] = "http://dicom.nema.org/resources/ontology/DCM"
    assert "event-id-unknown" in {one.rule for one in told(resource).findings}


def test_what_dicom_wants_of_an_event_is_advice() -> None:
    resource = resource_of(STUDY)
    resource["type"]["code"] = "110100"
    said = told(resource)
    missing = [one for one in said.findings if one.rule == "event-participant-missing"]
    assert missing
    assert {str(one.severity) for one in missing} == {"warning"}
    assert said.verdict == "valid"


def test_an_entity_needs_no_identity_but_an_empty_one_is_found() -> None:
    resource = resource_of(QUERY)
    entity = {"query": "R0VUIC9maGlyL1BhdGllbnQ="}
    resource["entity"] = [entity]
    assert "value-empty" not in {one.rule for one in told(resource).findings}
    resource["entity"] = [{**entity, "what": {"display": ""}}]
    assert "value-empty" in {one.rule for one in told(resource).findings}


@pytest.mark.parametrize("kind", ["Bundle", "", 3, None, ["AuditEvent"], "\ud800"])
def test_another_resource_is_no_audit_event(kind: Any) -> None:
    said = told({"resourceType": kind})
    assert (said.message, said.dialect, said.tier, said.verdict) == (
        None, "unknown", "none", "invalid",
    )  # fmt: skip
    assert [one.rule for one in said.findings] == ["fhir-resource-type"]
    assert said.raw_text
    assert said.findings[0].message.encode()


def test_an_r5_event_is_read_as_far_as_it_goes() -> None:
    resource = resource_of(STUDY)
    resource["code"] = {"coding": [resource.pop("type")]}
    said = told(resource)
    assert (said.dialect, said.tier, said.verdict) == ("fhir", "none", "invalid")
    assert said.findings[0].rule == "fhir-edition"
    assert said.message is not None
    assert said.message.active_participants[0].user_id == "mvoss"


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a resource but the whole."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    here = [at] if at else []
    return [*here, *(one for key, below in inner for one in places(below, (*at, key)))]


def with_change(resource: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = deepcopy(resource)
    holder: Any = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    return changed


PLACES = [(octets, place) for octets in (QUERY, STUDY) for place in places(resource_of(octets))]
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just([]), st.just({}),
    st.just([None]), st.just([[]]), st.just({"x": []}), st.just("\ud800\x00"), st.floats(0, 1),
)  # fmt: skip


@given(st.sampled_from(PLACES), JUNK)
def test_no_value_anywhere_breaks_the_reading(
    at: tuple[bytes, tuple[Any, ...]], value: Any
) -> None:
    octets, place = at
    said = told(with_change(resource_of(octets), place, value))
    assert said.verdict in {"valid", "invalid"}
    for one in said.findings:
        assert json.dumps(one.as_dict(), ensure_ascii=False).encode()
        assert one.line >= 1
    if said.message is not None:
        assert parse(serialise(said.message)).active_participants is not None


@given(st.sampled_from(PLACES), st.sampled_from([[], {}, [[]], 7, None]))
def test_a_value_of_the_wrong_type_is_found(at: tuple[bytes, tuple[Any, ...]], value: Any) -> None:
    octets, place = at
    said = told(with_change(resource_of(octets), place, value))
    found = [one for one in said.findings if one.rule.startswith("fhir-")]
    assert found or "extension" in place, said.findings


def test_of_very_many_agents_the_first_are_read() -> None:
    resource = resource_of(STUDY)
    resource["agent"] = resource["agent"] * 2_001
    said = told(resource)
    assert said.message is not None
    assert len(said.message.active_participants) == 2_000
    assert "message-read-partly" in {one.rule for one in said.findings}
    few = assess(json.dumps(resource_of(STUDY)).encode(), XmlLimits(max_parts=1))
    assert few.message is not None
    assert len(few.message.participant_objects) == 1
    (partly,) = (one for one in few.findings if one.rule == "message-read-partly")
    assert "entity" in partly.message


HOSTILE = {
    "deep": b'{"a":' * 200_000,
    "deep arrays": b'{"a":' + b"[" * 1_000_000,
    "wide": b'{"resourceType":"AuditEvent","agent":[' + b"{}," * 19_900 + b"{}]}",
    "entities": b'{"resourceType":"AuditEvent","entity":[' + b'{"a":1,"b":[]},' * 9_900 + b"{}]}",
    "names": b'{"resourceType":"AuditEvent",'
    + b",".join(b'"k%d":1' % n for n in range(59_000))
    + b"}",
    "digits": b'{"resourceType":"AuditEvent","type":' + b"9" * 1_000_000 + b"}",
    "long": b'{"resourceType":"AuditEvent","x":"' + b"a" * 15_000_000 + b'"}',
    "escapes": b'{"resourceType":"AuditEvent","x":"' + b"\\u0041" * 200_000 + b'"}',
    "commas": b'{"resourceType":"' + b"," * 15_000_000 + b'"}',
    "quotes": b'{"' * 1_000_000,
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_json_gets_its_verdict_soon(name: str) -> None:
    begin = time.process_time()
    said = assess(HOSTILE[name])
    assert time.process_time() - begin < MOST_CPU_SECONDS
    assert said.verdict in {"invalid", "malformed"}
    assert 1 <= len(said.findings) <= 100
