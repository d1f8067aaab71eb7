"""Follower: brings what is in the journal into the index, in order, each entry once.

The index says where it stands and takes each batch together with its new position in one
transaction. So a Follower that dies at any moment goes on exactly where the index is; nothing is
left out and nothing stands twice.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic, time_ns
from typing import Any

import structlog

from audit.errors import AuditError
from audit.index.document import IndexedRecord
from audit.index.port import Ready, SearchIndex, TakesReady
from audit.journal.entry import Entry, EntryKind
from audit.journal.reader import JournalReader
from audit.journal.segment import KnownCertificates
from audit.projector.certificates import CertificateNames
from audit.projector.jobs import Job, Prepare, run_jobs
from audit.projector.options import ProjectionOptions
from audit.projector.project import record_id
from audit.projector.repeats import RepeatMemory, RepeatOptions
from audit.projector.workers import Done, Started, WorkerPool

log = structlog.get_logger()

_BATCHES_AHEAD = 2
"""So that workers never wait: they do one while the next is read and the one before is put."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowOptions:
    """How the index follows the journal.

    Attributes:
        batch_records: most records put at once.
        batch_octets: most octets of messages put at once; a single longer one is put alone.
        poll_interval_s: how often a journal at rest is looked at.
        gather_s: how long, from the beginning of a batch that wasn't full, more is waited for:
            many small batches would cost more processor time than a few large ones.
        recheck_interval_s: how often, at rest, the index is asked where it stands; it may have
            been cleared to be built anew.
        workers: processes that project; 0 does it in this one.
        worker_timeout_s: how long a worker may take for its part of a batch.
        retry_first_s: pause after a first failure of index or journal; it doubles from there …
        retry_most_s: … up to this.
        repeats: when a message counts as a repeat.
        projection: what the site has set about the derived fields.
    """

    batch_records: int = 1000
    batch_octets: int = 8 * 1024 * 1024
    poll_interval_s: float = 0.05
    gather_s: float = 0.2
    recheck_interval_s: float = 2.0
    workers: int = 0
    worker_timeout_s: float = 60.0
    retry_first_s: float = 0.1
    retry_most_s: float = 30.0
    repeats: RepeatOptions = field(default_factory=RepeatOptions)
    projection: ProjectionOptions = field(default_factory=ProjectionOptions)


@dataclass(slots=True)
class FollowCounters:
    """What was done since the start; read by the metrics.

    Attributes:
        records: documents put into the index.
        certificates: journal entries that hold a certificate; they are no documents.
        repeats: documents that repeat an earlier one.
        failed_projections: documents that stand for a fault of ours.
        failures: attempts that failed and were made again.
        position: first journal sequence not yet in the index.
        last_put_at: when a batch was last put (UTC nanoseconds), 0 before the first.
        last_delay_ns: from receipt to searchable, of the oldest record of the last batch.
        last_failure: why the last failed attempt failed; empty once one succeeded again.
    """

    records: int = 0
    certificates: int = 0
    repeats: int = 0
    failed_projections: int = 0
    failures: int = 0
    position: int = 0
    last_put_at: int = 0
    last_delay_ns: int = 0
    last_failure: str = ""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Projected and ready to be put; kept until the index has taken it."""

    records: tuple[Ready, ...]
    start: int
    position: int


@dataclass(frozen=True, slots=True)
class _Begun:
    """Read, its repeats noted, and with the workers where there are any."""

    jobs: Sequence[Job]
    started: Started | None
    start: int
    position: int


class Follower:
    """Follows one journal into one index. One thread at a time may drive it.

    Args:
        reader: the journal.
        index: the index; only this Follower may put records into it.
        options: batches, pauses, windows.
        before_step: called before each look for entries, in the thread that writes the index;
            what it raises counts as a failed attempt.
    """

    def __init__(
        self,
        reader: JournalReader,
        index: SearchIndex,
        options: FollowOptions | None = None,
        before_step: Callable[[], None] | None = None,
    ) -> None:
        self._reader = reader
        self._index = index
        self._put_all, self._prepare_one = taken_by(index)
        self._options = options or FollowOptions()
        self._before_step = before_step
        self._names = CertificateNames(self._certificate)
        self._known: KnownCertificates | None = None
        self._pool = self._new_pool()
        self._repeats = RepeatMemory(reader.read, self._options.repeats)
        self._prepared_to: int | None = None
        self._pending: _Batch | None = None
        self._begun: deque[_Begun] = deque()
        self._is_spoiled = False
        self._asked_at = 0.0
        self._stop = threading.Event()
        self.counters = FollowCounters()

    def _new_pool(self) -> WorkerPool | None:
        options = self._options
        if options.workers == 0:
            return None
        return WorkerPool(
            options.workers,
            self._reader.origin,
            options.projection,
            options.worker_timeout_s,
            partial(run_jobs, prepare=self._prepare_one),
        )

    def close(self) -> None:
        """End the worker processes, if there are any. Reader and index stay open."""
        if self._pool is not None:
            self._pool.close()

    def step(self) -> int:
        """Put the next batch; the number of journal entries taken in, 0 when there is none.

        Raises:
            AuditError: index or journal failed; the same batch is put by the next call.
        """
        if self._before_step is not None:
            self._before_step()
        durable = self._reader.durable_count()
        if self._is_at_rest(durable):
            return 0
        position = self._index.position()
        self._asked_at = monotonic()
        self.counters.position = position
        if position >= durable:
            return 0
        if self._prepared_to != position and not self._prepare(position):
            return 0
        batch = self._pending or self._project(position, durable)
        self._pending = batch
        self._begin_next(batch.position, durable)
        self._put(batch)
        return batch.position - batch.start

    def run(self, stop: threading.Event) -> None:
        """Follow until ``stop`` is set; failures are waited out, never given up on."""
        self._stop = stop
        pause = self._options.retry_first_s
        while not stop.is_set():
            begun = monotonic()
            try:
                taken = self.step()
                rest_s = self._rest_s(taken, begun)
            except AuditError as error:
                self._note_failure(error)
                stop.wait(pause)
                pause = min(pause * 2, self._options.retry_most_s)
                continue
            self.counters.last_failure = ""
            pause = self._options.retry_first_s
            stop.wait(rest_s)

    def _rest_s(self, taken: int, begun: float) -> float:
        """How long to wait after a step, by what it took and when it began; 0 for a full batch."""
        if taken == 0:
            return self._options.poll_interval_s
        waiting = self._reader.durable_count() - self.counters.position
        if self._begun or waiting >= self._options.batch_records:
            return 0.0
        return max(0.0, begun + self._options.gather_s - monotonic())

    def _note_failure(self, error: AuditError) -> None:
        self.counters.failures += 1
        if not self.counters.last_failure:
            log.warning("index does not follow", reason=str(error))
        self.counters.last_failure = str(error)

    def _is_at_rest(self, durable: int) -> bool:
        if self._pending is not None or self._prepared_to is None:
            return False
        due = monotonic() - self._asked_at >= self._options.recheck_interval_s
        return durable <= self.counters.position and not due

    def _prepare(self, position: int) -> bool:
        """Remember what lies before ``position``: after a start, or when the index was cleared.

        False when it was broken off because the Follower is to stop.
        """
        self._pending = None
        self._begun.clear()
        self._is_spoiled = False
        self._prepared_to = None
        self._repeats.clear()
        self._known = self._reader.known_certificates()
        start = self._repeats.first_needed(position)
        for entry in self._reader.iterate(start, position):
            if self._stop.is_set():
                return False
            if not entry.is_removed:
                self._repeats.note(entry)
        self._prepared_to = position
        log.info("index follows the journal", position=position, remembered=len(self._repeats))
        return True

    def _certificate(self, digest: bytes) -> bytes | None:
        sequence = self._known.sequence(digest) if self._known else None
        return None if sequence is None else self._reader.read(sequence).received.raw

    def _project(self, position: int, durable: int) -> _Batch:
        # Should this fail halfway, what was noted of the batch must not look like an earlier copy.
        self._prepared_to = None
        begun = self._begun.popleft() if self._begun else self._begin(position, durable)
        batch = _Batch(self._records(begun), begun.start, begun.position)
        self._prepared_to = position
        return batch

    def _begin(self, position: int, durable: int) -> _Begun:
        """Read the next batch and, where there are workers, hand it to them."""
        jobs: list[Job] = []
        octets = 0
        end = position
        stop = min(durable, position + self._options.batch_records)
        for entry in self._reader.iterate(position, stop):
            octets += len(entry.received.raw)
            if end > position and octets > self._options.batch_octets:
                break
            jobs.extend(self._jobs(entry))
            end = entry.sequence + 1
        started = None if self._pool is None else self._pool.start(jobs)
        return _Begun(jobs, started, position, end)

    def _begin_next(self, position: int, durable: int) -> None:
        """Let the workers project what follows while this batch is put and the next is read.

        When that fails, what was noted of it is forgotten once the batch is put, and the next step
        meets the same failure.
        """
        if self._pool is None:
            return
        while len(self._begun) < _BATCHES_AHEAD and not self._is_spoiled:
            start = self._begun[-1].position if self._begun else position
            if durable - start < self._options.batch_records:
                return
            self._is_spoiled = True
            with suppress(AuditError):
                self._begun.append(self._begin(start, durable))
                self._is_spoiled = False

    def _jobs(self, entry: Entry) -> Iterator[Job]:
        """The entry's job; a certificate is no document, nor is what was lawfully removed."""
        received = entry.received
        if received.kind is EntryKind.CERTIFICATE:
            self._names.add(received.certificate_sha256, received.raw)
            self.counters.certificates += 1
            return
        if entry.is_removed:
            return
        earlier = self._repeats.note(entry)
        repeat_of = "" if earlier is None else record_id(self._reader.origin, earlier)
        self.counters.repeats += earlier is not None
        yield Job(entry, self._names.name(received.certificate_sha256), repeat_of)

    def _records(self, begun: _Begun) -> tuple[Ready, ...]:
        done: Done
        if self._pool is not None and begun.started is not None:
            done = self._pool.finish(begun.started)
        else:
            done = run_jobs(
                begun.jobs, self._reader.origin, self._options.projection, self._prepare_one
            )
        for failed in (one for one in done if one.error):
            self.counters.failed_projections += 1
            log.warning("record not projected", record=failed.record.id, error=failed.error)
        return tuple(map(self._as_taken, (one.record for one in done)))

    def _as_taken(self, record: Ready) -> Ready:
        """Also what stands for a failure, which is made here."""
        if self._prepare_one is None or not isinstance(record, IndexedRecord):
            return record
        return self._prepare_one(record)

    def _put(self, batch: _Batch) -> None:
        self._put_all(batch.records, batch.position)
        self._pending = None
        self._prepared_to = None if self._is_spoiled else batch.position
        now = time_ns()
        counters = self.counters
        counters.records += len(batch.records)
        counters.position = batch.position
        counters.last_put_at = now
        if batch.records:
            counters.last_delay_ns = max(0, now - batch.records[0].received)


def taken_by(index: SearchIndex) -> tuple[Callable[[Sequence[Any], int], None], Prepare | None]:
    """How the index takes records, and what makes them so where it isn't as they are."""
    if isinstance(index, TakesReady):
        return index.put_ready, index.prepare
    return index.put, None
