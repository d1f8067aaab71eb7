"""Patients, staff and shifts of the demo hospital, the same for the same seed."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from audit.nodes.chance import seeded

# fmt: off
GIVEN_NAMES_F = (
    "Anna", "Beatriz", "Carmen", "Chiara", "Elif", "Emma", "Fatima", "Grace", "Hanna",
    "Ingrid", "Jasmine", "Joan", "Kateryna", "Leila", "Lucia", "Maria", "Mei", "Nadia",
    "Olivia", "Priya", "Rosa", "Ruth", "Sofia", "Teresa", "Yuki", "Zofia",
)
GIVEN_NAMES_M = (
    "Ahmed", "Andrei", "Carlos", "Daniel", "David", "Emeka", "George", "Hiroshi", "Ivan",
    "Jakob", "James", "Jonas", "Karim", "Lars", "Luca", "Marek", "Mateo", "Nikolai", "Omar",
    "Pavel", "Peter", "Rajesh", "Samuel", "Thomas", "Viktor", "Wei",
)
FAMILY_NAMES = (
    "Abbott", "Almeida", "Andersson", "Baker", "Becker", "Bianchi", "Brown", "Castillo",
    "Chen", "Cohen", "Costa", "Demir", "Dubois", "Evans", "Fischer", "Garcia", "Haddad",
    "Hansen", "Hughes", "Ibrahim", "Ivanova", "Jensen", "Kaya", "Keller", "Kim", "Kowalski",
    "Larsen", "Lopez", "Marino", "Martin", "Meyer", "Moreau", "Nguyen", "Novak", "Okafor",
    "Patel", "Petrov", "Quinn", "Rossi", "Schmidt", "Silva", "Singh", "Suzuki", "Tanaka",
    "Taylor", "Vargas", "Virtanen", "Weber", "Wilson", "Yilmaz", "Zhang", "Zimmermann",
)
# fmt: on
FIRST_PATIENT_NUMBER = 40_117_300
WEIGHTS_KG = (52, 97)


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient as the order desk knows them; ``name`` is in PN form, ``Family^Given``."""

    patient_id: str
    name: str
    sex: str
    birth_date: str
    weight_kg: int


@dataclass(frozen=True, slots=True)
class Staff:
    """A named user of a node. ``shift`` is ``early``, ``late`` or ``night``."""

    user_id: str
    name: str
    department: str
    shift: str

    def on_duty(self, hour: int) -> bool:
        """Whether the shift covers this hour of the day (0 to 23)."""
        return shift_at(hour) == self.shift


def shift_at(hour: int) -> str:
    """Early from 6 to 14 o'clock, late to 22, night until 6."""
    if 6 <= hour < 14:  # noqa: PLR2004 - the hours are the rule told above
        return "early"
    return "late" if 14 <= hour < 22 else "night"  # noqa: PLR2004 - as above


def patients(seed: int, count: int = 120) -> tuple[Patient, ...]:
    """``count`` different patients with consecutive-looking numbers."""
    chance = seeded("patients", seed)
    number = FIRST_PATIENT_NUMBER
    found = []
    for _ in range(count):
        number += chance.randint(1, 40)
        found.append(_patient(chance, str(number)))
    return tuple(found)


def outside_patient(seed: int, index: int) -> Patient:
    """A patient of another hospital, who comes with a disc of earlier images."""
    return _patient(seeded("outside patient", seed, index), f"X{7000 + index}")


def staff(seed: int) -> tuple[Staff, ...]:
    """Who works with images here: each shift has readers, emergency doctors and technologists."""
    chance = seeded("staff", seed)
    taken: set[str] = set()
    places = ("Radiology", "Radiology", "Emergency", "Neurology", "Imaging")
    return tuple(
        _member(chance, place, shift, taken)
        for shift in ("early", "late", "night")
        for place in places
    )


def clerks(seed: int) -> tuple[Staff, ...]:
    """The order desk's clerks, one for each shift."""
    chance = seeded("clerks", seed)
    taken: set[str] = {member.user_id for member in staff(seed)}
    return tuple(
        _member(chance, "Registration", shift, taken) for shift in ("early", "late", "night")
    )


def _patient(chance: Random, patient_id: str) -> Patient:
    sex = chance.choice("FM")
    given = chance.choice(GIVEN_NAMES_F if sex == "F" else GIVEN_NAMES_M)
    born = date(1932, 1, 1) + timedelta(days=chance.randint(0, 31_000))
    return Patient(
        patient_id=patient_id,
        name=f"{chance.choice(FAMILY_NAMES)}^{given}",
        sex=sex,
        birth_date=born.strftime("%Y%m%d"),
        weight_kg=chance.randint(*WEIGHTS_KG),
    )


def _member(chance: Random, department: str, shift: str, taken: set[str]) -> Staff:
    while True:
        given = chance.choice(GIVEN_NAMES_F + GIVEN_NAMES_M)
        family = chance.choice(FAMILY_NAMES)
        user_id = f"{given[0]}{family}".lower()
        if user_id not in taken:
            taken.add(user_id)
            return Staff(user_id, f"{given} {family}", department, shift)
