"""What the nodes store and exchange: SOP classes and transfer syntaxes (PS3.6 A)."""

from collections.abc import Iterable, Sequence

from pydicom import uid
from pydicom.dataset import Dataset
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelGet,
    PatientRootQueryRetrieveInformationModelMove,
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

PATIENT_FIND = PatientRootQueryRetrieveInformationModelFind
PATIENT_GET = PatientRootQueryRetrieveInformationModelGet
PATIENT_MOVE = PatientRootQueryRetrieveInformationModelMove
STUDY_FIND = StudyRootQueryRetrieveInformationModelFind
STUDY_GET = StudyRootQueryRetrieveInformationModelGet
STUDY_MOVE = StudyRootQueryRetrieveInformationModelMove
COMMITMENT = StorageCommitmentPushModel
COMMITMENT_INSTANCE = uid.UID("1.2.840.10008.1.20.1.1")
"""The well-known SOP Instance of storage commitment (PS3.4 J.3.5)."""
VERIFICATION = Verification

UNCOMPRESSED = (uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian)
TRANSFER_SYNTAXES = (
    *UNCOMPRESSED,
    uid.DeflatedExplicitVRLittleEndian,
    uid.JPEGBaseline8Bit,
    uid.JPEGExtended12Bit,
    uid.JPEGLossless,
    uid.JPEGLosslessSV1,
    uid.JPEGLSLossless,
    uid.JPEGLSNearLossless,
    uid.JPEG2000Lossless,
    uid.JPEG2000,
    uid.RLELossless,
)
STORAGE = (
    uid.ComputedRadiographyImageStorage,
    uid.DigitalXRayImageStorageForPresentation,
    uid.DigitalXRayImageStorageForProcessing,
    uid.DigitalMammographyXRayImageStorageForPresentation,
    uid.CTImageStorage,
    uid.EnhancedCTImageStorage,
    uid.MRImageStorage,
    uid.EnhancedMRImageStorage,
    uid.UltrasoundImageStorage,
    uid.UltrasoundMultiFrameImageStorage,
    uid.SecondaryCaptureImageStorage,
    uid.MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    uid.MultiFrameTrueColorSecondaryCaptureImageStorage,
    uid.XRayAngiographicImageStorage,
    uid.XRayRadiofluoroscopicImageStorage,
    uid.NuclearMedicineImageStorage,
    uid.PositronEmissionTomographyImageStorage,
    uid.GrayscaleSoftcopyPresentationStateStorage,
    uid.KeyObjectSelectionDocumentStorage,
    uid.BasicTextSRStorage,
    uid.EnhancedSRStorage,
    uid.ComprehensiveSRStorage,
    uid.XRayRadiationDoseSRStorage,
    uid.EncapsulatedPDFStorage,
)


def contexts_for(datasets: Iterable[Dataset]) -> list[PresentationContext]:
    """What to propose so that these instances can go as they are, compressed or not."""
    wanted: dict[tuple[str, tuple[str, ...]], None] = {}
    for dataset in datasets:
        syntax = dataset.file_meta.TransferSyntaxUID
        syntaxes = UNCOMPRESSED if syntax in UNCOMPRESSED else (syntax,)
        wanted[str(dataset.SOPClassUID), tuple(map(str, syntaxes))] = None
    return [build_context(sop_class, list(syntaxes)) for sop_class, syntaxes in wanted]


def contexts_of(sop_classes: Sequence[str]) -> list[PresentationContext]:
    """Uncompressed contexts for these SOP classes."""
    return [build_context(sop_class, list(UNCOMPRESSED)) for sop_class in sop_classes]
