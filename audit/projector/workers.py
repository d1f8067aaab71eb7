"""WorkerPool: projects in processes of its own, for speed and so that no message can stop us.

A message that kills its worker, or keeps it busy for too long, becomes a record that says so; all
others of its batch are projected. A worker ends with the process that made it, however that ends.
"""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from types import TracebackType
from typing import Any, Self

from audit.errors import ConfigurationError
from audit.garbage import spare_collections
from audit.index.port import Ready
from audit.projector.jobs import Job, Projected, failed_job, run_jobs
from audit.projector.options import ProjectionOptions

_START_TIMEOUT_S = 120.0

Done = Sequence[Projected[Ready]]
RunJobs = Callable[[Sequence[Job], str, ProjectionOptions], Done]


@dataclass(frozen=True, slots=True)
class Started:
    """Jobs that workers do now: parts, and what each will give; None where it could not begin."""

    parts: Sequence[Sequence[Job]]
    futures: Sequence[Future[Done] | None]


class WorkerPool:
    """Runs jobs in ``count`` processes. One thread at a time may use it.

    Args:
        count: processes.
        origin: the log's short name.
        options: what the site has set about the derived fields.
        timeout_s: how long a worker may take for its part of a batch.
        run: what a worker does; importable by name.
    """

    def __init__(
        self,
        count: int,
        origin: str,
        options: ProjectionOptions,
        timeout_s: float = 60.0,
        run: RunJobs = run_jobs,
    ) -> None:
        self._count = count
        self._origin = origin
        self._options = options
        self._timeout_s = timeout_s
        self._run = run
        self._executor: ProcessPoolExecutor | None = None

    def run(self, jobs: Sequence[Job]) -> list[Projected[Ready]]:
        """Every job done, in order; never raises for what a message does.

        Raises:
            ConfigurationError: no worker process can be started here; nothing was done, and
                nothing is said about the messages.
        """
        return self.finish(self.start(jobs))

    def start(self, jobs: Sequence[Job]) -> "Started":
        """Hand the jobs out and return at once; raises as `run`."""
        size = max(1, -(-len(jobs) // self._count))
        parts = [jobs[start : start + size] for start in range(0, len(jobs), size)]
        return Started(parts, [self._submit(part) for part in parts])

    def finish(self, started: "Started") -> list[Projected[Ready]]:
        """What became of jobs that were handed out; raises as `run`. Once for each start."""
        parts, done = started.parts, self._results(started.futures)
        if None in done:
            # Some part killed its worker or overran, and took its neighbours down with it.
            done = [
                part_done if part_done is not None else self._one_by_one(part)
                for part, part_done in zip(parts, done, strict=True)
            ]
        return [projected for part_done in done for projected in part_done or ()]

    def _one_by_one(self, jobs: Sequence[Job]) -> list[Projected[Ready]]:
        found: list[Projected[Ready]] = []
        for job in jobs:
            alone = self._try([[job]])[0]
            error = RuntimeError("a worker died or overran")
            found += alone or [failed_job(job, self._origin, error)]
        return found

    def _try(self, parts: Sequence[Sequence[Job]]) -> list[Done | None]:
        """Each part's records; None for parts that were lost."""
        return self._results([self._submit(part) for part in parts])

    def _results(self, futures: "Sequence[Future[Done] | None]") -> list[Done | None]:
        done = [self._result(future) for future in futures]
        if None in done:
            self._abandon()
        return done

    def _submit(self, jobs: Sequence[Job]) -> Future[Done] | None:
        workers = self._workers()
        try:
            return workers.submit(self._run, jobs, self._origin, self._options)
        except BrokenExecutor:
            return None

    def _result(self, future: Future[Done] | None) -> Done | None:
        if future is None:
            return None
        try:
            return future.result(self._timeout_s)
        except (BrokenExecutor, TimeoutError):
            return None

    def _workers(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self._count, mp_context=get_context("spawn"), initializer=begin_worker
            )
            # What a worker needs to start, and that it can, isn't up to its first message.
            try:
                self._executor.submit(os.getpid).result(_START_TIMEOUT_S)
            except (BrokenExecutor, TimeoutError, OSError) as error:
                self._abandon()
                raise ConfigurationError(
                    f"the projector's worker processes don't start ({error}); look for memory "
                    "and process limits, or set index.workers = 0"
                ) from error
        return self._executor

    def _abandon(self) -> None:
        """End the workers at once, busy ones too; the next jobs get new ones."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        workers = list((executor._processes or {}).values())  # noqa: SLF001 - 3.14 has kill_workers
        for worker in workers:
            worker.kill()
        # One that died while it wrote a result has left a reader who waits for the rest of it.
        results: Any = executor._result_queue  # noqa: SLF001
        results._writer.close()  # noqa: SLF001 - ends that wait; nobody writes there any more
        executor.shutdown(wait=True, cancel_futures=True)

    def close(self) -> None:
        """End the workers."""
        self._abandon()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def begin_worker() -> None:
    """In a new worker: leave Ctrl-C to the parent, and end when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    spare_collections()
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
