"""A shape holds all that the rules of events look at: else a known shape would hide a breach."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    CodedValue,
    EventIdentification,
    ParticipantObject,
    ParticipantObjectDescription,
    ParticipantObjectDetail,
)
from audit.record.event_rules import judge_event
from audit.record.parse import parse
from audit.record.shapes import event_shape, number_of, object_shape, participant_shape
from audit.standards import event_table
from tests.conformance.corpus import EXAMPLES, SIZES
from tests.conformance.rule_cases import CASES

CODE = CodedValue("110153", "DCM", "Source Role ID")
PERSON = ActiveParticipant(
    user_id="a",
    user_name="b",
    alternative_user_id="c",
    role_id_codes=(CODE,),
    network_access_point_id="d",
    network_access_point_type_code="1",
    media_type=CODE,
)
QUERY = ParticipantObjectDetail("TransferSyntax", "MS4yLjg0MC4xMDAwOC4xLjI=")
OBJECT = ParticipantObject(
    participant_object_id="1.2.3",
    participant_object_id_type_code=CodedValue("110181", "DCM", "SOP Class UID"),
    participant_object_type_code="2",
    participant_object_type_code_role="3",
    participant_object_data_life_cycle="4",
    participant_object_query="EAAQAAAAAAA=",
    participant_object_details=(QUERY,),
)
STUDY = replace(
    OBJECT,
    participant_object_id_type_code=CodedValue("110180", "DCM", "Study Instance UID"),
    participant_object_descriptions=(ParticipantObjectDescription(),),
)
EVENT = EventIdentification(
    event_id=CodedValue("110112", "DCM", "Query"),
    event_date_time="2026-03-01T09:30:00Z",
    event_outcome_indicator="0",
    event_action_code="E",
    event_type_codes=(CodedValue("ITI-9", "IHE Transactions", "PIX Query"),),
    purposes_of_use=(CODE,),
)
SEEN_OF_EVENT = {"event_id", "event_type_codes", "event_action_code", "purposes_of_use"}
SEEN_OF_PARTICIPANT = {
    "role_id_codes",
    "user_is_requestor",
    "media_type",
    "network_access_point_id",
    "network_access_point_type_code",
    "alternative_user_id",
}
SEEN_OF_OBJECT = {
    "participant_object_type_code",
    "participant_object_type_code_role",
    "participant_object_id_type_code",
    "participant_object_data_life_cycle",
    "participant_object_name",
    "participant_object_query",
    "participant_object_details",
    "participant_object_descriptions",
    "query_octets",
    "is_patient",
}


class Spied:
    """Stands for a part and tells which of its attributes were looked at."""

    def __init__(self, part: object, seen: set[str]) -> None:
        self._part = part
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        self._seen.add(name)
        return getattr(self._part, name)


def _messages() -> Iterator[AuditMessage]:
    for sizes in EXAMPLES.values():
        yield from (sizes[size] for size in SIZES)
    for case in CASES:
        if case.tier in {"dicom", "ihe"} and not case.broken.startswith(b"{"):
            yield parse(case.broken)
    for code, rows in event_table.transactions().items():
        for row in rows:
            event = CodedValue(row.event, "DCM", "x")
            kinds = (CodedValue(code, "IHE Transactions", "x"),)
            yield AuditMessage(
                event_identification=replace(EVENT, event_id=event, event_type_codes=kinds),
                active_participants=(PERSON, replace(PERSON, role_id_codes=())),
                audit_sources=(),
                participant_objects=(OBJECT, STUDY),
            )


@pytest.mark.interpreted
def test_the_rules_of_events_look_at_nothing_but_what_shapes_hold() -> None:
    of_event: set[str] = set()
    of_participant: set[str] = set()
    of_object: set[str] = set()
    for message in _messages():
        spied = AuditMessage(
            event_identification=cast(Any, Spied(message.event_identification, of_event)),
            active_participants=tuple(
                cast(Any, Spied(one, of_participant)) for one in message.active_participants
            ),
            audit_sources=cast(Any, None),
            participant_objects=tuple(
                cast(Any, Spied(one, of_object)) for one in message.participant_objects
            ),
        )
        assert judge_event(spied) == judge_event(message)
    assert of_event == SEEN_OF_EVENT
    assert of_participant == SEEN_OF_PARTICIPANT
    assert of_object == SEEN_OF_OBJECT


@pytest.mark.parametrize(
    "changes",
    [
        {"event_id": CodedValue("110103", "DCM", "x")},
        {"event_type_codes": ()},
        {"event_type_codes": (CODE,)},
        {"event_action_code": None},
        {"purposes_of_use": ()},
    ],
)
def test_another_event_has_another_shape(changes: dict[str, Any]) -> None:
    assert event_shape(replace(EVENT, **changes)) != event_shape(EVENT)


@pytest.mark.parametrize(
    "changes",
    [
        {"role_id_codes": ()},
        {"role_id_codes": (CODE, CODE)},
        {"role_id_codes": (CodedValue("110152", "DCM", "x"),)},
        {"user_is_requestor": True},
        {"media_type": None},
        {"network_access_point_id": None},
        {"network_access_point_id": ""},
        {"network_access_point_type_code": None},
        {"alternative_user_id": ""},
    ],
)
def test_another_participant_has_another_shape(changes: dict[str, Any]) -> None:
    assert participant_shape(replace(PERSON, **changes)) != participant_shape(PERSON)


@pytest.mark.parametrize(
    "changes",
    [
        {"participant_object_type_code": "1"},
        {"participant_object_type_code_role": None},
        {"participant_object_id_type_code": CodedValue("2", "RFC-3881", "x")},
        {"participant_object_data_life_cycle": "5"},
        {"participant_object_name": "Security Audit Log"},
        {"participant_object_query": None},
        {"participant_object_query": "AAAA"},
        {"participant_object_details": (replace(QUERY, type="x"), QUERY)},
        {"participant_object_details": (replace(QUERY, value=""),)},
    ],
)
def test_another_object_has_another_shape(changes: dict[str, Any]) -> None:
    assert object_shape(replace(OBJECT, **changes)) != object_shape(OBJECT)


def test_a_description_without_sop_class_has_another_shape() -> None:
    described = ParticipantObjectDescription(accessions=("A1",))
    other = replace(STUDY, participant_object_descriptions=(described,))
    assert object_shape(other) != object_shape(STUDY)


def test_who_it_is_does_not_change_a_shape() -> None:
    person = replace(PERSON, user_id="x", user_name=None, alternative_user_id="AETITLES=Y")
    named = replace(OBJECT, participant_object_name="Anna")
    subject = replace(named, participant_object_id="x", participant_object_name="y")
    assert participant_shape(person) == participant_shape(PERSON)
    assert object_shape(subject) == object_shape(named)
    event = replace(EVENT, event_date_time="x", event_outcome_indicator="8")
    assert event_shape(event) == event_shape(EVENT)


def test_shapes_are_numbered_apart() -> None:
    shapes = [event_shape(EVENT), participant_shape(PERSON), object_shape(OBJECT), ("source",)]
    numbers = [number_of(shape) for shape in shapes]
    assert [number_of(shape) for shape in shapes] == numbers
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) > 0
