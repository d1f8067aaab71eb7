"""Has heads cosigned by witnesses, and published outside, at intervals, beside the intake.

A thread of its own, which reads the journal's files as any stranger could and never waits for the
writer, nor the writer for it. A witness that can't be reached costs its cosignature, no more.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Thread

import structlog

from audit.errors import AuditError, EvidenceError
from audit.journal.checkpoint_cosigned import CosignedHeads
from audit.journal.heads import read_checkpoint
from audit.journal.identity import Identity
from audit.journal.initialise import read_identity
from audit.journal.note import Checkpoint
from audit.journal.verify_heads import signed_head
from audit.service.paths import DataPaths
from audit.service.publish import outlet_for, publish
from audit.service.publish_http import HttpOptions
from audit.service.witness_client import WitnessAddress, WitnessClient
from audit.settings import Settings

STOP_PATIENCE_S = 1.0

log = structlog.get_logger()

Alarm = Callable[[str], None]
"""Told in words when somebody outside has seen another history of this log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundOptions:
    """What is done with heads, and how often.

    Attributes:
        witnesses: who cosigns.
        witness_interval_s: between rounds.
        publish_to: where copies of heads go.
        publish_interval_s: between copies.
        http: how others are asked.
    """

    witnesses: tuple[WitnessAddress, ...] = ()
    witness_interval_s: float = 10.0
    publish_to: tuple[str, ...] = ()
    publish_interval_s: float = 3600.0
    http: HttpOptions = field(default_factory=HttpOptions)

    @property
    def any_work(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.witnesses or self.publish_to)


def round_options(settings: Settings) -> RoundOptions:
    """The options from the settings.

    Raises:
        ConfigurationError: a witness is not written as URL and key.
    """
    journal = settings.journal
    return RoundOptions(
        witnesses=tuple(WitnessAddress.parse(text) for text in journal.witnesses),
        witness_interval_s=journal.witness_interval_s,
        publish_to=journal.publish_to,
        publish_interval_s=journal.publish_interval_s,
        http=HttpOptions(timeout_s=journal.outside_timeout_s, ca_file=journal.outside_ca),
    )


class WitnessRounds:
    """The thread; ``step`` is one round of its work, for tests and for the command line."""

    def __init__(self, paths: DataPaths, options: RoundOptions, alarm: Alarm) -> None:
        self._paths = paths
        self._options = options
        self._alarm = alarm
        self._kept = CosignedHeads(paths.cosigned)
        self._clients = [
            WitnessClient(address, paths.journal, options.http) for address in options.witnesses
        ]
        self._complete = -1
        self._published: dict[str, int] = {}
        self._alarmed: set[str] = set()
        self._publish_due = 0.0
        self._stop = Event()
        self._thread = Thread(target=self._run, name="witness-rounds", daemon=True)

    def start(self) -> None:
        """Begin, if there is anything to do."""
        if self._options.any_work:
            self._thread.start()

    def stop(self) -> None:
        """End soon; a request that hangs is left behind."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOP_PATIENCE_S)

    def step(self) -> None:
        """Have the newest head cosigned and published, where that is due.

        Raises:
            AuditError: the journal can't be read, or a head can't be kept.
            OSError: the same.
        """
        identity = read_identity(self._paths.journal)
        note = read_checkpoint(self._paths.journal)
        head = signed_head(note, identity)
        if self._clients and head.size != self._complete:
            note = self._cosigned(identity, head, note)
        if time.monotonic() >= self._publish_due:
            self._publish_due = time.monotonic() + self._options.publish_interval_s
            self._publish(identity, head, note)

    def _run(self) -> None:
        pause_s = (
            self._options.witness_interval_s if self._clients else self._options.publish_interval_s
        )
        while not self._stop.is_set():
            try:
                self.step()
            except (AuditError, OSError) as error:
                log.warning("heads were not witnessed or published", reason=str(error))
            self._stop.wait(min(pause_s, self._options.publish_interval_s))

    def _cosigned(self, identity: Identity, head: Checkpoint, note: str) -> str:
        key = identity.key_at(head.size)

        found: dict[int, str] = {}

        def one(number: int, client: WitnessClient) -> None:
            line = self._guarded(
                client.address.key.name, lambda: client.cosign(head, note, key).text
            )
            if line is not None:
                found[number] = line

        # Daemons, since a witness that hangs must not hold up the end of the process.
        asking = [
            Thread(target=one, args=pair, name="witness", daemon=True)
            for pair in enumerate(self._clients)
        ]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        lines = [found[number] for number in sorted(found)]
        whole = note + "".join(lines)
        self._kept.keep(whole, head.size, cosigned=bool(lines))
        if len(lines) == len(self._clients):
            self._complete = head.size
        return whole

    def _publish(self, identity: Identity, head: Checkpoint, note: str) -> None:
        for target in self._options.publish_to:
            if self._published.get(target) == head.size:
                continue
            outlet = outlet_for(target, identity.origin, self._options.http)
            act = partial(publish, self._paths.journal, identity, note, outlet)
            if self._guarded(target, act):
                self._published[target] = head.size

    def _guarded(self, who: str, act: Callable[[], str]) -> str | None:
        """What the act gives; None when it failed, which is told."""
        try:
            done = act()
        except EvidenceError as error:
            log.critical("evidence outside contradicts the journal", who=who, reason=str(error))
            if who not in self._alarmed:
                self._alarmed.add(who)
                self._alarm(f"{who}: {error}")
            return None
        except AuditError as error:
            log.warning("a head was not taken outside", who=who, reason=str(error))
            return None
        self._alarmed.discard(who)
        return done
