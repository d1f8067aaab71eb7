"""What every event has in common: identification, message, and the checks of its arguments."""

from collections.abc import Sequence
from enum import Enum

from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    CodedValue,
    EventIdentification,
    ParticipantObject,
)
from audit.record.build.arguments import Occurrence, Patient, Study
from audit.record.build.codes import Action, EventId
from audit.record.build.parts import coded, date_time, patient_object, source, study_object
from audit.record.build.wording import shown

RECORD_ACTIONS = frozenset({Action.CREATE, Action.READ, Action.UPDATE, Action.DELETE})
TRANSFER_ACTIONS = frozenset({Action.CREATE, Action.READ, Action.UPDATE})


def identification(
    event: EventId, action: Action, occurrence: Occurrence, kind: Enum | None = None
) -> EventIdentification:
    """The EventIdentification; ``kind`` is the EventTypeCode that the event itself asks for."""
    if not isinstance(occurrence, Occurrence):
        raise TypeError("an event's first argument is its Occurrence (PS3.15 A.5.1)")
    own: tuple[CodedValue, ...] = () if kind is None else (kind.value,)
    described = occurrence.outcome_description
    return EventIdentification(
        event_id=event.value,
        event_action_code=str(action),
        event_date_time=date_time(occurrence.when),
        event_outcome_indicator=str(occurrence.outcome),
        event_type_codes=own + tuple(map(coded, occurrence.event_types)),
        event_outcome_description=None if described is None else shown(described),
    )


def message(
    identification: EventIdentification,
    occurrence: Occurrence,
    taking_part: tuple[ActiveParticipant, ...],
    objects: tuple[ParticipantObject, ...] = (),
) -> AuditMessage:
    """The parts as a whole, under the occurrence's audit source."""
    return AuditMessage(
        event_identification=identification,
        active_participants=taking_part,
        audit_sources=(source(occurrence.source),),
        participant_objects=objects,
    )


def check_count(given: Sequence[object], what: str, clause: str, *, most: int | None = 2) -> None:
    """Refuse none, or more than ``most``."""
    if not given:
        raise ValueError(f"at least one {what} is needed (PS3.15 {clause})")
    if most is not None and len(given) > most:
        raise ValueError(f"{len(given)} {what}s, at most {most} are allowed (PS3.15 {clause})")


def check_kind(given: object, expected: type | tuple[type, ...], what: str, clause: str) -> None:
    """Refuse what isn't of the type that the event's table has in that place."""
    if not isinstance(given, expected):
        raise TypeError(f"{what} can't be a {type(given).__name__} (PS3.15 {clause})")


def check_action(action: Action, allowed: frozenset[Action], clause: str) -> None:
    """Refuse an action that the event's table doesn't list."""
    check_kind(action, Action, "the action", clause)
    if action not in allowed:
        letters = " ".join(sorted(allowed))
        raise ValueError(f"action {action} isn't one of {letters} (PS3.15 {clause})")


def patients_and_studies(
    patients: Sequence[Patient], studies: Sequence[Study], clause: str
) -> tuple[ParticipantObject, ...]:
    """The studies, then the patients, as objects."""
    for study in studies:
        check_kind(study, Study, "a study", clause)
    for patient in patients:
        check_kind(patient, Patient, "a patient", clause)
    return (*map(study_object, studies), *map(patient_object, patients))
