"""What somebody at a viewer does: ask the archive, fetch a study, open it."""

from collections.abc import Sequence

from audit.record.build import Action, Outcome, SourceType
from audit.simulate import scenes
from audit.simulate.c_find import STUDY_ROOT_FIND
from audit.simulate.scenes import Slots
from audit.simulate.stage import Act, Label, Session, Stage
from audit.simulate.stations import Station
from audit.simulate.template import template

_VIEWER, _SERVER = SourceType.USER_INTERFACE, SourceType.APPLICATION_SERVER
_FETCH_MS_PER_INSTANCE = 12
_FAILED_TRANSFER = 0.008

Step = tuple[int, Act, tuple[object, ...]]


def plan(stage: Stage, time: int, steps: Sequence[Step]) -> None:
    """Plan steps at offsets in milliseconds, closer together where the end of time is near."""
    factor = 1.0
    if stage.end is not None:
        longest = max(offset for offset, _, _ in steps)
        factor = min(1.0, (stage.end - time) * 0.98 / max(longest, 1))
    for offset, act, arguments in steps:
        stage.later(time + int(offset * factor), act, *arguments)


def ask(stage: Stage, time: int, session: Session, query: str, label: Label | None = None) -> None:
    """A C-FIND of the viewer; viewer and archive both report it."""
    archive = stage.world.stations.archive
    slots = {**session.slots, **archive.slots_b, "query": query}
    for station in (session.viewer, archive):
        scene = template(scenes.find, station.source, STUDY_ROOT_FIND, True)
        stage.tell(time, station, scene, slots, label)


def open_study(
    stage: Stage, time: int, session: Session, study: Slots, label: Label | None = None
) -> None:
    """The images come up on the screen."""
    scene = template(scenes.accessed, _VIEWER, Action.READ)
    stage.tell(time, session.viewer, scene, {**session.slots, **study}, label)


def fetch(stage: Stage, time: int, session: Session, study: dict[str, str]) -> None:
    """The archive sends a study to the viewer; three reports follow, the study opens."""
    archive = stage.world.stations.archive
    slots = {**session.slots, **archive.slots_a, **session.viewer.slots_b, **study}
    stage.tell(time, archive, template(scenes.begins, _SERVER, True), slots)
    failed = stage.random.random() < _FAILED_TRANSFER
    outcome = Outcome.SERIOUS_FAILURE if failed else Outcome.SUCCESS
    took = 400 + int(study["count"]) * _FETCH_MS_PER_INSTANCE
    for station, action in ((archive, Action.READ), (session.viewer, Action.CREATE)):
        stage.later(time + took, _arrived, station, slots, (action, outcome))
    if not failed:
        stage.later(time + took + 900, _opened, session, study)


def _opened(stage: Stage, time: int, session: Session, study: Slots) -> None:
    open_study(stage, time, session, study)


def _arrived(
    stage: Stage, time: int, station: Station, slots: Slots, ended: tuple[Action, Outcome]
) -> None:
    stage.tell(time, station, template(scenes.transferred, station.source, *ended, True), slots)
