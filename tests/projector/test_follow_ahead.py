"""While a batch is put, the workers project the next ones; whatever fails, nothing is doubled."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from typing_extensions import override

from audit.errors import IndexUnavailable, JournalUnavailable
from audit.journal.reader import JournalReader
from audit.journal.writer import JournalWriter
from audit.projector import follow
from audit.projector.follow import Follower, FollowOptions
from audit.projector.jobs import Job
from audit.projector.options import ProjectionOptions
from audit.projector.workers import Done, RunJobs
from tests.projector.test_follow import drain, numbered
from tests.query.memory_index import MemoryIndex

OPTIONS = FollowOptions(batch_records=4, workers=2)


class Workers:
    """As `WorkerPool`, in this process; does its work only when it is fetched."""

    def __init__(
        self,
        _count: int,
        origin: str,
        options: ProjectionOptions,
        _timeout_s: float,
        run: RunJobs,
    ) -> None:
        self._origin = origin
        self._options = options
        self._run = run
        self.started: list[Sequence[Job]] = []

    def start(self, jobs: Sequence[Job]) -> Sequence[Job]:
        self.started.append(jobs)
        return jobs

    def finish(self, jobs: Sequence[Job]) -> Done:
        return self._run(jobs, self._origin, self._options)

    def close(self) -> None:
        self.started.clear()


@pytest.fixture(autouse=True)
def workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "WorkerPool", Workers)


@pytest.fixture
def filled(writer: JournalWriter, reader: JournalReader) -> JournalReader:
    """Twenty messages; those from the tenth on repeat the first ten."""
    writer.append([numbered(n) for n in range(10)])
    writer.append([numbered(n) for n in range(10)])
    return reader


def content(index: MemoryIndex) -> dict[str, Any]:
    return {id_: (r.fields, r.values("repeat_of")) for id_, r in index.records.items()}


@pytest.fixture
def wanted(filled: JournalReader) -> dict[str, Any]:
    index = MemoryIndex()
    assert drain(Follower(filled, index, FollowOptions(batch_records=4))) == 20
    return content(index)


class Failing(MemoryIndex):
    """Fails every other put."""

    attempts = 0

    @override
    def put(self, records: Any, position: int) -> None:
        self.attempts += 1
        if self.attempts % 2:
            raise IndexUnavailable("busy")
        super().put(records, position)


def step(follower: Follower) -> bool:
    try:
        follower.step()
    except (IndexUnavailable, JournalUnavailable):
        return False
    return True


def drained(follower: Follower, index: MemoryIndex, end: int = 20) -> None:
    steps = 0
    while index.position() < end:
        step(follower)
        steps += 1
        assert steps < 100


def test_two_batches_are_begun_before_one_is_put(
    filled: JournalReader, wanted: dict[str, Any]
) -> None:
    index = MemoryIndex()
    follower = Follower(filled, index, OPTIONS)
    assert follower.step() == 4
    pool: Any = follower._pool
    assert [len(jobs) for jobs in pool.started] == [4, 4, 4]
    assert drain(follower) == 16
    assert [len(jobs) for jobs in pool.started] == [4] * 5
    assert content(index) == wanted
    assert index.puts == [(4, 4), (4, 8), (4, 12), (4, 16), (4, 20)]


def test_puts_that_fail_change_nothing(filled: JournalReader, wanted: dict[str, Any]) -> None:
    index = Failing()
    drained(Follower(filled, index, OPTIONS), index)
    assert content(index) == wanted


@pytest.mark.parametrize("also_puts", [False, True])
def test_a_journal_that_fails_on_the_way_makes_nothing_repeat_itself(
    filled: JournalReader,
    wanted: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    also_puts: bool,
) -> None:
    real = filled.iterate
    wavering = random.Random(7)  # noqa: S311 - a test must do the same again
    failed: list[int] = []

    def iterate(start: int, stop: int) -> Any:
        fails = wavering.random() < 0.4
        for entry in real(start, stop):
            if fails and entry.sequence == stop - 1:
                failed.append(stop)
                raise JournalUnavailable("a disk that wavers")
            yield entry

    monkeypatch.setattr(filled, "iterate", iterate)
    index = Failing() if also_puts else MemoryIndex()
    drained(Follower(filled, index, OPTIONS), index)
    assert len(failed) > 3
    assert content(index) == wanted


def test_an_index_that_is_cleared_meanwhile_is_filled_from_the_start(
    filled: JournalReader, wanted: dict[str, Any]
) -> None:
    index = MemoryIndex()
    follower = Follower(filled, index, OPTIONS)
    follower.step()
    index.clear()
    drained(follower, index)
    assert content(index) == wanted
