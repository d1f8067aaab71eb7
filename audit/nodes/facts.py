"""What an audit message needs to know of instances: whose, which study, how many of what class."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from audit.record.build import Patient, SOPInstances, Study


@dataclass(frozen=True, slots=True)
class Group:
    """The studies of one patient: most A.5.3 events name one patient only."""

    patient: Patient
    studies: tuple[Study, ...]


@dataclass(slots=True)
class _Counted:
    accession: str = ""
    description: str = ""
    sop_classes: Counter[str] = field(default_factory=Counter)


class Tally:
    """Counts instances by patient and study, in order of first sight."""

    def __init__(self, datasets: Iterable[Dataset] = ()) -> None:
        self._studies: dict[tuple[Patient, str], _Counted] = {}
        for dataset in datasets:
            self.add(dataset)

    def __bool__(self) -> bool:
        return bool(self._studies)

    def add(self, dataset: Dataset) -> None:
        """Count one instance."""
        key = (patient_of(dataset), text_of(dataset, "StudyInstanceUID"))
        counted = self._studies.setdefault(key, _Counted())
        counted.accession = counted.accession or text_of(dataset, "AccessionNumber")
        counted.description = counted.description or text_of(dataset, "StudyDescription")
        counted.sop_classes[text_of(dataset, "SOPClassUID")] += 1

    def groups(self) -> tuple[Group, ...]:
        """What was counted, one group for each patient."""
        grouped: dict[Patient, list[Study]] = {}
        for (patient, uid), counted in self._studies.items():
            grouped.setdefault(patient, []).append(_study(uid, counted))
        return tuple(Group(patient, tuple(studies)) for patient, studies in grouped.items())


def _study(uid: str, counted: _Counted) -> Study:
    return Study(
        uid=uid,
        description=counted.description,
        accessions=(counted.accession,) if counted.accession else (),
        sop_classes=tuple(
            SOPInstances(sop_class, number) for sop_class, number in counted.sop_classes.items()
        ),
    )


def patient_of(dataset: Dataset) -> Patient:
    """The patient, with the assigning authority of the identifier where it is given.

    An absent identifier becomes ``UNKNOWN``: PS3.15 demands one, and the record is worth keeping.
    """
    return Patient(
        id=text_of(dataset, "PatientID") or "UNKNOWN",
        name=text_of(dataset, "PatientName"),
        assigner=_assigner(dataset),
    )


def text_of(dataset: Dataset, keyword: str) -> str:
    """The attribute as text, empty when it is absent or has no value."""
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip()


def _assigner(dataset: Dataset) -> str:
    qualifiers = dataset.get("IssuerOfPatientIDQualifiersSequence") or [Dataset()]
    if text_of(qualifiers[0], "UniversalEntityIDType") == "ISO":
        return text_of(qualifiers[0], "UniversalEntityID")
    return text_of(dataset, "IssuerOfPatientID")
