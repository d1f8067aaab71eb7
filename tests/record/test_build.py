import json
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.record import build
from audit.record.assess import assess
from audit.record.audit_message import ActiveParticipant, AuditMessage, CodedValue
from audit.record.build import parts, wording
from audit.record.findings import Severity
from audit.record.parse import parse
from audit.record.serialise import serialise
from audit.standards import code_tables
from tests.properties import examples
from tests.record.build_cases import EVENTS

NOW = datetime(2026, 11, 21, 8, 30, 15, 250_000, tzinfo=timezone(timedelta(hours=1)))
HERE = build.audit_source("viewer-3", "St. Anna", [build.SourceType.USER_INTERFACE])
THEN = build.Occurrence(when=NOW, source=HERE)
PERSON = build.Person(user_id="a.mueller@st-anna.example", address="10.1.2.3")
OTHER = build.Person(user_id="b.nowak@st-anna.example", address="10.1.2.4")
VIEWER = build.Process(process_id="4711", name="viewer", ae_titles=("VIEW3", "VIEW3_QR"))
ARCHIVE = build.Process(process_id="815", ae_titles=("ARCHIVE",), address="archive.example")
PATIENT = build.Patient(id="4711", name="Müller^Anna", assigner="2.999.17.1")
STUDY = build.Study(
    uid="2.999.4.1",
    description="CT head",
    accessions=("A1",),
    sop_classes=(build.SOPInstances("1.2.840.10008.5.1.4.1.1.2", 300),),
)
CD = build.Media(media_id="CD 17", type=build.MediaType.CD, label="VOL17")


def requestors(message: AuditMessage) -> list[str]:
    return [one.user_id for one in message.active_participants if one.user_is_requestor]


def with_role(message: AuditMessage, role: build.Role) -> list[ActiveParticipant]:
    return [one for one in message.active_participants if role.value in one.role_id_codes]


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_every_built_message_is_valid_in_tier_dicom(event: str) -> None:
    @examples(20)
    @given(EVENTS[event])
    def holds(message: AuditMessage) -> None:
        octets = serialise(message)
        told = assess(octets)
        errors = [one for one in told.findings if one.severity is Severity.ERROR]
        assert errors == []
        assert (told.tier, told.verdict, told.event) == ("dicom", "valid", event)
        assert parse(octets) == message

    holds()


def test_code_values_are_those_of_the_code_tables() -> None:
    for codes in (
        build.EventId,
        build.ApplicationActivity,
        build.Authentication,
        build.NetworkEntry,
        build.Alert,
        build.Role,
        build.MediaType,
        build.IdType,
    ):
        for member in codes:
            value = member.value
            assert code_tables.text_of(value.csd_code, value.code_system_name) == (
                value.original_text
            )


def test_an_event_time_keeps_its_offset() -> None:
    message = build.network_entry(THEN, build.NetworkEntry.ATTACH, build.Node(node_id="n"))
    assert message.event_identification.event_date_time == "2026-11-21T08:30:15.250+01:00"


@pytest.mark.parametrize(
    ("when", "written"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000+00:00"),
        (datetime(2026, 1, 1, 0, 0, 0, 12, tzinfo=UTC), "2026-01-01T00:00:00.000012+00:00"),
        (
            datetime(1890, 1, 1, 1, tzinfo=timezone(timedelta(minutes=53, seconds=28))),
            "1890-01-01T00:06:32.000+00:00",
        ),
        (
            datetime(2026, 1, 1, 20, tzinfo=timezone(timedelta(hours=15))),
            "2026-01-01T05:00:00.000+00:00",
        ),
    ],
)
def test_what_xsd_can_not_write_becomes_utc(when: datetime, written: str) -> None:
    assert parts.date_time(when) == written


def test_ae_titles_stand_in_the_alternative_user_id() -> None:
    message = build.application_activity(THEN, build.ApplicationActivity.START, VIEWER, (PERSON,))
    (application,) = with_role(message, build.Role.APPLICATION)
    (launcher,) = with_role(message, build.Role.LAUNCHER)
    assert application.alternative_user_id == "AETITLES=VIEW3;VIEW3_QR"
    assert (launcher.user_id, launcher.user_is_requestor) == (PERSON.user_id, True)


def test_a_patient_id_with_an_assigner_is_a_cx_value() -> None:
    def written(identifier: str, assigner: str) -> str:
        patient = build.Patient(id=identifier, assigner=assigner)
        return parts.patient_object(patient).participant_object_id

    assert written("4711", "1.2.3") == "4711^^^&1.2.3&ISO"
    assert written("4711", "HOSP") == "4711^^^HOSP"
    assert written("4711", "") == "4711"
    assert written("a^b&c", "1.2.3") == "a\\S\\b\\T\\c^^^&1.2.3&ISO"


def test_an_unknown_name_repeats_the_id() -> None:
    assert parts.patient_object(build.Patient(id="7")).participant_object_name == "7"
    study = parts.study_object(build.Study(uid="2.999.1"))
    assert study.participant_object_name == "2.999.1"


def test_the_query_keeps_identifier_and_transfer_syntax() -> None:
    asked = build.DicomQuery(
        sop_class_uid="1.2.840.10008.5.1.4.1.2.2.1",
        identifier=b"\x08\x00\x52\x00",
        transfer_syntax_uid="1.2.840.10008.1.2",
    )
    exchange = build.Exchange(source=VIEWER, destination=ARCHIVE, others=(PERSON,))
    message = build.query(THEN, exchange, asked)
    (one,) = message.participant_objects
    assert one.query_octets == b"\x08\x00\x52\x00"
    assert one.participant_object_details[0].type == "TransferSyntax"
    assert one.participant_object_details[0].octets == b"1.2.840.10008.1.2"
    assert [p.user_id for p in with_role(message, build.Role.SOURCE)] == ["4711"]
    assert requestors(message) == [PERSON.user_id]


def test_a_url_query_is_kept_whole_under_its_resource() -> None:
    asked = build.UrlQuery(url="https://pacs.example/studies?PatientID=1")
    message = build.query(THEN, build.Exchange(source=VIEWER, destination=ARCHIVE), asked)
    (one,) = message.participant_objects
    assert one.participant_object_id == "https://pacs.example/studies"
    assert one.query_octets == b"https://pacs.example/studies?PatientID=1"


def test_an_alert_says_why() -> None:
    subject = build.AlertSubject(id="10.9.9.9", description="certificate expired")
    message = build.security_alert(THEN, build.Alert.NODE_AUTHENTICATION, (ARCHIVE,), (subject,))
    (one,) = message.participant_objects
    assert one.participant_object_id_type_code.csd_code == "110182"
    assert one.participant_object_details[0].octets == b"certificate expired"
    assert message.event_identification.event_type_codes[0].csd_code == "110126"


class TestRequestor:
    def test_the_first_person_is_it_unless_told_otherwise(self) -> None:
        message = build.study_deleted(THEN, (VIEWER, PERSON), PATIENT, (STUDY,))
        assert requestors(message) == [PERSON.user_id]

    def test_whoever_is_said_to_be_it_is(self) -> None:
        asked = build.Process(process_id="1", requestor=True)
        message = build.study_deleted(THEN, (PERSON, asked), PATIENT, (STUDY,))
        assert requestors(message) == ["1"]

    def test_nobody_when_only_processes_take_part(self) -> None:
        exchange = build.Exchange(source=VIEWER, destination=ARCHIVE)
        assert requestors(build.begin_transferring(THEN, exchange, PATIENT, (STUDY,))) == []

    def test_an_export_by_a_process_alone_has_one(self) -> None:
        assert requestors(build.data_export(THEN, (VIEWER,), CD, (PATIENT,))) == ["4711"]

    def test_a_log_off_by_inactivity_has_none(self) -> None:
        idle = build.Person(user_id="x", address="10.1.1.1", requestor=False)
        message = build.user_authentication(THEN, build.Authentication.LOGOUT, idle)
        assert requestors(message) == []

    def test_a_performer_and_an_entering_node_never_are(self) -> None:
        alert = build.security_alert(
            THEN, build.Alert.EMERGENCY_OVERRIDE_STARTED, (ARCHIVE,), (), (PERSON,)
        )
        assert requestors(alert) == []
        said = build.Node(node_id="n", requestor=True)
        with pytest.raises(ValueError, match=r"A\.5\.3\.9"):
            build.network_entry(THEN, build.NetworkEntry.ATTACH, said)

    def test_two_are_refused(self) -> None:
        people = [build.Person(user_id=name, requestor=True) for name in "ab"]
        with pytest.raises(ValueError, match=r"2 requestors.*A\.5\.3\.6"):
            build.instances_accessed(THEN, build.Action.READ, people, PATIENT, (STUDY,))

    @pytest.mark.parametrize("builder", [build.data_export, build.data_import])
    def test_none_is_refused_in_export_and_import(self, builder: object) -> None:
        silent = build.Person(user_id="x", requestor=False)
        assert callable(builder)
        with pytest.raises(ValueError, match=r"exactly one.*A\.5\.3\.[45]"):
            builder(THEN, (silent,), CD, (PATIENT,))


class TestWording:
    @given(st.text(max_size=40))
    def test_shown_text_survives_xml(self, text: str) -> None:
        assert wording.shown(wording.shown(text)) == wording.shown(text)
        person = build.Person(user_id=f"x{text}", address="10.1.1.1")
        message = build.user_authentication(THEN, build.Authentication.LOGIN, person)
        assert (
            parse(serialise(message)).active_participants[0].user_id == f"x{wording.shown(text)}"
        )

    def test_forbidden_characters_are_shown_not_lost(self) -> None:
        assert wording.shown("a\x00b\x1bc\ud800\ufffe\t\n") == "a␀b␛c��\t\n"

    def test_tokens_lose_only_white_space(self) -> None:
        assert wording.token("  CT \n head\x01 ") == "CT head␁"


def test_extra_event_types_follow_the_event_own() -> None:
    extra = CodedValue("ITI-81", "urn:ihe:event-type-code", "Retrieve ATNA AuditEvent")
    occurrence = build.Occurrence(when=NOW, source=HERE, event_types=(extra,))
    message = build.audit_log_used(occurrence, (PERSON, VIEWER), "https://arr.example/")
    assert message.event_identification.event_type_codes == (extra,)
    assert message.participant_objects[0].participant_object_name == "Security Audit Log"


def test_enumerations_have_no_double_values() -> None:
    for codes in (build.EventId, build.Alert, build.MediaType, build.LifeCycle):
        assert issubclass(codes, Enum)
        assert len({json.dumps(str(member.value)) for member in codes}) == len(list(codes))
