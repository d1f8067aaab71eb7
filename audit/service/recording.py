"""What the collector reports of its own recording: start and stop, gaps, clock, settings, keys.

Each is a record in the journal, so that who reads it years later knows when nobody was listening,
whether the clock could be trusted, and what was changed.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from audit.journal.entry import Received
from audit.journal.reader import JournalReader
from audit.journal.recovery import Recovery
from audit.record.build import Alert, ApplicationActivity, Outcome
from audit.service.clock import ClockState
from audit.service.own_records import OwnRecords
from audit.service.paths import DataPaths
from audit.service.state_file import replace_file
from audit.settings import Settings

OWN_LISTENER = "own"
LONG_PAUSE_S = 1.0
"""A pause of intake is recorded from this length on; one for want of disk space always is."""
CLOCK_STEP_S = 1.0
"""The clock was set when it moved so far against the steady clock between two looks."""

_NS = 1_000_000_000
_STOPPED = b'csd-code="110121"'


@dataclass(frozen=True, slots=True)
class LastRecord:
    """The journal's last record, as a start finds it.

    Attributes:
        at: when it was received (UTC nanoseconds).
        in_order: whether it says that the collector stopped.
    """

    at: int
    in_order: bool


def last_record(paths: DataPaths, durable_count: int) -> LastRecord | None:
    """The last of so many records; None when there are none."""
    if not durable_count:
        return None
    with JournalReader(paths.journal) as reader:
        received: Received = reader.read(durable_count - 1).received
    in_order = received.listener == OWN_LISTENER and _STOPPED in received.raw
    return LastRecord(received.received_at, in_order)


class SteadyClock:
    """Finds out when the clock is set, by a clock that nobody can set."""

    def __init__(
        self,
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall, self._steady = wall, steady
        self._apart = wall() - steady()

    def step_s(self) -> float:
        """Seconds that the clock was set forward (or back: negative) since the last look; or 0."""
        apart = self._wall() - self._steady()
        step_s = (apart - self._apart) / _NS
        self._apart = apart
        return step_s if abs(step_s) >= CLOCK_STEP_S else 0.0


class SettingsSeen:
    """The settings that the last start had, in one file of the state folder."""

    def __init__(self, paths: DataPaths) -> None:
        self._path = paths.state.parent / "settings-seen.json"

    def changes(self, settings: Settings) -> tuple[str, ...]:
        """What differs from the last start, one text a setting; remembers the present ones.

        Nothing at the first start. Secrets are no settings: only the files that keep them are.
        """
        now = flat(settings.model_dump(mode="json"))
        try:
            before = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            before = None
        replace_file(self._path, json.dumps(now, indent=1).encode())
        if not isinstance(before, dict):
            return ()
        return tuple(
            f"{name} from {before.get(name)!r} to {now.get(name)!r}"
            for name in sorted(now.keys() | before.keys())
            if now.get(name) != before.get(name)
        )


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The settings by their dotted names."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def digest_of(settings: Settings) -> str:
    """SHA-256 of all settings, so that each start tells with which ones it ran."""
    values = flat(settings.model_dump(mode="json"))
    return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def moment(at: int) -> str:
    """A time for people, in UTC."""
    return datetime.fromtimestamp(at / _NS, UTC).isoformat(timespec="milliseconds")


class RecordingReports:
    """Makes the records; ``journal`` takes them."""

    def __init__(
        self, own: OwnRecords, journal: Callable[[bytes], None], role: str = "receive"
    ) -> None:
        self._own = own
        self._journal = journal
        self._role = role

    def alert(self, kind: Alert, what: str, outcome: Outcome = Outcome.SUCCESS) -> None:
        """A security alert about this host."""
        self._journal(
            self._own.alert(kind, what, subject=self._own.identity.hostname, outcome=outcome)
        )

    def started(self, recovery: Recovery, clock: ClockState, key: str, settings: str) -> None:
        """Recording starts.

        Args:
            recovery: what a crash left.
            clock: whether it is synchronised.
            key: that signs the journal's heads.
            settings: their digest.
        """
        what = f"Recording starts at sequence {recovery.durable_count}; clock {clock}"
        if recovery.cut_octets:
            what += (
                f"; an unfinished write of {recovery.cut_octets} octets was cut from "
                f"{recovery.segment}"
            )
        if recovery.recovered:
            what += f"; {recovery.recovered} entries after the last head were recovered"
        if recovery.lost:
            what += f"; {recovery.lost} entries that had been durable are gone"
        what += f"; heads are signed by {key}; settings {settings}"
        self._journal(self._own.application(ApplicationActivity.START, self._role))
        self.alert(Alert.AUDIT_RECORDING_STARTED, what)

    def gap(self, before: LastRecord | None, now: int) -> None:
        """Between the journal's last record and this start nobody recorded."""
        if before is None:
            return
        why = (
            "the collector had been stopped"
            if before.in_order
            else "the collector ended without saying so: a crash, a kill or a loss of power"
        )
        seconds = (now - before.at) / _NS
        self.alert(
            Alert.AUDIT_RECORDING_STOPPED,
            f"Gap: nothing was recorded from {moment(before.at)} to {moment(now)} "
            f"({seconds:.3f} s); {why}",
            Outcome.SUCCESS if before.in_order else Outcome.SERIOUS_FAILURE,
        )

    def paused(self, since: int, now: int, *, for_room: bool) -> None:
        """Senders were held back for a while; it goes on now."""
        seconds = (now - since) / _NS
        if not for_room and seconds < LONG_PAUSE_S:
            return
        why = "the disk had no room" if for_room else "more came than the disk takes"
        self.alert(
            Alert.AUDIT_RECORDING_STOPPED,
            f"Gap: no data was taken from {moment(since)} to {moment(now)} ({seconds:.3f} s), for "
            f"{why}; TLS and TCP senders were held back, datagrams of that time may be lost",
            Outcome.SERIOUS_FAILURE if for_room else Outcome.MINOR_FAILURE,
        )

    def stopped(self, durable_count: int) -> None:
        """Recording stops in order."""
        self.alert(Alert.AUDIT_RECORDING_STOPPED, f"Recording stops at sequence {durable_count}")
        self._journal(self._own.application(ApplicationActivity.STOP, self._role))

    def clock_changed(self, state: ClockState) -> None:
        """The clock became synchronised, or is no longer."""
        outcome = Outcome.SUCCESS if state.synchronised else Outcome.SERIOUS_FAILURE
        self.alert(Alert.SECURITY_CONFIGURATION, f"The clock is now {state}", outcome)

    def clock_stepped(self, step_s: float) -> None:
        """Somebody or something set the clock."""
        self.alert(
            Alert.SECURITY_CONFIGURATION,
            f"The clock was set {'forward' if step_s > 0 else 'back'} by {abs(step_s):.3f} s",
        )

    def settings_changed(self, changes: tuple[str, ...]) -> None:
        """This start has other settings than the last."""
        if changes:
            self.alert(
                Alert.SECURITY_CONFIGURATION,
                "Settings changed since the last start: " + "; ".join(changes),
            )

    def key_replaced(self, since: int, key: str, overlap_end: int) -> None:
        """The log signs with another key."""
        self.alert(
            Alert.SECURITY_CONFIGURATION,
            f"The journal's signing key was replaced: heads above size {since} are signed by "
            f"{key}; the key before signs beside it until {moment(overlap_end)}",
        )

    def trust_read(self, ended: int) -> None:
        """Certificates were read anew."""
        self.alert(
            Alert.SECURITY_CONFIGURATION,
            f"Certificates and trust were read anew; {ended} connections were ended",
        )

    def other_history(self, what: str) -> None:
        """Somebody outside has seen a history of this log that is not the journal's."""
        self.alert(
            Alert.SECURITY_CONFIGURATION,
            f"A head kept outside contradicts the journal: {what}",
            Outcome.MAJOR_FAILURE,
        )
