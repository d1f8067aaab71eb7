"""What a few people do that they must not, each message labelled with the truth.

A wrongdoer's own log-ins aren't labelled: they look like everyone's.
"""

from collections.abc import Callable
from datetime import timedelta
from string import ascii_uppercase

from audit.record.build import Alert, Authentication, MediaType, Outcome, SourceType
from audit.simulate import scenes
from audit.simulate.c_find import STUDY_ROOT_FIND, study_query
from audit.simulate.machines import override
from audit.simulate.people import Staff
from audit.simulate.scenes import Slots
from audit.simulate.stage import Label, Session, Stage, Wrongdoing
from audit.simulate.stations import Station
from audit.simulate.studies import drawn_patient, prior_count, prior_slots
from audit.simulate.template import Template, template
from audit.simulate.viewing import Step, ask, open_study, plan

_S, _MIN = 1_000, 60_000
_VIEWER, _SERVER = SourceType.USER_INTERFACE, SourceType.APPLICATION_SERVER
_ONE_IN = 30
_EVERYDAY_WORDS = ("urgent", "needed", "test", "asdf", "emergency")


class Wrongdoers:
    """The few who do it, and how often.

    Args:
        stage: where it happens.
        every: about so many messages lie between two cases; 0 for none at all.
    """

    def __init__(self, stage: Stage, every: int) -> None:
        self._stage = stage
        self._every = every
        self._next = every / 2
        self._cases = 0
        self._kinds = list(Wrongdoing)
        stage.random.shuffle(self._kinds)
        self._people = {
            role: self._chosen(role) for role in ("clinician", "technologist", "administrator")
        }

    def _chosen(self, role: str) -> list[Staff]:
        members = [item for item in self._stage.world.staff if item.department.role == role]
        return self._stage.random.sample(members, 1 + len(members) // _ONE_IN)

    def due(self) -> bool:
        """Whether the next case should begin."""
        return bool(self._every) and self._stage.foreseen >= self._next

    def begin(self, time: int) -> None:
        """Plan the next case; kinds take turns."""
        self._next += self._every
        kind = self._kinds[self._cases % len(self._kinds)]
        self._cases += 1
        role, planned = _CASES[kind]
        person = self._stage.random.choice(self._people[role])
        planned(self._stage, time, person, Label(kind, self._cases, person.user_id))


def _look(stage: Stage, time: int, person: Staff, study: Slots, label: Label, asks: bool) -> None:
    session = stage.seated(time, person, _look, person, study, label, asks)
    if session is None:
        return
    if asks:
        ask(stage, time, session, study_query(patient_id=study["pid"]), label)
    stage.later(time + 5 * _S, _opened, session, study, label)


def _opened(stage: Stage, time: int, session: Session, study: Slots, label: Label) -> None:
    open_study(stage, time, session, study, label)


def _looks_at(stage: Stage, time: int, person: Staff, label: Label, patient: int) -> None:
    steps: list[Step] = []
    for place in range(prior_count(patient)):
        study = prior_slots(stage.world.patients, patient, place)
        steps.append((place * 3 * _MIN, _look, (person, study, label, place == 0)))
    plan(stage, time, steps)


def _snoop_on_colleague(stage: Stage, time: int, person: Staff, label: Label) -> None:
    others = [item for item in stage.world.staff if item.department.code != person.department.code]
    _looks_at(stage, time, person, label, stage.random.choice(others).index)


def _snoop_on_prominent(stage: Stage, time: int, person: Staff, label: Label) -> None:
    _looks_at(stage, time, person, label, stage.random.choice(stage.world.patients.prominent))


def _mass_access(stage: Stage, time: int, person: Staff, label: Label) -> None:
    steps: list[Step] = []
    offset = 0
    for _ in range(stage.random.randint(50, 120)):
        study = prior_slots(stage.world.patients, drawn_patient(stage), 0)
        steps.append((offset, _look, (person, study, label, False)))
        offset += stage.random.randint(15, 50) * _S
    plan(stage, time, steps)


def _after_hours_export(stage: Stage, time: int, person: Staff, label: Label) -> None:
    local = stage.local(time)
    night = (local + timedelta(days=1)).replace(hour=2, minute=stage.random.randrange(60))
    start = round(night.timestamp() * 1000)
    if stage.end is not None and start + 30 * _MIN > stage.end:
        _snoop_on_prominent(
            stage, time, person, label._replace(wrongdoing=Wrongdoing.SNOOPING_ON_PROMINENT)
        )
        return
    serial = f"USB{stage.random.randrange(16**8):08X}"
    steps: list[Step] = []
    for place in range(stage.random.randint(4, 20)):
        study = prior_slots(stage.world.patients, drawn_patient(stage), 0)
        steps.append((place * 70 * _S, _exported, (person, study, serial, label)))
    plan(stage, start, steps)


def _exported(
    stage: Stage, time: int, person: Staff, study: Slots, serial: str, label: Label
) -> None:
    writer = stage.world.stations.writer
    slots = {**person.slots, **writer.slots_a, "u_addr": writer.address, **study}
    slots |= {"media": f"USB disk {serial}", "label": serial}
    stage.tell(time, writer, template(scenes.exported, _VIEWER, MediaType.USB), slots, label)


def _break_glass_abuse(stage: Stage, time: int, person: Staff, label: Label) -> None:
    steps: list[Step] = []
    for place in range(stage.random.randint(3, 8)):
        study = prior_slots(stage.world.patients, drawn_patient(stage), 0)
        reason = stage.random.choice(_EVERYDAY_WORDS)
        opened = (Alert.EMERGENCY_OVERRIDE_STARTED, study["pid"], reason)
        steps.append((place * 7 * _MIN, override, (person, opened, label)))
        steps.append((place * 7 * _MIN + _MIN, _look, (person, study, label, True)))
    plan(stage, time, steps)


def _failed_login_burst(stage: Stage, time: int, person: Staff, label: Label) -> None:
    viewers = stage.world.stations.viewers[person.department.code]
    viewer = stage.random.choice(viewers)
    targets = stage.random.sample(stage.world.staff, 4)
    scene = template(
        scenes.authentication, _VIEWER, Authentication.LOGIN, Outcome.SERIOUS_FAILURE, True
    )
    steps: list[Step] = []
    for attempt in range(stage.random.randint(20, 60)):
        slots = {**targets[attempt % 4].slots, "u_addr": viewer.address, **viewer.slots_a}
        steps.append((attempt * 6 * _S, _attempted, (viewer, scene, slots, label)))
    plan(stage, time, steps)


def _attempted(
    stage: Stage, time: int, viewer: Station, scene: Template, slots: Slots, label: Label
) -> None:
    stage.tell(time, viewer, scene, slots, label)


def _query_enumeration(stage: Stage, time: int, person: Staff, label: Label) -> None:
    viewer = stage.random.choice(stage.world.stations.viewers[person.department.code])
    letters = [f"{first}*" for first in ascii_uppercase]
    letters += [f"{first}{second}*" for first in "AEIMS" for second in ascii_uppercase]
    asked = letters[: stage.random.randint(40, len(letters))]
    steps = [
        (place * 1_500, _enumerated, (viewer, name, label)) for place, name in enumerate(asked)
    ]
    plan(stage, time, steps)


def _enumerated(stage: Stage, time: int, viewer: Station, name: str, label: Label) -> None:
    archive = stage.world.stations.archive
    script = {"a_pid": "31337", "a_name": "findscu", "a_aet": "FINDSCU", "a_addr": viewer.address}
    slots = {**script, **archive.slots_b, "query": study_query(patient_name=name)}
    scene = template(scenes.find, _SERVER, STUDY_ROOT_FIND, False)
    stage.tell(time, archive, scene, slots, label)


_Case = Callable[[Stage, int, Staff, Label], None]
_CASES: dict[Wrongdoing, tuple[str, _Case]] = {
    Wrongdoing.SNOOPING_ON_COLLEAGUE: ("clinician", _snoop_on_colleague),
    Wrongdoing.SNOOPING_ON_PROMINENT: ("technologist", _snoop_on_prominent),
    Wrongdoing.MASS_ACCESS: ("clinician", _mass_access),
    Wrongdoing.AFTER_HOURS_EXPORT: ("technologist", _after_hours_export),
    Wrongdoing.BREAK_GLASS_ABUSE: ("clinician", _break_glass_abuse),
    Wrongdoing.FAILED_LOGIN_BURST: ("clinician", _failed_login_burst),
    Wrongdoing.QUERY_ENUMERATION: ("administrator", _query_enumeration),
}
