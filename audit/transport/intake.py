"""Between sockets and journal: counts each message, and stops reading before memory runs out."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress

from audit.errors import AuditError, StorageError
from audit.transport.arrival import Arrival, Counters, Refusal, RefusalKind

OnArrival = Callable[[Arrival], None]
OnRefused = Callable[[Refusal], None]

OVERHEAD_OCTETS = 512
"""What a message in flight costs besides its octets."""


class Intake:
    """Hands arrivals to the sink and keeps the law ``received = journaled + refused + in flight``.

    The sink reports each arrival's end with ``settle``, from any thread. A sink without room
    raises a StorageError: the arrival is held, reading stops, and it is offered again.
    All other methods belong to the event loop's thread.
    """

    def __init__(
        self,
        on_arrival: OnArrival,
        on_refused: OnRefused,
        max_in_flight_octets: int,
        retry_s: float,
    ) -> None:
        self.counters = Counters()
        self.on_block_change: Callable[[bool], None] = lambda _: None
        self._on_arrival = on_arrival
        self._on_refused = on_refused
        self._max_in_flight_octets = max_in_flight_octets
        self._retry_s = retry_s
        self._loop = asyncio.get_running_loop()
        self._held: deque[Arrival] = deque()
        self._retry: asyncio.TimerHandle | None = None
        self._settled: deque[tuple[Arrival, AuditError | None]] = deque()
        self._waking = False
        self._unsettled: Counter[int] = Counter()
        self._when_settled: dict[int, Callable[[bool], None]] = {}
        self._failed: set[int] = set()
        self._asked_to_pause = False
        self._over_limit = False
        self.blocked = False
        self.idle = asyncio.Event()
        self.idle.set()

    def offer(self, arrival: Arrival) -> None:
        """Counts the message and hands it to the sink, behind those that wait."""
        counters = self.counters
        counters.received += 1
        counters.received_octets += arrival.original_length
        counters.truncated += arrival.original_length > len(arrival.raw)
        counters.in_flight += 1
        counters.in_flight_octets += len(arrival.raw) + OVERHEAD_OCTETS
        self._unsettled[arrival.connection] += 1
        self.idle.clear()
        if self._held or not self._hand_over(arrival):
            self._held.append(arrival)
            self._update()
        if counters.in_flight_octets > self._max_in_flight_octets:
            self._over_limit = True
            self._update()

    def refuse_message(self, refusal: Refusal) -> None:
        """Counts a message that broke off, and tells it."""
        self.counters.received += 1
        self.counters.refused += 1
        self._on_refused(refusal)

    def refuse_connection(self, refusal: Refusal) -> None:
        """Tells of a connection that wasn't taken; no message is counted."""
        self._on_refused(refusal)

    def settle(
        self, arrival: Arrival, sequence: int | None, error: AuditError | None = None
    ) -> None:
        """The sink's word on one arrival: durable under ``sequence``, or failed. Any thread."""
        failure = error or (StorageError("no sequence") if sequence is None else None)
        self._settled.append((arrival, failure))
        if not self._waking:
            self._waking = True
            with suppress(RuntimeError):  # the loop is closed: nobody counts any more
                self._loop.call_soon_threadsafe(self._count_settled)

    def when_settled(self, connection: int, done: Callable[[bool], None]) -> None:
        """Calls ``done`` when nothing of the connection is in flight; True if all is durable."""
        if self._unsettled[connection]:
            self._when_settled[connection] = done
        else:
            self._finish(connection, done)

    def forget(self, connection: int) -> None:
        """The connection is gone: nobody waits for it any more."""
        self._when_settled.pop(connection, None)
        self._failed.discard(connection)

    def pause(self) -> None:
        """Stops reading until ``resume``."""
        self._asked_to_pause = True
        self._update()

    def resume(self) -> None:
        """Goes on reading, unless a limit still forbids it."""
        self._asked_to_pause = False
        self._offer_held()

    def give_up(self) -> None:
        """Refuses what the sink never took; for the end of a stop."""
        if self._retry is not None:
            self._retry.cancel()
        for arrival in self._held:
            self._settled.append((arrival, StorageError("the receiver stopped before")))
        self._held.clear()
        self._count_settled()

    def _hand_over(self, arrival: Arrival) -> bool:
        try:
            self._on_arrival(arrival)
        except StorageError:
            if self._retry is None:
                self._retry = self._loop.call_later(self._retry_s, self._offer_held)
            return False
        return True

    def _offer_held(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        while self._held and self._hand_over(self._held[0]):
            self._held.popleft()
        self._update()

    def _count_settled(self) -> None:
        self._waking = False
        counters, settled = self.counters, self._settled
        while settled:
            arrival, error = settled.popleft()
            counters.in_flight -= 1
            counters.in_flight_octets -= len(arrival.raw) + OVERHEAD_OCTETS
            if error is None:
                counters.journaled += 1
            else:
                self._count_failure(arrival, error)
            self._unsettled[arrival.connection] -= 1
            if not self._unsettled[arrival.connection]:
                self._connection_settled(arrival.connection)
        if counters.in_flight_octets <= self._max_in_flight_octets // 2:
            self._over_limit = False
        self._update()

    def _count_failure(self, arrival: Arrival, error: AuditError) -> None:
        self.counters.refused += 1
        self._failed.add(arrival.connection)
        self._on_refused(
            Refusal(
                peer=arrival.peer,
                reason=f"a message could not be made durable: {error}",
                certificate_der=arrival.certificate_der,
                received_at=arrival.received_at,
                listener=arrival.listener,
                kind=RefusalKind.JOURNAL,
            )
        )

    def _connection_settled(self, connection: int) -> None:
        del self._unsettled[connection]
        done = self._when_settled.pop(connection, None)
        if done is not None:
            self._finish(connection, done)

    def _finish(self, connection: int, done: Callable[[bool], None]) -> None:
        failed = connection in self._failed
        self._failed.discard(connection)
        done(not failed)

    def _update(self) -> None:
        blocked = self._asked_to_pause or self._over_limit or bool(self._held)
        if not self.counters.in_flight:
            self.idle.set()
        if blocked != self.blocked:
            self.blocked = blocked
            self.counters.times_blocked += blocked
            self.on_block_change(blocked)
