from audit.nodes.directory import Directory
from audit.nodes.order_desk import OrderDesk
from audit.nodes.people import clerks, patients
from audit.nodes.registry import ORDER_DESK
from tests.nodes.conftest import MakeArchive, Pki, Sink, verdicts
from tests.nodes.examinations import examination


def test_an_order_makes_patient_order_and_procedure_records(
    make_archive: MakeArchive, pki: Pki, directory: Directory, sink: Sink
) -> None:
    _, peer = make_archive()
    desk = OrderDesk(pki.node(ORDER_DESK), sink.emit, peer, directory)
    desk.start()
    clerk = clerks(1)[0]
    desk.seat.login(clerk.user_id, directory.secret_of(clerk))
    patient = patients(1)[0]
    desk.register(patient)
    desk.register(patient)
    assert desk.priors(patient) == []
    planned = examination(patient=patient)
    desk.order(planned)
    desk.stop()
    desk.stop()
    actions = [one.event_identification.event_action_code for one in sink.of("110110")]
    assert actions == ["C", "R"]
    (procedure,) = sink.of("110111")
    assert procedure.participant_objects[0].participant_object_id == planned.study_uid
    (order,) = sink.of("110109")
    (told,) = order.participant_objects
    assert told.participant_object_id.startswith(patient.patient_id)
    assert order.active_participants[0].user_id == f"{clerk.user_id}@demo-general.example"
    assert len(sink.of("110112")) == 2
    assert len(sink.of("110114", "110123")) == 1
    assert verdicts(sink.messages) == {("dicom", "valid")}
