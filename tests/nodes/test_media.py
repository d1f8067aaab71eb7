from pathlib import Path

import pytest
from pydicom import dcmread

from audit.nodes import media
from audit.nodes.instances import instances
from audit.nodes.media import KEPT, Medium
from audit.record.build import MediaType
from tests.nodes.examinations import examination


def medium(folder: Path, label: str = "DISC-1") -> Medium:
    return Medium(MediaType.DVD, label, folder / label)


def test_what_is_written_is_read_back_with_its_pixels(tmp_path: Path) -> None:
    made = [dataset for kind in ("CT", "US") for dataset in instances(examination(kind))]
    media.write(medium(tmp_path), made)
    read = media.read(medium(tmp_path))
    assert {(one.SOPInstanceUID, one.PixelData) for one in read} == {
        (one.SOPInstanceUID, one.PixelData) for one in made
    }


def test_only_the_newest_media_stay_on_the_shelf(tmp_path: Path) -> None:
    made = list(instances(examination()))
    labels = [f"DISC-{number}" for number in range(KEPT + 2)]
    for label in labels:
        media.write(medium(tmp_path, label), made)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == labels[-KEPT:]


def test_a_file_id_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    media.write(medium(tmp_path), list(instances(examination(slices=1))))
    path = tmp_path / "DISC-1" / "DICOMDIR"
    directory = dcmread(path)
    for record in directory.DirectoryRecordSequence:
        if record.DirectoryRecordType == "IMAGE":
            record[(0x0004, 0x1500)]._value = ["..", "..", "SECRET"]
    directory.save_as(path)
    with pytest.raises(ValueError, match="file ID"):
        media.read(medium(tmp_path))


def test_an_instance_without_a_patient_cannot_be_written(tmp_path: Path) -> None:
    dataset = next(instances(examination()))
    del dataset.PatientID
    with pytest.raises((ValueError, AttributeError)):
        media.write(medium(tmp_path), [dataset])


def test_an_empty_medium_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="DICOMDIR"):
        media.read(medium(tmp_path))


def test_a_medium_names_itself(tmp_path: Path) -> None:
    named = medium(tmp_path).as_media
    assert (named.media_id, named.label, named.type) == ("DISC-1", "DISC-1", MediaType.DVD)
