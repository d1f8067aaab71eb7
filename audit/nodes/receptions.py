"""The receiving side of transfers: counts what each association brings, tells it at its end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.association import Association

from audit.nodes.facts import Tally
from audit.record.build import Action

MOVE_ORIGINATOR = "MoveOriginatorApplicationEntityTitle"
ENDS = (evt.EVT_RELEASED, evt.EVT_ABORTED, evt.EVT_CONN_CLOSE)


@dataclass(slots=True)
class Reception:
    """What one association brought so far."""

    tally: Tally = field(default_factory=Tally)
    anything_new: bool = False
    failed: int = 0
    originators: set[str] = field(default_factory=set)

    @property
    def action(self) -> Action:
        """C when copies are new here, R when all were held already (PS3.15 A.5.3.7)."""
        return Action.CREATE if self.anything_new else Action.READ


class Receptions:
    """Receptions by association; ``report`` is called once for each when it ends."""

    def __init__(self, report: Callable[[Association, Reception], None]) -> None:
        self._report = report
        self._open: dict[Association, Reception] = {}
        self._lock = Lock()

    def count(self, event: evt.Event, dataset: Dataset, *, new: bool) -> None:
        """One instance was received and kept."""
        with self._lock:
            reception = self._of(event.assoc)
            reception.tally.add(dataset)
            reception.anything_new |= new
            originator = getattr(event.request, MOVE_ORIGINATOR, None)
            if originator:
                reception.originators.add(str(originator).strip())

    def failed(self, event: evt.Event) -> None:
        """One instance couldn't be kept."""
        with self._lock:
            self._of(event.assoc).failed += 1

    def end(self, event: evt.Event) -> None:
        """The association ended, by release, abort or a lost connection."""
        with self._lock:
            reception = self._open.pop(event.assoc, None)
        if reception is not None and reception.tally:
            self._report(event.assoc, reception)

    def handlers(self) -> list[tuple[evt.EventType, Callable[[evt.Event], None]]]:
        """What a node binds so that ends are seen."""
        return [(end, self.end) for end in ENDS]

    def _of(self, association: Association) -> Reception:
        return self._open.setdefault(association, Reception())
