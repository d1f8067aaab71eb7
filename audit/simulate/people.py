"""The simulated patients and staff.

A patient is computed from his or her number, never stored, so that any number of them costs
nothing. The first patients are the members of staff themselves, then come the prominent ones.
"""

import unicodedata
from bisect import bisect
from dataclasses import dataclass, field
from itertools import accumulate

from audit.simulate.facts import Culture, Department, facts
from audit.simulate.scenes import Slots

_MASK = (1 << 64) - 1
_NUMBERS = 9_000_011
"""How many patient numbers there are: a prime, so that the spreading below is one to one."""
_LOWEST_NUMBER = 1_000_000
_SPREAD = 7_919
_TITLED = frozenset({"radiologist", "clinician"})
PROMINENT = 6
"""How many patients are known to everyone."""


def mixed(seed: int, number: int) -> int:
    """64 well-mixed bits of two numbers (the finaliser of SplitMix64)."""
    bits = (seed * 0x9E3779B97F4A7C15 + number * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
    return bits ^ (bits >> 31)


@dataclass(frozen=True, slots=True)
class Name:
    """A name in Latin letters, and natively where its culture writes otherwise."""

    family: str
    given: str
    native: str
    family_native: str
    given_native: str

    @property
    def person_name(self) -> str:
        """The DICOM PN: native letters as second group where they are ideographic."""
        if self.native == "alphabetic":
            return f"{self.family_native}^{self.given_native}"
        latin = f"{self.family}^{self.given}"
        if self.native == "ideographic":
            return f"{latin}={self.family_native}^{self.given_native}"
        return latin


def _drawn(culture: Culture, bits: int) -> Name:
    family = (bits >> 16) % len(culture.family)
    given = (bits >> 32) % len(culture.given)
    # Alphabetic natives (Cyrillic, Greek, Arabic) stand in every third record only.
    native = culture.native
    if native == "alphabetic" and (bits >> 48) % 3:
        native = ""
    return Name(
        family=culture.family[family],
        given=culture.given[given],
        native=native,
        family_native=culture.family_native[family] if native else "",
        given_native=culture.given_native[given] if native else "",
    )


class Names:
    """Draws names by number, each culture by its weight."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._cultures = facts().cultures
        self._bounds = list(accumulate(culture.weight for culture in self._cultures))

    def of(self, number: int) -> Name:
        """The same name for the same number."""
        bits = mixed(self._seed, number)
        index = bisect(self._bounds, bits % (1 << 16) % self._bounds[-1])
        return _drawn(self._cultures[index], bits)


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff. ``index`` is also his or her own number as a patient.

    ``phase`` decides which shift is worked in which week; ``turning``: works in shifts at all.
    """

    index: int
    user_id: str
    name: str
    family: str
    given: str
    department: Department
    turning: bool
    phase: int
    slots: Slots = field(compare=False)


def _ascii(text: str) -> str:
    spelled = text.lower()
    for letter, letters in (("ß", "ss"), ("ø", "o"), ("\u0131", "i"), ("ł", "l"), ("đ", "d")):
        spelled = spelled.replace(letter, letters)
    spelled = spelled.replace("þ", "th").replace("ð", "d").replace("æ", "ae")
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return "".join(character for character in plain if character.isalnum())


def _member(index: int, name: Name, department: Department, bits: int) -> Staff:
    login = f"{_ascii(name.given)[:1]}.{_ascii(name.family)[:12]}{index}"
    title = "Dr. " if department.role in _TITLED else ""
    shown = f"{title}{name.given} {name.family}"
    user_id = f"{login}@{facts().domain}"
    return Staff(
        index=index,
        user_id=user_id,
        name=shown,
        family=name.family,
        given=name.given,
        department=department,
        turning=bits % 1000 < department.turning * 1000,
        phase=bits // 1000 % 12,
        slots={"u_id": user_id, "u_name": shown, "u_alt": f"E{40000 + index}"},
    )


def hired(seed: int, count: int) -> tuple[Staff, ...]:
    """About so many members of staff, at least two in each department."""
    names = Names(seed ^ 0x57AFF)
    members: list[Staff] = []
    for department in facts().departments:
        for _ in range(max(2, round(count * department.share / 100))):
            index = len(members)
            name = names.of(index)
            members.append(_member(index, name, department, mixed(seed ^ 0x5417F, index)))
    return tuple(members)


class Patients:
    """Everyone who can be examined, by number."""

    def __init__(self, seed: int, staff: tuple[Staff, ...]) -> None:
        self._names = Names(seed)
        self._staff = staff
        self._offset = mixed(seed, 0xA71E27) % _NUMBERS

    @property
    def prominent(self) -> range:
        """The numbers of the prominent patients."""
        return range(len(self._staff), len(self._staff) + PROMINENT)

    @property
    def ordinary(self) -> int:
        """The lowest number of a patient who is neither staff nor prominent."""
        return len(self._staff) + PROMINENT

    def patient_id(self, number: int) -> str:
        """The identifier: seven digits, different for different numbers up to nine million."""
        return str(_LOWEST_NUMBER + (number * _SPREAD + self._offset) % _NUMBERS)

    def slots(self, number: int) -> dict[str, str]:
        """Identifier and name."""
        if number < len(self._staff):
            member = self._staff[number]
            name = f"{member.family}^{member.given}"
        else:
            name = self._names.of(number).person_name
        return {"pid": self.patient_id(number), "pname": name}
