"""The body of an indexed record → AuditMessage: what may be shown of a message, and no more.

The body of a record that was disguised holds pseudonyms; the AuditEvent made from it does too. A
query's octets aren't in the body: its decoded keys are told as details.
"""

from base64 import b64encode
from typing import Any

from audit.fhir.values import Json
from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    CodedValue,
    EventIdentification,
    ParticipantObject,
    ParticipantObjectDescription,
    ParticipantObjectDetail,
    SOPClass,
)


def message_from_body(message: Json) -> AuditMessage:
    """The message that the body tells."""
    return AuditMessage(
        event_identification=_event(message["event"]),
        active_participants=tuple(map(_participant, message["participants"])),
        audit_sources=tuple(map(_source, message["sources"])),
        participant_objects=tuple(map(_object, message["objects"])),
    )


def _coded(code: Json) -> CodedValue:
    return CodedValue(code["code"], code["system"], code["text"])


def _event(event: Json) -> EventIdentification:
    return EventIdentification(
        event_id=_coded(event["id"]),
        event_date_time=event["date_time"],
        event_outcome_indicator=event["outcome"],
        event_action_code=event["action"],
        event_type_codes=tuple(map(_coded, event["types"])),
        event_outcome_description=event["outcome_description"],
        purposes_of_use=tuple(map(_coded, event["purposes"])),
    )


def _participant(participant: Json) -> ActiveParticipant:
    media = participant["media"]
    return ActiveParticipant(
        user_id=participant["user_id"],
        user_is_requestor=participant["is_requestor"],
        alternative_user_id=participant["alternative_user_id"],
        user_name=participant["user_name"],
        role_id_codes=tuple(map(_coded, participant["roles"])),
        network_access_point_id=participant["address"],
        network_access_point_type_code=participant["address_type"],
        media_type=None if media is None else _coded(media),
    )


def _source(source: Json) -> AuditSource:
    return AuditSource(
        audit_source_id=source["id"],
        audit_enterprise_site_id=source["site"],
        audit_source_type_codes=tuple(map(_coded, source["types"])),
    )


def _object(subject: Json) -> ParticipantObject:
    details = [(detail["type"], detail["value"]) for detail in subject["details"]]
    details += [(keyword, value) for keyword, value in subject["query"]]
    return ParticipantObject(
        participant_object_id=subject["id"],
        participant_object_id_type_code=_coded(subject["id_type"]),
        participant_object_type_code=subject["type"],
        participant_object_type_code_role=subject["role"],
        participant_object_data_life_cycle=subject["life_cycle"],
        participant_object_sensitivity=subject["sensitivity"],
        participant_object_name=subject["name"],
        participant_object_details=tuple(_detail(*told) for told in details),
        participant_object_descriptions=_descriptions(subject),
    )


def _detail(kind: str, value: str) -> ParticipantObjectDetail:
    return ParticipantObjectDetail(kind, b64encode(value.encode()).decode("ascii"))


def _descriptions(subject: Json) -> tuple[ParticipantObjectDescription, ...]:
    told: list[Any] = [subject[n] for n in ("accessions", "mpps", "sop_classes", "studies")]
    if not any(told):
        return ()
    accessions, mpps, sop_classes, studies = told
    return (
        ParticipantObjectDescription(
            mpps=tuple(mpps),
            accessions=tuple(accessions),
            sop_classes=tuple(map(_sop_class, sop_classes)),
            contains_study=tuple(studies) or None,
        ),
    )


def _sop_class(told: Json) -> SOPClass:
    number = told["instances"]
    return SOPClass(uid=told["uid"], number_of_instances=None if number is None else str(number))
