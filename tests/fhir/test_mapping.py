"""Every message of the corpus becomes an AuditEvent that says the same."""

from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from audit.fhir.values import MINTED, Json
from audit.record.audit_message import (
    AuditSource,
    CodedValue,
    ParticipantObjectDetail,
)
from audit.record.serialise import serialise
from tests.conformance.corpus import EXAMPLES
from tests.conformance.json_cases import QUERY
from tests.fhir.samples import as_fhir, samples
from tests.projector.messages import (
    DAY,
    NOW,
    ORIGIN,
    event,
    message,
    patient,
    person,
    study,
    syslog,
)

SAMPLES = dict(samples())
DCM = "http://dicom.nema.org/resources/ontology/DCM"


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_maps_to_what_another_model_accepts(name: str) -> None:
    resource = as_fhir(SAMPLES[name])
    AuditEvent.model_validate(resource)
    assert resource["id"] == f"{ORIGIN}-7"
    assert "text" not in resource
    assert "profile" not in resource["meta"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_event_keeps_participants_and_objects(name: str) -> None:
    for sent in EXAMPLES[name].values():
        resource = as_fhir(serialise(sent))
        assert resource["type"] == {
            "system": DCM,
            "code": name,
            "display": sent.event_identification.event_id.original_text,
        }
        users = [agent["who"]["identifier"]["value"] for agent in resource["agent"]]
        assert users == [one.user_id for one in sent.active_participants]
        requestors = [agent["requestor"] for agent in resource["agent"]]
        assert requestors == [one.user_is_requestor for one in sent.active_participants]
        entities = resource.get("entity", [])
        assert [one.get("query") for one in entities] == [
            one.participant_object_query for one in sent.participant_objects
        ]


def test_descriptions_become_the_core_extensions_and_words() -> None:
    told = as_fhir(serialise(EXAMPLES["110103"]["full"]))["entity"][0]
    values = [tuple(one.values()) for one in told["extension"]]
    beginning = "http://hl7.org/fhir/StructureDefinition/auditevent-"
    assert values == [
        (f"{beginning}MPPS", {"value": "2.999.5.1"}),
        (f"{beginning}Accession", {"value": "A1"}),
        (f"{beginning}Accession", {"value": "A2"}),
        (f"{beginning}SOPClass", {"identifier": {"value": "1.2.840.10008.5.1.4.1.1.6.1"}}),
        (f"{beginning}NumberOfInstances", 3),
        (f"{beginning}Instance", {"value": "2.999.6.1"}),
        (f"{beginning}Instance", {"value": "2.999.6.2"}),
        (f"{beginning}Encrypted", True),
        (f"{beginning}Anonymized", False),
    ]
    assert "SOPClass not told: 1 instances" in told["description"]


def only(resource: Json, name: str) -> Json:
    (one,) = resource[name]
    assert isinstance(one, dict)
    return one


def mapped_object(**changes: object) -> Json:
    sent = replace(study(), **changes)  # type: ignore[arg-type]
    return only(as_fhir(syslog(message(objects=(sent,)))), "entity")


def test_a_patient_of_hl7_form_has_its_assigner_apart() -> None:
    sent = patient("P1^^^St. Anna&2.999.17&ISO~P2^^^Other")
    first, second = as_fhir(syslog(message(objects=(sent,))))["entity"]
    assert first["what"]["identifier"]["system"] == "urn:oid:2.999.17"
    assert first["what"]["identifier"]["assigner"] == {"display": "St. Anna"}
    assert first["what"]["identifier"]["value"] == "P1"
    assert second["what"]["identifier"]["value"] == "P2"
    assert "system" not in second["what"]["identifier"]
    assert first["name"] == second["name"] == "Doe^Jane"


def test_a_query_with_a_name_keeps_both() -> None:
    query = b64encode(b"PatientName=X*").decode()
    told = mapped_object(participant_object_query=f" {query} ")
    assert told["query"] == query
    assert "name" not in told
    assert told["what"]["display"] == "CT Thorax"


def test_a_query_that_is_no_base64_is_kept_as_text() -> None:
    told = mapped_object(participant_object_query="not base64!")
    assert "query" not in told
    assert told["detail"] == [{"type": "ParticipantObjectQuery", "valueString": "not base64!"}]


def test_details_are_base64_or_text() -> None:
    details = (
        ParticipantObjectDetail("a", "QUJD"),
        ParticipantObjectDetail("b", "no base64!"),
        ParticipantObjectDetail("", ""),
    )
    assert mapped_object(participant_object_details=details)["detail"] == [
        {"type": "a", "valueBase64Binary": "QUJD"},
        {"type": "b", "valueString": "no base64!"},
        {"type": "not told", "valueString": "not told"},
    ]


def test_roles_that_fhir_lacks_have_a_system_of_their_own() -> None:
    told = mapped_object(participant_object_type_code_role="25")
    assert told["role"] == {"system": f"{MINTED}object-role", "code": "25"}


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("DCM", DCM),
        ("1.2.3", "urn:oid:1.2.3"),
        ("urn:oid:2.999", "urn:oid:2.999"),
        ("https://codes.example/x", "https://codes.example/x"),
        ("Our Codes", f"{MINTED}Our%20Codes"),
    ],
)
def test_every_system_is_an_absolute_uri(name: str, uri: str) -> None:
    sent = event(event_type_codes=(CodedValue("1", name, "one"),))
    told = as_fhir(syslog(message(sent)))
    assert only(told, "subtype") == {"system": uri, "code": "1", "display": "one"}


def agent(**changes: Any) -> Json:
    return only(as_fhir(syslog(message(participants=(person(**changes),)))), "agent")


def test_an_xua_name_gives_user_and_issuer() -> None:
    told = agent(user_name="al<mara@urn:ids:st-anna>", user_id="4711")
    assert told["who"]["identifier"] == {"system": "urn:ids:st-anna", "value": "mara"}
    assert told["who"]["extension"][0]["valueIdentifier"] == {"value": "4711"}
    assert told["name"] == "al<mara@urn:ids:st-anna>"
    named = agent(user_name=None, user_id="al<mara@idp>")
    assert named["who"] == {"identifier": {"value": "mara", "assigner": {"display": "idp"}}}


def test_the_type_of_an_agent_is_chosen_by_code() -> None:
    doctor = CodedValue("doctor", "1.2.3", "Doctor")
    source = CodedValue("110153", "DCM", "Source")
    told = agent(role_id_codes=(doctor, source))
    assert told["type"]["coding"][0]["code"] == "110153"
    assert [role["coding"][0]["code"] for role in told["role"]] == ["doctor"]


def test_further_sources_are_entities() -> None:
    sources = (AuditSource(audit_source_id="a"), AuditSource(audit_source_id="b"))
    sent = replace(message(objects=()), audit_sources=sources)
    told = as_fhir(syslog(sent))
    assert told["source"]["observer"]["identifier"]["value"] == "a"
    assert only(told, "entity")["what"]["identifier"]["value"] == "b"


def test_an_implausible_time_is_told_as_period() -> None:
    sent = syslog(message(event(event_date_time="2010-01-01T00:00:00Z")))
    told = as_fhir(sent)
    assert told["recorded"] == "2026-05-28T20:26:40Z"
    assert told["period"] == {"start": "2010-01-01T00:00:00Z", "end": "2010-01-01T00:00:00Z"}
    assert "period" not in as_fhir(syslog(message()))


def test_what_cannot_be_parsed_says_so() -> None:
    told = as_fhir(b"<85>1 - host9 app - - - plain words")
    assert told["type"]["display"] == "Audit message that can't be parsed"
    assert told["agent"][0]["network"]["address"] == "192.0.2.9"
    assert told["source"]["observer"]["display"] == "host9"
    assert told["id"] in told["entity"][0]["description"]


def test_characters_that_fhir_forbids_are_replaced() -> None:
    told = agent(user_name="  evil\u202etxt ", user_id="x")
    assert told["name"] == "evil\ufffdtxt"


def test_an_event_that_came_as_fhir_is_given_as_it_came() -> None:
    told = as_fhir(QUERY, received_at=NOW - 88 * DAY)
    assert told["entity"][1]["detail"] == [{"type": "MSH-10", "valueString": "4712"}]
    assert told["recorded"] == "2026-03-01T09:30:00.000+01:00"
    assert told["id"] == f"{ORIGIN}-7"
