"""Shapes: of the parts of a message, all that the rules of events look at, and nothing else.

Two messages whose parts have the same shapes in the same order get the same answer of
`judge_event`, and of the rule about several requestors. A rule that looks at more must have it
added here; tests/record/test_known_parts.py compares the answers.
"""

from functools import cache
from itertools import count
from typing import TypeAlias

from audit.record.audit_message import ActiveParticipant, EventIdentification, ParticipantObject
from audit.record.event_rules import is_private
from audit.record.object_rules import (
    describes_without_sop_class,
    faults_of_query,
    has_query,
    marks_of,
    names_other_system,
    plain_name,
)
from audit.record.remembered import Remembered
from audit.standards import code_tables, event_table

Shape: TypeAlias = tuple[object, ...]

_numbers: Remembered[Shape, int] = Remembered()
_next_number = count(1)


def number_of(shape: Shape) -> int:
    """A number for the shape, above 0: never given to another, and mostly the same each time."""
    number = _numbers.get(shape)
    if number is None:
        number = next(_next_number)
        _numbers.put(shape, number)
    return number


def event_shape(event: EventIdentification) -> Shape:
    """Codes of the event and of its types, action, and whether there is a purpose."""
    types = tuple(
        (
            code.csd_code,
            code_tables.is_transaction(code.csd_code, code.code_system_name),
            is_private(code),
        )
        for code in event.event_type_codes
    )
    purposes = bool(event.purposes_of_use)
    return ("event", event.event_id.csd_code, types, event.event_action_code, purposes)


def participant_shape(one: ActiveParticipant) -> Shape:
    """Roles, requestor, kind of access point, and which attributes there are."""
    return (
        "participant",
        tuple(role.csd_code for role in one.role_id_codes),
        one.user_is_requestor,
        one.media_type is not None,
        bool(one.network_access_point_id),
        one.network_access_point_type_code,
        bool(one.alternative_user_id),
    )


def object_shape(one: ParticipantObject) -> Shape:
    """Type, role, identifier type, life cycle, and what is said about the content."""
    name = plain_name(one.participant_object_name)
    return (
        "object",
        one.participant_object_type_code,
        one.participant_object_type_code_role,
        one.participant_object_id_type_code.csd_code,
        one.participant_object_data_life_cycle,
        bool(name) if is_free_name(name) else name,
        has_query(one),
        frozenset(detail.type for detail in one.participant_object_details),
        marks_of(one),
        names_other_system(one),
        describes_without_sop_class(one),
        faults_of_query(one),
    )


def is_free_name(name: str) -> bool:
    """Whether it is a name, and no event or transaction demands an object of that very one."""
    plain = plain_name(name)
    return bool(plain) and plain not in _fixed_names()


@cache
def _fixed_names() -> frozenset[str]:
    of_transactions = (row for rows in event_table.transactions().values() for row in rows)
    rows = (*event_table.dicom_events().values(), *of_transactions)
    return frozenset(name for row in rows for wanted in row.objects for name in wanted.names)
