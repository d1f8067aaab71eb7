"""IHE transactions: each side's table leaves a fitting message alone and catches broken ones."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    CodedValue,
    ParticipantObject,
    ParticipantObjectDetail,
)
from audit.record.event_rules import judge_event
from audit.standards import event_table
from audit.standards.event_table import EventRow, ParticipantRow
from tests.conformance.fitting import TEXT, fitting, fitting_object, with_event, without

ROWS = [row for rows in event_table.transactions().values() for row in rows]
_MARKED = "urn:ihe:iti:xpid:2017:patientIdentifierType"


def broken(row: EventRow) -> Iterator[tuple[str, AuditMessage]]:
    """The same, each time with one thing wrong, and the rule that says so."""
    whole = fitting(row)
    event = whole.event_identification
    other = next(code for code in "CRUDE" if code not in row.actions)
    yield "ihe-action-code", with_event(whole, replace(event, event_action_code=other))
    for index, wanted in enumerate(row.participants):
        if wanted.minimum:
            others = without(whole.active_participants, index)
            yield "ihe-participant-missing", replace(whole, active_participants=others)
        for rule, one in _wrong(whole.active_participants[index], wanted):
            parts = (*without(whole.active_participants, index), one)
            yield rule, replace(whole, active_participants=parts)
    for index in range(len(whole.participant_objects)):
        rest = without(whole.participant_objects, index)
        yield "ihe-object-missing", replace(whole, participant_objects=rest)


def _wrong(
    one: ActiveParticipant, wanted: ParticipantRow
) -> Iterator[tuple[str, ActiveParticipant]]:
    if wanted.requestor:
        turned = replace(one, user_is_requestor=not one.user_is_requestor)
        yield "ihe-participant-requestor", turned
    rule = "ihe-participant-attribute"
    if "AlternativeUserID" in wanted.required:
        yield rule, replace(one, alternative_user_id=None)
    if "MediaType" in wanted.required:
        yield rule, replace(one, media_type=None)
    if "NetworkAccessPointID" in wanted.required:
        yield rule, replace(one, network_access_point_id=None)
        yield rule, replace(one, network_access_point_type_code=None)
        yield rule, replace(one, network_access_point_type_code="5")


def rules_of(message: AuditMessage) -> set[str]:
    return {one.rule for one in judge_event(message)}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> EventRow:
    """The row, though its transaction has others."""
    row: EventRow = request.param
    monkeypatch.setattr(event_table, "transactions", lambda: {row.transaction: (row,)})
    return row


@pytest.mark.parametrize(
    "alone", ROWS, ids=lambda row: f"{row.transaction}-{row.actor}", indirect=True
)
def test_each_side_leaves_a_fitting_message_alone_and_catches_others(alone: EventRow) -> None:
    for action in alone.actions:
        assert judge_event(fitting(alone, action)) == []
    for rule, message in broken(alone):
        assert rule in rules_of(message), message


def test_who_unsubscribes_sends_no_query() -> None:
    row = event_table.transactions()["ITI-52"][0]
    subscribe, unsubscribe = (fitting(row, action) for action in "CD")
    assert judge_event(subscribe) == judge_event(unsubscribe) == []
    assert unsubscribe.participant_objects == ()
    subscription = replace(
        subscribe.participant_objects[0], participant_object_type_code_role="20"
    )
    for objects in ((), (subscription,)):
        silent = replace(subscribe, participant_objects=objects)
        assert rules_of(silent) == {"ihe-object-missing"}


def test_identifiers_of_a_changed_link_are_told_by_their_marks() -> None:
    row = event_table.transactions()["ITI-64"][0]
    whole = fitting(row)
    local, new, previous = whole.participant_objects
    subsumed = fitting_object(
        next(one for one in row.objects if one.name.startswith("subsumed")), row
    )
    assert judge_event(replace(whole, participant_objects=(local, subsumed, new, previous))) == []
    kept = replace(subsumed, participant_object_data_life_cycle="1")
    assert rules_of(replace(whole, participant_objects=(local, kept, new, previous))) == {
        "ihe-object-life-cycle"
    }
    assert rules_of(replace(whole, participant_objects=(local, new, new))) == {
        "ihe-object-detail-missing",
        "ihe-object-surplus",
    }
    plain = replace(local, participant_object_details=local.participant_object_details[:1])
    assert [detail.type for detail in plain.participant_object_details] != [_MARKED]
    assert rules_of(replace(whole, participant_objects=(plain, new, previous))) == {
        "ihe-object-detail-missing"
    }


@pytest.mark.parametrize(
    ("transaction", "side", "rules"),
    [
        ("ITI-10", 0, set()),
        ("ITI-46", 1, set()),
        ("ITI-9", 0, {"ihe-one-patient"}),
        ("ITI-43", 1, {"ihe-one-patient"}),
        ("ITI-41", 0, {"ihe-object-surplus"}),
    ],
)
def test_several_patients_are_told_several_identifiers_of_one_are_not(
    transaction: str, side: int, rules: set[str]
) -> None:
    row = event_table.transactions()[transaction][side]
    whole = fitting(row)
    details = tuple(
        ParticipantObjectDetail(min(names), TEXT) for one in row.objects for names in one.details
    )
    patient = ParticipantObject(
        participant_object_id="p",
        participant_object_id_type_code=CodedValue("2", "RFC-3881", "Patient Number"),
        participant_object_type_code="1",
        participant_object_type_code_role="1",
        participant_object_details=details,
    )
    others = tuple(one for one in whole.participant_objects if not one.is_patient)
    for patients, expected in ((1, set()), (2, rules)):
        message = replace(whole, participant_objects=(*others, *[patient] * patients))
        assert rules_of(message) == expected
