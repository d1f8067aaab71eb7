"""Editions of the standard and senders in the field: each habit gets its dialect and tier."""

from dataclasses import replace

import pytest

from audit.query.validation import ValidationResult, validate_sources
from audit.record.audit_message import AuditMessage
from tests.conformance.corpus import example
from tests.conformance.habits import HABITS as FIRST_HABITS
from tests.conformance.habits import HEADER
from tests.conformance.more_habits import MORE_HABITS

HABITS = FIRST_HABITS | MORE_HABITS


def said_of(octets: bytes) -> ValidationResult:
    (one,) = validate_sources(["-"], octets)
    return one


@pytest.mark.parametrize("name", HABITS)
def test_each_habit_gets_its_grade_and_is_told(name: str) -> None:
    habit = HABITS[name]
    told = said_of(habit.octets)
    found = {one.rule for one in told.findings}
    graded = (told.assessment.dialect, told.assessment.tier, told.verdict)
    assert (*graded, told.assessment.event) == (*habit.graded, habit.event), found
    assert habit.rules <= found
    if habit.quiet:
        assert found <= habit.rules


def content(name: str) -> AuditMessage:
    told = said_of(HABITS[name].octets).assessment.message
    assert told is not None
    return told


def test_older_editions_are_put_into_today_s_words() -> None:
    today = content("DICOM 2017c to 2026a")
    for name in (
        "DICOM 2011 to 2014: a code of the audit source, bare descriptions",
        "DICOM 2016a: the source type as text",
        "DICOM 2016c: the source type by code",
    ):
        told = content(name)
        assert [one.csd_code for one in told.audit_sources[0].audit_source_type_codes] == ["4"]
        assert told.participant_objects == today.participant_objects
        assert told.active_participants == today.active_participants
    old_words = content("RFC 3881")
    event_id = replace(old_words.event_identification.event_id, display_name=None)
    assert event_id == today.event_identification.event_id
    assert old_words.active_participants == today.active_participants
    assert old_words.participant_objects[1].is_patient
    assert old_words.participant_objects[1].participant_object_name == "Doe^Jane"


def test_what_senders_write_elsewhere_is_found_in_its_place() -> None:
    bare = content("dcm4che: a medium that stands bare, empty descriptions")
    medium = bare.active_participants[0].media_type
    assert medium is not None
    assert medium.csd_code == "110032"
    dcm4che = content("dcm4che: schema location, byte order mark, types of users")
    assert dcm4che.active_participants[0].role_id_codes[0].csd_code == "110153"
    namespaced = content("CONNECT: a namespace of its own")
    assert namespaced.participant_objects == content("DICOM 2017c to 2026a").participant_objects


def test_a_description_in_words_is_kept_as_a_detail() -> None:
    told = content("dcm4che 2: a description in words, what it should hold beside it")
    study = told.participant_objects[0]
    assert [(one.type, one.octets) for one in study.participant_object_details] == [
        ("ParticipantObjectDescription", b"CT of the head")
    ]
    assert study.participant_object_descriptions[0].accessions == ("A1",)


def test_what_a_datagram_left_is_salvaged() -> None:
    told = content("cut off by a datagram of 1,024 octets")
    assert told.active_participants[0].user_id == "anna"
    assert told.audit_sources[0].audit_source_id == "pacs"


@pytest.mark.parametrize("cut", range(300, 1500, 97))
def test_wherever_a_datagram_is_cut_off_it_is_marked_and_read_so_far(cut: int) -> None:
    told = said_of(HEADER + example("110103")[:cut])
    assert told.verdict == "malformed"
    assert "xml-cut-off" in {one.rule for one in told.findings}
    assert told.assessment.event == "110103"
