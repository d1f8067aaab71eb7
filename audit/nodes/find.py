"""The archive's C-FIND: hierarchical matching over the store (PS3.4 C.4.1, C.6.1, C.6.2)."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydicom.dataset import Dataset

from audit.nodes.facts import text_of
from audit.nodes.matching import element_matches, texts
from audit.nodes.sop_classes import PATIENT_FIND, PATIENT_GET, PATIENT_MOVE
from audit.nodes.study_store import StudyStore

LEVELS = ("PATIENT", "STUDY", "SERIES", "IMAGE")
UNIQUE_KEYS = {
    "PATIENT": "PatientID",
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}
PATIENT_CLASSES = (PATIENT_FIND, PATIENT_GET, PATIENT_MOVE)
NOT_MATCHED = frozenset(
    (
        "QueryRetrieveLevel",
        "SpecificCharacterSet",
        "TimezoneOffsetFromUTC",
        "RetrieveAETitle",
        "InstanceAvailability",
    )
)


class IdentifierRefused(Exception):
    """The identifier doesn't fit the SOP class (status 0xA900)."""


@dataclass(frozen=True, slots=True)
class Root:
    """An information model: which levels it has, the topmost first."""

    levels: tuple[str, ...]

    def check(self, identifier: Dataset, *, retrieve: bool = False) -> str:
        """The level asked for.

        A query above its level gives single unique keys; a retrieval gives those of its level too.

        Raises:
            IdentifierRefused: no such level here, or a unique key is missing.
        """
        level = text_of(identifier, "QueryRetrieveLevel")
        if level not in self.levels:
            raise IdentifierRefused(f"no query/retrieve level {level!r} in this model")
        above = self.levels[: self.levels.index(level) + (1 if retrieve else 0)]
        for name in above:
            value = text_of(identifier, UNIQUE_KEYS[name])
            if not value or "*" in value or "?" in value:
                raise IdentifierRefused(f"{UNIQUE_KEYS[name]} is needed at level {level}")
        return level


PATIENT_ROOT = Root(LEVELS)
STUDY_ROOT = Root(LEVELS[1:])


def root_of(sop_class: str) -> Root:
    """The information model that a query/retrieve SOP class works on."""
    return PATIENT_ROOT if sop_class in PATIENT_CLASSES else STUDY_ROOT


def answers(store: StudyStore, root: Root, identifier: Dataset, ae_title: str) -> list[Dataset]:
    """What matches, one dataset for each patient, study, series or image.

    Raises:
        IdentifierRefused: the identifier doesn't fit the model.
    """
    level = root.check(identifier)
    above = tuple(UNIQUE_KEYS[name] for name in LEVELS[: LEVELS.index(level)])
    entities: dict[str, list[Dataset]] = {}
    for dataset in store.select(identifier, above):
        entities.setdefault(text_of(dataset, UNIQUE_KEYS[level]), []).append(dataset)
    found = []
    for held in entities.values():
        entity = _Entity(held)
        if entity.matches(identifier):
            found.append(entity.answer(identifier, level, ae_title))
    return found


def selected(store: StudyStore, root: Root, identifier: Dataset) -> list[Dataset]:
    """The instances that a C-MOVE or C-GET asks for, each key a single UID or a list of them.

    Raises:
        IdentifierRefused: the identifier doesn't fit the model.
    """
    level = root.check(identifier, retrieve=True)
    keys = tuple(UNIQUE_KEYS[name] for name in LEVELS[: LEVELS.index(level) + 1])
    return store.select(identifier, keys)


class _Entity:
    """A patient, study, series or image with the instances that make it up."""

    def __init__(self, instances: list[Dataset]) -> None:
        self._instances = instances
        self._computed = Dataset()
        self._computed.ModalitiesInStudy = _distinct(instances, "Modality")
        self._computed.SOPClassesInStudy = _distinct(instances, "SOPClassUID")
        studies = len(_distinct(instances, "StudyInstanceUID"))
        series = len(_distinct(instances, "SeriesInstanceUID"))
        for kind in ("Patient", "Study", "Series"):
            setattr(self._computed, f"NumberOf{kind}RelatedInstances", str(len(instances)))
        for kind in ("Patient", "Study"):
            setattr(self._computed, f"NumberOf{kind}RelatedSeries", str(series))
        self._computed.NumberOfPatientRelatedStudies = str(studies)

    def matches(self, identifier: Dataset) -> bool:
        """Whether every key matches in one of the instances, or in what is computed of them."""
        for key in identifier:
            if key.keyword in NOT_MATCHED or key.is_private:
                continue
            held: Iterable[Dataset] = self._instances
            if key.tag in self._computed:
                held = (self._computed,)
            if not any(element_matches(key, dataset.get(key.tag)) for dataset in held):
                return False
        return True

    def answer(self, identifier: Dataset, level: str, ae_title: str) -> Dataset:
        """The requested attributes, empty where nothing is known."""
        first = self._instances[0]
        answer = Dataset()
        for key in identifier:
            known = self._computed if key.tag in self._computed else first
            if key.tag in known:
                answer.add(known[key.tag])
            else:
                answer.add_new(key.tag, key.VR, None if key.VR != "SQ" else [])
        answer.SpecificCharacterSet = first.get("SpecificCharacterSet") or "ISO_IR 6"
        answer.QueryRetrieveLevel = level
        answer.RetrieveAETitle = ae_title
        return answer


def _distinct(instances: list[Dataset], keyword: str) -> list[str]:
    values = {
        text for dataset in instances if keyword in dataset for text in texts(dataset[keyword])
    }
    return sorted(values - {""})
