"""Clients that nobody here wrote store into and query the archive over TLS."""

from pathlib import Path

import pytest

from audit.nodes.archive import Archive, ArchiveOptions
from audit.nodes.calls import Peer
from audit.nodes.dicom_tls import Credentials
from audit.nodes.instances import instances
from audit.nodes.people import patients
from audit.record.query_content import decode_query
from tests.nodes.conftest import MakeArchive, Pki, Sink, verdicts
from tests.nodes.examinations import examination
from tests.nodes.outside_programs import run

pytestmark = pytest.mark.outsider


@pytest.fixture
def archive(make_archive: MakeArchive) -> tuple[Archive, Peer]:
    return make_archive(ArchiveOptions())


def tls(credentials: Credentials) -> list[str]:
    own = ["+tls", str(credentials.key), str(credentials.certificate)]
    return [*own, "+cf", str(credentials.trusted)]


def at(peer: Peer) -> list[str]:
    return ["-aec", peer.station.ae_title, peer.host, str(peer.port)]


def written(folder: Path) -> list[str]:
    paths = []
    for modality in ("CT", "MR", "US"):
        for number, dataset in enumerate(instances(examination(modality))):
            paths.append(str(folder / f"{modality}{number}.dcm"))
            dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def test_echoscu_is_answered(archive: tuple[Archive, Peer], pki: Pki) -> None:
    done = run("echoscu", *tls(pki.client("dcmtk")), *at(archive[1]))
    assert done.returncode == 0, done.stderr


def test_storescu_stores_and_the_archive_tells_who_whose_and_what(
    archive: tuple[Archive, Peer], pki: Pki, sink: Sink, tmp_path: Path
) -> None:
    credentials = tls(pki.client("dcmtk"))
    files = written(tmp_path)
    done = run("storescu", *credentials, "-usr", "bob", *at(archive[1]), *files)
    assert done.returncode == 0, done.stderr
    (told,) = sink.wait_for(1, "110104")
    people = {one.user_id: one.user_name for one in told.active_participants}
    assert people == {"STORESCU": "dcmtk", "PACS_MAIN": "Image archive", "bob": None}
    assert len([one for one in told.participant_objects if not one.is_patient]) == 3
    (patient,) = [one for one in told.participant_objects if one.is_patient]
    assert patient.participant_object_name == patients(1)[0].name
    assert len(archive[0].store) == 3
    assert verdicts(sink.messages) == {("dicom", "valid")}


def test_findscu_finds_what_storescu_stored(
    archive: tuple[Archive, Peer], pki: Pki, sink: Sink, tmp_path: Path
) -> None:
    credentials = tls(pki.client("dcmtk"))
    assert run("storescu", *credentials, *at(archive[1]), *written(tmp_path)).returncode == 0
    patient = patients(1)[0]
    keys = ["QueryRetrieveLevel=STUDY", f"PatientID={patient.patient_id}", "ModalitiesInStudy=MR"]
    asked = [part for key in keys for part in ("-k", key)]
    done = run("findscu", "-S", "-v", *credentials, *asked, "-k", "PatientName", *at(archive[1]))
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count(patient.name) == 1
    (told,) = sink.wait_for(1, "110112")
    assert ("PatientID", patient.patient_id) in decode_query(told.participant_objects[0])
    assert verdicts(sink.messages) == {("dicom", "valid")}


def test_storescu_with_another_authoritys_certificate_is_refused_with_an_alert(
    archive: tuple[Archive, Peer], pki: Pki, sink: Sink, tmp_path: Path
) -> None:
    done = run("storescu", *tls(pki.stranger()), *at(archive[1]), *written(tmp_path)[:1])
    assert done.returncode != 0
    sink.wait_for(1, "110113", "110126")
    assert not len(archive[0].store)


def test_storescu_with_an_unknown_title_is_refused_with_an_alert(
    archive: tuple[Archive, Peer], pki: Pki, sink: Sink, tmp_path: Path
) -> None:
    credentials = tls(pki.client("dcmtk"))
    done = run("storescu", *credentials, "-aet", "EVIL", *at(archive[1]), *written(tmp_path)[:1])
    assert done.returncode != 0
    (told,) = sink.wait_for(1, "110113", "110126")
    assert told.active_participants[1].alternative_user_id == "AETITLES=EVIL"


def test_findscu_without_tls_is_refused_with_an_alert(
    archive: tuple[Archive, Peer], sink: Sink
) -> None:
    done = run("findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", *at(archive[1]))
    assert done.returncode != 0
    sink.wait_for(1, "110113", "110126")
