"""The archive's store: whole instances in memory, bounded in studies and octets.

When a bound is passed the study that came first goes, and the archive reports it as deleted.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock

from pydicom.dataset import Dataset

from audit.nodes.matching import element_matches


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLimits:
    """How much the archive keeps: ``max_studies`` studies, ``max_octets`` of encoded instances."""

    max_studies: int = 100
    max_octets: int = 256 * 1024 * 1024


@dataclass(slots=True)
class Study:
    """One study with its instances by SOP Instance UID, in order of arrival."""

    uid: str
    instances: OrderedDict[str, Dataset] = field(default_factory=OrderedDict)
    octets: int = 0

    def add(self, dataset: Dataset, octets: int) -> bool:
        """Keep the instance; False when one of that UID was held already (the old one stays)."""
        uid = str(dataset.SOPInstanceUID)
        if uid in self.instances:
            return False
        self.instances[uid] = dataset
        self.octets += octets
        return True


class StudyStore:
    """Studies by UID, safe to use from the threads of many associations.

    ``on_deleted`` is called with the study, outside the lock, after it was removed to make room.
    """

    def __init__(self, limits: StoreLimits, on_deleted: Callable[[Study], None]) -> None:
        self._limits = limits
        self._on_deleted = on_deleted
        self._studies: OrderedDict[str, Study] = OrderedDict()
        self._octets = 0
        self._lock = Lock()

    def fits(self, study_uid: str, octets: int) -> bool:
        """Whether the study stays small enough to be kept with ``octets`` more."""
        with self._lock:
            study = self._studies.get(study_uid)
            return (study.octets if study else 0) + octets <= self._limits.max_octets

    def add(self, dataset: Dataset, octets: int) -> bool:
        """Keep an instance and make room for it; False when it was held already."""
        with self._lock:
            uid = str(dataset.StudyInstanceUID)
            study = self._studies.setdefault(uid, Study(uid))
            before = study.octets
            added = study.add(dataset, octets)
            self._octets += study.octets - before
            removed = self._make_room(keep=uid)
        for gone in removed:
            self._on_deleted(gone)
        return added

    def holds(self, sop_instance_uid: str) -> bool:
        """Whether an instance of that UID is safely kept (storage commitment)."""
        with self._lock:
            return any(sop_instance_uid in study.instances for study in self._studies.values())

    def select(self, keys: Dataset, attributes: tuple[str, ...]) -> list[Dataset]:
        """Instances whose ``attributes`` match those of ``keys``, oldest study first."""
        wanted = [keys[name] for name in attributes if name in keys]
        return [
            dataset
            for dataset in self._all()
            if all(element_matches(key, dataset.get(key.tag)) for key in wanted)
        ]

    def newest_studies(self, count: int) -> list[Study]:
        """The ``count`` studies that came last, newest first."""
        with self._lock:
            return list(reversed(self._studies.values()))[:count]

    def __len__(self) -> int:
        with self._lock:
            return len(self._studies)

    def _all(self) -> Iterator[Dataset]:
        with self._lock:
            held = [list(study.instances.values()) for study in self._studies.values()]
        for instances in held:
            yield from instances

    def _make_room(self, keep: str) -> list[Study]:
        removed = []
        while len(self._studies) > 1 and self._is_full():
            oldest = next(uid for uid in self._studies if uid != keep)
            study = self._studies.pop(oldest)
            self._octets -= study.octets
            removed.append(study)
        return removed

    def _is_full(self) -> bool:
        limits = self._limits
        return len(self._studies) > limits.max_studies or self._octets > limits.max_octets
