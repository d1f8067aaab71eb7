"""The search index in Elasticsearch 8 or 9: the same answers as the embedded one.

Monthly indices by receipt, ``_id`` the record's id, folded values made here (`criteria.fold`), so
that nothing depends on the analysers of a cluster.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from audit.errors import IndexUnavailable
from audit.index import elastic_counts as counts
from audit.index import elastic_mapping as mapping
from audit.index import tokens
from audit.index.criteria import And, Criteria, Everything, Prefix, Range, fold
from audit.index.document import IndexedRecord
from audit.index.elastic_client import ElasticIndexOptions, connect, failing_plainly, hits_of
from audit.index.elastic_documents import SOURCE, ReadyDocument, ready_document, record_of
from audit.index.elastic_letters import DeadLetters
from audit.index.elastic_query import Query, query_of
from audit.index.elastic_reader import PAGE, ElasticReader
from audit.index.elastic_store import ElasticStore
from audit.index.port import Bucket, Page, Place, Span, Total
from audit.index.ranking import bucket_starts, buckets_of, commonest

_RED: Final = "red"


class ElasticIndex:
    """`SearchIndex` in Elasticsearch. Reading is safe from many threads; one process writes."""

    def __init__(self, options: ElasticIndexOptions) -> None:
        self._options = options
        self._client = connect(options)
        self._store = ElasticStore(self._client, options)
        self._reader = ElasticReader(self._client, mapping.events_pattern(options.prefix))
        self._events = mapping.events_pattern(options.prefix)

    prepare = staticmethod(ready_document)

    def put(self, records: Sequence[IndexedRecord], position: int) -> None:
        """Make the records searchable, then remember the position.

        What Elasticsearch refuses for good goes to the dead letters with its reason and doesn't
        block the rest.
        """
        self.put_ready([ready_document(record) for record in records], position)

    def put_ready(self, records: Sequence[ReadyDocument], position: int) -> None:
        """As `put`, of what `prepare` made of the records in whatever process."""
        self._store.put(records, position)

    def put_again(self, records: Sequence[IndexedRecord]) -> int:
        """Put records below the position once more; how many of them were refused again."""
        return len(self._store.put_again([ready_document(record) for record in records]))

    @property
    def letters(self) -> DeadLetters:
        """What Elasticsearch refused for good."""
        return self._store.letters

    def remove(self, ids: Iterable[str]) -> int:
        """Forget the records; `expunge` takes what held them off the disk."""
        return self._store.remove(ids)

    def expunge(self) -> int:
        """Rewrite what held removed records; how many months are left for the next call."""
        return self._store.expunge()

    def get(self, record_id: str) -> IndexedRecord | None:
        """One record by id."""
        asked = {"ids": {"values": [record_id]}}
        hits = hits_of(self._reader.ask(asked, size=1, _source=SOURCE))
        return record_of(hits[0]) if hits else None

    def search(
        self,
        criteria: Criteria,
        *,
        limit: int,
        after: Place | None = None,
        newest_first: bool = True,
    ) -> Page:
        """One page, ordered by (time, sequence)."""
        faults: list[str] = []
        found = self._reader.records(criteria, after, limit + 1, faults, newest_first=newest_first)
        records = tuple(islice(found, limit + 1))
        last = records[limit - 1] if len(records) > limit else None
        return Page(
            records=records[:limit],
            next_place=None if last is None else Place(last.time, last.sequence),
            partial=bool(faults),
            warnings=tuple(dict.fromkeys(faults)),
        )

    def count(self, criteria: Criteria, *, at_most: int | None = None) -> Total:
        """How many match."""
        query = query_of(criteria)
        if not query.exact:
            value = sum(1 for _ in islice(self._reader.matching(criteria), _beyond(at_most)))
        else:
            answer = self._reader.ask(
                query.body, size=0, track_total_hits=_beyond(at_most) or True
            )
            value = answer["hits"]["total"]["value"]
        if at_most is not None and value > at_most:
            return Total(at_most, exact=False)
        return Total(value)

    def facets(
        self, criteria: Criteria, fields: Sequence[str], size: int = 10
    ) -> dict[str, tuple[tuple[str, int], ...]]:
        """The commonest folded values of each keyword field among the matches."""
        query = query_of(criteria)
        if not query.exact:
            return self._facets_by_record(criteria, fields, size)
        return {name: self._facet(query, name, size) for name in fields}

    def histogram(
        self, criteria: Criteria, span: Span, split: str | None = None
    ) -> tuple[Bucket, ...]:
        """Matches by ``time``, one bucket per interval, empty ones included."""
        return buckets_of(span, self._buckets(criteria, span, split))

    def top_by_distinct(
        self, criteria: Criteria, group: str, distinct: str, size: int = 10
    ) -> tuple[tuple[str, int], ...]:
        """Folded values of ``group`` by how many different ``distinct`` values are beside them."""
        query = query_of(criteria)
        pairs = (
            self._pairs(query, group, distinct)
            if query.exact
            else self._pairs_by_record(criteria, group, distinct)
        )
        beside = Counter(value for value, _ in pairs)
        named = (
            {self._reader.value_of(v, group): n for v, n in beside.items()}
            if query.exact
            else beside
        )
        return commonest(named, size)

    def distinct(self, name: str, prefix: str = "", size: int = 100) -> tuple[str, ...]:
        """Folded values of a keyword field that begin so, in order."""
        found = (v for v in self._values_from(name, prefix) if v.startswith(fold(prefix)))
        return tuple(sorted(islice(found, size)))

    def position(self) -> int:
        """The first journal sequence not yet in the index."""
        return self._store.position()

    def clear(self) -> None:
        """Forget everything, position too."""
        self._store.clear()

    def describe(self) -> dict[str, str | int | bool]:
        """State for operators."""
        try:
            with failing_plainly():
                status = str(self._client.cluster.health(index=self._events)["status"])
                stats = self._client.indices.stats(index=self._events, metric="docs,store")
            totals = stats["_all"]["primaries"]
            return {
                "backend": "elasticsearch",
                "healthy": status != _RED,
                "fault": f"the state of its indices is {status}" if status == _RED else "",
                "records": int(totals.get("docs", {}).get("count", 0)),
                "months": len(stats["indices"]),
                "octets": int(totals.get("store", {}).get("size_in_bytes", 0)),
                "position": self._store.position(),
                "dead_letters": self.letters.ask_count(),
                "needs_rebuild": self._store.has_other_format(),
            }
        except IndexUnavailable as error:
            return {"backend": "elasticsearch", "healthy": False, "fault": str(error)}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _facet(self, query: Query, name: str, size: int) -> tuple[tuple[str, int], ...]:
        answer: dict[str, Any] = {}
        for shard_size in counts.SHARD_SIZES:
            answer = self._reader.aggregate(query.body, counts.facet(name, size, shard_size))
            if counts.is_exact(answer):
                break
        values = {self._reader.value_of(b["key"], name): b["doc_count"] for b in answer["buckets"]}
        return commonest(values, size)

    def _facets_by_record(
        self, criteria: Criteria, fields: Sequence[str], size: int
    ) -> dict[str, tuple[tuple[str, int], ...]]:
        counted: dict[str, Counter[str]] = {name: Counter() for name in fields}
        for record in self._reader.matching(criteria):
            for name, values in counted.items():
                values.update({fold(v) for v in record.values(name)})
        return {name: commonest(values, size) for name, values in counted.items()}

    def _buckets(
        self, criteria: Criteria, span: Span, split: str | None
    ) -> Iterator[tuple[int, str, int]]:
        for first, part in counts.pieces(span, split):
            within = And((criteria, Range("time", part.start, part.end)))
            query = query_of(within)
            found = self._buckets_of_part(query, part, split) if query.exact else None
            if found is None:
                found = list(self._buckets_by_record(within, part, split))
            yield from ((first + number, value, n) for number, value, n in found)

    def _buckets_of_part(
        self, query: Query, span: Span, split: str | None
    ) -> list[tuple[int, str, int]] | None:
        """Number of a bucket, value, records; None when Elasticsearch can't tell all values."""
        dates = counts.is_in_milliseconds(span)
        asked = counts.date_histogram(span) if dates else counts.filters(bucket_starts(span))
        if split is not None:
            asked["aggs"] = counts.split_terms(split)
        found: list[tuple[int, str, int]] = []
        for place, bucket in enumerate(self._reader.aggregate(query.body, asked)["buckets"]):
            if split is not None and counts.has_more_values(bucket):
                return None
            key = bucket["key"] * counts.MILLISECOND if dates else 0
            number = (key - span.start) // span.interval if dates else place
            found.extend(self._named(number, bucket, split))
        return found

    def _named(
        self, number: int, bucket: dict[str, Any], split: str | None
    ) -> Iterator[tuple[int, str, int]]:
        """Number of a bucket, folded value of the split field, records."""
        if split is None:
            if bucket["doc_count"]:
                yield number, "", bucket["doc_count"]
            return
        for value in bucket["split"]["buckets"]:
            if value["doc_count"]:
                yield number, self._reader.value_of(value["key"], split), value["doc_count"]

    def _buckets_by_record(
        self, criteria: Criteria, span: Span, split: str | None
    ) -> Iterator[tuple[int, str, int]]:
        for record in self._reader.matching(criteria):
            values = {fold(v) for v in record.values(split)} or {""} if split else {""}
            for value in values:
                yield (record.time - span.start) // span.interval, value, 1

    def _pairs(self, query: Query, group: str, distinct: str) -> Iterator[tuple[str, str]]:
        after = None
        while True:
            page = self._reader.aggregate(query.body, counts.pairs(group, distinct, after))
            for bucket in page["buckets"]:
                yield bucket["key"]["group"], bucket["key"]["distinct"]
            after = page.get("after_key")
            if after is None or len(page["buckets"]) < counts.PAIRS_PAGE:
                return

    def _pairs_by_record(
        self, criteria: Criteria, group: str, distinct: str
    ) -> set[tuple[str, str]]:
        return {
            (fold(value), fold(other))
            for record in self._reader.matching(criteria)
            for value in record.values(group)
            for other in record.values(distinct)
        }

    def _values_from(self, name: str, prefix: str) -> Iterator[str]:
        """Folded values in order, beginning with the first that can begin so."""
        token, _ = tokens.value_prefix_token(name, prefix)
        begin = token[len(tokens.field_prefix(name)) :]
        query = query_of(Prefix(name, prefix) if prefix else Everything()).body
        after = None
        while True:
            answer = self._reader.aggregate(query, counts.values_from(name, begin, after, PAGE))
            keys = [bucket["key"]["value"] for bucket in answer["buckets"]]
            for key in keys:
                if key > begin and not key.startswith(begin):
                    return
                yield self._reader.value_of(key, name)
            if len(keys) < PAGE:
                return
            after = keys[-1]


def _beyond(at_most: int | None) -> int | None:
    """One more than ``at_most``, to know whether there are more."""
    return None if at_most is None else at_most + 1
