"""Valid CT, MR and US instances with the modules that their IODs demand (PS3.3 A.3, A.4, A.6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    UltrasoundImageStorage,
    generate_uid,
)

from audit.nodes.chance import seeded
from audit.nodes.people import Patient
from audit.nodes.pixels import cross_section, echo_fan
from audit.nodes.registry import PATIENT_ID_NAMESPACE, PATIENT_ID_OID

IMAGE_STORAGE = (CTImageStorage, MRImageStorage, UltrasoundImageStorage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was ordered and is now done: one study with one series.

    ``edge`` is the width and height of an image in pixels, ``at`` the time of the study, UTC.
    """

    patient: Patient
    accession: str
    modality: str
    description: str
    at: datetime
    study_uid: str
    series_uid: str
    slices: int = 3
    edge: int = 128
    station: str = ""
    issuer: str = PATIENT_ID_NAMESPACE
    issuer_oid: str = PATIENT_ID_OID


def new_uid() -> str:
    """A UID nobody else has, from a random UUID (PS3.5 B.2)."""
    return str(generate_uid(prefix=None))


def instances(examination: Examination) -> Iterator[Dataset]:
    """The study's instances, each complete with file meta information."""
    specific = {"CT": _ct, "MR": _mr, "US": _us}[examination.modality]
    frame_of_reference = new_uid()
    for number in range(1, examination.slices + 1):
        dataset = _patient_and_study(examination)
        _series_and_equipment(dataset, examination)
        dataset.InstanceNumber = str(number)
        dataset.SOPInstanceUID = new_uid()
        if examination.modality != "US":
            _frame_of_reference_and_plane(dataset, frame_of_reference, number)
        specific(dataset, examination, number)
        dataset.file_meta = _file_meta(dataset)
        yield dataset


def _patient_and_study(examination: Examination) -> Dataset:
    """Patient, General Study and Patient Study modules (PS3.3 C.7.1, C.7.2)."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    patient = examination.patient
    dataset.PatientName = patient.name
    dataset.PatientID = patient.patient_id
    dataset.PatientBirthDate = patient.birth_date
    dataset.PatientSex = patient.sex
    dataset.PatientWeight = str(patient.weight_kg)
    dataset.IssuerOfPatientID = examination.issuer
    qualifier = Dataset()
    qualifier.UniversalEntityID = examination.issuer_oid
    qualifier.UniversalEntityIDType = "ISO"
    dataset.IssuerOfPatientIDQualifiersSequence = [qualifier]
    dataset.StudyInstanceUID = examination.study_uid
    dataset.StudyID = examination.accession[-8:]
    dataset.StudyDate = examination.at.strftime("%Y%m%d")
    dataset.StudyTime = examination.at.strftime("%H%M%S")
    dataset.TimezoneOffsetFromUTC = "+0000"
    dataset.AccessionNumber = examination.accession
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = examination.description
    return dataset


def _series_and_equipment(dataset: Dataset, examination: Examination) -> None:
    """General Series, General Equipment and General Image modules (PS3.3 C.7.3, C.7.5, C.7.6)."""
    dataset.Modality = examination.modality
    dataset.SeriesInstanceUID = examination.series_uid
    dataset.SeriesNumber = "1"
    dataset.SeriesDate = dataset.StudyDate
    dataset.SeriesTime = dataset.StudyTime
    dataset.SeriesDescription = examination.description
    dataset.PatientPosition = "HFS"
    dataset.BodyPartExamined = "HEAD" if examination.modality == "MR" else "ABDOMEN"
    dataset.Manufacturer = "Demo Imaging"
    dataset.ManufacturerModelName = f"Phantom {examination.modality}"
    dataset.DeviceSerialNumber = "1"
    dataset.SoftwareVersions = "1.0"
    dataset.StationName = examination.station
    dataset.ContentDate = dataset.AcquisitionDate = dataset.StudyDate
    dataset.ContentTime = dataset.AcquisitionTime = dataset.StudyTime


def _frame_of_reference_and_plane(dataset: Dataset, frame_of_reference: str, number: int) -> None:
    """Frame of Reference and Image Plane modules (PS3.3 C.7.4.1, C.7.6.2)."""
    dataset.FrameOfReferenceUID = frame_of_reference
    dataset.PositionReferenceIndicator = ""
    dataset.PixelSpacing = ["1.5", "1.5"]
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dataset.ImagePositionPatient = ["-96", "-96", str(5 * number)]
    dataset.SliceThickness = "5"


def _ct(dataset: Dataset, examination: Examination, number: int) -> None:
    """CT Image module (PS3.3 C.8.2.1): Hounsfield units by RescaleIntercept."""
    dataset.SOPClassUID = CTImageStorage
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.KVP = "120"
    dataset.AcquisitionNumber = "1"
    dataset.RescaleIntercept = "-1024"
    dataset.RescaleSlope = "1"
    dataset.RescaleType = "HU"
    dataset.WindowCenter = "40"
    dataset.WindowWidth = "400"
    _words(dataset, examination, number)


def _mr(dataset: Dataset, examination: Examination, number: int) -> None:
    """MR Image module (PS3.3 C.8.3.1): a spin echo."""
    dataset.SOPClassUID = MRImageStorage
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
    dataset.ScanningSequence = "SE"
    dataset.SequenceVariant = "SK"
    dataset.ScanOptions = ""
    dataset.MRAcquisitionType = "2D"
    dataset.RepetitionTime = "500"
    dataset.EchoTime = "15"
    dataset.EchoTrainLength = "1"
    dataset.MagneticFieldStrength = "3"
    dataset.AcquisitionNumber = "1"
    _words(dataset, examination, number)


def _us(dataset: Dataset, examination: Examination, number: int) -> None:
    """US Image module (PS3.3 C.8.5.6): one grey-scale frame of 8 bits."""
    dataset.SOPClassUID = UltrasoundImageStorage
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "ABDOMINAL", "0001"]
    dataset.PatientOrientation = ""
    del dataset.PatientPosition
    _image_pixel(dataset, examination.edge, allocated=8, stored=8)
    chance = seeded(examination.study_uid, number)
    dataset.PixelData = echo_fan(chance, examination.edge)
    dataset["PixelData"].VR = "OB"


def _words(dataset: Dataset, examination: Examination, number: int) -> None:
    chance = seeded(examination.study_uid, number)
    _image_pixel(dataset, examination.edge, allocated=16, stored=12)
    dataset.PixelData = cross_section(chance, examination.edge, number / examination.slices)
    dataset["PixelData"].VR = "OW"


def _image_pixel(dataset: Dataset, edge: int, *, allocated: int, stored: int) -> None:
    """Image Pixel module (PS3.3 C.7.6.3) of a square grey-scale image."""
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows = dataset.Columns = edge
    dataset.BitsAllocated = allocated
    dataset.BitsStored = stored
    dataset.HighBit = stored - 1
    dataset.PixelRepresentation = 0


def _file_meta(dataset: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return meta


def utc_now() -> datetime:
    """The time of an examination that happens now."""
    return datetime.now(UTC)
