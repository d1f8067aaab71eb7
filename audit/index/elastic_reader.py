"""Asking Elasticsearch: whole answers, records in order, and what an indexed value stands for."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from audit.errors import IndexUnavailable
from audit.index import tokens
from audit.index.criteria import Criteria, fold, matches
from audit.index.document import IndexedRecord
from audit.index.elastic_client import failing_plainly, hits_of
from audit.index.elastic_documents import SOURCE, record_of
from audit.index.elastic_query import query_of
from audit.index.port import Place

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

PAGE: Final = 1000
"""Records or values of one request."""

_HEADERS: Final = {
    "accept": "application/vnd.elasticsearch+json; compatible-with=8",
    "content-type": "application/vnd.elasticsearch+json; compatible-with=8",
}


class ElasticReader:
    """Questions to all monthly indices. Every method may raise IndexUnavailable."""

    def __init__(self, client: "Elasticsearch", events: str) -> None:
        self._client = client
        self._events = events

    def ask(self, query: Mapping[str, Any], **asked: Any) -> dict[str, Any]:
        """One search of all months, whole or IndexUnavailable."""
        answer = self._search(query, **asked)
        faults = list(_faults_in(answer))
        if faults:
            raise IndexUnavailable("; ".join(faults))
        return answer

    def aggregate(self, query: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one aggregation; without buckets when there is no index yet."""
        answer = self.ask(query, size=0, aggs={"asked": asked}, track_total_hits=False)
        made: dict[str, Any] = answer.get("aggregations", {}).get("asked", {"buckets": []})
        return made

    def _search(self, query: Mapping[str, Any], **asked: Any) -> dict[str, Any]:
        with failing_plainly():
            answer = self._client.perform_request(
                "POST",
                f"/{self._events}/_search?ignore_unavailable=true&allow_no_indices=true",
                headers=_HEADERS,
                body={"query": query, **asked},
            )
        body: dict[str, Any] = answer.body
        hits_of(body)  # or it is no answer to a search
        return body

    def records(
        self,
        criteria: Criteria,
        after: Place | None,
        page: int,
        faults: list[str],
        *,
        newest_first: bool,
    ) -> Iterator[IndexedRecord]:
        """Every match in order; shards that don't answer are told in ``faults``."""
        query = query_of(criteria)
        direction = "desc" if newest_first else "asc"
        order = [{"time": direction}, {"sequence": direction}]
        place = {} if after is None else {"search_after": [after.time, after.sequence]}
        size = min(page, PAGE) if query.exact else PAGE
        while True:
            answer = self._search(
                query.body,
                size=size,
                sort=order,
                _source=SOURCE,
                track_total_hits=False,
                **place,
            )
            faults.extend(_faults_in(answer))
            hits = hits_of(answer)
            for hit in hits:
                record = record_of(hit)
                if query.exact or matches(criteria, record):
                    yield record
            if len(hits) < size:
                return
            place = {"search_after": hits[-1]["sort"]}

    def matching(self, criteria: Criteria) -> Iterator[IndexedRecord]:
        """Every match, or IndexUnavailable."""
        faults: list[str] = []
        for record in self.records(criteria, None, PAGE, faults, newest_first=True):
            if faults:
                break
            yield record
        if faults:
            raise IndexUnavailable("; ".join(faults))

    def value_of(self, indexed: str, name: str) -> str:
        """The folded value that an indexed value stands for."""
        if tokens.HASHED not in indexed:
            return tokens.unescaped(indexed)
        hits = hits_of(self.ask({"term": {name: indexed}}, size=1, _source=SOURCE))
        values = (value for hit in hits for value in record_of(hit).values(name))
        for value in values:
            if tokens.indexed_value(name, value) == indexed:
                return fold(value)
        raise IndexUnavailable("a record was removed while it was counted; ask again")


def _faults_in(answer: Mapping[str, Any]) -> Iterator[str]:
    """Why an answer isn't whole."""
    shards = answer.get("_shards", {})
    for failure in shards.get("failures", ()):
        reason = failure.get("reason") or {}
        told = reason.get("reason") or reason.get("type") or "no reason given"
        yield f"{failure.get('index', 'a shard')} did not answer: {told}"
    silent = shards.get("total", 0) - shards.get("successful", shards.get("total", 0))
    missing = max(shards.get("failed", 0), silent) - len(shards.get("failures", ()))
    if missing > 0:
        yield f"{missing} shards did not answer"
    if answer.get("timed_out"):
        yield "Elasticsearch ran out of time"
