from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.errors import ConnectionFailed, Denied
from audit.nodes import media
from audit.nodes.calls import Peer
from audit.nodes.directory import Directory
from audit.nodes.facts import text_of
from audit.nodes.instances import instances
from audit.nodes.media import Medium
from audit.nodes.modality import Modality
from audit.nodes.people import Staff, patients
from audit.nodes.registry import CT, VIEWER_RAD, AeRegistry
from audit.nodes.seat import studies_like
from audit.nodes.viewer import Retrieval, Viewer, Workplace
from audit.record.audit_message import AuditMessage
from audit.record.build import MediaType
from audit.record.query_content import decode_query
from tests.nodes.conftest import MakeArchive, Pki, Sink, verdicts
from tests.nodes.examinations import examination


@pytest.fixture
def archive(make_archive: MakeArchive) -> Peer:
    return make_archive()[1]


@pytest.fixture
def viewer(
    archive: Peer,
    pki: Pki,
    registry: AeRegistry,
    directory: Directory,
    sink: Sink,
    tmp_path: Path,
) -> Iterator[Viewer]:
    workplace = Workplace(registry, archive, directory, tmp_path / "shelf")
    made = Viewer(VIEWER_RAD, pki.node(VIEWER_RAD), sink.emit, workplace)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def study(archive: Peer, pki: Pki, registry: AeRegistry) -> str:
    modality = Modality(CT, pki.node(CT), registry, Sink().emit, archive)
    modality.start()
    planned = examination()
    modality.perform(planned)
    modality.stop()
    return planned.study_uid


@pytest.fixture
def doctor(viewer: Viewer, directory: Directory, people: tuple[Staff, ...]) -> Staff:
    assert viewer.seat.login(people[0].user_id, directory.secret_of(people[0]))
    return people[0]


def user_ids(message: AuditMessage) -> list[str]:
    return [one.user_id for one in message.active_participants]


def test_logins_succeed_fail_and_replace_one_another(
    viewer: Viewer, doctor: Staff, directory: Directory, people: tuple[Staff, ...], sink: Sink
) -> None:
    assert not viewer.seat.login(people[1].user_id, "wrong")
    assert viewer.seat.user == doctor
    assert not viewer.seat.login("nobody", "x")
    assert viewer.seat.login(people[1].user_id, directory.secret_of(people[1]))
    assert viewer.seat.user == people[1]
    viewer.seat.logout()
    viewer.seat.logout()
    with pytest.raises(Denied, match="VIEW_RAD"):
        _ = viewer.seat.user
    assert len(sink.of("110114", "110123")) == 2
    logins = sink.of("110114", "110122")
    outcomes = [one.event_identification.event_outcome_indicator for one in logins]
    assert outcomes == ["0", "4", "4", "0"]
    assert logins[0].active_participants[0].network_access_point_id == VIEWER_RAD.machine
    assert logins[2].active_participants[0].user_id == "nobody@demo-general.example"
    assert verdicts(sink.messages) == {("dicom", "valid")}


def test_a_query_is_told_by_both_sides_with_the_same_identifier(
    viewer: Viewer, doctor: Staff, study: str, sink: Sink
) -> None:
    (found,) = viewer.seat.find(studies_like(name="*", modality="CT"))
    assert text_of(found, "StudyInstanceUID") == study
    asked = sink.wait_for(2, "110112")
    assert len({one.participant_objects[0].participant_object_query for one in asked}) == 1
    assert ("ModalitiesInStudy", "CT") in decode_query(asked[0].participant_objects[0])
    for one in asked:
        assert user_ids(one) == [
            "VIEW_RAD",
            "PACS_MAIN",
            f"{doctor.user_id}@demo-general.example",
        ]
        assert [part.user_is_requestor for part in one.active_participants] == [False, False, True]
    sources = {one.audit_sources[0].audit_source_id for one in asked}
    assert sources == {"pacs1.demo-general.example", "view1-rad.demo-general.example"}


@pytest.mark.parametrize("how", list(Retrieval))
def test_a_study_opens_and_both_sides_tell_of_the_transfer(
    viewer: Viewer, doctor: Staff, study: str, sink: Sink, how: Retrieval
) -> None:
    sink.wait_for(1, "110104")
    before = len(sink.of("110104"))
    (group,) = viewer.open(study, how)
    assert group.studies[0].uid == study
    sent, received = sink.wait_for(before + 2, "110104")[before:]
    sources = {one.audit_sources[0].audit_source_id for one in (sent, received)}
    assert sources == {"pacs1.demo-general.example", "view1-rad.demo-general.example"}
    user = f"{doctor.user_id}@demo-general.example"
    for one in (sent, received):
        assert user_ids(one) == ["PACS_MAIN", "VIEW_RAD", user]
    (opened,) = sink.of("110103")
    assert user_ids(opened) == [user, "VIEW_RAD"]
    assert opened.participant_objects[0].participant_object_id == study
    assert len(sink.of("110102")) == 1
    assert verdicts(sink.messages) == {("dicom", "valid")}


def test_a_study_that_is_not_there_does_not_open(
    viewer: Viewer, doctor: Staff, sink: Sink
) -> None:
    assert viewer.seat.user == doctor
    with pytest.raises(ConnectionFailed, match="did not send"):
        viewer.open("1.2.3")
    assert not sink.of("110103")


def test_an_export_writes_a_medium_that_reads_back(
    viewer: Viewer, doctor: Staff, study: str, sink: Sink
) -> None:
    assert viewer.seat.user == doctor
    medium = viewer.export(study, MediaType.CD)
    assert medium.label == "VIEW1-RAD-0001"
    assert {str(one.StudyInstanceUID) for one in media.read(medium)} == {study}
    (told,) = sink.of("110106")
    *_, disc = told.active_participants
    assert disc.user_id == "VIEW1-RAD-0001"
    assert disc.media_type == MediaType.CD.value
    assert verdicts(sink.messages) == {("dicom", "valid")}


def test_an_import_reaches_the_archive(
    viewer: Viewer, doctor: Staff, sink: Sink, tmp_path: Path
) -> None:
    assert viewer.seat.user == doctor
    medium = Medium(MediaType.USB, "STICK-1", tmp_path / "post" / "STICK-1")
    media.write(medium, list(instances(examination(patient=patients(1)[3]))))
    assert viewer.take_in(medium) == 2
    (told,) = sink.of("110107")
    assert told.active_participants[-1].media_type == MediaType.USB.value
    assert len(sink.wait_for(2, "110104")) == 2
    (found,) = viewer.seat.find(studies_like(patient_id=patients(1)[3].patient_id))
    assert found.NumberOfStudyRelatedInstances == 2
    assert verdicts(sink.messages) == {("dicom", "valid")}


def test_broken_glass_is_told_at_its_start_and_at_its_end_even_when_things_go_wrong(
    viewer: Viewer, doctor: Staff, sink: Sink
) -> None:
    with pytest.raises(ConnectionFailed), viewer.glass_broken("unconscious patient"):
        viewer.open("1.2.3")
    (begun,) = sink.of("110113", "110127")
    (ended,) = sink.of("110113", "110138")
    for one in (begun, ended):
        assert user_ids(one) == ["VIEW_RAD", f"{doctor.user_id}@demo-general.example"]
    assert verdicts(sink.messages) == {("dicom", "valid")}


def test_stopping_logs_out(viewer: Viewer, doctor: Staff, sink: Sink) -> None:
    assert viewer.seat.user == doctor
    viewer.stop()
    viewer.stop()
    assert len(sink.of("110114", "110123")) == 1
    assert len(sink.of("110100", "110121")) == 1
