"""The order of the day: a quick first round of everything, then life at a human pace."""

from collections.abc import Callable
from contextlib import suppress
from random import Random
from threading import Event
from typing import Final

import structlog

from audit.errors import AuditError
from audit.nodes.acts import EXPORT_MEDIA, Act, Acts, Cast, Sitting
from audit.nodes.viewer import Retrieval, Viewer
from audit.record.build import MediaType

AT_ONCE: Final = 3
"""How many acts go on side by side."""
WEIGHTS: Final = {"examination": 8, "reading": 12, "arrival": 1, "emergency": 1, "intrusion": 1}
MISTYPED: Final = 0.15
COPIED: Final = 0.12
GONE_WRONG: Final = (AuditError, OSError, RuntimeError, ValueError, LookupError)
"""What a broken association, an unreadable medium or an empty archive may raise."""

log = structlog.get_logger()


class Day:
    """Plays acts until stopped; a step that goes wrong ends its act, never the day.

    ``pace_s`` is the mean pause between two steps, each of which makes one to six messages.
    """

    def __init__(
        self, cast: Cast, acts: Acts, chance: Random, pace_s: float, syslog: tuple[str, int]
    ) -> None:
        self._cast = cast
        self._acts = acts
        self._chance = chance
        self._pace_s = pace_s
        self._syslog = syslog
        self._free = list(cast.viewers)

    def first_round(self, stop: Event) -> None:
        """Every kind of act once, without pauses."""
        radiology, emergency = self._cast.viewers
        sitting = Sitting(opened=1, mistyped=True, copy_to=MediaType.CD)
        first, *others = self._cast.modalities
        acts = (
            self._acts.examination(first),
            self._acts.reading(radiology, sitting),
            self._acts.emergency(emergency),
            self._acts.arrival(radiology),
            self._acts.intrusion(self._syslog),
            *(self._acts.examination(modality) for modality in others),
        )
        for act in acts:
            while not stop.is_set() and self._goes_on(act):
                pass

    def live(self, stop: Event) -> None:
        """Ordinary life until ``stop`` is set."""
        going: list[Act] = []
        while not stop.wait(self._pace_s * self._chance.uniform(0.4, 1.6)):
            if len(going) < AT_ONCE:
                going.append(self._another())
            act = self._chance.choice(going)
            if not self._goes_on(act):
                going.remove(act)
        for act in going:
            act.close()

    def _goes_on(self, act: Act) -> bool:
        """Take one step; False when the act is over."""
        try:
            next(act)
        except StopIteration:
            return False
        except GONE_WRONG as fault:
            log.warning("demo act ended early", fault=str(fault), kind=type(fault).__name__)
            return False
        return True

    def _another(self) -> Act:
        name = self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if name == "examination":
            return self._acts.examination(self._chance.choice(self._cast.modalities))
        if name == "intrusion":
            return self._acts.intrusion(self._syslog)
        made: dict[str, Callable[[Viewer], Act]] = {
            "reading": lambda viewer: self._acts.reading(viewer, self._sitting()),
            "arrival": self._acts.arrival,
            "emergency": self._acts.emergency,
        }
        return self._at_a_viewer(made[name])

    def _at_a_viewer(self, make: Callable[[Viewer], Act]) -> Act:
        """The act at a workstation where nobody else acts meanwhile."""
        if not self._free:
            return
        viewer = self._free.pop(self._chance.randrange(len(self._free)))
        try:
            yield from make(viewer)
        finally:
            self._free.append(viewer)
            with suppress(*GONE_WRONG):
                viewer.seat.logout()

    def _sitting(self) -> Sitting:
        copied = self._chance.random() < COPIED
        return Sitting(
            opened=self._chance.randint(1, 3),
            how=self._chance.choice(list(Retrieval)),
            mistyped=self._chance.random() < MISTYPED,
            copy_to=self._chance.choice(EXPORT_MEDIA) if copied else None,
        )
