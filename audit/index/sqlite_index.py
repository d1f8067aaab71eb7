"""The embedded search index: a folder of SQLite files, one per month of receipt.

One process writes (the first `put`, `remove` or `clear` makes it the writer), any number read
beside it. apsw rather than the standard library's sqlite3, because it brings its own SQLite: the
``secure-delete`` of FTS5, by which a removed record leaves the disk, needs 3.42.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Final

import apsw
import zstandard

from audit.errors import IndexUnavailable
from audit.index import sqlite_counts
from audit.index.criteria import And, Criteria, Range
from audit.index.document import IndexedRecord
from audit.index.port import Bucket, Page, Place, Span, Total
from audit.index.ranking import buckets_of, commonest, sequence_in
from audit.index.sqlite_check import fault_of
from audit.index.sqlite_counts import asked
from audit.index.sqlite_directory import IndexDirectory, month_in
from audit.index.sqlite_key import IndexKeys
from audit.index.sqlite_paging import records_in_order
from audit.index.sqlite_pool import ReaderPool
from audit.index.sqlite_reader import Order, PartReader
from audit.index.sqlite_ready import ReadyRecord, ready
from audit.index.sqlite_sealing import Sealer
from audit.index.sqlite_writing import Months

_FAULTS: Final = (apsw.Error, zstandard.ZstdError, OSError)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteIndexOptions:
    """How the embedded index works.

    Attributes:
        directory: the folder that holds it; made when first written to.
        idle_readers_per_month: open files of one month kept for the next question.
        open_months_for_writing: months kept open by the writer.
        column_octets: memory that columns read for counting may take.
        keys: the operator's; with one, all that is made new is encrypted.
        is_next: not the index that answers, but one that is filled to take its place.
    """

    directory: Path
    idle_readers_per_month: int = 4
    open_months_for_writing: int = 3
    column_octets: int = 256 * 1024 * 1024
    keys: IndexKeys = field(default_factory=IndexKeys)
    is_next: bool = False


@contextmanager
def _failing_plainly() -> Iterator[None]:
    try:
        yield
    except apsw.InterruptError as error:
        raise IndexUnavailable("the question was given up: whoever asked has left") from error
    except _FAULTS as error:
        raise IndexUnavailable(
            f"the search index can't answer: {error}; arr reindex has it built anew from the "
            "journal while all else goes on"
        ) from error


class SqliteIndex:
    """`SearchIndex` in SQLite. Reading is safe from many threads, writing from one at a time.

    Attributes:
        is_damaged: the writer met a file that isn't what was written; only a new index helps.
    """

    def __init__(self, options: SqliteIndexOptions) -> None:
        self._directory = IndexDirectory(options.directory, options.keys, is_next=options.is_next)
        self._options = options
        self.is_damaged = False
        self._pool = ReaderPool(
            self._directory, options.idle_readers_per_month, options.column_octets
        )
        self._months = Months(self._directory, options.open_months_for_writing)
        self._writing = Lock()
        self._sealer = Sealer(self._directory, self._months, self._writing)

    def why_rebuild(self) -> str:
        """Why it is to be built anew without being asked: damage, another format, a new key.

        Empty when there is no reason. Only damage keeps it from answering meanwhile.
        """
        return "it is damaged" if self.is_damaged else self._directory.why_outdated()

    prepare = staticmethod(ready)

    def put(self, records: Sequence[IndexedRecord], position: int) -> None:
        """Make the records searchable, then remember the position; both on disk at return."""
        self.put_ready([ready(record) for record in records], position)

    def put_ready(self, records: Sequence[ReadyRecord], position: int) -> None:
        """As `put`, of what `prepare` made of the records in whatever process."""
        with _failing_plainly(), self._writing, self._noting_damage():
            self._months.put(records)
            self._directory.commit_position(position)

    @contextmanager
    def _noting_damage(self) -> Iterator[None]:
        try:
            yield
        except (apsw.CorruptError, apsw.NotADBError):
            self.is_damaged = True
            raise
        except apsw.CantOpenError:
            self.is_damaged = self._directory.is_deleted()
            raise

    def remove(self, ids: Iterable[str]) -> int:
        """Forget the records; neither documents, tokens nor old pages hold them afterwards."""
        with _failing_plainly():
            held = {id_: self.get(id_) for id_ in ids}
            with self._writing:
                return self._months.remove([r.sequence for r in held.values() if r is not None])

    def get(self, record_id: str) -> IndexedRecord | None:
        """One record by id."""
        sequence = sequence_in(record_id)
        if sequence is None:
            return None
        with self._reading_all() as readers:
            found = (reader.get(sequence) for reader in reversed(readers))
            return next((r for r in found if r is not None and r.id == record_id), None)

    def search(
        self,
        criteria: Criteria,
        *,
        limit: int,
        after: Place | None = None,
        newest_first: bool = True,
    ) -> Page:
        """One page, ordered by (time, sequence)."""
        with _failing_plainly(), self._pool.lend() as (readers, missing):
            faults = list(missing)
            order = Order(newest_first, after)
            found = records_in_order(readers, asked(criteria), order, faults)
            records = tuple(islice(found, limit + 1))
        last = records[limit - 1] if len(records) > limit else None
        return Page(
            records=records[:limit],
            next_place=None if last is None else Place(last.time, last.sequence),
            partial=bool(faults),
            warnings=tuple(faults),
        )

    def count(self, criteria: Criteria, *, at_most: int | None = None) -> Total:
        """How many match; counting stops one after ``at_most``."""
        question = asked(criteria)
        value = 0
        with self._reading_all() as readers:
            for reader in reversed(readers):
                room = None if at_most is None else at_most + 1 - value
                value += sqlite_counts.count(reader, question, room)
                if at_most is not None and value > at_most:
                    return Total(at_most, exact=False)
        return Total(value)

    def facets(
        self, criteria: Criteria, fields: Sequence[str], size: int = 10
    ) -> dict[str, tuple[tuple[str, int], ...]]:
        """The commonest folded values of each keyword field among the matches."""
        question = asked(criteria)
        counted: dict[str, Counter[str]] = {name: Counter() for name in fields}
        with self._reading_all() as readers:
            for reader in readers:
                for name, counts in sqlite_counts.facets(reader, question, fields).items():
                    counted[name].update(counts)
        return {name: commonest(counts, size) for name, counts in counted.items()}

    def histogram(
        self, criteria: Criteria, span: Span, split: str | None = None
    ) -> tuple[Bucket, ...]:
        """Matches by ``time``, one bucket per interval, empty ones included."""
        question = asked(And((criteria, Range("time", span.start, span.end))))
        with self._reading_all() as readers:
            return buckets_of(
                span,
                (
                    row
                    for reader in readers
                    for row in sqlite_counts.histogram(reader, question, span, split)
                ),
            )

    def top_by_distinct(
        self, criteria: Criteria, group: str, distinct: str, size: int = 10
    ) -> tuple[tuple[str, int], ...]:
        """Folded values of ``group`` by how many different ``distinct`` values are beside them."""
        question = asked(criteria)
        beside: dict[str, set[str]] = {}
        with self._reading_all() as readers:
            for reader in readers:
                sqlite_counts.values_beside(reader, question, (group, distinct), beside)
        return commonest(Counter({value: len(others) for value, others in beside.items()}), size)

    def distinct(self, name: str, prefix: str = "", size: int = 100) -> tuple[str, ...]:
        """Folded values of a keyword field that begin so, in order."""
        with self._reading_all() as readers:
            values = {v for r in readers for v in sqlite_counts.values_from(r, name, prefix, size)}
        return tuple(sorted(values)[:size])

    def position(self) -> int:
        """The first journal sequence not yet in the index."""
        with _failing_plainly(), self._noting_damage():
            return self._directory.position()

    def clear(self) -> None:
        """Forget everything, position too; readers go over at their next question."""
        with _failing_plainly(), self._writing:
            self._months.close()
            self._directory.lock()
            self._directory.new_generation()

    def successor(self) -> "SqliteIndex":
        """An empty index beside this one, which `promote` puts in its place."""
        made = SqliteIndex(replace(self._options, is_next=True))
        made.clear()
        return made

    def discard(self) -> None:
        """Close and delete a successor that is not wanted."""
        self.close()
        with _failing_plainly():
            self._directory.drop()

    def promote(self, successor: "SqliteIndex") -> None:
        """Answer from the successor from now on; this one's records are deleted.

        Readers of any process go over at their next question.
        """
        with _failing_plainly(), self._writing:
            successor.close()
            self._months.close()
            self._directory.lock()
            self._directory.adopt(successor._directory)  # noqa: SLF001 - of the same class
            self.is_damaged = False

    def seal(self, idle_s: float = 0.0) -> int:
        """Seal past months that grew no more for so long; how many were. May take minutes.

        Only for the process that writes; safe beside its puts, from another thread.
        """
        with _failing_plainly():
            with self._writing:
                self._months.become_writer()
            return sum(self._sealer.seal(month) for month in self._sealer.due(idle_s))

    def optimise(self, within_s: float) -> int:
        """Bring the month that grows into better order, for so long; the steps that were taken.

        Only for the process that writes; a put in another thread waits for one step at most.
        """
        steps, end = 0, time.monotonic() + within_s
        with _failing_plainly():
            while time.monotonic() < end:
                with self._writing:
                    if not self._months.optimise():
                        break
                steps += 1
        return steps

    def check(self) -> dict[str, str]:
        """What is wrong with each month file, by its name; the empty string when nothing is.

        Reads everything; safe beside a writer, which waits for a moment.
        """
        with _failing_plainly():
            parts = self._directory.parts_of(self._directory.generation())
            key_of = self._directory.key_of
            return {path.stem: fault_of(path, key_of(path.parent)) for path in parts}

    def stop_sealing(self) -> None:
        """Break off what `seal` builds; it raises IndexUnavailable from now on."""
        self._sealer.close()

    def describe(self) -> dict[str, str | int | bool]:
        """State for operators."""
        try:
            with _failing_plainly(), self._pool.lend() as (readers, faults):
                records = sum(reader.about("records") for reader in readers)
                months = len({month_in(reader.name) for reader in readers})
                sealed = sum(reader.is_sealed for reader in readers)
                octets = self._directory.octets()
                position = self._directory.position()
        except IndexUnavailable as error:
            return {"backend": "embedded", "healthy": False, "fault": str(error)}
        return {
            "backend": "embedded",
            "healthy": not faults,
            "fault": "; ".join(faults),
            "records": records,
            "months": months,
            "sealed": sealed,
            "octets": octets,
            "position": position,
            "encrypted": self._directory.is_encrypted,
            "needs_rebuild": self._directory.has_other_format() or bool(self.why_rebuild()),
        }

    def close(self) -> None:
        """Close all files; the writer's lock is free afterwards."""
        self._sealer.close()
        self._months.close()
        self._pool.close()
        self._directory.close()

    @contextmanager
    def _reading_all(self) -> Iterator[list[PartReader]]:
        """Readers of every month, for answers that have no way to say that they are partial."""
        with _failing_plainly(), self._pool.lend() as (readers, faults):
            if faults:
                raise IndexUnavailable("; ".join(faults))
            yield readers
