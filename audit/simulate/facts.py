"""The simulated hospital's data, read from ``schemas/simulate`` once and checked."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from audit.errors import ConfigurationError
from audit.standards.files import read_toml

_NEEDS_ESCAPE = frozenset('&<>"\\^=')


@dataclass(frozen=True, slots=True)
class Culture:
    """Names that go together; ``native`` is how the native forms are written, or empty."""

    weight: int
    native: str
    family: tuple[str, ...]
    given: tuple[str, ...]
    family_native: tuple[str, ...]
    given_native: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Department:
    """``share``: of the staff, in percent. ``turning``: part of it that works in shifts."""

    name: str
    code: str
    role: str
    share: int
    turning: float


@dataclass(frozen=True, slots=True)
class Machine:
    """One station of a modality for so many members of staff, at least ``least``."""

    modality: str
    every: int
    least: int


@dataclass(frozen=True, slots=True)
class Partner:
    """Another institution, and the host that images go through."""

    name: str
    host: str


@dataclass(frozen=True, slots=True)
class Examination:
    """``instances`` of a study and ``minutes`` it takes, each least and most."""

    name: str
    modality: str
    sop_class: str
    weight: int
    instances: tuple[int, int]
    minutes: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it. ``hours``: weights of 24 hours on working days, then on week-ends."""

    name: str
    site: str
    domain: str
    patient_assigner: str
    uid_root: str
    hours: tuple[tuple[int, ...], tuple[int, ...]]
    shifts: dict[str, tuple[int, int]]
    departments: tuple[Department, ...]
    machines: tuple[Machine, ...]
    partners: tuple[Partner, ...]
    examinations: tuple[Examination, ...]
    cultures: tuple[Culture, ...]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _read(name: str) -> dict[str, Any]:
    table = read_toml(f"simulate/{name}.toml")
    for text in _texts(table):
        if _NEEDS_ESCAPE & set(text):
            raise ConfigurationError(
                f'schemas/simulate/{name}.toml: {text!r} holds one of & < > " or a backslash; '
                "write it without"
            )
    return table


def _culture(table: dict[str, Any]) -> Culture:
    return Culture(
        weight=table["weight"],
        native=table.get("native", ""),
        family=tuple(table["family"]),
        given=tuple(table["given"]),
        family_native=tuple(table.get("family_native", ())),
        given_native=tuple(table.get("given_native", ())),
    )


def _examination(table: dict[str, Any], sop_classes: dict[str, str]) -> Examination:
    low, high = table["instances"]
    short, long = table["minutes"]
    return Examination(
        name=table["name"],
        modality=table["modality"],
        sop_class=sop_classes[table["modality"]],
        weight=table["weight"],
        instances=(low, high),
        minutes=(short, long),
    )


@cache
def facts() -> Facts:
    """The hospital's data.

    Raises:
        ConfigurationError: a file is missing, or a text in it would need an XML escape.
    """
    hospital, procedures = _read("hospital"), _read("procedures")
    turning = hospital["turning"]
    return Facts(
        name=hospital["name"],
        site=hospital["site"],
        domain=hospital["domain"],
        patient_assigner=hospital["patient_assigner"],
        uid_root=hospital["uid_root"],
        hours=(tuple(hospital["hours"]["weekday"]), tuple(hospital["hours"]["weekend"])),
        shifts={name: (begin, end) for name, (begin, end) in hospital["shifts"].items()},
        departments=tuple(
            Department(**table, turning=turning[table["role"]]) for table in hospital["department"]
        ),
        machines=tuple(Machine(**table) for table in hospital["machine"]),
        partners=tuple(Partner(**table) for table in hospital["partner"]),
        examinations=tuple(
            _examination(table, procedures["sop_classes"]) for table in procedures["procedure"]
        ),
        cultures=tuple(map(_culture, _read("names")["culture"])),
    )
