"""Retention without anybody's doing: by the configured policy, at an interval.

It runs beside the process that follows the journal. When the last run was is kept in the state
folder, so that a restart doesn't begin a new interval.
"""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from audit.errors import AuditError
from audit.service.paths import DataPaths
from audit.service.retention import retaining
from audit.service.retention_policy import load_policy
from audit.service.state_file import replace_file
from audit.settings import Settings

POLL_S = 30.0
"""Between two looks at whether a run is due; also before one that failed is tried again."""

_NS_PER_H = 3_600_000_000_000

log = structlog.get_logger()


class _Stopping(AuditError):
    """The process is to end; what was removed so far stays removed, the rest is due still."""


class RetentionSchedule:
    """Runs retention when it is due."""

    def __init__(self, settings: Settings, clock: Callable[[], int] = time.time_ns) -> None:
        self._settings = settings
        self._clock = clock
        self._file = DataPaths(settings.data).state.parent / "retention-run.json"
        self._stopping = False

    def is_due(self) -> bool:
        """Whether the interval since the last whole run is over; never without a policy."""
        journal = self._settings.journal
        if journal.retention_policy is None:
            return False
        passed = self._clock() - self._last_run()
        return not 0 <= passed < journal.retention_interval_h * _NS_PER_H

    def run_once(self) -> int:
        """Remove what is due now; how many records.

        Raises:
            AuditError: policy, journal or keys can't be used; what was done stays done.
        """
        journal = self._settings.journal
        if journal.retention_policy is None:
            return 0
        policy, now = load_policy(journal.retention_policy), self._clock()
        with retaining(self._settings) as retained:
            plan = retained.run(policy, now, self._go_on)
        done = {"at": now, "removed": plan.count, "held": sum(plan.held.values())}
        replace_file(self._file, json.dumps(done).encode())
        log.info("retention ran", removed=plan.count, held=done["held"])
        return plan.count

    def stop(self) -> None:
        """End a run at the next segment."""
        self._stopping = True

    async def keep(self, stop: asyncio.Event, poll_s: float = POLL_S) -> None:
        """Run whenever it is due, until told to stop; a failure is told and tried again."""
        if self._settings.journal.retention_policy is None:
            return
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), poll_s)
                return
            if not self.is_due():
                continue
            running = asyncio.create_task(asyncio.to_thread(self._try))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if stop.is_set():
                self.stop()
            await running

    def _try(self) -> None:
        try:
            self.run_once()
        except _Stopping:
            log.info("retention goes on after the next start")
        except AuditError as error:
            log.warning("retention failed", reason=str(error))

    def _go_on(self, _: int, __: int) -> None:
        if self._stopping:
            raise _Stopping("the process is to end")

    def _last_run(self) -> int:
        try:
            return int(json.loads(self._file.read_text(encoding="utf-8"))["at"])
        except (OSError, ValueError, TypeError, KeyError):
            return 0
