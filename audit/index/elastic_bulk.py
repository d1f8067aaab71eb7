"""Bulk writing: every item has its own outcome, and none is lost or blocks the others."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from audit.errors import IndexUnavailable
from audit.index.elastic_client import RETRIED, ElasticIndexOptions, pauses
from audit.index.elastic_documents import to_json

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

_HEADERS: Final = {
    "accept": "application/vnd.elasticsearch+json; compatible-with=8",
    "content-type": "application/vnd.elasticsearch+x-ndjson; compatible-with=8",
}
_BULK: Final = "/_bulk?filter_path=items.*.status,items.*.result,items.*.error"
"""Only what is judged comes back: the rest is most of the answer."""

_TOO_LARGE: Final = 413
_NOT_FOUND: Final = 404
_BAD_REQUEST: Final = 400
_DONE: Final = range(200, 300)

NOT_THE_RECORDS_FAULT: Final = frozenset(
    {
        "action_request_validation_exception",
        "cluster_block_exception",
        "index_closed_exception",
        "index_not_found_exception",
        "invalid_index_name_exception",
        "resource_already_exists_exception",
        "validation_exception",
    }
)
"""Errors with status 400 that tell of the cluster: closed indices, too many shards. The same
record may be taken later, so it is tried again and no dead letter."""

LONGEST_REASON: Final = 1_000
"""Characters of a refusal's reason that are kept; it may quote the value that was refused."""


@dataclass(frozen=True, slots=True)
class Action:
    """One line pair of a bulk request.

    Attributes:
        record_id: what it is about.
        line: action, and document where there is one; without the last line end.
    """

    record_id: str
    line: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """An item that Elasticsearch will never take, and why."""

    record_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a bulk: numbers of ``created``, ``updated``, ``deleted`` …, and refusals."""

    results: Counter[str]
    refusals: list[Refusal]


class BulkWriter:
    """Sends actions until each one is done or refused for good."""

    def __init__(self, client: "Elasticsearch", options: ElasticIndexOptions) -> None:
        self._client = client
        self._options = options

    def send(self, actions: Sequence[Action]) -> Outcome:
        """Carry out the actions.

        Raises:
            IndexUnavailable: some were not done within ``retry_for_s``; doing all again is safe.
        """
        outcome = Outcome(Counter(), [])
        for chunk in self._chunks(actions):
            self._send_chunk(chunk, outcome)
        return outcome

    def _chunks(self, actions: Sequence[Action]) -> Iterator[list[Action]]:
        chunk: list[Action] = []
        octets = 0
        for action in actions:
            if chunk and octets + len(action.line) > self._options.bulk_octets:
                yield chunk
                chunk, octets = [], 0
            chunk.append(action)
            octets += len(action.line)
        if chunk:
            yield chunk

    def _send_chunk(self, chunk: list[Action], outcome: Outcome) -> None:
        left, reason = self._try(chunk, outcome)
        for pause in pauses(self._options):
            if not left:
                return
            self._options.pause(pause)
            left, reason = self._try(left, outcome)
        if left:
            raise IndexUnavailable(f"Elasticsearch did not take {len(left)} records: {reason}")

    def _try(self, chunk: list[Action], outcome: Outcome) -> tuple[list[Action], str]:
        """Send once; what is to be tried again, and why."""
        from elasticsearch import ApiError, TransportError

        try:
            answer = self._client.perform_request(
                "POST",
                _BULK,
                headers=_HEADERS,
                body=b"\n".join([*(action.line for action in chunk), b""]),
            )
            return self._judge(chunk, answer.body, outcome)
        except ApiError as error:
            if error.status_code == _TOO_LARGE:
                return self._halve(chunk, str(error), outcome)
            if error.status_code not in RETRIED:
                raise IndexUnavailable(
                    f"Elasticsearch answered {error.status_code}: {error}"
                ) from error
            return chunk, f"{error.status_code} {error}"
        except TransportError as error:
            return chunk, str(error)

    def _halve(
        self, chunk: list[Action], reason: str, outcome: Outcome
    ) -> tuple[list[Action], str]:
        if len(chunk) == 1:
            told = f"too large: {reason}"[:LONGEST_REASON]
            outcome.refusals.append(Refusal(chunk[0].record_id, told))
            return [], ""
        middle = len(chunk) // 2
        first, first_reason = self._try(chunk[:middle], outcome)
        second, second_reason = self._try(chunk[middle:], outcome)
        return first + second, first_reason or second_reason

    def _judge(
        self, chunk: list[Action], answer: Any, outcome: Outcome
    ) -> tuple[list[Action], str]:
        if not isinstance(answer, dict) or len(answer.get("items", ())) != len(chunk):
            return chunk, "an answer that is not one of Elasticsearch's"
        again: list[Action] = []
        reason = ""
        for action, item in zip(chunk, answer["items"], strict=True):
            told = _told_of(item)
            if _is_done(told):
                outcome.results[told.get("result", "")] += 1
            elif _is_refused(told):
                outcome.refusals.append(Refusal(action.record_id, _reason(told)))
            else:
                again.append(action)
                reason = _reason(told)
        return again, reason


def delete_action(index: str, record_id: str) -> Action:
    """What deletes a document by its id; one that isn't there is as good as deleted."""
    head = {"delete": {"_index": index, "_id": record_id}}
    return Action(record_id, to_json(head))


def _told_of(item: Any) -> dict[str, Any]:
    """What stands under the one action of an item; empty when it is no item."""
    told = next(iter(item.values()), None) if isinstance(item, dict) else None
    return told if isinstance(told, dict) else {}


def _is_done(told: dict[str, Any]) -> bool:
    """Whether what the action asked for is so now: what is to be deleted may be gone already."""
    status = told.get("status")
    return status in _DONE or (status == _NOT_FOUND and told.get("result") == "not_found")


def _is_refused(told: dict[str, Any]) -> bool:
    """Whether the record itself is refused, and will be each time."""
    if told.get("status") == _TOO_LARGE:
        return True
    error = told.get("error")
    kind = error.get("type") if isinstance(error, dict) else None
    return told.get("status") == _BAD_REQUEST and kind not in NOT_THE_RECORDS_FAULT


def _reason(told: dict[str, Any]) -> str:
    error = told.get("error", {})
    if not isinstance(error, dict):
        return str(error)[:LONGEST_REASON]
    cause = (error.get("caused_by") or {}).get("reason", "")
    parts = (error.get("type"), error.get("reason"), cause)
    told_of = ": ".join(str(part) for part in parts if part)
    return told_of[:LONGEST_REASON] or f"no reason given, status {told.get('status')}"
