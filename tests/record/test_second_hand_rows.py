"""Profiles of FHIR and common practice: each row leaves a fitting message alone, catches others.

What they say is never an error: the one is advice here, the other nobody prescribes.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace

import pytest

from audit.record.assess import assess
from audit.record.audit_message import (
    AuditMessage,
    CodedValue,
)
from audit.record.event_rules import judge_event, judge_fhir_event
from audit.record.findings import Finding, Severity
from audit.standards import event_table
from audit.standards.event_table import EventRow
from tests.conformance.fitting import fitting, with_event, without

PRACTICE = [row for rows in event_table.common_practice().values() for row in rows]
PROFILES = [*event_table.fhir_profiles().values()]


def broken(row: EventRow) -> Iterator[tuple[str, AuditMessage]]:
    """The same, each time without one thing that the row wants, and the rule that says so."""
    whole = fitting(row)
    event = whole.event_identification
    yield (
        "ihe-event-id",
        with_event(whole, replace(event, event_id=CodedValue("110199", "DCM", "x"))),
    )
    if row.actions:
        other = next((code for code in "CRUDE" if code not in row.actions), None)
        yield "ihe-action-code", with_event(whole, replace(event, event_action_code=other))
    for index in range(len(whole.active_participants)):
        others = without(whole.active_participants, index)
        yield "ihe-participant-missing", replace(whole, active_participants=others)
    for index, one in enumerate(whole.participant_objects):
        rest = without(whole.participant_objects, index)
        yield "ihe-object-missing", replace(whole, participant_objects=rest)
        for at in range(len(one.participant_object_details)):
            less = replace(
                one, participant_object_details=without(one.participant_object_details, at)
            )
            yield (
                "ihe-object-detail-missing",
                replace(whole, participant_objects=(*rest, less)),
            )


def _alone(row: EventRow, message: AuditMessage, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What is said by this row, though the transaction has others."""
    rows = {row.transaction: (row,)}
    monkeypatch.setattr(event_table, "common_practice", lambda: rows if row.practice else {})
    monkeypatch.setattr(event_table, "fhir_profiles", lambda: {row.profile: row})
    return judge_event(message) if row.practice else judge_fhir_event(message, [row.profile])


@pytest.mark.parametrize(
    "row", [*PRACTICE, *PROFILES], ids=lambda row: row.profile or f"{row.transaction}-{row.actor}"
)
def test_each_row_leaves_a_fitting_message_alone_and_catches_others(
    row: EventRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _alone(row, fitting(row), monkeypatch) == []
    expected = Severity.INFO if row.practice else Severity.WARNING
    for rule, message in broken(row):
        found = _alone(row, message, monkeypatch)
        assert rule in {one.rule for one in found}
        assert {one.severity for one in found} <= {expected, Severity.INFO}
        assert all(one.clause == row.clause for one in found)


def test_the_side_that_fits_best_is_taken() -> None:
    rows = event_table.common_practice()["ITI-57"]
    assert {row.event for row in rows} == {"110106", "110107"}
    for row in rows:
        assert judge_event(fitting(row)) == []


def resource(profile: str = "", kind: str = "ITI-67") -> bytes:
    agents = [("110153", "client"), ("110152", "server")]
    told = {
        "resourceType": "AuditEvent",
        "meta": {"profile": [profile, 7]} if profile else {},
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
            "code": "rest",
        },
        "subtype": [{"system": "urn:ihe:event-type-code", "code": kind}],
        "action": "E",
        "recorded": "2026-03-01T09:30:00Z",
        "outcome": "0",
        "agent": [
            {
                "type": {
                    "coding": [
                        {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": code}
                    ]
                },
                "who": {"display": name},
                "requestor": code == "110153",
            }
            for code, name in agents
        ],
        "source": {"observer": {"display": "server"}},
        "entity": [
            {
                "type": {"code": "2"},
                "role": {"code": "24"},
                "query": b64encode(b"GET /fhir/DocumentReference?patient=1").decode(),
            }
        ],
    }
    return json.dumps(told, indent=1).encode()


def test_an_audit_event_is_judged_by_the_transaction_of_its_subtype() -> None:
    assert assess(resource()).findings == ()
    one_side = assess(resource().replace(b"110152", b"110150"))
    assert [(one.rule, str(one.severity)) for one in one_side.findings] == [
        ("ihe-participant-missing", "warning")
    ]
    assert one_side.verdict == "valid"


def test_a_claimed_profile_comes_first() -> None:
    base = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/"
    query = resource(base + "IHE.BasicAudit.PatientQuery|1.1.5", "other")
    assert assess(query).findings == ()
    read = assess(resource(base + "IHE.BasicAudit.PatientRead"))
    assert {one.rule for one in read.findings} == {"ihe-action-code"}
    assert "IHE.BasicAudit.PatientRead" in read.findings[0].clause


def test_a_message_by_dicom_is_not_held_to_profiles_of_fhir() -> None:
    row = event_table.fhir_transactions()["ITI-67"][0]
    message = fitting(replace(row, event="110112"))
    assert [one.rule for one in judge_event(message)] == ["ihe-transaction-unknown"]
