import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from audit.errors import ConfigurationError
from audit.index.document import IndexedRecord
from audit.projector import workers
from audit.projector.jobs import Job, run_jobs
from audit.projector.options import ProjectionOptions
from audit.projector.workers import Done, WorkerPool
from tests.projector.messages import ORIGIN, entry, syslog
from tests.waiting import until

OPTIONS = ProjectionOptions()


def _results(frame: Any) -> Any:
    """The pipe that a worker writes its results to."""
    while "result_queue" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["result_queue"]._writer


def hostile(jobs: Sequence[Job], origin: str, options: ProjectionOptions) -> Done:
    """What a worker does when a message finds a fault in a library."""
    for job in jobs:
        if b"CRASH" in job.entry.received.raw:
            os.kill(os.getpid(), signal.SIGKILL)
        if b"HANG" in job.entry.received.raw:
            Event().wait()
        if b"HALF" in job.entry.received.raw:
            os.write(_results(sys._getframe()).fileno(), b"\x00\x00\x10\x00half a result")
            os.kill(os.getpid(), signal.SIGKILL)
    return run_jobs(jobs, origin, options)


def jobs_of(*texts: bytes) -> list[Job]:
    return [Job(entry(syslog(text), number)) for number, text in enumerate(texts)]


def findings(done: Done) -> list[bool]:
    records = [one.record for one in done if isinstance(one.record, IndexedRecord)]
    return ["projection-failed" in record.values("finding") for record in records]


def test_jobs_come_back_in_order() -> None:
    jobs = jobs_of(*(f"text {number}".encode() for number in range(7)))
    with WorkerPool(2, ORIGIN, OPTIONS) as pool:
        assert pool.run(jobs) == run_jobs(jobs, ORIGIN, OPTIONS)
        assert pool.run(jobs[:1]) == run_jobs(jobs[:1], ORIGIN, OPTIONS)
        assert pool.run([]) == []


def no_worker() -> None:
    """A worker that can't start, as when memory has run out."""
    os._exit(1)


def test_workers_that_don_t_start_say_nothing_about_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = jobs_of(b"one", b"two")
    with WorkerPool(2, ORIGIN, OPTIONS) as pool:
        with monkeypatch.context() as broken:
            broken.setattr(workers, "begin_worker", no_worker)
            with pytest.raises(ConfigurationError, match="don't start"):
                pool.run(jobs)
        assert pool.run(jobs) == run_jobs(jobs, ORIGIN, OPTIONS)


def test_a_message_that_kills_its_worker_costs_no_other() -> None:
    jobs = jobs_of(b"one", b"CRASH", b"three", b"four")
    with WorkerPool(2, ORIGIN, OPTIONS, run=hostile) as pool:
        done = pool.run(jobs)
        assert findings(done) == [False, True, False, False]
        assert [one.record.id for one in done] == [f"{ORIGIN}-{n}" for n in range(4)]
        assert done[1].error == "RuntimeError"
        assert findings(pool.run(jobs[:1])) == [False]


def test_a_message_that_never_ends_costs_no_other() -> None:
    jobs = jobs_of(b"HANG", b"two")
    with WorkerPool(1, ORIGIN, OPTIONS, timeout_s=3.0, run=hostile) as pool:
        assert findings(pool.run(jobs)) == [True, False]


def test_a_worker_that_dies_while_it_writes_its_result_holds_nobody_up() -> None:
    jobs = jobs_of(b"one", b"HALF", b"three")
    with WorkerPool(1, ORIGIN, OPTIONS, timeout_s=1.0, run=hostile) as pool:
        assert findings(pool.run(jobs)) == [False, True, False]


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            """
            from threading import Event
            from audit.projector.workers import WorkerPool
            from tests.projector.test_workers import OPTIONS, jobs_of

            if __name__ == "__main__":
                pool = WorkerPool(1, "abcd", OPTIONS)
                pool.run(jobs_of(b"one"))
                print(*pool._executor._processes, flush=True)
                Event().wait()
            """
        )
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        cwd=root,
        env={"PYTHONPATH": str(root)},
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert Path(f"/proc/{worker}").exists()
        parent.kill()
    until(lambda: not _runs(worker))


def _runs(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
