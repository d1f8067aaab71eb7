"""A hospital's days as audit messages, the same for the same seed.

Care, machines and a few wrongdoers act in simulated time; every message is one that a Secure Node
of the hospital would send, valid in tier dicom. Memory doesn't grow with the number of messages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from math import ceil
from random import Random

from audit.simulate.machines import cleanup, emergency, refused_node, restart, review, service
from audit.simulate.pace import Pace, weight_between, working_day_weight
from audit.simulate.people import Patients, Staff, hired
from audit.simulate.stage import Act, SimulatedMessage, Stage, World
from audit.simulate.stations import installed
from audit.simulate.visits import visit, ward_round
from audit.simulate.wrongdoing import Wrongdoers

_DAY_MS = 86_400_000
_LEAST_STAFF, _MOST_STAFF = 40, 2_000
_EVENTS_PER_MEMBER = 30
_PATIENTS_PER_EVENT = 2
_LEAST_PATIENTS = 500
_EPISODES: tuple[tuple[Act, int], ...] = (
    (visit, 780),
    (ward_round, 150),
    (review, 20),
    (restart, 16),
    (refused_node, 12),
    (cleanup, 24),
    (emergency, 8),
    (service, 4),
)


_ACTS = [act for act, _ in _EPISODES]
_BOUNDS = list(accumulate(weight for _, weight in _EPISODES))


@dataclass(frozen=True, slots=True)
class HospitalShape:
    """How big the hospital is and how honest.

    Attributes:
        events_per_day: messages of a working day, where neither days nor events set it.
        staff: members of staff; None for as many as the traffic asks for.
        wrongdoing_every: about so many messages lie between two cases of wrongdoing; 0 for none.
    """

    events_per_day: int = 6_000
    staff: int | None = None
    wrongdoing_every: int = 4_000

    def __post_init__(self) -> None:
        if self.events_per_day < 1 or self.wrongdoing_every < 0:
            raise ValueError("events_per_day must be at least 1, wrongdoing_every at least 0")
        if self.staff is not None and self.staff < 1:
            raise ValueError("staff must be at least 1, or None")


@dataclass(frozen=True, slots=True)
class Context:
    """What the hospital's privacy officer knows beside the messages.

    Attributes:
        staff: everyone who works there.
        own_patient_ids: UserID → the patient id of that member of staff.
        prominent_patient_ids: patients known to everyone.
    """

    staff: tuple[Staff, ...]
    own_patient_ids: dict[str, str]
    prominent_patient_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """What was asked for, worked out: ``events`` messages, before ``end`` where there is one."""

    events: int
    end: int | None
    per_weight: float

    @property
    def staff(self) -> int:
        daily = self.per_weight * working_day_weight()
        return max(_LEAST_STAFF, min(_MOST_STAFF, round(daily / _EVENTS_PER_MEMBER)))


def _ms(start: datetime) -> int:
    return ceil(start.timestamp() * 1000)


def _run(start: datetime, days: float | None, events: int | None, shape: HospitalShape) -> _Run:
    if start.utcoffset() is None:
        raise ValueError("start must carry a time zone")
    if days is None and events is None:
        raise ValueError("say how many days or how many events")
    if (days is not None and days <= 0) or (events is not None and events < 0):
        raise ValueError("days must be more than 0, events at least 0")
    natural = shape.events_per_day / working_day_weight()
    if days is None:
        return _Run(events or 0, None, natural)
    begin = _ms(start)
    end = begin + max(1, round(days * _DAY_MS))
    weight = weight_between(begin, end, start.tzinfo)
    if events is None:
        return _Run(round(weight * natural), end, natural)
    return _Run(events, end, max(events, 1) / weight)


def simulate(
    seed: int,
    start: datetime,
    *,
    days: float | None = None,
    events: int | None = None,
    shape: HospitalShape | None = None,
) -> Iterator[SimulatedMessage]:
    """The messages of a hospital, in the order of their time.

    With ``days`` alone as many as its shape gives, all within these days; with ``events`` exactly
    so many, at the shape's rate or, with ``days`` as well, spread over these days.

    Args:
        seed: the same seed and arguments give the same messages.
        start: aware; its zone is the hospital's own time. Working hours follow it.
        days: how long, from ``start``.
        events: how many messages.
        shape: size and honesty of the hospital.

    Raises:
        ValueError: neither days nor events, one of them negative, or a naive ``start``.
    """
    shape = shape or HospitalShape()
    run = _run(start, days, events, shape)
    return _played(seed, start, run, shape)


def _world(seed: int, start: datetime, count: int) -> World:
    staff = hired(seed, count)
    return World(staff, Patients(seed, staff), installed(staff), start.tzinfo)


def context(
    seed: int,
    start: datetime,
    *,
    days: float | None = None,
    events: int | None = None,
    shape: HospitalShape | None = None,
) -> Context:
    """The staff and prominent patients of the hospital that ``simulate`` shows; same arguments."""
    shape = shape or HospitalShape()
    run = _run(start, days, events, shape)
    world = _world(seed, start, shape.staff or run.staff)
    number = world.patients.patient_id
    return Context(
        staff=world.staff,
        own_patient_ids={member.user_id: number(member.index) for member in world.staff},
        prominent_patient_ids=tuple(map(number, world.patients.prominent)),
    )


def _played(
    seed: int, start: datetime, run: _Run, shape: HospitalShape
) -> Iterator[SimulatedMessage]:
    world = _world(seed, start, shape.staff or run.staff)
    random = Random(seed)  # noqa: S311 - must be repeatable, keeps no secret
    stage = Stage(world, random, run.end)
    daily = run.per_weight * working_day_weight()
    stage.known_patients += max(_LEAST_PATIENTS, round(daily * _PATIENTS_PER_EVENT))
    wrongdoers = Wrongdoers(stage, shape.wrongdoing_every)
    pace = Pace(_ms(start), start.tzinfo, run.per_weight)
    handed_out = 0
    while handed_out < run.events:
        _begin_due(stage, pace, wrongdoers, run)
        for message in stage.play():
            yield message
            handed_out += 1
            if handed_out == run.events:
                return


def _begin_due(stage: Stage, pace: Pace, wrongdoers: Wrongdoers, run: _Run) -> None:
    """Begin every episode that comes before the next act, one at least when none is planned."""
    while True:
        coming = stage.next_time()
        enough = run.end is not None and stage.foreseen >= run.events
        if coming is not None and enough:
            return
        due = pace.time_of(stage.foreseen)
        if run.end is not None:
            due = min(due, run.end - 1)
        if coming is not None and due > coming:
            return
        time = max(due, stage.now)
        if wrongdoers.due():
            wrongdoers.begin(time)
        else:
            stage.later(time, stage.random.choices(_ACTS, cum_weights=_BOUNDS)[0])
