from typing import Any

import pytest

from audit.projector.event_fields import add_event, kind_of
from audit.projector.field_values import FieldValues
from audit.record.audit_message import ActiveParticipant, AuditMessage, CodedValue
from tests.projector.messages import (
    DESTINATION,
    DESTINATION_MEDIA,
    event,
    message,
    person,
)


def fields_of(one: AuditMessage) -> dict[str, tuple[str, ...]]:
    values = FieldValues(100, 100, 1000)
    add_event(values, one.event_identification)
    values.add("kind", kind_of(one.event_identification, one.active_participants, {}))
    return values.fields()


def types(*codes: str) -> tuple[CodedValue, ...]:
    return tuple(CodedValue(code, "DCM", "") for code in codes)


def medium(code: str) -> ActiveParticipant:
    return ActiveParticipant(
        user_id="medium",
        role_id_codes=(DESTINATION_MEDIA,),
        media_type=CodedValue(code, "DCM", ""),
    )


def goal(**changes: Any) -> ActiveParticipant:
    return ActiveParticipant(**({"user_id": "4711", "role_id_codes": (DESTINATION,)} | changes))


def test_what_the_event_says_of_itself() -> None:
    found = fields_of(
        message(
            event(
                "110112",
                event_outcome_indicator="8",
                event_action_code="E",
                event_type_codes=types("ITI-18"),
                purposes_of_use=(CodedValue("12", "1.0.14265.1", "Law Enforcement"),),
            )
        )
    )
    assert found == {
        "category": ("query",),
        "event": ("110112",),
        "event_type": ("ITI-18",),
        "action": ("E",),
        "outcome": ("serious-failure",),
        "purpose": ("12", "Law Enforcement"),
    }


def test_an_outcome_that_the_standard_does_not_know_is_none() -> None:
    assert "outcome" not in fields_of(message(event(event_outcome_indicator="3")))


@pytest.mark.parametrize(
    ("code", "type_codes", "participants", "category", "kind"),
    [
        ("110112", (), (), "query", ""),
        ("IHE0002", (), (), "other", ""),
        ("110106", ("IHE0006",), (medium("110032"),), "export", "disclosure"),
        ("110107", ("ITI-43",), (goal(),), "import", "document-sharing"),
        ("110106", (), (medium("110010"),), "export", "print"),
        ("110106", (), (medium("110031"),), "export", "network"),
        ("110106", (), (medium("110032"),), "export", "media"),
        ("110106", ("ITI-32",), (goal(),), "export", "media"),
        ("110106", (), (goal(network_access_point_id="h"),), "export", "network"),
        ("110106", (), (medium("999999"), goal()), "export", ""),
        ("110104", (), (goal(user_name="Main archive"),), "transfer", "archive"),
        ("110102", (), (goal(alternative_user_id="AETITLES=VIEWER2"),), "transfer", "viewer"),
        ("110104", (), (goal(network_access_point_id="8.8.4.4"),), "transfer", "outside"),
        ("110104", (), (goal(),), "transfer", ""),
        ("110114", ("110122",), (), "authentication", "login"),
        ("110114", ("110123",), (), "authentication", "logout"),
        ("110100", ("110120",), (), "application", "start"),
        ("110108", ("110125",), (), "application", "detach"),
        ("110113", ("110126",), (), "security", "node-authentication"),
        ("110113", ("110127",), (), "security", "emergency-override"),
        ("110109", (), (), "record", "order"),
        ("110110", (), (), "record", "patient"),
        ("110111", (), (), "record", "procedure"),
        ("110101", (), (), "audit-log-used", ""),
        ("110105", (), (), "deletion", ""),
    ],
)
def test_category_and_kind(
    code: str,
    type_codes: tuple[str, ...],
    participants: tuple[ActiveParticipant, ...],
    category: str,
    kind: str,
) -> None:
    one = message(event(code, event_type_codes=types(*type_codes)), (person(), *participants))
    found = fields_of(one)
    assert found["category"] == (category,)
    assert found.get("kind", ("",)) == (kind,)


@pytest.mark.parametrize(
    ("type_codes", "action", "category"),
    [
        (("search-type",), "E", "query"),
        (("ITI-67", "search"), "E", "query"),
        (("vread",), "R", "access"),
        (("history-instance",), "R", "access"),
        (("create",), "C", "record"),
        (("patch",), "U", "record"),
        (("delete",), "D", "deletion"),
        (("capabilities",), "E", "application"),
        (("ITI-119",), "E", "query"),
        (("operation",), "C", "record"),
        (("ITI-68",), "R", "access"),
        ((), "D", "deletion"),
        (("operation",), None, "other"),
        (("batch",), "X", "other"),
    ],
)
def test_restful_access_is_told_by_what_was_done(
    type_codes: tuple[str, ...], action: str | None, category: str
) -> None:
    one = event("rest", event_type_codes=types(*type_codes), event_action_code=action)
    assert fields_of(message(one))["category"] == (category,)
