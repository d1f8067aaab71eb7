"""A visit from registration to report, one act for each thing that somebody does."""

from audit.record.build import Action, MediaType, Outcome, SourceType
from audit.simulate import scenes
from audit.simulate.c_find import WORKLIST_FIND, study_query, worklist_query
from audit.simulate.people import Staff
from audit.simulate.scenes import Slots
from audit.simulate.stage import Session, Stage
from audit.simulate.studies import (
    Visit,
    begun_visit,
    drawn_department,
    drawn_patient,
    prior_count,
    prior_slots,
)
from audit.simulate.template import template
from audit.simulate.viewing import Step, ask, fetch, open_study, plan

_S, _MIN = 1_000, 60_000
_VIEWER, _SERVER = SourceType.USER_INTERFACE, SourceType.APPLICATION_SERVER
_DEVICE = SourceType.ACQUISITION_DEVICE
_SEND_MS_PER_INSTANCE = 30
_FAILED_TRANSFER = 0.008
_RETRY_MS = 2 * _MIN
_PRIOR_SHOWN, _CONSULTED, _CD, _FILM, _BROUGHT, _SENT_OUT = 0.45, 0.7, 0.05, 0.03, 0.04, 0.03


def colleague(stage: Stage, time: int, department: str) -> Staff:
    """Somebody of the department on duty."""
    return stage.random.choice(stage.roster.on_duty(department, stage.local(time)))


def visit(stage: Stage, time: int) -> None:
    """Plan a whole visit."""
    random, about = stage.random, begun_visit(stage, time)
    made = random.randint(8, 90) * _MIN
    sent = made + about.minutes * _MIN
    took = 2 * _S + int(about.slots["count"]) * _SEND_MS_PER_INSTANCE
    read = sent + took + random.randint(4, 150) * _MIN
    steps: list[Step] = [
        (0, _registered, (about,)),
        (random.randint(1, 6) * _MIN, _ordered, (about, Action.CREATE)),
        (random.randint(6, 8) * _MIN, _scheduled, (about,)),
        (made - _MIN, _worklist_asked, (about,)),
        (made + about.minutes * _MIN // 2, _acquired, (about,)),
        (sent, _sending, (about,)),
        (sent + took, _sent, (about,)),
        (read, _read, (about,)),
        (read + random.randint(3, 25) * _MIN, _reported, (about,)),
        *_afterwards(stage, about, read),
    ]
    plan(stage, time, steps)


def _afterwards(stage: Stage, about: Visit, read: int) -> list[Step]:
    random = stage.random
    steps: list[Step] = []
    if random.random() < _CONSULTED:
        doctor = (about.department, about.slots)
        steps.append((read + random.randint(20, 240) * _MIN, consulted, doctor))
    for chance, kind in ((_CD, MediaType.CD), (_FILM, MediaType.FILM)):
        if random.random() < chance:
            steps.append((read + random.randint(10, 60) * _MIN, _written, (about, kind)))
    if random.random() < _BROUGHT:
        steps.append((5 * _MIN, _brought, (about,)))
    if random.random() < _SENT_OUT:
        steps.append((read + 40 * _MIN, _sent_out, (about,)))
    return steps


def _clerk(stage: Stage, time: int) -> tuple[Staff, Slots]:
    """A clerk at the order desk's own screens, which keep no log-in."""
    clerk, desk = colleague(stage, time, "DSK"), stage.world.stations.order_desk
    return clerk, {**clerk.slots, "u_addr": desk.address, **desk.slots_a}


def _registered(stage: Stage, time: int, about: Visit) -> None:
    _, desk = _clerk(stage, time)
    known = stage.random.random() < 0.6  # noqa: PLR2004 - most have been here before
    action = Action.UPDATE if known else Action.CREATE
    scene = template(scenes.record, _SERVER, "patient", action)
    stage.tell(time, stage.world.stations.order_desk, scene, {**desk, **about.slots})


def _ordered(stage: Stage, time: int, about: Visit, action: Action) -> None:
    doctor, desk = colleague(stage, time, about.department), stage.world.stations.order_desk
    slots = {**doctor.slots, "u_addr": desk.address, **desk.slots_a, **about.slots}
    stage.tell(time, desk, template(scenes.record, _SERVER, "order", action), slots)


def _scheduled(stage: Stage, time: int, about: Visit) -> None:
    _, desk = _clerk(stage, time)
    scene = template(scenes.procedure, _SERVER, Action.CREATE, True)
    stage.tell(time, stage.world.stations.order_desk, scene, {**desk, **about.slots})


def _worklist_asked(stage: Stage, time: int, about: Visit) -> None:
    station, desk = about.modality, stage.world.stations.order_desk
    today = stage.local(time).strftime("%Y%m%d")
    query = worklist_query(station.ae_title, today)
    slots = {**station.slots_a, **desk.slots_b, "query": query}
    stage.tell(time, station, template(scenes.find, _DEVICE, WORKLIST_FIND, False), slots)


def _acquired(stage: Stage, time: int, about: Visit) -> None:
    worker = about.technologist = colleague(stage, time, "MTR")
    station = about.modality
    slots = {**worker.slots, "u_addr": station.address, **station.slots_a, **about.slots}
    stage.tell(time, station, template(scenes.accessed, _DEVICE, Action.CREATE), slots)


def _sending(stage: Stage, time: int, about: Visit) -> None:
    station, archive = about.modality, stage.world.stations.archive
    slots = {**station.slots_a, **archive.slots_b, **about.slots}
    stage.tell(time, station, template(scenes.begins, _DEVICE, False), slots)


def _sent(stage: Stage, time: int, about: Visit) -> None:
    station, archive = about.modality, stage.world.stations.archive
    slots = {**station.slots_a, **archive.slots_b, **about.slots}
    failed = stage.random.random() < _FAILED_TRANSFER
    outcome = Outcome.SERIOUS_FAILURE if failed else Outcome.SUCCESS
    for reporter, action in ((station, Action.READ), (archive, Action.CREATE)):
        scene = template(scenes.transferred, reporter.source, action, outcome, False)
        stage.tell(time, reporter, scene, slots)
    if failed:
        stage.later(time + _RETRY_MS, _sent, about)


def _read(stage: Stage, time: int, about: Visit) -> None:
    reader = about.radiologist = about.radiologist or colleague(stage, time, "RAD")
    session = stage.seated(time, reader, _read, about)
    if session is None:
        return
    ask(stage, time, session, study_query(patient_id=about.slots["pid"]))
    stage.later(time + 2 * _S, fetch, session, about.slots)
    if stage.random.random() < _PRIOR_SHOWN:
        place = stage.random.randrange(prior_count(about.patient))
        prior = prior_slots(stage.world.patients, about.patient, place)
        stage.later(time + _MIN, _compared, session, prior)


def _compared(stage: Stage, time: int, session: Session, prior: Slots) -> None:
    open_study(stage, time, session, prior)


def _reported(stage: Stage, time: int, about: Visit) -> None:
    reader = about.radiologist or colleague(stage, time, "RAD")
    desk = stage.world.stations.order_desk
    slots = {**reader.slots, "u_addr": desk.address, **desk.slots_a, **about.slots}
    stage.tell(time, desk, template(scenes.procedure, _SERVER, Action.UPDATE, False), slots)


def consulted(
    stage: Stage, time: int, department: str, study: Slots, doctor: Staff | None = None
) -> None:
    """A doctor of the department finds the patient's images and opens them."""
    reader = doctor or colleague(stage, time, department)
    session = stage.seated(time, reader, consulted, department, study, reader)
    if session is not None:
        ask(stage, time, session, study_query(patient_id=study["pid"]))
        stage.later(time + 6 * _S, _compared, session, study)


def _written(stage: Stage, time: int, about: Visit, kind: MediaType) -> None:
    writer = stage.world.stations.writer
    _, clerk = _clerk(stage, time)
    stage.volumes += 1
    film = kind is MediaType.FILM
    media = "Film printer 2, magazine 1" if film else f"CD {stage.volumes:06}"
    slots = {**clerk, **writer.slots_a, "u_addr": writer.address, **about.slots}
    slots |= {"media": media, "label": f"VOL{stage.volumes:06}"}
    stage.tell(time, writer, template(scenes.exported, _VIEWER, kind), slots)


def _brought(stage: Stage, time: int, about: Visit) -> None:
    writer = stage.world.stations.writer
    _, clerk = _clerk(stage, time)
    prior = prior_slots(stage.world.patients, about.patient, 9)
    label = f"EXT{stage.random.randrange(10**6):06}"
    slots = {**clerk, **writer.slots_a, "u_addr": writer.address, **prior}
    slots |= {"media": f"CD of another hospital, {label}", "label": label}
    stage.tell(time, writer, template(scenes.imported, _VIEWER, MediaType.CD), slots)


def _sent_out(stage: Stage, time: int, about: Visit) -> None:
    gateway = stage.world.stations.gateway
    partner = stage.random.choice(stage.world.stations.partners)
    slots = {**gateway.slots_a, **partner.slots_b, **about.slots}
    stage.tell(time, gateway, template(scenes.begins, _SERVER, False), slots)
    took = int(about.slots["count"]) * _SEND_MS_PER_INSTANCE
    stage.later(time + took, _received_outside, slots)


def _received_outside(stage: Stage, time: int, slots: Slots) -> None:
    scene = template(scenes.transferred, _SERVER, Action.READ, Outcome.SUCCESS, False)
    stage.tell(time, stage.world.stations.gateway, scene, slots)


def ward_round(stage: Stage, time: int) -> None:
    """A doctor looks at the images of some patients of late."""
    department = drawn_department(stage.random, stage.local(time).hour)
    doctor = colleague(stage, time, department)
    steps: list[Step] = []
    for place in range(stage.random.randint(1, 5)):
        patient = drawn_patient(stage)
        study = prior_slots(stage.world.patients, patient, 0)
        steps.append((place * 4 * _MIN, consulted, (department, study, doctor)))
    plan(stage, time, steps)
