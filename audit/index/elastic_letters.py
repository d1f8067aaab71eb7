"""Dead letters: records that Elasticsearch refused for good, each with the reason.

They stand in an index of their own, one document by record id, so that a put made again changes
nothing. The list is bounded; of what was refused beyond it the first sequence is remembered.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from audit.errors import IndexUnavailable
from audit.index.elastic_bulk import Action, BulkWriter, Refusal, delete_action
from audit.index.elastic_client import ElasticIndexOptions, failing_plainly, hits_of
from audit.index.elastic_documents import ReadyDocument, to_json

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

LETTERS_MAPPING: Final[dict[str, Any]] = {
    "dynamic": "strict",
    "properties": {
        "sequence": {"type": "long"},
        "reason": {"type": "text", "index": False},
        "repeat_of": {"type": "keyword", "index": False},
        "refused": {"type": "long", "index": False},
        "beyond": {"type": "boolean"},
    },
}
_BEYOND: Final = "beyond"
"""Id of the document that tells from where on refusals are not listed."""

_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that is not in the index because Elasticsearch refused it.

    Attributes:
        id: of the record.
        sequence: its place in the journal.
        repeat_of: id of the record that it repeats; empty for none.
        refused: when (UTC nanoseconds), the last time.
        reason: as Elasticsearch gave it; it may quote the record.
    """

    id: str
    sequence: int
    repeat_of: str
    refused: int
    reason: str


class DeadLetters:
    """The list. One process changes it, any may read it. Raises IndexUnavailable."""

    def __init__(
        self, client: "Elasticsearch", bulk: BulkWriter, options: ElasticIndexOptions
    ) -> None:
        self._client = client
        self._bulk = bulk
        self._most = options.dead_letters
        self._known: set[str] = set()
        self._first_beyond: int | None = None
        self.index = f"{options.prefix}-dead-letters"

    @property
    def count(self) -> int:
        """How many there are, as the process that changes them knows without asking."""
        return len(self._known)

    def load(self) -> None:
        """Learn what is there; before anything is changed."""
        known: set[str] = set()
        beyond = None
        for hit in self._hits():
            if hit["_id"] == _BEYOND:
                beyond = int(hit["_source"]["sequence"])
            else:
                known.add(hit["_id"])
        self._known, self._first_beyond = known, beyond

    def listed(self) -> Iterator[DeadLetter]:
        """All, in the order of the journal."""
        return (_letter(hit) for hit in self._hits() if hit["_id"] != _BEYOND)

    def ask_count(self) -> int:
        """How many there are, as any process may ask."""
        listed = {"bool": {"must_not": [{"exists": {"field": _BEYOND}}]}}
        with failing_plainly():
            answer = self._client.count(index=self.index, query=listed, ignore_unavailable=True)
        return int(answer["count"])

    def first_beyond(self) -> int | None:
        """The first sequence that was refused when the list was full; None when it never was."""
        hits = self._search({"ids": {"values": [_BEYOND]}}, None)
        told = (int(hit["_source"]["sequence"]) for hit in hits if hit["_id"] == _BEYOND)
        return next(told, None)

    def keep(self, refusals: Sequence[Refusal], records: Mapping[str, ReadyDocument]) -> None:
        """Remember that these were refused; what has no room is counted from its sequence on."""
        room = self._most - len(self._known)
        actions: list[Action] = []
        for refusal in refusals:
            if refusal.record_id not in self._known:
                if room <= 0:
                    self._go_beyond(records[refusal.record_id].sequence)
                    continue
                room -= 1
                self._known.add(refusal.record_id)
            actions.append(self._action(refusal, records[refusal.record_id]))
        self._send(actions)

    def forget(self, ids: Iterable[str]) -> int:
        """Take these out of the list; how many were in it."""
        gone = self._known.intersection(ids)
        self._send([delete_action(self.index, one) for one in sorted(gone)])
        self._known -= gone
        return len(gone)

    def begin_again(self, position: int) -> None:
        """All from ``position`` on is put once more, and so what was refused beyond the list."""
        if self._first_beyond is not None and position <= self._first_beyond:
            self._send([delete_action(self.index, _BEYOND)])
            self._first_beyond = None

    def reset(self) -> None:
        """The list was deleted."""
        self._known = set()
        self._first_beyond = None

    def _go_beyond(self, sequence: int) -> None:
        if self._first_beyond is None or sequence < self._first_beyond:
            document = {"sequence": sequence, "beyond": True}
            self._send([_put(self.index, _BEYOND, document)])
            self._first_beyond = sequence

    def _action(self, refusal: Refusal, record: ReadyDocument) -> Action:
        document = {
            "sequence": record.sequence,
            "reason": refusal.reason,
            "repeat_of": record.repeat_of,
            "refused": time_ns(),
        }
        return _put(self.index, refusal.record_id, document)

    def _send(self, actions: Sequence[Action]) -> None:
        if actions:
            for refusal in self._bulk.send(actions).refusals:
                raise IndexUnavailable(f"{self.index} takes no dead letter: {refusal.reason}")
            with failing_plainly():
                self._client.indices.refresh(index=self.index)

    def _hits(self) -> Iterator[dict[str, Any]]:
        after = None
        while True:
            hits = self._search({"match_all": {}}, after)
            yield from hits
            if len(hits) < _PAGE:
                return
            after = hits[-1]["sort"]

    def _search(self, query: dict[str, Any], after: list[Any] | None) -> list[dict[str, Any]]:
        with failing_plainly():
            answer = self._client.search(
                index=self.index,
                query=query,
                size=_PAGE,
                sort=[{"sequence": "asc"}],
                search_after=after,
                ignore_unavailable=True,
                allow_no_indices=True,
                allow_partial_search_results=False,
            )
        return hits_of(answer.body)


def _put(index: str, letter_id: str, document: dict[str, Any]) -> Action:
    head = to_json({"index": {"_index": index, "_id": letter_id}})
    return Action(letter_id, head + b"\n" + to_json(document))


def _letter(hit: dict[str, Any]) -> DeadLetter:
    source = hit["_source"]
    return DeadLetter(
        id=hit["_id"],
        sequence=source["sequence"],
        repeat_of=source.get("repeat_of", ""),
        refused=source.get("refused", 0),
        reason=source["reason"],
    )
