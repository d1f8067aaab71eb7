"""Studies of the simulated patients, and the visits that make them."""

from dataclasses import dataclass
from random import Random

from audit.simulate.facts import Examination, facts
from audit.simulate.people import Patients, Staff, mixed
from audit.simulate.stage import Stage
from audit.simulate.stations import Station

_NEW_PATIENT = 0.35
_URGENT = frozenset({"CT", "CR", "DX", "XA", "US"})
_DAY = range(7, 20)
_RECENT_POWER = 4
_MOST_PRIORS = 4

Slots = dict[str, str]


@dataclass(slots=True)
class Visit:
    """One examination of one patient.

    ``slots`` tell patient and study. The people are drawn when they first act, from who is on
    duty then.
    """

    patient: int
    slots: Slots
    modality: Station
    department: str
    minutes: int
    technologist: Staff | None = None
    radiologist: Staff | None = None


def _study_slots(uid: str, accession: str, examination: Examination, count: int) -> Slots:
    return {
        "study": uid,
        "accession": accession,
        "described": examination.name,
        "sop_class": examination.sop_class,
        "count": str(count),
    }


def _drawn_examination(random: Random, hour: int) -> Examination:
    known = facts().examinations
    if hour not in _DAY:
        known = tuple(item for item in known if item.modality in _URGENT)
    return random.choices(known, [item.weight for item in known])[0]


def drawn_department(random: Random, hour: int) -> str:
    """A clinical department: at night mostly emergency and intensive care."""
    clinical = [item for item in facts().departments if item.role == "clinician"]
    weights = [item.share for item in clinical]
    if hour not in _DAY:
        weights = [20 if item.code in {"EMG", "ICU"} else 1 for item in clinical]
    return random.choices(clinical, weights)[0].code


def drawn_patient(stage: Stage) -> int:
    """Somebody who has been here before, more likely of late."""
    oldest = stage.world.patients.ordinary
    span = stage.known_patients - oldest
    return stage.known_patients - 1 - int(span * stage.random.random() ** _RECENT_POWER)


def begun_visit(stage: Stage, time: int) -> Visit:
    """A visit of a new or a known patient."""
    random, hour = stage.random, stage.local(time).hour
    if random.random() < _NEW_PATIENT:
        stage.known_patients += 1
        patient = stage.known_patients - 1
    else:
        patient = drawn_patient(stage)
    examination = _drawn_examination(random, hour)
    stage.studies += 1
    uid = f"{facts().uid_root}.1.{stage.studies}"
    count = random.randint(*examination.instances)
    study = _study_slots(uid, f"A{stage.studies:08}", examination, count)
    return Visit(
        patient=patient,
        slots={**stage.world.patients.slots(patient), **study},
        modality=random.choice(stage.world.stations.modalities[examination.modality]),
        department=drawn_department(random, hour),
        minutes=random.randint(*examination.minutes),
    )


def prior_slots(patients: Patients, patient: int, place: int) -> Slots:
    """One of a patient's studies from before the simulated time; the same for the same place."""
    known = facts().examinations
    bits = mixed(patient + 1, place)
    examination = known[bits % len(known)]
    low, high = examination.instances
    count = low + (bits >> 20) % (high - low + 1)
    uid = f"{facts().uid_root}.2.{patient}.{place}"
    return {
        **patients.slots(patient),
        **_study_slots(uid, f"P{patient:07}{place}", examination, count),
    }


def prior_count(patient: int) -> int:
    """How many studies a patient has from before, one at least."""
    return 1 + mixed(patient + 1, 0) % _MOST_PRIORS
