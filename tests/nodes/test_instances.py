from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import UID

from audit.nodes.instances import instances
from tests.nodes.examinations import examination
from tests.nodes.outside_programs import run

TYPE_1 = {
    "CT": ("ImageType", "RescaleIntercept", "RescaleSlope", "ImagePositionPatient"),
    "MR": ("ImageType", "ScanningSequence", "SequenceVariant", "ImageOrientationPatient"),
    "US": ("ImageType", "SamplesPerPixel", "PhotometricInterpretation"),
}
TYPE_2 = {
    "CT": ("KVP", "AcquisitionNumber", "PositionReferenceIndicator"),
    "MR": ("ScanOptions", "RepetitionTime", "EchoTime", "EchoTrainLength"),
    "US": ("PatientOrientation",),
}
COMMON_TYPE_1 = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "Modality")
COMMON_TYPE_2 = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "SeriesNumber",
    "InstanceNumber",
    "Manufacturer",
)


@pytest.mark.parametrize("modality", ["CT", "MR", "US"])
def test_a_written_instance_reads_back_with_every_module(modality: str, tmp_path: Path) -> None:
    for made in instances(examination(modality)):
        path = tmp_path / "image.dcm"
        made.save_as(path, enforce_file_format=True)
        read = dcmread(path)
        for keyword in (*COMMON_TYPE_1, *TYPE_1[modality]):
            assert read[keyword].value not in ("", None), keyword
        for keyword in (*COMMON_TYPE_2, *TYPE_2[modality]):
            assert keyword in read, keyword
        assert UID(read.SOPInstanceUID).is_valid
        assert read.file_meta.MediaStorageSOPInstanceUID == read.SOPInstanceUID


@pytest.mark.parametrize("modality", ["CT", "MR", "US"])
def test_pixel_data_has_the_length_that_the_image_pixel_module_says(modality: str) -> None:
    for made in instances(examination(modality)):
        pixels = made.Rows * made.Columns * made.SamplesPerPixel
        assert len(made.PixelData) == pixels * made.BitsAllocated // 8
        assert made.HighBit == made.BitsStored - 1
        top = 2**made.BitsStored
        words = memoryview(made.PixelData).cast("H" if made.BitsAllocated == 16 else "B")
        assert max(words) < top
        representation = made["PixelData"].VR
        assert representation == {16: "OW", 8: "OB"}[made.BitsAllocated]


def test_the_slices_of_a_study_share_study_series_and_frame_of_reference() -> None:
    made = list(instances(examination("CT", slices=3)))
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert len({one[keyword].value for one in made}) == 1
    assert len({one.SOPInstanceUID for one in made}) == 3
    assert [one.ImagePositionPatient[2] for one in made] == [5, 10, 15]


@pytest.mark.outsider
@pytest.mark.parametrize("modality", ["CT", "MR", "US"])
def test_dcmtk_reads_an_instance_without_complaint(modality: str, tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    next(instances(examination(modality))).save_as(path, enforce_file_format=True)
    done = run("dcmdump", str(path))
    assert done.returncode == 0
    assert not done.stderr
    assert "PixelData" in done.stdout
