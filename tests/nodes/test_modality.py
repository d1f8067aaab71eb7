from audit.nodes.instances import Examination, new_uid, utc_now
from audit.nodes.modality import Modality
from audit.nodes.people import Staff, patients
from audit.nodes.registry import CT, AeRegistry
from tests.nodes.conftest import MakeArchive, Pki, Sink


def examination(modality: str = "CT", slices: int = 2) -> Examination:
    return Examination(
        patient=patients(1)[0],
        accession="A2026000001",
        modality=modality,
        description="CT abdomen",
        at=utc_now(),
        study_uid=new_uid(),
        series_uid=new_uid(),
        slices=slices,
        edge=64,
        station="CT_RAD1",
    )


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
