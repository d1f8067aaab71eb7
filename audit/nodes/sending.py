"""The sending side of C-STORE: one association, every instance, both events of the sender."""

from collections.abc import Sequence

from pydicom.dataset import Dataset

from audit.errors import ConnectionFailed
from audit.nodes.calls import Line, Peer
from audit.nodes.facts import Tally
from audit.nodes.people import Staff
from audit.nodes.sop_classes import contexts_for
from audit.nodes.trail import Outcomes, Trail, process_of
from audit.record.build import Action, Exchange, Outcome


class Sender:
    """Sends instances for one node and tells its trail."""

    def __init__(self, line: Line, trail: Trail) -> None:
        self._line = line
        self._trail = trail

    def send(self, peer: Peer, datasets: Sequence[Dataset], user: Staff | None = None) -> int:
        """Store the instances at the peer; returns how many it took.

        What arrived and what didn't are told apart, each as its own event (PS3.15 A.5.3.7).
        """
        exchange = self._exchange(peer, user)
        self._trail.transfer_begins(exchange, Tally(datasets).groups())
        stored = self._store(peer, datasets, user)
        arrived = [dataset for dataset, well in zip(datasets, stored, strict=True) if well]
        missed = [dataset for dataset, well in zip(datasets, stored, strict=True) if not well]
        self._trail.transferred(Action.READ, exchange, Tally(arrived).groups())
        why = f"{len(missed)} instances were not stored"
        failed = Outcomes(Outcome.SERIOUS_FAILURE, why)
        self._trail.transferred(Action.READ, exchange, Tally(missed).groups(), failed)
        return len(arrived)

    def _exchange(self, peer: Peer, user: Staff | None) -> Exchange:
        source = self._trail.process if user else self._trail.initiating
        others = (self._trail.person(user),) if user else ()
        return Exchange(source=source, destination=process_of(peer.station), others=others)

    def _store(self, peer: Peer, datasets: Sequence[Dataset], user: Staff | None) -> list[bool]:
        stored: list[bool] = []
        try:
            with self._line.to(peer, contexts_for(datasets), user=user) as association:
                for dataset in datasets:
                    answer = association.send_c_store(dataset)
                    stored.append(answer.get("Status") == 0)
        except (ConnectionFailed, RuntimeError, ValueError):
            pass
        return stored + [False] * (len(datasets) - len(stored))
