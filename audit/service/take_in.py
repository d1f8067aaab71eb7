"""Taking in what was received elsewhere: old archives, simulated years.

Records come in as listener ``import``: they keep their own event time, however old it is
(``audit.projector.event_time``).
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Event

from audit.errors import JournalBusy
from audit.query.message_stream import StreamedMessage
from audit.transport.append_protocol import MAX_BATCH

LISTENER = "import"

AppendAll = Callable[[Sequence[bytes], str], tuple[int, ...]]
"""Messages and their listener → durable sequences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeInOptions:
    """How records are handed over.

    Attributes:
        max_message_octets: a longer message is refused and named.
        batch_octets: of messages that share a request.
        busy_timeout_s: how long to try while the journal's queue is full.
        busy_pause_s: between two tries.
        max_refusals_named: more are only counted.
    """

    max_message_octets: int = 16 * 1024 * 1024
    batch_octets: int = 4 * 1024 * 1024
    busy_timeout_s: float = 60.0
    busy_pause_s: float = 0.05
    max_refusals_named: int = 100


@dataclass(slots=True)
class TakenIn:
    """What one run took in.

    Attributes:
        messages: that are durable.
        octets: of these.
        first: sequence of the first; None when there is none.
        last: sequence of the last.
        refused: messages that were too long.
        refusals: the first of these, in words.
    """

    messages: int = 0
    octets: int = 0
    first: int | None = None
    last: int | None = None
    refused: int = 0
    refusals: list[str] = field(default_factory=list)


class TakeIn:
    """Hands messages to the journal in their order."""

    def __init__(self, append_all: AppendAll, options: TakeInOptions) -> None:
        self._append_all = append_all
        self._options = options
        self._waiting: list[bytes] = []
        self._waiting_octets = 0
        self.taken = TakenIn()

    def take(self, source: str, messages: Iterable[StreamedMessage]) -> None:
        """Append all messages of a source; they are durable when this returns.

        Raises:
            JournalUnavailable: the journal takes no records; ``taken`` says what it took before.
            JournalBusy: its queue stayed full.
            FrameError: the rest of the source can't be cut into messages.
        """
        try:
            for message in messages:
                if message.original_length > self._options.max_message_octets:
                    self._refuse(source, message)
                    continue
                self._wait(message.raw)
        finally:
            self._flush()

    def _wait(self, raw: bytes) -> None:
        full = self._waiting_octets + len(raw) > self._options.batch_octets
        if full or len(self._waiting) == MAX_BATCH:
            self._flush()
        self._waiting.append(raw)
        self._waiting_octets += len(raw)

    def _flush(self) -> None:
        batch, self._waiting, self._waiting_octets = self._waiting, [], 0
        if not batch:
            return
        sequences = self._append(batch)
        taken = self.taken
        taken.messages += len(batch)
        taken.octets += sum(map(len, batch))
        taken.first = sequences[0] if taken.first is None else taken.first
        taken.last = sequences[-1]

    def _append(self, batch: list[bytes]) -> tuple[int, ...]:
        deadline = time.monotonic() + self._options.busy_timeout_s
        while True:
            try:
                return self._append_all(batch, LISTENER)
            except JournalBusy:
                if time.monotonic() > deadline:
                    raise
                Event().wait(self._options.busy_pause_s)

    def _refuse(self, source: str, message: StreamedMessage) -> None:
        taken = self.taken
        taken.refused += 1
        if len(taken.refusals) < self._options.max_refusals_named:
            taken.refusals.append(
                f"{source}: message {message.number} has {message.original_length} octets; "
                f"at most {self._options.max_message_octets} are taken "
                "(syslog.max_message_octets)"
            )
