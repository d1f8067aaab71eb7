"""Fills indices with simulated records: workers make every form, each index takes its own."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from audit.bench.clocks import MeasurementFailed, Watch
from audit.garbage import spare_collections
from audit.index.document import IndexedRecord
from audit.index.port import Ready, SearchIndex
from audit.journal.entry import Entry
from audit.projector.follow import taken_by
from audit.projector.jobs import Job, Prepare, Projected, run_jobs
from audit.projector.options import ProjectionOptions
from audit.projector.workers import Started, WorkerPool

ORIGIN = "bench"

_BATCHES_AHEAD = 2
"""As the product's projector has with its workers."""


@dataclass(slots=True)
class Filled:
    """How the indices were filled.

    Attributes:
        fill_s: seconds that all took together.
        put_s: of these, seconds in which each index took records; the others worked meanwhile.
        octets_unsealed: size of the embedded index before its past months were sealed.
        seal_s: seconds that this took, in one process beside.
    """

    fill_s: float
    put_s: dict[str, float]
    octets_unsealed: int = 0
    seal_s: float = 0.0


class _Forms(NamedTuple):
    """A record as each of the indices takes it."""

    id: str
    received: int
    forms: tuple[Ready, ...]


def _all_forms(prepares: Sequence[Prepare | None], record: IndexedRecord) -> _Forms:
    made = (record if prepare is None else prepare(record) for prepare in prepares)
    return _Forms(record.id, record.received, tuple(made))


def fill(
    indices: Mapping[str, SearchIndex],
    batches: Iterable[list[Entry]],
    workers: int,
    progress: Callable[[int], None],
) -> Filled:
    """Every batch into every index.

    Args:
        indices: by name.
        batches: in the order of their sequences.
        workers: processes that make records.
        progress: told how many records are in.

    Raises:
        MeasurementFailed: a message could not be projected.
    """
    spare_collections()  # as the projector does
    takers = {name: taken_by(index) for name, index in indices.items()}
    prepare = partial(_all_forms, [prepare for _, prepare in takers.values()])
    run = partial(run_jobs, prepare=prepare)
    whole, put_s = Watch(), dict.fromkeys(indices, 0.0)

    def put(number: int, name: str, records: Sequence[_Forms], position: int) -> None:
        watch = Watch()
        takers[name][0]([one.forms[number] for one in records], position)
        put_s[name] += watch.spent().wall_s

    with ExitStack() as undo:
        pool = undo.enter_context(WorkerPool(workers, ORIGIN, ProjectionOptions(), run=run))
        # An index knows what the thread that writes to it has seen.
        threads = [undo.enter_context(ThreadPoolExecutor(1)) for _ in takers]
        for position, records in _made(pool, batches):
            taking = [
                thread.submit(put, number, name, records, position)
                for number, (name, thread) in enumerate(zip(takers, threads, strict=True))
            ]
            for one in taking:
                one.result()
            progress(position)
    return Filled(whole.spent().wall_s, put_s)


def _made(
    pool: WorkerPool, batches: Iterable[list[Entry]]
) -> Iterator[tuple[int, Sequence[_Forms]]]:
    """Position after a batch, and its records; meanwhile workers make the next ones."""
    begun: deque[tuple[int, Started]] = deque()
    for batch in batches:
        begun.append((batch[-1].sequence + 1, pool.start([Job(entry) for entry in batch])))
        if len(begun) > _BATCHES_AHEAD:
            yield _finished(pool, *begun.popleft())
    while begun:
        yield _finished(pool, *begun.popleft())


def _finished(pool: WorkerPool, position: int, started: Started) -> tuple[int, Sequence[_Forms]]:
    return position, [_forms(one) for one in pool.finish(started)]


def _forms(done: Projected[Ready]) -> _Forms:
    if not isinstance(done.record, _Forms):
        raise MeasurementFailed(f"{done.record.id} was not projected: {done.error}")
    return done.record
