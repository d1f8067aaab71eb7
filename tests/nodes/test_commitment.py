from collections.abc import Iterator

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from audit.nodes.archive import Archive
from audit.nodes.calls import Line, Peer, entity
from audit.nodes.instances import instances, new_uid
from audit.nodes.modality import Modality
from audit.nodes.registry import CT, AeRegistry
from audit.nodes.sop_classes import COMMITMENT, COMMITMENT_INSTANCE, contexts_of
from tests.nodes.conftest import MakeArchive, Pki, Sink
from tests.nodes.examinations import examination


@pytest.fixture
def archive(make_archive: MakeArchive) -> tuple[Archive, Peer]:
    return make_archive()


@pytest.fixture
def modality(archive: tuple[Archive, Peer], pki: Pki, registry: AeRegistry) -> Iterator[Modality]:
    made = Modality(CT, pki.node(CT), registry, Sink().emit, archive[1])
    made.start()
    yield made
    made.stop()


def test_what_is_not_held_is_not_committed_to(modality: Modality) -> None:
    assert not modality._commit(list(instances(examination())))


def test_a_part_that_is_missing_spoils_the_whole(
    archive: tuple[Archive, Peer], modality: Modality
) -> None:
    datasets = list(instances(examination()))
    archive[0].store.add(datasets[0], 10)
    assert not modality._commit(datasets)
    archive[0].store.add(datasets[1], 10)
    assert modality._commit(datasets)


def test_a_modality_that_stops_waits_no_longer(modality: Modality) -> None:
    modality.stop()
    assert not modality._word_on(new_uid())


def test_without_an_archive_nothing_is_stored_and_that_is_told(
    archive: tuple[Archive, Peer], pki: Pki, registry: AeRegistry
) -> None:
    sink = Sink()
    lonely = Modality(CT, pki.node(CT), registry, sink.emit, archive[1])
    archive[0].stop()
    done = lonely.perform(examination())
    assert (done.stored, done.committed) == (0, False)
    (told,) = sink.of("110104")
    assert told.event_identification.event_outcome_indicator == "8"
    assert told.event_identification.event_outcome_description == "2 instances were not stored"
    assert not lonely._commit(list(instances(examination())))


@pytest.mark.usefixtures("modality")
@pytest.mark.parametrize("action", [2, 99])
def test_another_action_is_refused(archive: tuple[Archive, Peer], pki: Pki, action: int) -> None:
    request = Dataset()
    request.TransactionUID = new_uid()
    line = Line(entity(CT.ae_title), pki.node(CT))
    with line.to(archive[1], contexts_of([COMMITMENT])) as association:
        answer, _ = association.send_n_action(request, action, COMMITMENT, COMMITMENT_INSTANCE)
    assert answer.Status == 0x0110


def test_a_result_that_cannot_be_delivered_is_dropped_and_the_next_one_is_not(
    archive: tuple[Archive, Peer], modality: Modality, pki: Pki, registry: AeRegistry
) -> None:
    datasets = list(instances(examination()))
    for dataset in datasets:
        archive[0].store.add(dataset, 10)
    where = registry.address_of(CT.ae_title)
    assert where is not None
    registry.enrol(CT.ae_title, "127.0.0.1", _unused_port())
    request = Dataset()
    request.TransactionUID = new_uid()
    line = Line(entity(CT.ae_title), pki.node(CT))
    with line.to(archive[1], contexts_of([COMMITMENT])) as association:
        answer, _ = association.send_n_action(request, 1, COMMITMENT, COMMITMENT_INSTANCE)
    assert answer.Status == 0
    registry.enrol(CT.ae_title, *where)
    assert modality._commit(datasets)


def _unused_port() -> int:
    """A port that was free a moment ago."""
    made = AE("X")
    made.add_supported_context(COMMITMENT)
    server = made.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_ECHO, id)])
    assert server is not None
    port = int(server.server_address[1])
    server.shutdown()
    return port
