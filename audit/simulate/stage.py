"""Simulated time: what happens next, who sits where, and what is reported."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from heapq import heappop, heappush
from random import Random
from typing import Any, NamedTuple

from audit.record.build import Authentication, Outcome, SourceType
from audit.simulate.people import Patients, Staff
from audit.simulate.roster import Roster, hours_left, shift_of
from audit.simulate.scenes import Slots, authentication
from audit.simulate.stations import Station, Stations, framed
from audit.simulate.template import Template, template

_VIEWER = SourceType.USER_INTERFACE
_HOUR_MS = 3_600_000
_LOGIN_MS = 4_000
_MISTYPED = 0.03
_LEFT_OPEN = 0.3


class Wrongdoing(StrEnum):
    """What a wrongdoer of the simulated hospital does."""

    SNOOPING_ON_COLLEAGUE = "snooping-on-colleague"
    SNOOPING_ON_PROMINENT = "snooping-on-prominent"
    MASS_ACCESS = "mass-access"
    AFTER_HOURS_EXPORT = "after-hours-export"
    BREAK_GLASS_ABUSE = "break-glass-abuse"
    FAILED_LOGIN_BURST = "failed-login-burst"
    QUERY_ENUMERATION = "query-enumeration"


class Label(NamedTuple):
    """Ground truth of a message that belongs to a wrongdoing; ``case`` counts from 1."""

    wrongdoing: Wrongdoing
    case: int
    actor: str


class SimulatedMessage(NamedTuple):
    """One message as its node would send it.

    Attributes:
        time: when it is sent, UTC nanoseconds.
        node: host name of the reporting node, also the AuditSourceID.
        syslog: the whole RFC 5424 message, without transport framing.
        label: what wrongdoing it belongs to; None for ordinary ones.
    """

    time: int
    node: str
    syslog: bytes
    label: Label | None


Act = Callable[..., None]


class Moment(NamedTuple):
    """Something that will happen."""

    time: int
    number: int
    act: Act
    arguments: tuple[Any, ...]


class Session(NamedTuple):
    """A member of staff logged in at a viewer; ``slots`` name both."""

    until: int
    viewer: Station
    slots: dict[str, str]


@dataclass(frozen=True)
class World:
    """Everyone and everything in the hospital."""

    staff: tuple[Staff, ...]
    patients: Patients
    stations: Stations
    zone: tzinfo | None


class Stage:
    """Runs acts in the order of their time.

    An act is called as ``act(stage, time, *arguments)``, ``time`` in UTC milliseconds. It reports
    by ``tell`` and plans by ``later``.
    """

    def __init__(self, world: World, random: Random, end: int | None) -> None:
        self.world = world
        self.random = random
        self.end = end
        self.now = 0
        self.told = 0
        self.studies = 0
        self.volumes = 0
        self.known_patients = world.patients.ordinary
        self.roster = Roster(world.staff)
        self.sessions: dict[int, Session] = {}
        self._moments: list[Moment] = []
        self._planned = 0
        self._out: deque[SimulatedMessage] = deque()

    def local(self, time: int) -> datetime:
        """The hospital's clock."""
        return datetime.fromtimestamp(time / 1000, self.world.zone)

    def later(self, time: int, act: Act, *arguments: Any) -> None:
        """Plan an act; one past the end comes just before it."""
        if self.end is not None and time >= self.end:
            time = self.end - 1
        self._planned += 1
        heappush(self._moments, Moment(time, self._planned, act, arguments))

    @property
    def foreseen(self) -> int:
        """Messages told and, about, those planned."""
        return self.told + len(self._moments)

    def next_time(self) -> int | None:
        """When the next act comes; None when nothing is planned."""
        return self._moments[0].time if self._moments else None

    def play(self) -> Iterator[SimulatedMessage]:
        """Run the next act and hand out what it told."""
        moment = heappop(self._moments)
        self.now = moment.time
        moment.act(self, moment.time, *moment.arguments)
        while self._out:
            yield self._out.popleft()

    def tell(
        self,
        time: int,
        station: Station,
        scene: Template,
        slots: Slots,
        label: Label | None = None,
    ) -> None:
        """Report a scene, seen by a station, with ``when`` filled in."""
        local = self.local(time)
        stamp = local.isoformat(timespec="milliseconds")
        utc = stamp[:23] if stamp.endswith("+00:00") else _utc(local)
        xml = scene.fill({**slots, "when": stamp, "src": station.host})
        message = framed(station, scene.severity, utc, xml)
        self._out.append(SimulatedMessage(time * 1_000_000, station.host, message, label))
        self.told += 1

    def seated(self, time: int, member: Staff, act: Act, *arguments: Any) -> Session | None:
        """The member's session; None when he or she logs in first, and the act comes after."""
        session = self.sessions.get(member.index)
        if session is not None and session.until > time:
            return session
        self._log_in(time, member)
        self.later(time + _LOGIN_MS, act, *arguments)
        return None

    def _log_in(self, time: int, member: Staff) -> None:
        random, local = self.random, self.local(time)
        viewer = random.choice(self.world.stations.viewers[member.department.code])
        slots = {**member.slots, "u_addr": viewer.address, **viewer.slots_a}
        shift = shift_of(member, local) or "day"
        stay = min(hours_left(shift, local.hour), 9) * _HOUR_MS
        until = time + stay - random.randrange(_HOUR_MS // 2)
        session = Session(max(until, time + _HOUR_MS // 4), viewer, slots)
        if random.random() < _MISTYPED:
            self.tell(time, viewer, login(Outcome.MINOR_FAILURE), slots)
        self.tell(time, viewer, login(Outcome.SUCCESS), slots)
        self.sessions[member.index] = session
        if self.end is None or session.until < self.end:
            self.later(session.until, _log_out, session)


def _utc(local: datetime) -> str:
    return local.astimezone(UTC).isoformat(timespec="milliseconds")[:23]


def login(outcome: Outcome) -> Template:
    """The scene of a log-in at a viewer."""
    return template(authentication, _VIEWER, Authentication.LOGIN, outcome, True)


def _log_out(stage: Stage, time: int, session: Session) -> None:
    by_user = stage.random.random() >= _LEFT_OPEN
    scene = template(authentication, _VIEWER, Authentication.LOGOUT, Outcome.SUCCESS, by_user)
    stage.tell(time, session.viewer, scene, session.slots)
