from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.bench.traffic import entries, received
from audit.projector import parts, project
from audit.projector.options import ProjectionOptions
from audit.projector.parts import parts_of
from audit.record import assess
from audit.record.audit_message import AuditMessage
from tests.projector.messages import entry as arrival
from tests.projector.messages import message, patient, person, syslog
from tests.properties import examples
from tests.record.test_known_parts import odd

OPTIONS = (
    ProjectionOptions(),
    ProjectionOptions(max_values=2, max_value_chars=12, max_text_chars=60),
    ProjectionOptions(
        default_assigners={"pacs-1": "1.9"}, destination_kinds={"archive": "viewer"}
    ),
)


def test_the_parts_of_a_message_stand_in_its_order() -> None:
    one = message(participants=(person(), person(user_id="second")), objects=(patient("P1"),))
    found = parts_of(one)
    assert [shown["user_id"] for shown in found.body()["participants"]][1] == "second"
    assert found.in_order() == (found.setting, *found.objects)
    assert found.objects[0].added.values["patient"] == ("P1",)


def test_equal_parts_are_worked_out_once_and_the_time_stays_the_message_s_own() -> None:
    first = message()
    event = replace(first.event_identification, event_date_time="2026-02-02T00:00:00Z")
    second: AuditMessage = replace(first, event_identification=event)
    one, other = parts_of(first, is_small=True), parts_of(second, is_small=True)
    assert one.setting is other.setting
    assert other.body()["event"]["date_time"] == "2026-02-02T00:00:00Z"
    assert one.body()["event"]["date_time"] == first.event_identification.event_date_time


def test_the_assigner_of_a_source_is_part_of_what_is_remembered() -> None:
    one = message(objects=(patient("P1", None),))
    for assigner in ("1.2", "1.3", "1.2"):
        (found,) = parts_of(one, assigner, is_small=True).objects
        assert found.added.values["patient_assigner"] == (assigner,)


def test_remembered_or_afresh_records_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = list(entries(received(120, days=1)))
    options = ProjectionOptions(default_assigners={"view-emg-01.st-anna.example": "9.9"})
    first = [project.project(entry, "abcd", options=options) for entry in arrived]
    again = [project.project(entry, "abcd", options=options) for entry in arrived]
    assert first == again
    monkeypatch.setattr(project, "SMALL_OCTETS", 0)
    assert [project.project(entry, "abcd", options=options) for entry in arrived] == first


@examples(20)
@given(odd(), st.sampled_from(OPTIONS))
def test_any_record_is_the_same_remembered_or_afresh(
    monkeypatch: pytest.MonkeyPatch, msg: bytes, options: ProjectionOptions
) -> None:
    arrived = arrival(syslog(msg))
    for _ in range(2):
        remembered = project.project(arrived, "abcd", options=options)
        with monkeypatch.context() as patched:
            patched.setattr(project, "SMALL_OCTETS", 0)
            patched.setattr(assess, "cut_up", lambda *_: None)
            assert project.project(arrived, "abcd", options=options) == remembered


def test_parts_of_long_messages_are_not_remembered() -> None:
    assert parts.SMALL_OCTETS * parts.REMEMBERED * 5 <= 100 * 1024 * 1024
    long = message(participants=(person(user_id="x" * 10_000),))
    one, other = parts_of(long), parts_of(long)
    assert one.setting is not other.setting
    assert one.setting == other.setting
