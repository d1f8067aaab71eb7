"""One page out of many month files: a merge that opens a file only when its turn comes."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from typing import Final

import apsw
import zstandard

from audit.index.document import IndexedRecord
from audit.index.row_order import Hit
from audit.index.sqlite_reader import Order, PartReader, Question

_AFTER_ALL: Final = 1 << 63


@dataclass(slots=True)
class _Source:
    reader: PartReader
    lane: int
    first_row: int
    last_row: int
    hits: Iterator[Hit] | None = None

    def place_before_all(self, order: Order) -> tuple[int, int]:
        """A sort key before that of every hit."""
        first, end = self.reader.order.span_of(self.first_row, self.last_row)
        return (-end if order.newest_first else first), -_AFTER_ALL


_Waiting = tuple[tuple[int, int], int, Hit | None]
"""sort key, number of the source, its next hit or None while it isn't open"""


def records_in_order(
    readers: list[PartReader], question: Question, order: Order, faults: list[str]
) -> Iterator[IndexedRecord]:
    """The matches of all month files in the order of (time, sequence).

    A file that turns out to be damaged on the way is left out, and ``faults`` says so.
    """
    sources = list(_sources(readers, faults))
    waiting: list[_Waiting] = [
        (source.place_before_all(order), number, None) for number, source in enumerate(sources)
    ]
    heapify(waiting)
    while waiting:
        _, number, hit = waiting[0]
        source = sources[number]
        try:
            record = None if hit is None else source.reader.load(hit[2])
            following = _next_hit(source, question, order)
        except (apsw.Error, zstandard.ZstdError) as error:
            faults.append(_damage(source.reader, error))
            heappop(waiting)
            continue
        if following is None:
            heappop(waiting)
        else:
            heapreplace(waiting, (_key(following, order), number, following))
        if record and question.statement.holds(record):
            yield record


def _sources(readers: list[PartReader], faults: list[str]) -> Iterator[_Source]:
    for reader in readers:
        try:
            spans = reader.spans()
        except apsw.Error as error:
            faults.append(_damage(reader, error))
        else:
            yield from (_Source(reader, *span) for span in spans)


def _damage(reader: PartReader, error: Exception) -> str:
    return f"the index of {reader.name} is damaged ({error})"


def _next_hit(source: _Source, question: Question, order: Order) -> Hit | None:
    if source.hits is None:
        source.hits = source.reader.hits(question.statement, source.lane, order)
    return next(source.hits, None)


def _key(hit: Hit, order: Order) -> tuple[int, int]:
    time, sequence, _ = hit
    return (-time, -sequence) if order.newest_first else (time, sequence)
