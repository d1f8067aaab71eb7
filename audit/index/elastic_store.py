"""What the repository keeps in Elasticsearch: monthly indices, a position, dead letters."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from audit.index import elastic_mapping as mapping
from audit.index.document import IndexedRecord
from audit.index.elastic_bulk import Action, BulkWriter, Refusal
from audit.index.elastic_client import ElasticIndexOptions, failing_plainly
from audit.index.elastic_documents import document_of, month_of, to_json

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

_POSITION: Final = "position"
_IDS_AT_ONCE: Final = 1000
_STATE_MAPPING: Final = {
    "dynamic": "strict",
    "properties": {"position": {"type": "long"}, "format": {"type": "long"}},
}
_LETTERS_MAPPING: Final = {
    "dynamic": "strict",
    "properties": {"sequence": {"type": "long"}, "reason": {"type": "text", "index": False}},
}


class ElasticStore:
    """Writes; every method may raise IndexUnavailable."""

    def __init__(self, client: "Elasticsearch", options: ElasticIndexOptions) -> None:
        self._client = client
        self._options = options
        self._bulk = BulkWriter(client, options)
        self._prepared = False
        self._events = mapping.events_pattern(options.prefix)
        self._state = f"{options.prefix}-state"
        self._letters = f"{options.prefix}-dead-letters"

    def position(self) -> int:
        """The position committed last; 0 for none, or for an index of another format."""
        state = self._read_state()
        return state["position"] if state.get("format") == mapping.FORMAT else 0

    def has_other_format(self) -> bool:
        """Whether an index is there that another version of this program wrote."""
        return self._read_state().get("format", mapping.FORMAT) != mapping.FORMAT

    def put(self, records: Sequence[IndexedRecord], position: int) -> list[Refusal]:
        """Write, make searchable, then remember the position; what was refused is kept apart."""
        self._prepare()
        latest = {record.id: record for record in records}
        if latest:
            self._leave_other_months(list(latest.values()))
            outcome = self._bulk.send([self._index_action(r) for r in latest.values()])
            self._keep_letters(outcome.refusals, latest)
            self._refresh()
        else:
            outcome = None
        self._commit(position)
        return outcome.refusals if outcome else []

    def remove(self, ids: Iterable[str]) -> int:
        """Delete records and rewrite the segments that held them."""
        wanted = list(dict.fromkeys(ids))
        places = [place for chunk in _chunks(wanted) for place in self._places(chunk)]
        if not places:
            return 0
        outcome = self._bulk.send([_delete_action(index, id_) for index, id_ in places])
        self._refresh()
        indices = sorted({index for index, _ in places})
        with failing_plainly():
            self._client.indices.forcemerge(index=indices, only_expunge_deletes=True)
            self._client.indices.flush(index=indices, force=True, wait_if_ongoing=True)
            for index in indices:
                if self._client.count(index=index)["count"] == 0:
                    self._client.indices.delete(index=index, ignore_unavailable=True)
        return outcome.results.get("deleted", 0)

    def clear(self) -> None:
        """Delete every index and begin anew."""
        self._delete_all()
        self._make_all()

    def dead_letters(self) -> int:
        """How many records Elasticsearch refused for good."""
        with failing_plainly():
            answer = self._client.count(index=self._letters, ignore_unavailable=True)
        return int(answer["count"])

    def _prepare(self) -> None:
        """Make what is missing, once; an index of another format is replaced."""
        if not self._prepared:
            if self.has_other_format():
                self._delete_all()
            self._make_all()

    def _delete_all(self) -> None:
        self._prepared = False
        with failing_plainly():
            names = list(self._client.indices.get(index=self._events, features="settings"))
            for name in [*names, self._state, self._letters]:
                self._client.indices.delete(index=name, ignore_unavailable=True)

    def _make_all(self) -> None:
        with failing_plainly():
            template = mapping.index_template(self._options.prefix, self._options.replicas)
            name = f"{self._options.prefix}-events"
            self._client.indices.put_index_template(name=name, **template)
            self._make_once(self._state, _STATE_MAPPING)
            self._make_once(self._letters, _LETTERS_MAPPING)
        self._prepared = True

    def _make_once(self, name: str, properties: dict[str, Any]) -> None:
        if not self._client.indices.exists(index=name):
            self._client.indices.create(
                index=name,
                mappings=properties,
                settings={"number_of_shards": 1, "number_of_replicas": self._options.replicas},
            )

    def _read_state(self) -> dict[str, int]:
        from elasticsearch import NotFoundError

        with failing_plainly():
            try:
                found = self._client.get(index=self._state, id=_POSITION)
            except NotFoundError:
                return {}
        source: dict[str, int] = found["_source"]
        return source

    def _commit(self, position: int) -> None:
        with failing_plainly():
            self._client.index(
                index=self._state,
                id=_POSITION,
                document={"position": position, "format": mapping.FORMAT},
            )

    def _refresh(self) -> None:
        with failing_plainly():
            self._client.indices.refresh(index=self._events)

    def _index_action(self, record: IndexedRecord) -> Action:
        index = mapping.events_index(self._options.prefix, month_of(record.received))
        head = to_json({"index": {"_index": index, "_id": record.id}})
        return Action(record.id, head + b"\n" + to_json(document_of(record)))

    def _leave_other_months(self, records: Sequence[IndexedRecord]) -> None:
        """Delete records that stand in another month than the one they go to now.

        Only what was put before can stand anywhere, so that new records cost no question.
        """
        if min(record.sequence for record in records) >= self.position():
            return
        month = {
            r.id: mapping.events_index(self._options.prefix, month_of(r.received)) for r in records
        }
        moved = [
            _delete_action(index, id_)
            for chunk in _chunks(list(month))
            for index, id_ in self._places(chunk)
            if month[id_] != index
        ]
        if moved:
            self._bulk.send(moved)

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
        for hit in answer["hits"]["hits"]:
            yield hit["_index"], hit["_id"]

    def _keep_letters(self, refusals: list[Refusal], records: dict[str, IndexedRecord]) -> None:
        letters = [
            Action(
                refusal.record_id,
                to_json({"index": {"_index": self._letters, "_id": refusal.record_id}})
                + b"\n"
                + to_json(
                    {"sequence": records[refusal.record_id].sequence, "reason": refusal.reason}
                ),
            )
            for refusal in refusals
        ]
        if letters:
            self._bulk.send(letters)


def _delete_action(index: str, record_id: str) -> Action:
    return Action(record_id, to_json({"delete": {"_index": index, "_id": record_id}}))


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[start : start + _IDS_AT_ONCE]
