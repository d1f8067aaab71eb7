"""FHIR R4 AuditEvent → AuditMessage, element by element.

Never raises, whatever the resource holds: what has the wrong type counts as absent, and saying so
is the grammar's task. Agents and entities keep their numbers.

Source: FHIR R4 4.0.1 AuditEvent, mapping to DICOM PS3.15 A.5; FHIR core extensions auditevent-*.
"""

from base64 import b64encode
from functools import cache

from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    CodedValue,
    EventIdentification,
    ParticipantObject,
    ParticipantObjectDetail,
)
from audit.record.fhir_descriptions import descriptions_of
from audit.record.fhir_values import Json, identifier_of, listed, member, text_of
from audit.record.xml_input import DEFAULT_LIMITS
from audit.standards.files import read_toml

_PERSON, _PATIENT_ROLE = "1", "1"
_PATIENT_NUMBER = CodedValue("2", "RFC-3881", "Patient Number")
_STUDY = CodedValue("110180", "DCM", "Study Instance UID")
_STUDY_TYPE, _STUDY_ROLE = "2", "3"
_DICOM_UIDS = "urn:dicom:uid"
_URN_OID = "urn:oid:"
_SOURCE_TYPES = "http://terminology.hl7.org/CodeSystem/security-source-type"


@cache
def _names_of_systems() -> dict[str, str]:
    names: dict[str, str] = read_toml("fhir/audit-event.toml")["system"]
    return names


@cache
def _object_types() -> dict[str, str]:
    types: dict[str, str] = read_toml("fhir/audit-event.toml")["object_type"]
    return types


def message_of(resource: Json, most: int = DEFAULT_LIMITS.max_parts) -> AuditMessage:
    """What the AuditEvent says, in the words of PS3.15 A.5.1.

    Args:
        resource: the AuditEvent.
        most: agents and entities that are read, each.
    """
    agents = listed(resource, "agent", most)
    return AuditMessage(
        event_identification=_event(resource, agents),
        active_participants=tuple(map(_participant, agents)),
        audit_sources=(_source(member(resource, "source")),) if "source" in resource else (),
        participant_objects=tuple(map(_object, listed(resource, "entity", most))),
    )


def _coded(coding: Json) -> CodedValue:
    system = text_of(coding, "system")
    named = _names_of_systems().get(system, system).removeprefix(_URN_OID)
    return CodedValue(text_of(coding, "code"), named, text_of(coding, "display"))


def _of_concept(concept: Json) -> CodedValue:
    """The DICOM code of a concept, else its first, else its text."""
    codes = [_coded(coding) for coding in listed(concept, "coding")]
    told = next((one for one in codes if one.code_system_name == "DCM"), None)
    if told is None:
        told = codes[0] if codes else CodedValue("")
    text = told.original_text or text_of(concept, "text")
    return CodedValue(told.csd_code, told.code_system_name, text)


def _event(resource: Json, agents: list[Json]) -> EventIdentification:
    purposes = [_of_concept(one) for one in listed(resource, "purposeOfEvent")]
    purposes += [_of_concept(one) for agent in agents for one in listed(agent, "purposeOfUse")]
    return EventIdentification(
        event_id=_coded(member(resource, "type")),
        event_date_time=text_of(resource, "recorded"),
        event_outcome_indicator=text_of(resource, "outcome"),
        event_action_code=text_of(resource, "action") or None,
        event_type_codes=tuple(map(_coded, listed(resource, "subtype"))),
        event_outcome_description=text_of(resource, "outcomeDesc") or None,
        purposes_of_use=tuple(dict.fromkeys(purposes)),
    )


def _participant(agent: Json) -> ActiveParticipant:
    who, network = member(agent, "who"), member(agent, "network")
    name, alternative = text_of(agent, "name"), text_of(agent, "altId")
    display, address = text_of(who, "display"), text_of(network, "address")
    user_id = identifier_of(who) or display or name or alternative or address
    if not name and display != user_id:
        name = display
    roles = [_of_concept(member(agent, "type"))] if "type" in agent else []
    roles += map(_of_concept, listed(agent, "role"))
    return ActiveParticipant(
        user_id=user_id,
        user_is_requestor=agent.get("requestor") is True,
        alternative_user_id=alternative or None,
        user_name=name or None,
        role_id_codes=tuple(roles),
        network_access_point_id=address or None,
        network_access_point_type_code=text_of(network, "type") or None,
        media_type=_coded(member(agent, "media")) if "media" in agent else None,
    )


def _source(source: Json) -> AuditSource:
    observer = member(source, "observer")
    return AuditSource(
        audit_source_id=identifier_of(observer) or text_of(observer, "display"),
        audit_enterprise_site_id=text_of(source, "site") or None,
        audit_source_type_codes=tuple(map(_source_type, listed(source, "type"))),
    )


def _source_type(coding: Json) -> CodedValue:
    """DICOM writes its own source types as a bare code."""
    code = _coded(coding)
    if code.code_system_name == _SOURCE_TYPES:
        return CodedValue(code.csd_code)
    text = code.original_text or (code.csd_code if code.code_system_name else "")
    return CodedValue(code.csd_code, code.code_system_name, text)


def _object(entity: Json) -> ParticipantObject:
    what = member(entity, "what")
    kind, role = _kind(entity), text_of(member(entity, "role"), "code") or None
    is_patient = (kind, role) == (_PERSON, _PATIENT_ROLE)
    return ParticipantObject(
        participant_object_id=_object_id(what, is_patient=is_patient),
        participant_object_id_type_code=_id_type(what, kind, role, is_patient=is_patient),
        participant_object_type_code=kind,
        participant_object_type_code_role=role,
        participant_object_data_life_cycle=text_of(member(entity, "lifecycle"), "code") or None,
        participant_object_sensitivity=_sensitivity(entity),
        participant_object_name=text_of(entity, "name") or text_of(what, "display") or None,
        participant_object_query=text_of(entity, "query") or None,
        participant_object_details=tuple(map(_detail, listed(entity, "detail"))),
        participant_object_descriptions=descriptions_of(entity),
    )


def _kind(entity: Json) -> str | None:
    code = text_of(member(entity, "type"), "code")
    if code.isdecimal() or not code:
        return code or None
    return _object_types().get(code, "2")


def _object_id(what: Json, *, is_patient: bool) -> str:
    """The identifier as PS3.15 has it: a bare UID, and a patient's with its assigner (HL7 CX)."""
    identifier = member(what, "identifier")
    value, system = text_of(identifier, "value"), text_of(identifier, "system")
    if value.startswith(_URN_OID):
        return value.removeprefix(_URN_OID)
    if is_patient and value and system.startswith(_URN_OID) and "^" not in value:
        return f"{value}^^^&{system.removeprefix(_URN_OID)}&ISO"
    return identifier_of(what) or text_of(what, "display")


def _id_type(what: Json, kind: str | None, role: str | None, *, is_patient: bool) -> CodedValue:
    identifier = member(what, "identifier")
    told = _of_concept(member(identifier, "type"))
    if told.csd_code or told.original_text:
        return told
    if is_patient:
        return _PATIENT_NUMBER
    is_study = (kind, role) == (_STUDY_TYPE, _STUDY_ROLE)
    return _STUDY if is_study and text_of(identifier, "system") == _DICOM_UIDS else told


def _sensitivity(entity: Json) -> str | None:
    labels = (_coded(one) for one in listed(entity, "securityLabel"))
    told = [one.csd_code or one.original_text for one in labels]
    return " ".join(filter(None, told)) or None


def _detail(detail: Json) -> ParticipantObjectDetail:
    encoded = text_of(detail, "valueBase64Binary")
    plain = text_of(detail, "valueString")
    value = encoded or b64encode(plain.encode()).decode("ascii")
    return ParticipantObjectDetail(text_of(detail, "type"), value)
