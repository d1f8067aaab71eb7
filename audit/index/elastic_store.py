"""What the repository keeps in Elasticsearch: monthly indices, a position, dead letters."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from audit.errors import IndexUnavailable
from audit.index import elastic_mapping as mapping
from audit.index.elastic_bulk import Action, BulkWriter, Refusal, delete_action
from audit.index.elastic_client import ElasticIndexOptions, failing_plainly, hits_of
from audit.index.elastic_documents import ReadyDocument, month_of, to_json
from audit.index.elastic_letters import LETTERS_MAPPING, DeadLetters
from audit.index.elastic_position import STATE_MAPPING, CommittedPosition

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

_IDS_AT_ONCE: Final = 1000
_LEASE: Final = "index.soft_deletes.retention_lease.period"
_EXPUNGING: Final = {_LEASE: "1s"}
"""Mark of an index that holds deleted records, and what lets Elasticsearch give them free: by
itself it keeps them for other copies of the index, for half a day."""

_EXPUNGED: Final = {_LEASE: None}


class ElasticStore:
    """Writes; every method may raise IndexUnavailable. One thread at a time may write."""

    def __init__(self, client: "Elasticsearch", options: ElasticIndexOptions) -> None:
        self._client = client
        self._options = options
        self._bulk = BulkWriter(client, options)
        self._prepared = False
        self._months: set[str] = set()
        self._events = mapping.events_pattern(options.prefix)
        self._position = CommittedPosition(client, options.prefix)
        self.letters = DeadLetters(client, self._bulk, options)

    def position(self) -> int:
        """The position committed last; 0 for none, or for an index of another format."""
        return self._position.read()

    def has_other_format(self) -> bool:
        """Whether an index is there that another version of this program wrote."""
        return self._position.has_other_format()

    def put(self, records: Sequence[ReadyDocument], position: int) -> list[Refusal]:
        """Write, make searchable, then remember the position; what was refused is kept apart."""
        try:
            self._prepare()
            refusals = self._write(records) if records else []
            self.letters.begin_again(position)
            self._position.commit(position)
        except IndexUnavailable:
            self._months.clear()  # a month may have been deleted
            raise
        return refusals

    def put_again(self, records: Sequence[ReadyDocument]) -> list[Refusal]:
        """Write and make searchable records below the position, which stays."""
        self._prepare()
        return self._write(records)

    def _write(self, records: Sequence[ReadyDocument]) -> list[Refusal]:
        latest = {record.id: record for record in records}
        left = self._leave_other_months(list(latest.values()))
        month = {r.id: self._month(r) for r in latest.values()}
        self._make_months(set(month.values()))
        actions = [_index_action(month[r.id], r) for r in latest.values()]
        refusals = self._bulk.send(actions).refusals
        self.letters.keep(refusals, latest)
        self.letters.forget(latest.keys() - {refusal.record_id for refusal in refusals})
        self._refresh({*month.values(), *left})
        return refusals

    def remove(self, ids: Iterable[str]) -> int:
        """Delete records, and have what held them rewritten by `expunge`."""
        self._prepare()
        wanted = list(dict.fromkeys(ids))
        self.letters.forget(wanted)
        places = [place for chunk in _chunks(wanted) for place in self._places(chunk)]
        if not places:
            return 0
        outcome = self._bulk.send([delete_action(index, id_) for index, id_ in places])
        indices = {index for index, _ in places}
        self._refresh(indices)
        self._mark(indices)
        return outcome.results["deleted"]

    def _mark(self, indices: Iterable[str]) -> None:
        """Have what was deleted expunged soon; an index without records goes at once and whole."""
        for index in sorted(indices):
            with failing_plainly():
                if self._client.count(index=index)["count"] == 0:
                    self._client.indices.delete(index=index, ignore_unavailable=True)
                    self._months.discard(index)
                else:
                    self._client.indices.put_settings(index=index, settings=_EXPUNGING)

    def expunge(self) -> int:
        """Rewrite the segments of marked indices; how many still hold deleted records.

        Elasticsearch gives deleted documents free about half a minute after they were marked.
        """
        patient = self._client.options(request_timeout=self._options.merge_timeout_s)
        left = 0
        with failing_plainly():
            for index in self._marked():
                patient.indices.flush(index=index, force=True, wait_if_ongoing=True)
                patient.indices.forcemerge(index=index, only_expunge_deletes=True)
                stats = self._client.indices.stats(index=index, metric="docs")
                if int(stats["_all"]["primaries"]["docs"]["deleted"]):
                    left += 1
                else:
                    self._client.indices.put_settings(index=index, settings=_EXPUNGED)
        return left

    def _marked(self) -> list[str]:
        told = self._client.indices.get_settings(
            index=self._events, name=_LEASE, flat_settings=True
        )
        return sorted(index for index, one in told.body.items() if one.get("settings"))

    def clear(self) -> None:
        """Delete every index and begin anew."""
        self._delete_all()
        self._make_all()

    def _prepare(self) -> None:
        """Make what is missing, once; an index of another format is replaced."""
        if self._prepared and self._position.is_there():
            return
        if self.has_other_format():
            self._delete_all()
        self._make_all()

    def _delete_all(self) -> None:
        self._prepared = False
        with failing_plainly():
            names = list(self._client.indices.get(index=self._events, features="settings"))
            for name in [self._position.index, *names, self.letters.index]:
                self._client.indices.delete(index=name, ignore_unavailable=True)
        self._position.forget()
        self.letters.reset()

    def _make_all(self) -> None:
        self._months.clear()
        with failing_plainly():
            template = mapping.index_template(self._options.prefix, self._options.replicas)
            name = f"{self._options.prefix}-events"
            self._client.indices.put_index_template(name=name, **template)
            self._make_once(self._position.index, STATE_MAPPING)
            self._make_once(self.letters.index, LETTERS_MAPPING)
        self.letters.load()
        self._prepared = True

    def _make_once(self, name: str, properties: dict[str, Any]) -> None:
        settings = {"number_of_shards": 1, "number_of_replicas": self._options.replicas}
        if not self._client.indices.exists(index=name):
            self._client.indices.create(index=name, mappings=properties, settings=settings)

    def _make_months(self, names: set[str]) -> None:
        """Make the monthly indices, also where writing alone makes none."""
        made = mapping.index_template(self._options.prefix, self._options.replicas)["template"]
        for name in sorted(names - self._months):
            with failing_plainly():
                if not self._client.indices.exists(index=name):
                    self._client.indices.create(index=name, **made)
            self._months.add(name)

    def _refresh(self, names: Iterable[str]) -> None:
        """Make what was written to these indices searchable."""
        with failing_plainly():
            told = self._client.indices.refresh(index=sorted(names), ignore_unavailable=True)
        failed = int(told["_shards"]["failed"])
        if failed:
            raise IndexUnavailable(f"Elasticsearch did not make {failed} shards searchable")

    def _month(self, record: ReadyDocument) -> str:
        return mapping.events_index(self._options.prefix, month_of(record.received))

    def _leave_other_months(self, records: Sequence[ReadyDocument]) -> set[str]:
        """Delete records that stand in another month than the one they go to now; those months.

        Only what was put before can stand anywhere, so that new records cost no question.
        """
        if min(record.sequence for record in records) >= self._position.last_seen():
            return set()
        month = {r.id: self._month(r) for r in records}
        moved = [
            (index, id_)
            for chunk in _chunks(list(month))
            for index, id_ in self._places(chunk)
            if month[id_] != index
        ]
        if moved:
            self._bulk.send([delete_action(index, id_) for index, id_ in moved])
        return {index for index, _ in moved}

    def _places(self, ids: list[str]) -> Iterator[tuple[str, str]]:
        with failing_plainly():
            answer = self._client.search(
                index=self._events,
                query={"ids": {"values": ids}},
                size=2 * len(ids),
                source=False,
                allow_no_indices=True,
                allow_partial_search_results=False,
            )
        for hit in hits_of(answer.body):
            yield hit["_index"], hit["_id"]


def _index_action(index: str, record: ReadyDocument) -> Action:
    head = to_json({"index": {"_index": index, "_id": record.id}})
    return Action(record.id, head + b"\n" + record.document)


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[start : start + _IDS_AT_ONCE]
