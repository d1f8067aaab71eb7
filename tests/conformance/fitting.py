"""Messages that hold what a row of the tables of transactions wants."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    CodedValue,
    EventIdentification,
    ParticipantObject,
    ParticipantObjectDetail,
)
from audit.standards.event_table import EventRow, ObjectRow, ParticipantRow

T = TypeVar("T")
TEXT = b64encode(b"GET /Patient?name=x").decode()


def fitting(row: EventRow, action: str = "") -> AuditMessage:
    """A message that holds what the row wants, and no more."""
    action = action or next(iter(row.actions), "E")
    return AuditMessage(
        event_identification=EventIdentification(
            event_id=CodedValue(row.event, "DCM", "x"),
            event_date_time="2026-03-01T09:30:00Z",
            event_outcome_indicator="0",
            event_action_code=action,
            event_type_codes=_kinds(row),
            purposes_of_use=(CodedValue("12", "1.0.14265.1", "Law Enforcement"),),
        ),
        active_participants=tuple(map(_participant, row.participants)),
        audit_sources=(AuditSource(audit_source_id="s"),),
        participant_objects=tuple(_objects(row, action)),
    )


def _kinds(row: EventRow) -> tuple[CodedValue, ...]:
    return (CodedValue(row.transaction, "IHE Transactions", "x"),) if row.transaction else ()


def _participant(wanted: ParticipantRow) -> ActiveParticipant:
    return ActiveParticipant(
        user_id="u",
        alternative_user_id="4711",
        user_is_requestor=wanted.requestor == "true",
        role_id_codes=(CodedValue(wanted.role, "DCM", "x"),),
        network_access_point_id="pacs.example",
        network_access_point_type_code="1",
        media_type=CodedValue("110032", "DCM", "CD"),
    )


def _objects(row: EventRow, action: str) -> Iterator[ParticipantObject]:
    """One of each; rows that are told by a mark fill the row of all that are alike."""
    has_marks = any(one.mark for one in row.objects)
    for wanted in row.objects:
        is_meant = not wanted.actions or action in wanted.actions
        if wanted.minimum and is_meant and (wanted.mark or not (has_marks and wanted.is_patient)):
            yield fitting_object(wanted, row)


def fitting_object(wanted: ObjectRow, row: EventRow) -> ParticipantObject:
    """An object that the row wants, with the details of all rows, since some are told alike."""
    details = {min(names): TEXT for one in row.objects for names in one.details}
    if wanted.mark:
        details[wanted.mark.type] = b64encode(min(wanted.mark.values).encode()).decode()
    return ParticipantObject(
        participant_object_id="o",
        participant_object_id_type_code=CodedValue(next(iter(wanted.id_types), "2"), "x", "x"),
        participant_object_type_code=next(iter(wanted.types), "2"),
        participant_object_type_code_role=next(iter(wanted.roles), "3"),
        participant_object_data_life_cycle=next(iter(wanted.life_cycles), None),
        participant_object_query=TEXT,
        participant_object_details=tuple(
            ParticipantObjectDetail(kind, value) for kind, value in details.items()
        ),
    )


def with_event(message: AuditMessage, event: EventIdentification) -> AuditMessage:
    """The message about another event."""
    return replace(message, event_identification=event)


def without(items: tuple[T, ...], index: int) -> tuple[T, ...]:
    """The items but one."""
    return items[:index] + items[index + 1 :]
