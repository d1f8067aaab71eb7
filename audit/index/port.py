"""SearchIndex: what the projector writes to and what searches ask. Two backends, one contract."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from audit.index.criteria import Criteria
from audit.index.document import IndexedRecord


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the sort key (time, sequence) of its last record."""

    time: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Total:
    """How many match; ``exact`` False means at least so many."""

    value: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer.

    Attributes:
        records: in the order asked for.
        next_place: continue after this; None when this is the last page.
        partial: True when a part of the index did not answer.
        warnings: why, in words a person understands.
    """

    records: tuple[IndexedRecord, ...]
    next_place: Place | None
    partial: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bar of a histogram: [start, start + interval), counts by value of the split field."""

    start: int
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All values together."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time cut into buckets; all in UTC nanoseconds."""

    start: int
    end: int
    interval: int


class SearchIndex(Protocol):
    """A view on the journal. Every method may raise IndexUnavailable.

    Repeats (records with ``repeat_of``) are ordinary records here; who asks leaves them out with a
    criterion.
    """

    def put(self, records: Sequence[IndexedRecord], position: int) -> None:
        """Make the records searchable and remember ``position`` in the same transaction.

        Idempotent by record id: a record put again replaces itself. ``position`` is the first
        journal sequence that is not yet in the index.
        """

    def remove(self, ids: Iterable[str]) -> int:
        """Forget the records; the number that were there. Their values are no longer on disk."""

    def get(self, record_id: str) -> IndexedRecord | None:
        """One record by id."""

    def search(
        self,
        criteria: Criteria,
        *,
        limit: int,
        after: Place | None = None,
        newest_first: bool = True,
    ) -> Page:
        """One page, ordered by (time, sequence). Stable while records arrive."""

    def count(self, criteria: Criteria, *, at_most: int | None = None) -> Total:
        """How many match; counting may stop at ``at_most``."""

    def facets(
        self, criteria: Criteria, fields: Sequence[str], size: int = 10
    ) -> dict[str, tuple[tuple[str, int], ...]]:
        """The commonest folded values of each keyword field among the matches, with their counts.

        Falling count, then value.
        """

    def histogram(
        self, criteria: Criteria, span: Span, split: str | None = None
    ) -> tuple[Bucket, ...]:
        """Matches by ``time``, one bucket per interval, empty ones included.

        ``split`` is a single-valued keyword field; without it counts stand under the empty string.
        """

    def top_by_distinct(
        self, criteria: Criteria, group: str, distinct: str, size: int = 10
    ) -> tuple[tuple[str, int], ...]:
        """Folded values of ``group`` by how many different ``distinct`` values are beside them."""

    def distinct(self, name: str, prefix: str = "", size: int = 100) -> tuple[str, ...]:
        """Folded values of a keyword field that begin so, in order."""

    def position(self) -> int:
        """The first journal sequence not yet in the index; 0 for an empty one."""

    def clear(self) -> None:
        """Forget everything, position too."""

    def describe(self) -> dict[str, str | int | bool]:
        """State for operators: backend, records, octets on disk, health."""

    def close(self) -> None:
        """Release files and connections."""


class Ready(Protocol):
    """A record in the form in which one backend takes it."""

    @property
    def id(self) -> str:
        """``ORIGIN-SEQUENCE``."""

    @property
    def received(self) -> int:
        """UTC nanoseconds of receipt."""


@runtime_checkable
class TakesReady(Protocol):
    """An index that leaves most of the work of a put to whoever makes the records."""

    prepare: Callable[[IndexedRecord], Ready]
    """Makes a record ready, in any process: it is found by its name and needs nothing else."""

    def put_ready(self, records: Sequence[Any], position: int) -> None:
        """As ``SearchIndex.put``, of what ``prepare`` made."""
