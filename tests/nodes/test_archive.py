import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association
from pynetdicom.dsutils import encode

from audit.errors import ConnectionFailed
from audit.nodes.archive import Archive, ArchiveOptions, _answer
from audit.nodes.calls import Line, Peer, entity
from audit.nodes.instances import instances
from audit.nodes.people import Staff
from audit.nodes.registry import ARCHIVE, Station
from audit.nodes.sop_classes import (
    COMMITMENT,
    COMMITMENT_INSTANCE,
    PATIENT_FIND,
    STUDY_FIND,
    STUDY_GET,
    STUDY_MOVE,
    VERIFICATION,
    contexts_for,
    contexts_of,
)
from audit.nodes.study_store import StoreLimits
from audit.nodes.trail import WELL
from audit.record.audit_message import AuditMessage
from tests.nodes.conftest import MakeArchive, Pki, Sink, verdicts
from tests.nodes.examinations import examination

FINDSCU = Station("FINDSCU", "localhost", "a foreign client")


@pytest.fixture
def archive(make_archive: MakeArchive) -> tuple[Archive, Peer]:
    return make_archive()


@pytest.fixture
def line(pki: Pki) -> Iterator[Line]:
    caller = entity("FINDSCU")
    yield Line(caller, pki.client("findscu-client"))
    caller.shutdown()


def store(line: Line, peer: Peer, datasets: list[Dataset], user: Staff | None = None) -> list[int]:
    with line.to(peer, contexts_for(datasets), user=user) as association:
        return [association.send_c_store(dataset).Status for dataset in datasets]


def find(association: Association, wanted: Dataset, model: str = STUDY_FIND) -> list[Any]:
    return list(association.send_c_find(wanted, model))


def query(level: str = "STUDY", **keys: str) -> Dataset:
    wanted = Dataset()
    wanted.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(wanted, keyword, value)
    return wanted


def participants(message: AuditMessage) -> dict[str, bool]:
    return {one.user_id: one.user_is_requestor for one in message.active_participants}


def test_an_echo_is_answered(archive: tuple[Archive, Peer], line: Line) -> None:
    with line.to(archive[1], contexts_of([VERIFICATION])) as association:
        assert association.send_c_echo().Status == 0


def test_start_and_stop_are_told(archive: tuple[Archive, Peer], sink: Sink) -> None:
    archive[0].stop()
    archive[0].stop()
    kinds = [one.event_identification.event_type_codes[0].original_text for one in sink.messages]
    assert kinds == ["Application Start", "Attach", "Detach", "Application Stop"]
    assert verdicts(sink.messages) == {("dicom", "valid")}


def test_a_store_is_told_with_patient_study_and_user(
    archive: tuple[Archive, Peer], line: Line, sink: Sink, people: tuple[Staff, ...]
) -> None:
    datasets = list(instances(examination()))
    assert store(line, archive[1], datasets, people[0]) == [0, 0]
    (told,) = sink.wait_for(1, "110104")
    assert told.event_identification.event_action_code == "C"
    assert participants(told) == {
        "FINDSCU": False,
        "PACS_MAIN": False,
        f"{people[0].user_id}@demo-general.example": True,
    }
    study, patient = told.participant_objects
    assert study.participant_object_id == datasets[0].StudyInstanceUID
    assert study.participant_object_descriptions[0].sop_classes[0].number_of_instances == "2"
    assert study.participant_object_descriptions[0].accessions == ("A2026001",)
    assert patient.participant_object_id.startswith(f"{datasets[0].PatientID}^^^&2.25.")
    assert told.active_participants[0].user_name == "findscu-client"
    assert verdicts(sink.messages) == {("dicom", "valid")}


def test_what_was_held_already_is_read_not_created(
    archive: tuple[Archive, Peer], line: Line, sink: Sink
) -> None:
    datasets = list(instances(examination()))
    store(line, archive[1], datasets)
    store(line, archive[1], datasets)
    told = sink.wait_for(2, "110104")
    assert [one.event_identification.event_action_code for one in told] == ["C", "R"]


def test_a_user_nobody_knows_is_named_as_claimed(
    archive: tuple[Archive, Peer], line: Line, sink: Sink
) -> None:
    stranger = Staff("carol", "Carol", "", "")
    store(line, archive[1], list(instances(examination())), stranger)
    (told,) = sink.wait_for(1, "110104")
    assert participants(told)["carol"] is True


def test_an_instance_without_proper_uids_is_refused(
    archive: tuple[Archive, Peer], line: Line, sink: Sink
) -> None:
    dataset = next(instances(examination()))
    del dataset.StudyInstanceUID
    assert store(line, archive[1], [dataset]) == [0xA900]
    assert not sink.of("110104")


def test_an_instance_larger_than_the_store_is_refused(
    make_archive: MakeArchive, line: Line
) -> None:
    limits = StoreLimits(max_octets=5000)
    archive, peer = make_archive(ArchiveOptions(limits=limits))
    assert store(line, peer, list(instances(examination()))) == [0xA700, 0xA700]
    assert len(archive.store) == 0


def test_a_full_store_deletes_the_oldest_study_and_tells(
    make_archive: MakeArchive, line: Line, sink: Sink
) -> None:
    _, peer = make_archive(ArchiveOptions(limits=StoreLimits(max_studies=1)))
    first, second = (list(instances(examination())) for _ in range(2))
    store(line, peer, first)
    store(line, peer, second)
    (told,) = sink.wait_for(1, "110105")
    assert told.participant_objects[0].participant_object_id == first[0].StudyInstanceUID
    assert participants(told) == {"PACS_MAIN": True}
    assert verdicts(sink.messages) == {("dicom", "valid")}


@pytest.mark.parametrize("model", [STUDY_FIND, PATIENT_FIND])
def test_a_query_is_answered_and_told_with_its_identifier_as_sent(
    archive: tuple[Archive, Peer], line: Line, sink: Sink, model: str
) -> None:
    datasets = list(instances(examination()))
    store(line, archive[1], datasets)
    wanted = query(PatientID=datasets[0].PatientID, StudyInstanceUID="", PatientName="")
    with line.to(archive[1], contexts_of([model])) as association:
        syntax = association.accepted_contexts[0].transfer_syntax[0]
        (pending, found), (done, _) = find(association, wanted, model)
    assert (pending.Status, done.Status) == (0xFF00, 0)
    assert found.StudyInstanceUID == datasets[0].StudyInstanceUID
    (told,) = sink.wait_for(1, "110112")
    (asked,) = told.participant_objects
    assert asked.participant_object_id == model
    assert asked.query_octets == encode(wanted, syntax.is_implicit_VR, syntax.is_little_endian)
    (detail,) = asked.participant_object_details
    assert (detail.type, detail.octets) == ("TransferSyntax", str(syntax).encode())
    assert verdicts(sink.messages) == {("dicom", "valid")}


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_the_transfer_syntax_told_is_the_one_negotiated(
    archive: tuple[Archive, Peer], pki: Pki, sink: Sink, syntax: str
) -> None:
    caller = AE("FINDSCU")
    caller.add_requested_context(STUDY_FIND, syntax)
    credentials = pki.client("one-syntax")
    association = caller.associate(
        archive[1].host,
        archive[1].port,
        ae_title=ARCHIVE.ae_title,
        tls_args=(credentials.calling(), ARCHIVE.machine),
    )
    find(association, query())
    association.release()
    (told,) = sink.wait_for(1, "110112")
    detail = told.participant_objects[0].participant_object_details[0]
    assert detail.octets == str(syntax).encode()


def test_a_query_that_does_not_fit_fails_and_is_told_as_failed(
    archive: tuple[Archive, Peer], line: Line, sink: Sink
) -> None:
    with line.to(archive[1], contexts_of([STUDY_FIND])) as association:
        ((answer, _),) = find(association, query("SERIES"))
    assert answer.Status == 0xA900
    (told,) = sink.wait_for(1, "110112")
    assert told.event_identification.event_outcome_indicator == "4"
    description = told.event_identification.event_outcome_description
    assert description == "StudyInstanceUID is needed at level SERIES"


def test_too_many_answers_are_refused(make_archive: MakeArchive, line: Line, sink: Sink) -> None:
    _, peer = make_archive(ArchiveOptions(max_answers=1))
    for _ in range(2):
        store(line, peer, list(instances(examination())))
    with line.to(peer, contexts_of([STUDY_FIND])) as association:
        ((answer, _),) = find(association, query())
    assert answer.Status == 0xA700
    (told,) = sink.wait_for(1, "110112")
    assert told.event_identification.event_outcome_description == "too many answers"


def test_a_cancelled_query_stops() -> None:
    event: Any = SimpleNamespace(is_cancelled=True)
    assert list(_answer(event, [Dataset()], WELL)) == [(0xFE00, None)]


def test_images_come_by_get_and_the_archive_tells_its_side(
    archive: tuple[Archive, Peer], line: Line, sink: Sink
) -> None:
    datasets = list(instances(examination()))
    store(line, archive[1], datasets)
    storage = datasets[0].SOPClassUID
    received: list[Dataset] = []

    def keep(event: Any) -> int:
        received.append(event.dataset)
        return 0 if len(received) < 2 else 0xA700

    with line.to(
        archive[1],
        contexts_of([STUDY_GET, storage]),
        negotiation=[build_role(storage, scp_role=True)],
        handlers=[(evt.EVT_C_STORE, keep)],
    ) as association:
        wanted = query(StudyInstanceUID=datasets[0].StudyInstanceUID)
        *_, (last, _) = association.send_c_get(wanted, STUDY_GET)
    assert last.Status == 0xB000
    assert len(received) == 2
    (begun,) = sink.wait_for(1, "110102")
    assert participants(begun) == {"PACS_MAIN": False, "FINDSCU": True}
    told = [one for one in sink.wait_for(3, "110104") if begun_by(one, "PACS_MAIN")]
    outcomes = [one.event_identification.event_outcome_indicator for one in told]
    assert outcomes == ["0", "8"]
    assert verdicts(sink.messages) == {("dicom", "valid")}


def begun_by(message: AuditMessage, ae_title: str) -> bool:
    return message.active_participants[0].user_id == ae_title


def test_a_move_to_nobody_is_refused(archive: tuple[Archive, Peer], line: Line) -> None:
    with line.to(archive[1], contexts_of([STUDY_MOVE])) as association:
        wanted = query(StudyInstanceUID="1.2.3")
        ((answer, _),) = association.send_c_move(wanted, "NOBODY", STUDY_MOVE)
    assert answer.Status == 0xA801


def test_a_move_to_a_dead_destination_is_told_as_failed(
    make_archive: MakeArchive, line: Line, sink: Sink, registry: Any
) -> None:
    _, peer = make_archive()
    datasets = list(instances(examination()))
    store(line, peer, datasets)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        registry.enrol("DEADSCP", "127.0.0.1", nobody.getsockname()[1])
        with line.to(peer, contexts_of([STUDY_MOVE])) as association:
            wanted = query(StudyInstanceUID=datasets[0].StudyInstanceUID)
            ((answer, _),) = association.send_c_move(wanted, "DEADSCP", STUDY_MOVE)
    assert answer.Status == 0xA801
    told = [one for one in sink.wait_for(2, "110104") if begun_by(one, "PACS_MAIN")]
    assert [one.event_identification.event_outcome_indicator for one in told] == ["8"]
    assert participants(told[0]) == {"PACS_MAIN": False, "DEADSCP": False, "FINDSCU": True}


def test_commitment_without_a_way_back_is_refused(
    archive: tuple[Archive, Peer], line: Line
) -> None:
    request = Dataset()
    request.TransactionUID = "2.25.1"
    with line.to(archive[1], contexts_of([COMMITMENT])) as association:
        answer, _ = association.send_n_action(request, 1, COMMITMENT, COMMITMENT_INSTANCE)
    assert answer.Status == 0x0110


def test_an_unknown_calling_title_is_refused_with_an_alert(
    archive: tuple[Archive, Peer], pki: Pki, sink: Sink
) -> None:
    line = Line(entity("HACKPACS"), pki.client("laptop"))
    with (
        pytest.raises(ConnectionFailed, match="refused"),
        line.to(archive[1], contexts_of([VERIFICATION])),
    ):
        pass
    (told,) = sink.wait_for(1, "110113", "110126")
    assert participants(told) == {"PACS_MAIN": False, "HACKPACS": False}
    (detail,) = told.participant_objects[0].participant_object_details
    assert detail.octets == b"Association refused: calling AE title 'HACKPACS' isn't known"
    assert verdicts(sink.messages) == {("dicom", "valid")}


def test_an_unknown_called_title_is_refused_with_an_alert(
    archive: tuple[Archive, Peer], line: Line, sink: Sink
) -> None:
    other = Peer(Station("PACS_OLD", ARCHIVE.host, "gone"), archive[1].host, archive[1].port)
    with (
        pytest.raises(ConnectionFailed),
        line.to(other, contexts_of([VERIFICATION])),
    ):
        pass
    (told,) = sink.wait_for(1, "110113", "110126")
    assert told.event_identification.event_outcome_indicator == "4"


def test_a_certificate_of_another_authority_is_refused_with_an_alert(
    archive: tuple[Archive, Peer], pki: Pki, sink: Sink
) -> None:
    line = Line(entity("CT_RAD1"), pki.stranger())
    with pytest.raises(ConnectionFailed), line.to(archive[1], contexts_of([VERIFICATION])):
        pass
    (told,) = sink.wait_for(1, "110113", "110126")
    assert told.event_identification.event_outcome_indicator == "8"
    (subject,) = told.participant_objects
    (detail,) = subject.participant_object_details
    assert subject.participant_object_id == "127.0.0.1"
    assert detail.octets is not None
    assert b"certificate refused: " in detail.octets
    assert verdicts(sink.messages) == {("dicom", "valid")}


def test_a_peer_that_speaks_no_tls_is_refused_with_an_alert(
    archive: tuple[Archive, Peer], sink: Sink
) -> None:
    with socket.create_connection((archive[1].host, archive[1].port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        sink.wait_for(1, "110113", "110126")


def test_a_peer_that_goes_without_a_word_is_no_alert(
    archive: tuple[Archive, Peer], line: Line, sink: Sink
) -> None:
    socket.create_connection((archive[1].host, archive[1].port)).close()
    with socket.create_connection((archive[1].host, archive[1].port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert len(sink.wait_for(1, "110113")) == 1
    with line.to(archive[1], contexts_of([VERIFICATION])):
        assert len(sink.of("110113")) == 1


def test_a_query_with_a_senseless_value_is_answered_and_told(
    archive: tuple[Archive, Peer], line: Line, sink: Sink
) -> None:
    with line.to(archive[1], contexts_of([STUDY_FIND])) as association:
        with disable_value_validation():
            wanted = query(StudyDate="not a date")
        ((answer, _),) = find(association, wanted)
    assert answer.Status in {0, 0xC311}
    sink.wait_for(1, "110112")


def test_a_silent_peer_holds_up_nobody(archive: tuple[Archive, Peer], line: Line) -> None:
    with (
        socket.create_connection((archive[1].host, archive[1].port)),
        line.to(archive[1], contexts_of([VERIFICATION])) as association,
    ):
        assert association.send_c_echo().Status == 0
