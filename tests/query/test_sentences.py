from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.index.criteria import matches
from audit.journal.entry import EntryKind
from audit.projector.project import project
from audit.query.language import parse_query, term_text
from audit.query.sentences import sentences, summary
from audit.record import build
from audit.record.audit_message import ActiveParticipant, AuditMessage, CodedValue
from tests.projector.messages import (
    DESTINATION,
    DESTINATION_MEDIA,
    NOW,
    NOW_TEXT,
    ORIGIN,
    SOURCE,
    entry,
    event,
    message,
    patient,
    person,
    study,
    syslog,
)
from tests.record.build_cases import EVENTS

SCANNER = ActiveParticipant(user_id="CT1", role_id_codes=(SOURCE,))
ARCHIVE = ActiveParticipant(user_id="4712", user_name="Archive", role_id_codes=(DESTINATION,))
PACS = study("10.9.9.9", participant_object_name="PACS")
DISC = ActiveParticipant(
    user_id="CD 77",
    role_id_codes=(DESTINATION_MEDIA,),
    media_type=CodedValue("110032", "DCM", "CD"),
)


def said(one: AuditMessage) -> list[str]:
    record = project(entry(one), ORIGIN)
    return ["".join(part.text for part in sentence) for sentence in sentences(record)]


def typed(code: str, type_code: str = "", **changes: Any) -> AuditMessage:
    types = (CodedValue(type_code, "DCM", f"Type {type_code}"),) if type_code else ()
    participants = changes.pop("participants", (person(),))
    objects = changes.pop("objects", None)
    return message(event(code, event_type_codes=types, **changes), participants, objects)


@pytest.mark.parametrize(
    ("one", "main"),
    [
        (typed("110103"), "Mara Voss opened the study CT Thorax of Doe^Jane (P48003)."),
        (
            typed("110103", event_action_code="D"),
            "Mara Voss deleted from the study CT Thorax of Doe^Jane (P48003).",
        ),
        (
            typed("110103", event_action_code="U", event_outcome_indicator="4"),
            "Mara Voss tried to change the study CT Thorax of Doe^Jane (P48003).",
        ),
        (typed("110103", objects=(patient("P1", "P1"),)), "Mara Voss opened data of P1."),
        (
            typed("110106", participants=(person(), DISC)),
            "Mara Voss exported the study CT Thorax of Doe^Jane (P48003) to CD CD 77.",
        ),
        (
            typed("110106", participants=(person(), ARCHIVE), objects=(patient(),)),
            "Mara Voss exported data of Doe^Jane (P48003) to Archive.",
        ),
        (
            typed("110107", objects=()),
            "Mara Voss imported data from an unnamed place.",
        ),
        (
            typed("110102", participants=(SCANNER, ARCHIVE)),
            "CT1 began to send the study CT Thorax of Doe^Jane (P48003) to Archive.",
        ),
        (
            typed("110104", participants=(SCANNER, ARCHIVE), event_outcome_indicator="8"),
            "CT1 tried to send the study CT Thorax of Doe^Jane (P48003) to Archive.",
        ),
        (typed("110105"), "Mara Voss deleted the study CT Thorax of Doe^Jane (P48003)."),
        (typed("110114", "110122", objects=()), "Mara Voss signed in."),
        (typed("110114", "110123", objects=()), "Mara Voss signed out."),
        (
            typed("110114", "110122", objects=(), event_outcome_indicator="8"),
            "Mara Voss tried to sign in.",
        ),
        (typed("110114", objects=()), "Mara Voss authenticated."),
        (
            typed("110113", "110126", objects=(PACS,)),
            "Type 110126 alert about PACS raised by Mara Voss.",
        ),
        (typed("110113", objects=()), "Security alert raised by Mara Voss."),
        (typed("110108", "110124", objects=()), "Mara Voss joined the network."),
        (typed("110110"), "Mara Voss read the patient record of Doe^Jane (P48003)."),
        (
            typed("110109", event_action_code="C", objects=()),
            "Mara Voss created the order record.",
        ),
        (typed("110101", objects=()), "Mara Voss read the audit log."),
        (
            typed("IHE0002", objects=(patient(),)),
            "Medication Event by Mara Voss about Doe^Jane (P48003).",
        ),
        (typed("99999", objects=()), "Something by Mara Voss."),
        (
            typed("110112", participants=(person(), ARCHIVE), objects=()),
            "Mara Voss asked Archive for whatever it holds.",
        ),
        (
            typed("110112", participants=(person(), ARCHIVE), objects=(patient(),)),
            "Mara Voss asked Archive for Doe^Jane (P48003).",
        ),
        (
            typed("110103", objects=tuple(patient(f"P{n}", None) for n in range(5))),
            "Mara Voss opened data of P0, P1, P2 and 2 more patients.",
        ),
        (
            typed("110103", objects=(study("1.2"), study("1.3"), patient("P1", None))),
            "Mara Voss opened the studies CT Thorax and CT Thorax of P1.",
        ),
    ],
)  # fmt: skip
def test_the_main_sentence(one: AuditMessage, main: str) -> None:
    assert said(one)[0] == main


def test_a_query_by_its_keys() -> None:
    occurrence = build.Occurrence(
        when=datetime.fromisoformat(NOW_TEXT),
        source=build.audit_source("viewer-3"),
        outcome=build.Outcome.SUCCESS,
    )
    exchange = build.Exchange(
        source=build.Process(process_id="17", name="Viewer", ae_titles=("VIEWER",)),
        destination=build.Process(process_id="4", name="Archive", ae_titles=("ARCHIVE",)),
        others=(build.Person(user_id="mvoss@example.org", name="Mara Voss", requestor=True),),
    )
    url = build.UrlQuery(
        url="https://pacs.example/studies?QueryRetrieveLevel=STUDY&SpecificCharacterSet=ISO_IR+192"
        "&PatientID=P1&Modality=&StudyDate=2026"
    )
    one = build.query(occurrence, exchange, url)
    assert said(one)[0] == "Mara Voss asked Archive for PatientID P1 and StudyDate 2026."


def test_an_application_and_who_started_it() -> None:
    application = ActiveParticipant(
        user_id="17", user_name="Viewer", role_id_codes=(CodedValue("110150", "DCM", "App"),)
    )
    launcher = ActiveParticipant(
        user_id="root", role_id_codes=(CodedValue("110151", "DCM", "Launcher"),)
    )
    started = typed("110100", "110120", participants=(application, launcher), objects=())
    assert said(started)[0] == "Viewer was started by root."
    assert said(typed("110100", participants=(application,), objects=()))[0] == (
        "Viewer was active."
    )


def test_outcome_place_and_purpose() -> None:
    one = typed(
        "110103",
        event_outcome_indicator="8",
        event_outcome_description="disk full.",
        purposes_of_use=(CodedValue("12", "1.0.14265.1", "Law Enforcement"),),
        participants=(person(network_access_point_id="ws-12"),),
    )
    assert said(one)[1:] == [
        "It ended in serious failure: disk full.",
        "It was done at ws-12 and reported by viewer-3.",
        "The purpose given is Law Enforcement.",
    ]


def test_the_gravity_of_an_alert() -> None:
    one = typed("110113", "110126", objects=(), event_outcome_indicator="12")
    assert said(one)[1] == "The alert is of major gravity."
    assert said(typed("110113", objects=()))[1].startswith("It was reported by")


def test_nobody_is_named_somebody() -> None:
    nameless = ActiveParticipant(user_id=" ", user_name=None)
    assert said(typed("110103", participants=(nameless,)))[0].startswith("somebody unnamed opened")
    only_media = typed("110106", participants=(DISC,), objects=())
    assert said(only_media)[0] == "Somebody exported data to CD CD 77."


def test_what_cannot_be_read() -> None:
    record = project(entry(syslog(b"hello")), ORIGIN)
    assert summary(record) == "A message that can't be read came from 192.0.2.9."
    assert len(sentences(record)) == 2
    assert sentences(record)[1][0].field == "finding"
    head = entry(b"x", kind=EntryKind.TRUNCATED, original_length=99, peer="")
    text = summary(project(head, ORIGIN))
    assert (
        text == "The beginning of a longer message that can't be read came from an unknown sender."
    )


@given(st.one_of(*EVENTS.values()))
def test_every_event_of_the_standard_is_said(one: AuditMessage) -> None:
    record = project(entry(one), ORIGIN)
    for sentence in sentences(record):
        assert "".join(part.text for part in sentence).endswith(".")
        assert all(part.text for part in sentence)


@given(st.one_of(*EVENTS.values()))
def test_what_a_part_links_to_finds_the_record(one: AuditMessage) -> None:
    record = project(entry(one), ORIGIN)
    for sentence in sentences(record):
        for part in sentence:
            if part.field and part.value.strip():
                query = parse_query(term_text(part.field, part.value), now=NOW)
                assert matches(query, record), (part, record.fields)
