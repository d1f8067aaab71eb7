import inspect
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from audit.emit import Ending, OutboxOptions, SecureNode
from audit.frame.syslog import read_header
from audit.record import build
from audit.record.assess import Assessment, assess
from audit.record.findings import Severity
from tests.emit.test_outbox import KeptInMemory

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
SOURCE = build.audit_source("viewer-3", "St. Anna", [build.SourceType.USER_INTERFACE])
VIEWER = build.Process(process_id="4711", name="viewer", ae_titles=("VIEW3",), address="10.1.1.3")
ARCHIVE = build.Process(process_id="815", ae_titles=("ARCHIVE",), address="10.1.1.1")
USER = build.Person(user_id="a.mueller@st-anna.example", address="10.1.1.3")
PATIENT = build.Patient(id="4711", name="Müller^Anna")
STUDY = build.Study(uid="2.999.4.1")
CD = build.Media(media_id="CD 17", type=build.MediaType.CD)
QUERY = build.DicomQuery(
    sop_class_uid="1.2.840.10008.5.1.4.1.2.2.1",
    identifier=b"\x08\x00\x52\x00\x06\x00\x00\x00STUDY ",
    transfer_syntax_uid="1.2.840.10008.1.2",
)
FAILED = Ending(outcome=build.Outcome.SERIOUS_FAILURE, description="no answer", when=NOW)
READ = build.Action.READ


def node_with(sink: KeptInMemory, options: OutboxOptions | None = None) -> SecureNode:
    return SecureNode(SOURCE, VIEWER, sink, options, clock=lambda: NOW)


def reports(act: Callable[[SecureNode], None]) -> list[tuple[bytes, Assessment]]:
    sink = KeptInMemory()
    with node_with(sink) as node:
        act(node)
        assert node.flush(5)
    return [(raw, assess(raw[read_header(raw).msg_offset :])) for raw in sink.sent]


ACTS: dict[str, tuple[str, Callable[[SecureNode], None]]] = {
    "started": ("110100", lambda node: node.started((USER,))),
    "stopped": ("110100", lambda node: node.stopped()),
    "joined_network": ("110108", lambda node: node.joined_network(build.Node(node_id="v3"))),
    "left_network": ("110108", lambda node: node.left_network(build.Node(node_id="v3"))),
    "logged_in": ("110114", lambda node: node.logged_in(USER, FAILED)),
    "logged_out": ("110114", lambda node: node.logged_out(USER)),
    "queried": ("110112", lambda node: node.queried(ARCHIVE, QUERY, USER)),
    "answered": ("110112", lambda node: node.answered(ARCHIVE, QUERY)),
    "sending": ("110102", lambda node: node.sending(ARCHIVE, PATIENT, (STUDY,), USER)),
    "sent": ("110104", lambda node: node.sent(ARCHIVE, PATIENT, (STUDY,), None, FAILED)),
    "received": ("110104", lambda node: node.received(ARCHIVE, PATIENT, (STUDY,))),
    "accessed": ("110103", lambda node: node.accessed(READ, PATIENT, (STUDY,), USER)),
    "deleted": ("110105", lambda node: node.deleted(PATIENT, (STUDY,), USER)),
    "exported": ("110106", lambda node: node.exported(CD, (PATIENT,), (STUDY,), USER)),
    "imported": ("110107", lambda node: node.imported(CD, (PATIENT,), (STUDY,))),
    "order": ("110109", lambda node: node.order(build.Action.CREATE, PATIENT, USER)),
    "patient": ("110110", lambda node: node.patient(build.Action.UPDATE, PATIENT, USER)),
    "procedure": ("110111", lambda node: node.procedure(READ, PATIENT, (STUDY,), USER)),
    "alert": (
        "110113",
        lambda node: node.alert(
            build.Alert.NODE_AUTHENTICATION,
            (build.AlertSubject(id="10.9.9.9", description="certificate expired"),),
        ),
    ),
    "used_log": ("110101", lambda node: node.used_log("https://arr.example/", USER)),
}


@pytest.mark.parametrize("name", sorted(ACTS))
def test_each_act_is_one_valid_message(name: str) -> None:
    event, act = ACTS[name]
    ((_, told),) = reports(act)
    assert [one for one in told.findings if one.severity is Severity.ERROR] == []
    assert (told.tier, told.verdict, told.event) == ("dicom", "valid", event)


def test_every_act_is_tried() -> None:
    own = {"emit", "flush", "close"}
    methods = {
        name
        for name, _ in inspect.getmembers(SecureNode, inspect.isfunction)
        if not name.startswith("_")
    }
    assert methods - own == set(ACTS)
    assert len({event for event, _ in ACTS.values()}) == 15


def test_the_header_names_node_and_gravity() -> None:
    ((raw, _),) = reports(lambda node: node.logged_in(USER, FAILED))
    header = read_header(raw)
    assert (header.facility, header.severity) == (10, 4)
    assert header.app_name == "viewer"
    assert header.msgid == "IHE+RFC-3881"
    assert header.remarks == ()
    ((raw, _),) = reports(lambda node: node.logged_in(USER))
    assert read_header(raw).severity == 5


def test_an_ending_tells_outcome_words_and_time() -> None:
    ((_, told),) = reports(lambda node: node.sent(ARCHIVE, PATIENT, (STUDY,), None, FAILED))
    assert told.message is not None
    event = told.message.event_identification
    assert event.event_outcome_indicator == "8"
    assert event.event_outcome_description == "no answer"
    assert event.event_date_time.startswith("2026-11-21T08:30:00")


def test_a_log_off_by_inactivity_names_no_requestor() -> None:
    ((_, told),) = reports(lambda node: node.logged_out(USER, by_inactivity=True))
    assert told.message is not None
    assert not any(one.user_is_requestor for one in told.message.active_participants)


def test_impossible_arguments_reach_the_caller() -> None:
    with node_with(KeptInMemory()) as node, pytest.raises(ValueError, match=r"A\.5\.3\.12"):
        node.logged_in(build.Person(user_id="x"))


def test_a_loss_is_reported_as_a_gap_in_recording() -> None:
    sink = KeptInMemory()
    sink.gate.clear()
    with node_with(sink, OutboxOptions(max_messages=2)) as node:
        for _ in range(5):
            node.started()
        assert node.lost == 3
        assert node.waiting == 2
        sink.gate.set()
        assert node.flush(5)
    told = [assess(raw[read_header(raw).msg_offset :]) for raw in sink.sent]
    # The gap is told once the sink takes anything again: one message, or both that waited.
    assert [one.event for one in told] in (
        ["110100", "110100", "110113", "110113"],
        ["110100", "110113", "110113", "110100"],
    )
    assert {one.verdict for one in told} == {"valid"}
    codes, words = [], []
    for one in (one for one in told if one.event == "110113"):
        assert one.message is not None
        codes.append(one.message.event_identification.event_type_codes[0].csd_code)
        words.append(one.message.participant_objects[0].participant_object_details[0].octets)
    assert codes == ["110133", "110134"]
    assert all(word is not None and word.startswith(b"3 audit messages") for word in words)


def test_many_threads_may_report_at_once() -> None:
    sink = KeptInMemory()
    with node_with(sink) as node:

        def report() -> None:
            for _ in range(50):
                node.started()

        threads = [threading.Thread(target=report) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert node.flush(10)
        assert node.last_error == ""
    assert len(sink.sent) == 400
