"""What isn't one patient's visit: restarts, refused nodes, service, officers, emergencies."""

from base64 import b64encode

from audit.record.build import (
    Alert,
    ApplicationActivity,
    NetworkEntry,
    Outcome,
    SourceType,
)
from audit.simulate import scenes
from audit.simulate.people import Staff
from audit.simulate.scenes import Slots
from audit.simulate.stage import Label, Stage
from audit.simulate.stations import Station
from audit.simulate.studies import drawn_patient, prior_slots
from audit.simulate.template import Template, template
from audit.simulate.viewing import Step, plan
from audit.simulate.visits import colleague, consulted

_S, _MIN = 1_000, 60_000
_SERVER, _WEB = SourceType.APPLICATION_SERVER, SourceType.WEB_SERVER
_EMERGENCIES = ("EMG", "ICU")


def encoded(text: str) -> str:
    """Text as a ParticipantObjectDetail's value holds it."""
    return b64encode(text.encode()).decode("ascii")


def _drawn_station(stage: Stage) -> Station:
    stations = stage.world.stations
    groups = [*stations.modalities.values(), *stations.viewers.values()]
    return stage.random.choice(stage.random.choice(groups))


def restart(stage: Stage, time: int) -> None:
    """A station leaves the network, its application stops, and both come back."""
    station = _drawn_station(stage)
    away = stage.random.randint(1, 20) * _MIN
    kind = station.source
    scenes_in_order = (
        (0, template(scenes.activity, kind, ApplicationActivity.STOP)),
        (2 * _S, template(scenes.entry, kind, NetworkEntry.DETACH)),
        (away, template(scenes.entry, kind, NetworkEntry.ATTACH)),
        (away + 9 * _S, template(scenes.activity, kind, ApplicationActivity.START)),
    )
    plan(stage, time, [(at, _said, (station, scene)) for at, scene in scenes_in_order])


def _said(
    stage: Stage,
    time: int,
    station: Station,
    scene: Template,
    slots: Slots | None = None,
) -> None:
    stage.tell(time, station, scene, {**station.slots_a, **(slots or {})})


def refused_node(stage: Stage, time: int) -> None:
    """A node that nobody knows calls the archive and is turned away."""
    archive = stage.world.stations.archive
    title = stage.random.choice(("ECHOSCU", "ANY-SCU", "OLD_CT", "FINDSCU", "TESTSCU"))
    reason = stage.random.choice(
        ("calling AE title not registered", "certificate not trusted", "certificate expired")
    )
    slots = {
        "subject": f"10.20.{stage.random.randrange(90, 99)}.{stage.random.randrange(2, 250)}",
        "reason": encoded(f"Association of {title} refused: {reason}"),
    }
    choices = (_SERVER, Alert.NODE_AUTHENTICATION, Outcome.MINOR_FAILURE, False)
    _said(stage, time, archive, template(scenes.alerted, *choices), slots)


def service(stage: Stage, time: int) -> None:
    """A vendor's remote service on a modality, start and stop, and a changed configuration."""
    groups = stage.world.stations.modalities
    station = stage.random.choice(groups[stage.random.choice(sorted(groups))])
    slots = {"subject": station.host, "reason": encoded("Remote service by the vendor, planned")}
    ticket = {**slots, "reason": encoded("Software updated during the service")}
    steps: list[Step] = []
    for at, alert, said in (
        (0, Alert.REMOTE_SERVICE_STARTED, slots),
        (25 * _MIN, Alert.SOFTWARE_CONFIGURATION, ticket),
        (55 * _MIN, Alert.REMOTE_SERVICE_STOPPED, slots),
    ):
        scene = template(scenes.alerted, station.source, alert, Outcome.SUCCESS, False)
        steps.append((at, _said, (station, scene, said)))
    plan(stage, time, steps)


def review(stage: Stage, time: int, officer: Staff | None = None) -> None:
    """A privacy officer searches the audit log."""
    reader = officer or colleague(stage, time, "PRV")
    session = stage.seated(time, reader, review, reader)
    if session is None:
        return
    audit = stage.world.stations.audit
    patient = stage.world.patients.patient_id(drawn_patient(stage))
    question = stage.random.choice(("category:export", "outcome:failure", f"patient:{patient}"))
    slots = {
        **session.slots,
        **audit.slots_a,
        "log": f"https://{audit.host}/",
        "reason": encoded(question),
    }
    stage.tell(time, audit, template(scenes.log_used, _WEB), slots)


def override(
    stage: Stage,
    time: int,
    doctor: Staff,
    what: tuple[Alert, str, str],
    label: Label | None = None,
) -> None:
    """The archive reports that somebody opens, or closes, an emergency override."""
    alert, patient, reason = what
    archive = stage.world.stations.archive
    session = stage.sessions.get(doctor.index)
    address = archive.address if session is None else session.viewer.address
    slots = {
        **doctor.slots,
        "u_addr": address,
        **archive.slots_a,
        "subject": f"https://{archive.host}/patients/{patient}",
        "reason": encoded(reason),
    }
    scene = template(scenes.alerted, _SERVER, alert, Outcome.SUCCESS, True)
    stage.tell(time, archive, scene, slots, label)


def emergency(stage: Stage, time: int) -> None:
    """A lawful emergency override: opened, used for one patient, closed."""
    department = stage.random.choice(_EMERGENCIES)
    doctor = colleague(stage, time, department)
    study = prior_slots(stage.world.patients, drawn_patient(stage), 0)
    opened = (Alert.EMERGENCY_OVERRIDE_STARTED, study["pid"], "Unconscious, no referral on file")
    closed = (Alert.EMERGENCY_OVERRIDE_STOPPED, study["pid"], "Emergency over")
    plan(
        stage,
        time,
        [
            (0, override, (doctor, opened)),
            (40 * _S, consulted, (department, study, doctor)),
            (stage.random.randint(15, 60) * _MIN, override, (doctor, closed)),
        ],
    )


def cleanup(stage: Stage, time: int, admin: Staff | None = None) -> None:
    """An administrator deletes a study that was sent twice."""
    member = admin or colleague(stage, time, "PAC")
    session = stage.seated(time, member, cleanup, member)
    if session is None:
        return
    archive = stage.world.stations.archive
    study = prior_slots(stage.world.patients, drawn_patient(stage), 8)
    slots = {**session.slots, **archive.slots_a, **study}
    stage.tell(time, archive, template(scenes.deleted, _SERVER), slots)
