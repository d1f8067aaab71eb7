"""The project process: the journal's records into the index."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from audit.errors import AuditError
from audit.index.criteria import fold
from audit.index.port import SearchIndex
from audit.journal.reader import JournalReader
from audit.projector.follow import FollowCounters, Follower, FollowOptions
from audit.projector.options import ProjectionOptions
from audit.projector.repeats import RepeatOptions
from audit.projector.workers import spare_collections
from audit.service.backends import open_index, upkeep_of, wait_for_reader
from audit.service.index_removals import IndexRemovals
from audit.service.metrics import counter, gauge, render
from audit.service.paths import DataPaths
from audit.service.status import Status
from audit.service.validation_limits import data_set_limits, xml_limits
from audit.settings import Settings

ROLE = "project"
UPKEEP_S = 60.0
"""Between two looks at whether a month of the index is to be sealed."""

log = structlog.get_logger()


def projection_options(settings: Settings) -> ProjectionOptions:
    """How records are projected, from the settings."""
    index = settings.index
    return ProjectionOptions(
        default_assigners=index.default_assigners,
        destination_kinds={fold(name): kind for name, kind in index.destination_kinds.items()},
        xml_limits=xml_limits(settings),
        data_set_limits=data_set_limits(settings),
    )


class ProjectRole:
    """Follows the journal into the index until stopped."""

    def __init__(self, settings: Settings, paths: DataPaths) -> None:
        self._settings = settings
        self._paths = paths
        self._stop = threading.Event()
        self._index: SearchIndex | None = None
        self._reader: JournalReader | None = None
        self._follower: Follower | None = None
        self._sealed_months = 0

    async def start(self) -> None:
        """Open the index; the journal is waited for in ``run``."""
        self._index = open_index(self._settings, self._paths)

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until asked to stop; failures are waited out."""
        reader = await wait_for_reader(self._paths, stop)
        if reader is None or self._index is None:
            return
        self._reader = reader
        spare_collections()
        index = self._settings.index
        options = FollowOptions(
            batch_records=index.batch_records,
            poll_interval_s=index.poll_interval_ms / 1000,
            workers=index.workers,
            repeats=RepeatOptions(window_s=round(index.repeat_window_h * 3600)),
            projection=projection_options(self._settings),
        )
        removals = IndexRemovals(self._paths, reader, self._index)
        self._follower = Follower(reader, self._index, options, before_step=removals)
        upkeep = upkeep_of(self._index, self._settings)
        keeping = asyncio.create_task(self._keep_up(upkeep, stop)) if upkeep else None
        following = asyncio.create_task(asyncio.to_thread(self._follower.run, self._stop))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((following, stopping), return_when=asyncio.FIRST_COMPLETED)
        self._stop.set()
        stopping.cancel()
        await following
        if keeping is not None:
            self._index.close()
            await keeping

    async def _keep_up(self, upkeep: Callable[[], int], stop: asyncio.Event) -> None:
        """Look after the index now and then; a failure is told and tried again."""
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), UPKEEP_S)
                return
            try:
                self._sealed_months += await asyncio.to_thread(upkeep)
            except AuditError as error:
                if not stop.is_set():
                    log.warning("upkeep of the index failed", reason=str(error))

    async def stop(self) -> None:
        """End following and close what was opened."""
        self._stop.set()
        if self._follower is not None:
            self._follower.close()
        if self._index is not None:
            self._index.close()
        if self._reader is not None:
            self._reader.close()

    def status(self) -> Status:
        """Where the index stands, and how long a record takes to become searchable."""
        follower = self._follower
        if follower is None:
            return self._status(
                ready=False, detail={"reason": "waits for the journal"}, metrics=""
            )
        counters = follower.counters
        detail: dict[str, str | int] = {"position": counters.position}
        if counters.last_failure:
            detail["reason"] = counters.last_failure
        return self._status(
            ready=not counters.last_failure,
            detail={**detail, **self._lag(counters.position)},
            metrics=_metrics(counters, self._sealed_months),
        )

    def _lag(self, position: int) -> dict[str, int]:
        if self._reader is None:
            return {}
        try:
            return {"lag": max(0, self._reader.durable_count() - position)}
        except AuditError:
            return {}

    def _status(self, *, ready: bool, detail: dict[str, str | int], metrics: str) -> Status:
        return Status(
            role=ROLE,
            ready=ready,
            pid=os.getpid(),
            updated=time.time_ns(),
            detail=detail,
            metrics=metrics,
        )


def _metrics(counters: FollowCounters, sealed_months: int) -> str:
    return render(
        (
            gauge("arr_index_seq", "first sequence not searchable yet", counters.position),
            counter("arr_indexed_records", "records made searchable", counters.records),
            counter("arr_indexed_repeats", "records marked as repeats", counters.repeats),
            counter(
                "arr_projection_failures",
                "records that could not be projected",
                counters.failed_projections,
            ),
            counter(
                "arr_index_failures", "attempts that failed and were repeated", counters.failures
            ),
            counter("arr_index_months_sealed", "months sealed since the start", sealed_months),
            gauge(
                "arr_ingest_to_searchable_seconds",
                "age of the last batch's oldest record once searchable",
                counters.last_delay_ns / 1e9,
            ),
        )
    )
