"""Which examinations are done: fresh numbers, a procedure that fits the modality."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Final

from pydicom.dataset import Dataset

from audit.nodes.instances import Examination, instances, new_uid, utc_now
from audit.nodes.people import Patient
from audit.nodes.registry import MODALITIES, Station

PROCEDURES: Final = {
    "CT": ("CT chest with contrast", "CT abdomen and pelvis", "CT pulmonary angiography"),
    "MR": ("MR brain", "MR cervical spine", "MR brain with contrast"),
    "US": ("US abdomen", "US FAST", "US hip"),
}
SLICES: Final = {"CT": 4, "MR": 3, "US": 2}
EDGES: Final = {"CT": 128, "MR": 128, "US": 256}
EDGE_OF_PRIORS: Final = 64
OLDEST_PRIOR: Final = timedelta(days=40)


class Planner:
    """Plans examinations; choices come from ``chance``."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._numbers = count(1)

    def plan(self, station: Station, patient: Patient) -> Examination:
        """An examination that is done now."""
        return self._examination(station, patient, utc_now(), EDGES[station.modality])

    def priors(self, patients: Sequence[Patient], number: int) -> Iterator[Dataset]:
        """The instances of earlier studies, oldest first, small and in even steps until now."""
        step = OLDEST_PRIOR / (number + 1)
        for index in range(number):
            at = utc_now() - OLDEST_PRIOR + index * step
            station, patient = self._chance.choice(MODALITIES), self._chance.choice(patients)
            yield from instances(self._examination(station, patient, at, EDGE_OF_PRIORS))

    def _examination(
        self, station: Station, patient: Patient, at: datetime, edge: int
    ) -> Examination:
        kind = station.modality
        return Examination(
            patient=patient,
            accession=f"A{next(self._numbers):07d}",
            modality=kind,
            description=self._chance.choice(PROCEDURES[kind]),
            at=at,
            study_uid=new_uid(),
            series_uid=new_uid(),
            slices=SLICES[kind],
            edge=edge,
            station=station.ae_title,
        )
