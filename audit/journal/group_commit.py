"""GroupCommit: a thread that gathers records for a moment and makes them durable together.

One sync then carries many records. When enough have come while the disk is at work on a batch, the
next one is made meanwhile. Callbacks run in this thread, after durability or failure.
"""

import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from audit.errors import AuditError, ConfigurationError, JournalBusy, JournalUnavailable
from audit.journal.entry import EntryKind, Received
from audit.journal.writer import JournalWriter

Done: TypeAlias = Callable[[int | None, AuditError | None], None]
"""Called with the durable sequence, or with why there is none. Must be quick. What it raises is
reported by ``threading.excepthook`` and changes nothing else."""

_ENTRY_OVERHEAD_OCTETS = 256
"""What a queued record costs besides its own octets."""
_WORTH_A_BATCH = 64
"""Records that are made a batch at once while the disk is at work; fewer wait until it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitOptions:
    """How records are gathered.

    Attributes:
        gather_delay_s: how long the first record of a batch waits for others, at most.
        batch_max_octets: a batch this large doesn't wait.
        batch_max_entries: nor does one of this many records.
        queue_max_octets: records waiting, all together; beyond it ``submit`` refuses. Pressure
            is told at half of it, and its end at a quarter.
        head_interval_s: a head is signed this often while records arrive.
        room_poll_s: how often the disk is asked whether it has room again.
    """

    gather_delay_s: float = 0.005
    batch_max_octets: int = 8 << 20
    batch_max_entries: int = 4096
    queue_max_octets: int = 64 << 20
    head_interval_s: float = 1.0
    room_poll_s: float = 0.5

    def __post_init__(self) -> None:
        if min(self.batch_max_octets, self.batch_max_entries, self.queue_max_octets) <= 0:
            raise ConfigurationError("a batch's and the queue's sizes are above zero")
        if self.gather_delay_s < 0 or min(self.head_interval_s, self.room_poll_s) <= 0:
            raise ConfigurationError("a commit's times are above zero")


@dataclass(frozen=True, slots=True)
class _Waiting:
    received: Received
    done: Done | None
    waits_for_room: bool

    @property
    def octets(self) -> int:
        return len(self.received.raw) + _ENTRY_OVERHEAD_OCTETS

    def settle(self, sequence: int | None, error: AuditError | None) -> None:
        if self.done is not None:
            _call(self.done, sequence, error)


class _Underway(NamedTuple):
    """What the disk is at work on, and the sequences it will have."""

    batch: list[_Waiting]
    sequences: range


class GroupCommit:
    """Owns the writer's appends from ``start`` to ``stop``; ``submit`` from any thread.

    Args:
        writer: an open writer; the caller closes it after ``stop``.
        options: how to gather.
        on_pressure: called with True when senders should pause (queue half full, disk without
            room, writer dead) and False when they may go on. Runs in any of the threads.
    """

    def __init__(
        self,
        writer: JournalWriter,
        options: CommitOptions | None = None,
        on_pressure: Callable[[bool], None] | None = None,
    ) -> None:
        self._writer = writer
        self._options = CommitOptions() if options is None else options
        self._on_pressure = on_pressure
        self._condition = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._queued_octets = 0
        self._taken: list[_Waiting] = []
        self._underway: _Underway | None = None
        self._introduced: set[bytes] = set()
        self._pressed = False
        self._pressing = threading.RLock()
        self._roomless = False
        self._held = False
        self._stopping = False
        self._given_up = False
        self._head_due = 0.0
        self._thread = threading.Thread(target=self._run, name="journal-commit", daemon=True)

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    @property
    def queued_octets(self) -> int:
        """What waits to be made durable."""
        return self._queued_octets

    @property
    def has_room(self) -> bool:
        """Whether the disk had room at the last look."""
        return not self._roomless

    def submit(
        self, received: Received, done: Done | None = None, *, waits_for_room: bool = False
    ) -> None:
        """Queue a record; ``done`` tells its sequence once it is durable.

        Args:
            received: the record.
            done: told how it went, in the committing thread.
            waits_for_room: while the disk is full keep it queued, rather than fail it at once.

        Raises:
            JournalBusy: the queue is full; the record was not taken.
            JournalUnavailable: the writer is dead or stopping; the record was not taken.
        """
        waiting = _Waiting(received, done, waits_for_room)
        with self._condition:
            if self._stopping or self._writer.failure:
                why = self._writer.failure or "it is stopping"
                raise JournalUnavailable(f"the journal takes no more data: {why}")
            if self._queued_octets + waiting.octets > self._options.queue_max_octets:
                raise JournalBusy(f"{self._queued_octets} octets wait for the journal already")
            self._queue.append(waiting)
            self._queued_octets += waiting.octets
            self._condition.notify()
        self._tell_pressure()

    def introduce(self, certificate: Received) -> bool:
        """Queue a CERTIFICATE record unless the log has it or it is queued; whether it was.

        Raises:
            ValueError: the record is no certificate with its SHA-256.
            JournalBusy: as ``submit``.
            JournalUnavailable: as ``submit``.
        """
        fingerprint = certificate.certificate_sha256
        if certificate.kind is not EntryKind.CERTIFICATE or not fingerprint:
            raise ValueError("only a certificate with its SHA-256 can be introduced")
        with self._condition:
            if fingerprint in self._introduced or fingerprint in self._writer.certificates:
                return False
            self._introduced.add(fingerprint)
        try:
            self.submit(
                certificate,
                lambda _, __: self._introduced.discard(fingerprint),
                waits_for_room=True,
            )
        except AuditError:
            self._introduced.discard(fingerprint)
            raise
        return True

    def stop(self, timeout_s: float = 5.0) -> int:
        """Make all queued records durable and sign a head that covers them.

        Returns:
            Records given up, each told so, because there was no room before the time was over.

        Raises:
            JournalUnavailable: the last head can't be signed now.
        """
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self._thread.join(timeout_s)
        with self._condition:
            rest = list(self._queue)
            self._queue.clear()
            self._given_up = True
        self._forget_octets(rest)
        self._settle_failed(rest, JournalUnavailable("the journal stopped first"))
        if not self._writer.failure:
            self._writer.publish_head()
        return len(rest)

    def _run(self) -> None:
        self._head_due = time.monotonic() + self._options.head_interval_s
        try:
            while self._gather():
                self._roomless = self._held or not self._writer.has_room()
                self._begin(self._take_batch())
                if self._held or len(self._queue) < _WORTH_A_BATCH:
                    self._finish()
                self._publish_when_due()
                self._tell_pressure()
        except BaseException as error:  # noqa: BLE001 — no record may be left without an answer
            self._writer.give_up(f"nobody expected that committing ends so ({error!r})")
            rest = self._settle_underway() + self._taken
            self._refused(rest, JournalUnavailable(self._writer.failure))
            self._tell_pressure()
            _report()
        finally:
            with self._condition:
                self._stopping = True

    def _gather(self) -> bool:
        """Wait until a batch is worth committing or a head is due; False at the end."""
        if self._underway is not None:
            return True
        with self._condition:
            if self._held:
                self._condition.wait(self._options.room_poll_s)
            elif not self._queue and not self._stopping:
                self._condition.wait(self._idle_s())
            if self._stopping:
                return bool(self._queue)
            deadline = time.monotonic() + self._options.gather_delay_s
            self._condition.wait_for(self._is_ready, max(0.0, deadline - time.monotonic()))
        return True

    def _is_ready(self) -> bool:
        return (
            not self._queue
            or self._stopping
            or self._queued_octets >= self._options.batch_max_octets
            or len(self._queue) >= self._options.batch_max_entries
        )

    def _idle_s(self) -> float | None:
        if self._roomless:
            return self._options.room_poll_s
        if self._writer.failure or self._writer.has_current_head:
            return None
        return max(0.0, self._head_due - time.monotonic())

    def _take_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        octets = 0
        self._taken = batch
        with self._condition:
            while self._queue and len(batch) < self._options.batch_max_entries:
                octets += self._queue[0].octets
                if batch and octets > self._options.batch_max_octets:
                    break
                batch.append(self._queue.popleft())
        return batch

    def _begin(self, batch: list[_Waiting]) -> None:
        if not batch:
            return
        try:
            sequences = self._writer.begin([waiting.received for waiting in batch])
        except JournalUnavailable as error:
            rest, self._taken = self._settle_underway() + batch, []
            self._refused(rest, error)
            return
        self._settle_underway()
        self._underway, self._taken = _Underway(batch, sequences), []

    def _finish(self) -> None:
        if self._underway is None:
            return
        try:
            self._writer.finish()
        except JournalUnavailable as error:
            self._refused(self._settle_underway(), error)
        else:
            self._settle_underway()

    def _settle_underway(self) -> list[_Waiting]:
        """Tell those that are durable; return the others, all or none.

        None when the writer raised nothing: it tells of every refusal before it goes on.
        """
        if self._underway is None:
            return []
        (batch, sequences), self._underway = self._underway, None
        if self._writer.durable_count < sequences.stop:
            return batch
        self._forget_octets(batch)
        if self._held:
            self._held, self._roomless = False, not self._writer.has_room()
        for sequence, waiting in zip(sequences, batch, strict=True):
            waiting.settle(sequence, None)
        return []

    def _refused(self, batch: list[_Waiting], error: JournalUnavailable) -> None:
        """Keep what may wait for room, in order; tell all others at once."""
        with self._condition:
            refused = batch + list(self._queue)
            self._queue.clear()
            if not self._writer.failure and not self._given_up:
                self._queue += [waiting for waiting in refused if waiting.waits_for_room]
                refused = [waiting for waiting in refused if not waiting.waits_for_room]
            self._held = bool(self._queue)
        self._roomless = True
        self._forget_octets(refused)
        self._settle_failed(refused, error)

    def _publish_when_due(self) -> None:
        if time.monotonic() < self._head_due:
            return
        self._finish()
        if self._writer.failure:
            return
        self._head_due = time.monotonic() + self._options.head_interval_s
        try:
            self._writer.publish_head()
        except JournalUnavailable:
            self._roomless = True

    def _settle_failed(self, batch: list[_Waiting], error: AuditError | None) -> None:
        for waiting in batch:
            waiting.settle(None, error)

    def _forget_octets(self, batch: list[_Waiting]) -> None:
        with self._condition:
            self._queued_octets -= sum(waiting.octets for waiting in batch)

    def _tell_pressure(self) -> None:
        with self._pressing:
            limit = self._options.queue_max_octets // (4 if self._pressed else 2)
            pressed = self._queued_octets > limit or self._roomless or bool(self._writer.failure)
            changed, self._pressed = pressed != self._pressed, pressed
            if changed and self._on_pressure is not None:
                _call(self._on_pressure, pressed)


def _call(callback: Callable[..., None], *arguments: object) -> None:
    """A callback that fails must not keep other records from becoming durable."""
    try:
        callback(*arguments)
    except Exception:  # noqa: BLE001 — another's code; reported, not swallowed
        _report()


def _report() -> None:
    """Tell of the error that is being handled, if that can be told."""
    args = threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread()))
    with contextlib.suppress(Exception):
        threading.excepthook(args)
