"""The body of an IndexedRecord: what the API and the pages show and nothing searches."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from audit.frame.syslog import SyslogHeader
from audit.journal.entry import Received
from audit.projector.identities import host_of, patient_identifiers
from audit.projector.objects import is_patient
from audit.record.audit_message import (
    ActiveParticipant,
    AuditSource,
    CodedValue,
    EventIdentification,
    ParticipantObject,
    ParticipantObjectDescription,
    ParticipantObjectDetail,
)
from audit.record.times import format_ns

Body = dict[str, Any]

_HEADER_NAMES = tuple(name for name in SyslogHeader._fields if name != "remarks")
"""All but the last."""
_remembered_host_of = lru_cache(maxsize=256)(host_of)


def _coded(code: CodedValue) -> Body:
    return {
        "code": code.csd_code,
        "system": code.code_system_name,
        "text": code.original_text or code.display_name or "",
    }


def event_body(event: EventIdentification) -> Body:
    """EventIdentification as JSON."""
    return {
        "id": _coded(event.event_id),
        "types": [_coded(code) for code in event.event_type_codes],
        "action": event.event_action_code,
        "date_time": event.event_date_time,
        "outcome": event.event_outcome_indicator,
        "outcome_description": event.event_outcome_description,
        "purposes": [_coded(code) for code in event.purposes_of_use],
    }


def participant_body(participant: ActiveParticipant) -> Body:
    """ActiveParticipant as JSON."""
    media = participant.media_type
    return {
        "user_id": participant.user_id,
        "alternative_user_id": participant.alternative_user_id,
        "user_name": participant.user_name,
        "is_requestor": participant.user_is_requestor,
        "roles": [_coded(code) for code in participant.role_id_codes],
        "address": participant.network_access_point_id,
        "address_type": participant.network_access_point_type_code,
        "media": None if media is None else _coded(media),
    }


def source_body(source: AuditSource) -> Body:
    """AuditSourceIdentification as JSON."""
    return {
        "id": source.audit_source_id,
        "site": source.audit_enterprise_site_id,
        "types": [_coded(code) for code in source.audit_source_type_codes],
    }


def readable_detail(detail: ParticipantObjectDetail) -> str:
    """A detail's value as text; the base64 as sent when it isn't base64 of readable UTF-8."""
    octets = detail.octets
    if octets is None:
        return detail.value
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return detail.value
    return text if text.isprintable() or text.replace("\n", "").isprintable() else detail.value


def _described(descriptions: tuple[ParticipantObjectDescription, ...]) -> Body:
    return {
        "accessions": [number for one in descriptions for number in one.accessions],
        "mpps": [uid for one in descriptions for uid in one.mpps],
        "sop_classes": [
            {"uid": sop_class.uid, "instances": _count(sop_class.number_of_instances)}
            for one in descriptions
            for sop_class in one.sop_classes
        ],
        "studies": [uid for one in descriptions for uid in one.contains_study or ()],
    }


def _count(number: str | None) -> int | None:
    text = (number or "").strip()
    return int(text) if text.isdecimal() and len(text) <= len(str(2**63)) else None


def object_body(subject: ParticipantObject, keys: tuple[tuple[str, str], ...]) -> Body:
    """ParticipantObjectIdentification as JSON; ``keys`` are its decoded query keys, in order."""
    patients = patient_identifiers(subject.participant_object_id) if is_patient(subject) else ()
    return {
        "id": subject.participant_object_id,
        "id_type": _coded(subject.participant_object_id_type_code),
        "type": subject.participant_object_type_code,
        "role": subject.participant_object_type_code_role,
        "life_cycle": subject.participant_object_data_life_cycle,
        "sensitivity": subject.participant_object_sensitivity,
        "name": subject.participant_object_name,
        "patients": [one.identifier for one in patients],
        "query": [list(pair) for pair in keys],
        "details": [
            {"type": detail.type, "value": readable_detail(detail)}
            for detail in subject.participant_object_details
        ],
        **_described(subject.participant_object_descriptions),
    }


def header_body(header: SyslogHeader) -> Body:
    """The syslog header as JSON, its remarks left to the findings."""
    return dict(zip(_HEADER_NAMES, header, strict=False))


def arrival_body(received: Received, subject_of: Callable[[bytes], str]) -> Body:
    """How the record came in; ``subject_of`` names a certificate by its SHA-256."""
    certificate = received.certificate_sha256
    return {
        "received": format_ns(received.received_at),
        "peer": {
            "address": _remembered_host_of(received.peer),
            "listener": received.listener,
            "certificate_sha256": certificate.hex(),
            "certificate_subject": subject_of(certificate),
        },
        "size": len(received.raw)
        if received.original_length is None
        else received.original_length,
    }
