"""Takes messages at once and hands them on in a thread of its own; says so when any are lost."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol

from audit.errors import AuditError, StorageError

_GRACE_S = 0.25
"""How much longer than its deadline ``close`` may take to end the thread."""


class Sink(Protocol):
    """Where messages go: `audit.transport.spooled_sender.SpooledSender`, or one like it."""

    def send(self, *messages: bytes) -> None:
        """Take all of them or none.

        Raises:
            StorageError: there is no room for now; the outbox tries again.
            AuditError: they can't be sent; the outbox gives them up.
        """

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything is delivered; False when the time was too short."""

    def close(self, drain_s: float) -> int:
        """Deliver what the time allows, end; how many messages stay for the next start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxOptions:
    """Limits of the outbox.

    Attributes:
        max_messages: taken but not yet handed on; beyond it messages are lost, and counted.
        max_octets: likewise, of their octets.
        batch_messages: handed to the sink at a time.
        retry_s: wait after the sink had no room.
    """

    max_messages: int = 10_000
    max_octets: int = 64 * 1024 * 1024
    batch_messages: int = 64
    retry_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Loss:
    """Messages that could be neither sent nor kept: how many, and from when to when."""

    count: int
    since: datetime
    until: datetime


class Outbox:
    """A bounded queue before a sink. Thread-safe; ``put`` never waits for disk or network.

    Args:
        sink: taken over, and closed with the outbox.
        on_recovery: called in the outbox's thread when the sink takes messages again after a
            loss; gives the messages that tell of it.
        options: limits.
    """

    def __init__(
        self,
        sink: Sink,
        on_recovery: Callable[[Loss], tuple[bytes, ...]],
        options: OutboxOptions | None = None,
    ) -> None:
        self._sink = sink
        self._on_recovery = on_recovery
        self._options = options or OutboxOptions()
        self._waiting: deque[bytes] = deque()
        self._octets = 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._drain_until_s = 0.0
        self._kept = 0
        self._loss: Loss | None = None
        self.lost = 0
        self.last_error = ""
        self._thread = threading.Thread(target=self._run, name="audit-outbox", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Messages taken that the sink has not."""
        return len(self._waiting)

    def put(self, message: bytes) -> bool:
        """Take a message; False when there is no room for it, or the outbox is closed."""
        with self._changed:
            fits = (
                not self._closing.is_set()
                and len(self._waiting) < self._options.max_messages
                and self._octets + len(message) <= self._options.max_octets
            )
            if fits:
                self._waiting.append(message)
                self._octets += len(message)
                self._changed.notify_all()
            else:
                self._count_loss(1)
        return fits

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything taken is delivered; False when the time was too short."""
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            if not self._changed.wait_for(lambda: not self._waiting, timeout_s):
                return False
        return self._sink.flush(max(0.0, deadline_s - time.monotonic()))

    def close(self, drain_s: float) -> int:
        """Deliver what the time allows, then end.

        Returns at the latest a moment after ``drain_s``, even where disk or network hang.

        Returns:
            How many messages were not delivered: kept by the sink for the next start, or (see
            ``lost``) gone.
        """
        deadline_s = time.monotonic() + drain_s
        with self._changed:
            self._drain_until_s = deadline_s
            self._changed.wait_for(lambda: not self._waiting, drain_s)
            self._closing.set()
            self._changed.notify_all()
        self._thread.join(max(0.0, deadline_s - time.monotonic()) + _GRACE_S)
        with self._changed:
            left = len(self._waiting)
            self._waiting.clear()
            self._octets = 0
            self.lost += left
        return left + self._kept

    def _count_loss(self, count: int) -> None:
        now = datetime.now(UTC)
        loss = self._loss or Loss(0, now, now)
        self._loss = Loss(loss.count + count, loss.since, now)
        self.lost += count

    def _run(self) -> None:
        while batch := self._next_batch():
            if self._hand_on(batch):
                self._forget(len(batch))
        self._kept = self._sink.close(max(0.0, self._drain_until_s - time.monotonic()))

    def _next_batch(self) -> list[bytes]:
        """The oldest messages, which stay; empty when closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
            if self._closing.is_set():
                return []
            return list(islice(self._waiting, self._options.batch_messages))

    def _hand_on(self, batch: list[bytes]) -> bool:
        """Whether the batch is done with: taken by the sink, or given up."""
        try:
            self._sink.send(*batch)
        except StorageError as error:
            self.last_error = str(error)
            self._closing.wait(self._options.retry_s)
            return False
        except AuditError as error:
            self.last_error = str(error)
            with self._changed:
                self._count_loss(len(batch))
            return True
        self.last_error = ""
        self._tell_of_loss()
        return True

    def _tell_of_loss(self) -> None:
        """Send what tells of a loss; a failure leaves it for the next time."""
        loss = self._take_loss()
        if loss is None:
            return
        try:
            self._sink.send(*self._on_recovery(loss))
        except AuditError as error:
            self.last_error = str(error)
            later = self._take_loss() or Loss(0, loss.until, loss.until)
            with self._changed:
                self._loss = Loss(loss.count + later.count, loss.since, later.until)

    def _take_loss(self) -> Loss | None:
        with self._changed:
            loss, self._loss = self._loss, None
        return loss

    def _forget(self, count: int) -> None:
        with self._changed:
            # ``close`` may have given up on them while the sink was still taking them
            for _ in range(min(count, len(self._waiting))):
                self._octets -= len(self._waiting.popleft())
            self._changed.notify_all()
