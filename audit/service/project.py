"""The project process: the journal's records into the index."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from audit.errors import AuditError
from audit.garbage import spare_collections
from audit.index.criteria import fold
from audit.index.port import SearchIndex
from audit.journal.reader import JournalReader
from audit.projector.follow import FollowCounters, Follower, FollowOptions
from audit.projector.options import ProjectionOptions
from audit.projector.repeats import RepeatOptions
from audit.service.backends import (
    Backend,
    beside_of,
    interrupt_upkeep,
    open_backend,
    upkeep_of,
    wait_for_reader,
)
from audit.service.dead_letters import count_of, requests_for
from audit.service.index_removals import IndexRemovals, applied_beside_file, applied_file
from audit.service.metrics import counter, gauge, render
from audit.service.paths import DataPaths
from audit.service.reindex import RUNNING, Reindexer
from audit.service.status import Status
from audit.service.validation_limits import data_set_limits, xml_limits
from audit.settings import Settings

ROLE = "project"
UPKEEP_S = 60.0
_BUSY_CORES = 2
"""One receives, one writes the index."""
_MOST_WORKERS = 4
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


def repeat_options(settings: Settings) -> RepeatOptions:
    """When a record counts as a repeat, from the settings."""
    return RepeatOptions(window_s=round(settings.index.repeat_window_h * 3600))


def worker_count(wanted: int | None) -> int:
    """Processes that project: as set, else one for each core that receipt and index leave idle."""
    if wanted is not None:
        return wanted
    return max(0, min(_MOST_WORKERS, len(os.sched_getaffinity(0)) - _BUSY_CORES))


@dataclass(slots=True)
class _Followed:
    """An index that this process fills."""

    index: SearchIndex
    removals: IndexRemovals
    follower: Follower


class ProjectRole:
    """Follows the journal into the index until stopped, and into a second one where configured."""

    def __init__(self, settings: Settings, paths: DataPaths) -> None:
        self._settings = settings
        self._paths = paths
        self._stop = threading.Event()
        self._indices: dict[Backend, SearchIndex] = {}
        self._reader: JournalReader | None = None
        self._followed: dict[Backend, _Followed] = {}
        self._reindexer: Reindexer | None = None
        self._sealed_months = 0

    async def start(self) -> None:
        """Open the index; the journal is waited for in ``run``."""
        for backend in (self._settings.index.backend, beside_of(self._settings)):
            if backend is not None:
                self._indices[backend] = open_backend(backend, self._settings, self._paths)

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until asked to stop; failures are waited out."""
        reader = await wait_for_reader(self._paths, stop)
        if reader is None or not self._indices:
            return
        self._reader = reader
        spare_collections()
        self._reindexer = Reindexer(
            self._settings, self._paths, self._indices, self._follow_options(), self._begin_again
        )
        for backend, index in self._indices.items():
            self._followed[backend] = self._follow(backend, index, reader)
        working = [asyncio.create_task(work) for work in self._work(self._reindexer, stop)]
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((*working, stopping), return_when=asyncio.FIRST_COMPLETED)
        self._stop.set()
        stopping.cancel()
        stop.set()
        for index in self._indices.values():
            interrupt_upkeep(index)
        await asyncio.gather(*working)

    def _work(
        self, reindexer: Reindexer, stop: asyncio.Event
    ) -> Iterator[Coroutine[Any, Any, None]]:
        """What runs until the end."""
        for followed in self._followed.values():
            yield asyncio.to_thread(followed.follower.run, self._stop)
        yield asyncio.to_thread(reindexer.run, self._stop)
        for index in self._indices.values():
            upkeep = upkeep_of(index, self._settings)
            if upkeep is not None:
                yield self._keep_up(upkeep, stop)

    def _follow_options(self) -> FollowOptions:
        index = self._settings.index
        return FollowOptions(
            batch_records=index.batch_records,
            poll_interval_s=index.poll_interval_ms / 1000,
            gather_s=index.gather_ms / 1000,
            workers=worker_count(index.workers),
            repeats=repeat_options(self._settings),
            projection=projection_options(self._settings),
        )

    def _follow(self, backend: Backend, index: SearchIndex, reader: JournalReader) -> _Followed:
        first = backend == self._settings.index.backend
        applied = applied_file(self._paths) if first else applied_beside_file(self._paths)
        removals = IndexRemovals(self._paths, reader, index, applied)
        letters = requests_for(self._paths, reader, index, projection_options(self._settings))

        def before_step() -> None:
            if self._reindexer is not None:
                self._reindexer.hand_over(backend)
            removals()
            if letters is not None:
                letters()

        follower = Follower(reader, index, self._follow_options(), before_step=before_step)
        return _Followed(index, removals, follower)

    def _begin_again(self, backend: Backend) -> None:
        followed = self._followed.get(backend)
        if followed is not None:
            followed.removals.begin_again()

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
        for followed in self._followed.values():
            followed.follower.close()
        for index in self._indices.values():
            index.close()
        if self._reader is not None:
            self._reader.close()

    def status(self) -> Status:
        """Where the index stands, and how long a record takes to become searchable."""
        followed = self._followed.get(self._settings.index.backend)
        if followed is None:
            return self._status(
                ready=False, detail={"reason": "waits for the journal"}, metrics=""
            )
        counters = followed.follower.counters
        detail: dict[str, Any] = {"position": counters.position}
        if counters.last_failure:
            detail["reason"] = counters.last_failure
        detail |= self._lag(counters.position) | self._beside() | self._reindex()
        detail |= self._dead_letters()
        return self._status(
            ready=not counters.last_failure, detail=detail, metrics=self._metrics(counters)
        )

    def _beside(self) -> dict[str, Any]:
        """Where the second index stands."""
        backend = beside_of(self._settings)
        followed = None if backend is None else self._followed.get(backend)
        if followed is None:
            return {}
        counters = followed.follower.counters
        told = {"backend": backend, "position": counters.position, "reason": counters.last_failure}
        return {"beside": told}

    def _dead_letters(self) -> dict[str, int]:
        """How many records Elasticsearch refused for good; nothing where none goes there."""
        count = count_of(self._indices.get("elasticsearch"))
        return {} if count is None else {"dead_letters": count}

    def _reindex(self) -> dict[str, Any]:
        state = None if self._reindexer is None else self._reindexer.state
        return {} if state is None else {"reindex": state.told()}

    def _metrics(self, counters: FollowCounters) -> str:
        state = None if self._reindexer is None else self._reindexer.state
        left = 0 if state is None or state.state != RUNNING else state.of - state.position
        refused = self._dead_letters().get("dead_letters", 0)
        return _metrics(counters, self._sealed_months, max(0, left), refused)

    def _lag(self, position: int) -> dict[str, int]:
        if self._reader is None:
            return {}
        try:
            return {"lag": max(0, self._reader.durable_count() - position)}
        except AuditError:
            return {}

    def _status(self, *, ready: bool, detail: dict[str, Any], metrics: str) -> Status:
        return Status(
            role=ROLE,
            ready=ready,
            pid=os.getpid(),
            updated=time.time_ns(),
            detail=detail,
            metrics=metrics,
        )


def _metrics(
    counters: FollowCounters, sealed_months: int, reindex_left: int, dead_letters: int
) -> str:
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
            gauge("arr_reindex_left", "records that a rebuild has still to put", reindex_left),
            gauge("arr_index_dead_letters", "records that Elasticsearch refused", dead_letters),
            counter("arr_index_months_sealed", "months sealed since the start", sealed_months),
            gauge(
                "arr_ingest_to_searchable_seconds",
                "age of the last batch's oldest record once searchable",
                counters.last_delay_ns / 1e9,
            ),
        )
    )
