"""Messages, entries and journals for tests of projector and query."""

from datetime import UTC, datetime
from typing import Any

from audit.frame.syslog import format_message
from audit.journal.entry import Entry, EntryKind, Received
from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    CodedValue,
    EventIdentification,
    ParticipantObject,
)
from audit.record.serialise import serialise

ORIGIN = "k3f9x2ab"
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
NOW = 1_780_000_000 * SECOND  # 2026-05-28T20:26:40Z
NOW_TEXT = "2026-05-28T20:26:40Z"

PATIENT_NUMBER = CodedValue("2", "RFC-3881", "Patient Number")
STUDY_UID = CodedValue("110180", "DCM", "Study Instance UID")
SOP_CLASS_UID = CodedValue("110181", "DCM", "SOP Class UID")
SOURCE = CodedValue("110153", "DCM", "Source Role ID")
DESTINATION = CodedValue("110152", "DCM", "Destination Role ID")
DESTINATION_MEDIA = CodedValue("110154", "DCM", "Destination Media")

_NAMES = {
    "110103": "DICOM Instances Accessed",
    "110104": "DICOM Instances Transferred",
    "110106": "Export",
    "110112": "Query",
    "110113": "Security Alert",
    "110114": "User Authentication",
}


def event(code: str = "110103", **changes: Any) -> EventIdentification:
    given: dict[str, Any] = {
        "event_id": CodedValue(code, "DCM", _NAMES.get(code, "Something")),
        "event_date_time": NOW_TEXT,
        "event_outcome_indicator": "0",
        "event_action_code": "R",
    }
    return EventIdentification(**(given | changes))


def person(user_id: str = "mvoss@example.org", **changes: Any) -> ActiveParticipant:
    given: dict[str, Any] = {"user_is_requestor": True, "user_name": "Mara Voss"}
    return ActiveParticipant(user_id=user_id, **(given | changes))


def patient(identifier: str = "P48003", name: str | None = "Doe^Jane") -> ParticipantObject:
    return ParticipantObject(
        participant_object_id=identifier,
        participant_object_id_type_code=PATIENT_NUMBER,
        participant_object_type_code="1",
        participant_object_type_code_role="1",
        participant_object_name=name,
    )


def study(uid: str = "1.2.840.99.7", **changes: Any) -> ParticipantObject:
    given: dict[str, Any] = {
        "participant_object_id_type_code": STUDY_UID,
        "participant_object_type_code": "2",
        "participant_object_type_code_role": "3",
        "participant_object_name": "CT Thorax",
    }
    return ParticipantObject(participant_object_id=uid, **(given | changes))


def message(
    identification: EventIdentification | None = None,
    participants: tuple[ActiveParticipant, ...] = (),
    objects: tuple[ParticipantObject, ...] | None = None,
    node: str = "viewer-3",
) -> AuditMessage:
    return AuditMessage(
        event_identification=identification or event(),
        active_participants=participants or (person(),),
        audit_sources=(AuditSource(audit_source_id=node, audit_enterprise_site_id="radiology"),),
        participant_objects=(study(), patient()) if objects is None else objects,
    )


def syslog(msg: bytes | AuditMessage, hostname: str = "ws12") -> bytes:
    return format_message(
        severity=5,
        hostname=hostname,
        app_name="viewer",
        procid="17",
        timestamp=datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC),
        msg=msg if isinstance(msg, bytes) else serialise(msg),
    )


def received(raw: bytes | AuditMessage, **changes: Any) -> Received:
    given: dict[str, Any] = {
        "received_at": NOW,
        "listener": "tls",
        "peer": "192.0.2.9:40112",
        "kind": EntryKind.MESSAGE,
    }
    octets = raw if isinstance(raw, bytes) else syslog(raw)
    return Received(raw=octets, **(given | changes))


def entry(raw: bytes | AuditMessage, sequence: int = 7, **changes: Any) -> Entry:
    return Entry(sequence, bytes(16), received(raw, **changes))
