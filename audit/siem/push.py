"""Push: the feed sent to one receiver, at least once and in the order of the journal.

The place that counts is the one that the receiver confirmed; it alone is kept on disk. Whatever
breaks (the connection, this process, the receiver), the push goes back to it, so records may come
twice but none is left out, and none comes before an earlier one came once. What waits to be sent
waits in the index: the push takes no disk and holds nobody up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event
from time import monotonic, time_ns

import structlog

from audit.errors import AuditError, ConnectionFailed
from audit.index.document import IndexedRecord
from audit.record.times import format_ns
from audit.siem.delivery import Delivery
from audit.siem.feed import Feed, FeedPiece
from audit.siem.formats import Formatter, Unmappable
from audit.siem.kept_place import DeadLetter, DeadLetters, KeptPlace

log = structlog.get_logger()

_SHORTER = ((None, True), (None, False), (20, False), (3, False))
"""Values of a list, and whether with the original, that are tried one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions:
    """How one destination is served.

    Attributes:
        name: of the destination.
        begin_now: a first push begins with the next record, not with the oldest.
        max_octets: longest message that the receiver takes.
        batch_records: records sent before the kernel's acknowledgement is waited for.
        confirm_records: records after which the receiver is asked to confirm …
        confirm_s: … and the longest time that records stay unconfirmed.
        confirms: whether the receiver answers the end of a connection; otherwise its kernel's
            acknowledgement has to do, and a receiver that dies may lose what it had not read.
        poll_s: how often new records are looked for.
        first_backoff_s: pause after a failure; it doubles with each …
        longest_backoff_s: … up to this.
    """

    name: str
    begin_now: bool = False
    max_octets: int = 8192
    batch_records: int = 500
    confirm_records: int = 5_000
    confirm_s: float = 30.0
    confirms: bool = True
    poll_s: float = 0.5
    first_backoff_s: float = 0.5
    longest_backoff_s: float = 60.0


@dataclass(slots=True)
class PushCounters:
    """What was done since the start, for status and metrics.

    Attributes:
        position: the first sequence not sent.
        confirmed: the first sequence not confirmed by the receiver.
        end: the first sequence that isn't searchable yet.
        sent: messages that the receiver's kernel has, those that came again included.
        confirmations: times that the receiver confirmed.
        failures: attempts that failed.
        dead: records that can't be sent, ever; that there are such is sent.
        connected: whether a connection is open.
        oldest_waiting: when the oldest record that is not sent was received (UTC ns); 0 for none.
        last_failure: why the last attempt failed; empty once one succeeded again.
    """

    position: int = 0
    confirmed: int = 0
    end: int = 0
    sent: int = 0
    confirmations: int = 0
    failures: int = 0
    dead: int = 0
    connected: bool = False
    oldest_waiting: int = 0
    last_failure: str = ""

    @property
    def lag_records(self) -> int:
        """Journal entries that are searchable and not confirmed."""
        return max(0, self.end - self.confirmed)

    @property
    def lag_s(self) -> float:
        """Age of the oldest record that waits to be sent, in seconds; 0 when none does."""
        return (time_ns() - self.oldest_waiting) / 1e9 if self.oldest_waiting else 0.0


@dataclass(frozen=True, slots=True)
class PushParts:
    """What a push is made of."""

    feed: Feed
    formatter: Formatter
    delivery: Delivery
    place: KeptPlace
    dead: DeadLetters


@dataclass(slots=True)
class _Unconfirmed:
    records: int = 0
    since_s: float = field(default_factory=monotonic)


class Push:
    """Serves one destination. One thread drives it."""

    def __init__(self, parts: PushParts, options: PushOptions) -> None:
        self._parts = parts
        self._options = options
        self._begun = False
        self._unconfirmed = _Unconfirmed()
        self._backoff_s = 0.0
        self._stop = Event()
        self.counters = PushCounters(dead=parts.dead.count)

    def run(self, stop: Event) -> None:
        """Serve until ``stop`` is set; failures are waited out, never given up on."""
        self._stop = stop
        while not stop.is_set():
            try:
                moved = self.step()
            except AuditError as error:
                self._note_failure(error)
                stop.wait(self._backoff_s)
                continue
            if not moved:
                stop.wait(self._options.poll_s)
        self._end()

    def step(self) -> bool:
        """Send the next batch, have it confirmed when that is due; whether there was anything.

        Raises:
            AuditError: index, journal, disk or receiver failed; the next step goes on from what
                was confirmed.
        """
        self._begin()
        counters = self.counters
        piece = self._next_piece()
        if piece.position > counters.position:
            self._send(piece)
        if self._is_due():
            self._confirm()
        self.counters.last_failure = ""
        return piece.position < counters.end

    def _begin(self) -> None:
        """Find the place to begin with and journal that the feed is used, once."""
        if self._begun:
            return
        kept = self._kept()
        self._parts.feed.record_use(
            ("push to", self._options.name),
            ("format", str(self._parts.formatter.format)),
            ("from", str(kept)),
        )
        self.counters.position = self.counters.confirmed = kept
        self._begun = True

    def _kept(self) -> int:
        """Where to begin: never behind the journal's end, as it was restored from a backup."""
        feed, place = self._parts.feed, self._parts.place
        kept, end = place.read(), feed.journal_end()
        if kept is not None and kept <= end:
            return kept
        if kept is not None:
            log.warning("push goes back: the journal is shorter", to=self._options.name, end=end)
            begin = end
        else:
            begin = feed.position() if self._options.begin_now else 0
        place.write(begin)
        return begin

    def _next_piece(self) -> FeedPiece:
        counters = self.counters
        if not self._parts.delivery.connected:
            counters.connected = False
            self._go_back()
        piece = self._parts.feed.read(counters.position, self._options.batch_records)
        counters.end = piece.index_lag.index_seq
        counters.oldest_waiting = piece.records[0].received if piece.records else 0
        return piece

    def _go_back(self) -> None:
        """What was sent since the receiver last confirmed may be lost: send it again."""
        self.counters.position = self.counters.confirmed
        self._unconfirmed = _Unconfirmed()

    def _send(self, piece: FeedPiece) -> None:
        messages = list(self._messages(piece.records))
        if messages:
            self._deliver(messages)
        counters = self.counters
        counters.position = piece.position
        counters.oldest_waiting = 0
        if not self._unconfirmed.records and not messages:
            self._keep(piece.position)  # nothing of it is the receiver's business
        elif not self._options.confirms:
            self._keep(piece.position)

    def _deliver(self, messages: list[bytes]) -> None:
        delivery = self._parts.delivery
        if not delivery.connected:
            delivery.open()
            self.counters.connected = True
        if not self._unconfirmed.records:
            self._unconfirmed.since_s = monotonic()
        delivery.deliver(messages, self._stop)
        self._unconfirmed.records += len(messages)
        self.counters.sent += len(messages)
        if not self._options.confirms:
            self._backoff_s = 0.0

    def _messages(self, records: tuple[IndexedRecord, ...]) -> Iterator[bytes]:
        for record in records:
            try:
                yield self._message(record)
            except Unmappable as error:
                self._give_up(record, str(error))
                yield self._parts.formatter.placeholder_message(record)

    def _message(self, record: IndexedRecord) -> bytes:
        """The message, without the original and with fewer values where it is too long."""
        most, octets = self._options.max_octets, 0
        for fewer, original in _SHORTER:
            message = self._parts.formatter.message(record, fewer, original=original)
            octets = len(message)
            if octets <= most:
                return message
        raise Unmappable(f"too long: {octets} octets, and the receiver takes {most}")

    def _give_up(self, record: IndexedRecord, reason: str) -> None:
        log.warning("record not pushed", to=self._options.name, record=record.id, reason=reason)
        self._parts.dead.add(
            DeadLetter(
                id=record.id,
                sequence=record.sequence,
                received=format_ns(record.received),
                reason=reason,
            )
        )
        self.counters.dead = self._parts.dead.count

    def _is_due(self) -> bool:
        unconfirmed, options = self._unconfirmed, self._options
        if not options.confirms or not unconfirmed.records:
            return False
        late = monotonic() - unconfirmed.since_s >= options.confirm_s
        return late or unconfirmed.records >= options.confirm_records

    def _confirm(self) -> None:
        """End the connection and keep the place; the next batch opens another one."""
        confirmed = self._parts.delivery.confirm()
        self.counters.connected = False
        if not confirmed:
            raise ConnectionFailed(
                "the receiver did not confirm what it was sent; it is sent again (set confirms = "
                "false for one that never answers the end of a connection)"
            )
        self._backoff_s = 0.0
        self.counters.confirmations += 1
        self._unconfirmed = _Unconfirmed()
        self._keep(self.counters.position)

    def _keep(self, position: int) -> None:
        if position != self.counters.confirmed:
            self._parts.place.write(position)
            self.counters.confirmed = position

    def _note_failure(self, error: AuditError) -> None:
        options, counters = self._options, self.counters
        counters.failures += 1
        if not counters.last_failure:
            log.warning("push waits", to=options.name, reason=str(error))
        counters.last_failure = str(error)
        counters.connected = self._parts.delivery.connected
        doubled = self._backoff_s * 2 or options.first_backoff_s
        self._backoff_s = min(doubled, options.longest_backoff_s)

    def _end(self) -> None:
        """Have confirmed what was sent, if the receiver is quick about it."""
        try:
            if self._unconfirmed.records and self._options.confirms:
                self._confirm()
        except AuditError as error:
            self._note_failure(error)
        finally:
            self._parts.delivery.abort()
