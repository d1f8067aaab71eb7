"""The archive's C-MOVE and C-GET: sends what is asked for and tells its side of each transfer."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import evt

from audit.nodes.callers import Callers
from audit.nodes.deliveries import Delivery, Step
from audit.nodes.dicom_tls import Credentials
from audit.nodes.facts import Tally
from audit.nodes.find import root_of, selected
from audit.nodes.registry import AeRegistry, station_named
from audit.nodes.sop_classes import contexts_for
from audit.nodes.study_store import StudyStore
from audit.nodes.trail import Outcomes, Trail, caller
from audit.record.build import Action, Exchange, Outcome

Destination = tuple[str, int, dict[str, Any]] | tuple[None, None]
Answered = Callable[[evt.Event], None]


class Retrievals:
    """Handlers of C-MOVE and C-GET requests.

    An identifier that doesn't fit its model raises, and pynetdicom answers ``unable to process``.
    """

    def __init__(
        self,
        store: StudyStore,
        trail: Trail,
        callers: Callers,
        registry: AeRegistry,
        credentials: Credentials,
    ) -> None:
        self._store = store
        self._trail = trail
        self._callers = callers
        self._registry = registry
        self._known = credentials.calling()
        self._foreign = credentials.calling(check_name=False)

    def move(self, event: evt.Event) -> Iterator[Destination | int | Step]:
        """Send to the named AE, over TLS, if the registry knows it."""
        title = str(event.move_destination).strip()
        address = self._registry.address_of(title)
        if address is None:
            yield None, None
            return
        datasets = self._asked_for(event)
        delivery = self._delivery(datasets, self._third_party(event, title, address[0]))
        yield (*address, self._arguments(title, datasets, delivery.answered))
        yield from delivery.steps(event)

    def get(self, event: evt.Event) -> Iterator[int | Step]:
        """Send over the same association."""
        exchange = self._callers.exchange_out(event.assoc, self._trail.process)
        delivery = self._delivery(self._asked_for(event), exchange)
        event.assoc.bind(evt.EVT_DIMSE_RECV, delivery.answered)
        try:
            yield from delivery.steps(event)
        finally:
            event.assoc.unbind(evt.EVT_DIMSE_RECV, delivery.answered)

    def _asked_for(self, event: evt.Event) -> list[Dataset]:
        return selected(self._store, root_of(event.context.abstract_syntax), event.identifier)

    def _third_party(self, event: evt.Event, title: str, host: str) -> Exchange:
        """Who asks needn't be who receives (PS3.4 C.4.2)."""
        users = self._callers.user(event.assoc)
        mover = self._callers.process(event.assoc, requestor=None if users else True)
        here = self._trail.process
        if mover.ae_titles == (title,):
            return Exchange(source=here, destination=mover, others=users)
        destination = caller(title, host)
        return Exchange(source=here, destination=destination, others=(*users, mover))

    def _arguments(
        self, title: str, datasets: Sequence[Dataset], answered: Answered
    ) -> dict[str, Any]:
        station = station_named(title)
        return {
            "contexts": contexts_for(datasets),
            "tls_args": (self._known, station.machine) if station else (self._foreign, None),
            "evt_handlers": [(evt.EVT_DIMSE_RECV, answered)],
        }

    def _delivery(self, datasets: Sequence[Dataset], exchange: Exchange) -> Delivery:
        def began(sent: Sequence[Dataset]) -> None:
            self._trail.transfer_begins(exchange, Tally(sent).groups())

        def ended(arrived: Sequence[Dataset], missed: Sequence[Dataset]) -> None:
            self._trail.transferred(Action.READ, exchange, Tally(arrived).groups())
            why = f"{len(missed)} instances did not reach the receiver"
            failed = Outcomes(Outcome.SERIOUS_FAILURE, why)
            self._trail.transferred(Action.READ, exchange, Tally(missed).groups(), failed)

        return Delivery(datasets, began, ended)
