"""MemoryIndex: a SearchIndex as plain as can be, on ``criteria.matches``."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from audit.errors import IndexUnavailable
from audit.index.criteria import Criteria, fold, matches
from audit.index.document import IndexedRecord
from audit.index.port import Bucket, Page, Place, Span, Total


class MemoryIndex:
    """Everything in one dict; ``fault`` and ``put_fault`` are raised while they are set."""

    def __init__(self) -> None:
        self.records: dict[str, IndexedRecord] = {}
        self.fault: IndexUnavailable | None = None
        self.put_fault: IndexUnavailable | None = None
        self.puts: list[tuple[int, int]] = []
        self._position = 0

    def _check(self) -> None:
        if self.fault is not None:
            raise self.fault

    def put(self, records: Sequence[IndexedRecord], position: int) -> None:
        self._check()
        if self.put_fault is not None:
            raise self.put_fault
        self.puts.append((len(records), position))
        self.records.update((record.id, record) for record in records)
        self._position = position

    def remove(self, ids: Iterable[str]) -> int:
        return sum(self.records.pop(one, None) is not None for one in ids)

    def get(self, record_id: str) -> IndexedRecord | None:
        self._check()
        return self.records.get(record_id)

    def _matching(self, criteria: Criteria) -> list[IndexedRecord]:
        self._check()
        there = list(self.records.values())  # others may add to it meanwhile
        return [record for record in there if matches(criteria, record)]

    def search(
        self,
        criteria: Criteria,
        *,
        limit: int,
        after: Place | None = None,
        newest_first: bool = True,
    ) -> Page:
        found = sorted(self._matching(criteria), key=_key, reverse=newest_first)
        if after is not None:
            edge = (after.time, after.sequence)
            found = [
                one for one in found if (_key(one) < edge) == newest_first and _key(one) != edge
            ]
        page = tuple(found[:limit])
        more = len(found) > limit
        place = Place(page[-1].time, page[-1].sequence) if more else None
        return Page(records=page, next_place=place)

    def count(self, criteria: Criteria, *, at_most: int | None = None) -> Total:
        found = len(self._matching(criteria))
        if at_most is not None and found > at_most:
            return Total(at_most, exact=False)
        return Total(found)

    def facets(
        self, criteria: Criteria, fields: Sequence[str], size: int = 10
    ) -> dict[str, tuple[tuple[str, int], ...]]:
        found = self._matching(criteria)
        return {
            name: _commonest(
                Counter(one for record in found for one in _folded(record, name)), size
            )
            for name in fields
        }

    def histogram(
        self, criteria: Criteria, span: Span, split: str | None = None
    ) -> tuple[Bucket, ...]:
        starts = range(span.start, span.end, span.interval)
        counts: dict[int, Counter[str]] = {start: Counter() for start in starts}
        for record in self._matching(criteria):
            if span.start <= record.time < span.end:
                start = span.start + (record.time - span.start) // span.interval * span.interval
                counts[start][fold(record.first(split)) if split else ""] += 1
        return tuple(Bucket(start, dict(found)) for start, found in counts.items())

    def top_by_distinct(
        self, criteria: Criteria, group: str, distinct: str, size: int = 10
    ) -> tuple[tuple[str, int], ...]:
        pairs = {
            (one, other)
            for record in self._matching(criteria)
            for one in _folded(record, group)
            for other in _folded(record, distinct)
        }
        return _commonest(Counter(one for one, _ in pairs), size)

    def distinct(self, name: str, prefix: str = "", size: int = 100) -> tuple[str, ...]:
        self._check()
        every = {one for record in self.records.values() for one in _folded(record, name)}
        return tuple(sorted(one for one in every if one.startswith(prefix)))[:size]

    def position(self) -> int:
        self._check()
        return self._position

    def clear(self) -> None:
        self.records.clear()
        self._position = 0

    def describe(self) -> dict[str, str | int | bool]:
        return {"backend": "memory", "records": len(self.records)}

    def close(self) -> None:
        """Nothing to release."""


def _key(record: IndexedRecord) -> tuple[int, int]:
    return (record.time, record.sequence)


def _folded(record: IndexedRecord, name: str) -> Iterator[str]:
    return iter(set(map(fold, record.values(name))))


def _commonest(counts: Counter[str], size: int) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:size])
