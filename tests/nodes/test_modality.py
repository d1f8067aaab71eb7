from audit.nodes.modality import Modality
from audit.nodes.people import Staff
from audit.nodes.registry import CT, AeRegistry
from tests.nodes.conftest import MakeArchive, Pki, Sink
from tests.nodes.examinations import examination


def test_an_examination_is_stored_and_committed_and_both_sides_tell(
    pki: Pki,
    registry: AeRegistry,
    sink: Sink,
    make_archive: MakeArchive,
    people: tuple[Staff, ...],
) -> None:
    archive, peer = make_archive()
    modality = Modality(CT, pki.node(CT), registry, sink.emit, peer)
    modality.start()
    try:
        done = modality.perform(examination(), people[0])
    finally:
        modality.stop()
    assert done.stored == 2
    assert done.committed
    assert len(archive.store) == 1
    assert len(sink.wait_for(2, "110104")) == 2
    assert len(sink.of("110102")) == 1
    assert len(sink.of("110111")) == 1
