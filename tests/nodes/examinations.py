from audit.nodes.instances import Examination, new_uid, utc_now
from audit.nodes.people import Patient, patients


def examination(
    modality: str = "CT", slices: int = 2, patient: Patient | None = None
) -> Examination:
    return Examination(
        patient=patient or patients(1)[0],
        accession="A2026001",
        modality=modality,
        description=f"{modality} of the abdomen",
        at=utc_now(),
        study_uid=new_uid(),
        series_uid=new_uid(),
        slices=slices,
        edge=64,
        station="CT_RAD1",
    )
