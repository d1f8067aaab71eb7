"""The position that is committed with the data, and never over one that someone else wrote.

Each thread remembers which version of the position it saw last, and a commit holds only over that
one. So when the indices are deleted, or another process writes, between a look at the position
and the commit of the next batch, the commit fails instead of claiming what is not there.
"""

from dataclasses import dataclass
from threading import local
from typing import TYPE_CHECKING, Any, Final

from audit.errors import IndexUnavailable
from audit.index import elastic_mapping as mapping
from audit.index.elastic_client import failing_plainly

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

STATE_MAPPING: Final[dict[str, Any]] = {
    "dynamic": "strict",
    "properties": {"position": {"type": "long"}, "format": {"type": "long"}},
}
_ID: Final = "position"
_CHANGED: Final = (404, 409)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look at the state found: fields, and what a change of it must name."""

    fields: dict[str, int]
    condition: dict[str, Any]


_NOTHING: Final = _Seen({}, {"op_type": "create"})


class CommittedPosition:
    """The state document of one index. Every method may raise IndexUnavailable."""

    def __init__(self, client: "Elasticsearch", prefix: str) -> None:
        self._client = client
        self._seen_here = local()
        self.index = f"{prefix}-state"

    def read(self) -> int:
        """The position committed last; 0 for none, or for an index of another format."""
        fields = self._look().fields
        return fields["position"] if fields.get("format") == mapping.FORMAT else 0

    def has_other_format(self) -> bool:
        """Whether an index is there that another version of this program wrote."""
        return self._look().fields.get("format", mapping.FORMAT) != mapping.FORMAT

    def is_there(self) -> bool:
        """Whether this thread saw a position when it looked last, or looks now."""
        return bool(self._seen().fields)

    def last_seen(self) -> int:
        """The position as this thread saw it last, or sees it now."""
        return self._seen().fields.get("position", 0)

    def commit(self, position: int) -> None:
        """Move to ``position``, if it still is what this thread saw last.

        Raises:
            IndexUnavailable: it isn't; look at the position again, and go on from there.
        """
        from elasticsearch import ApiError

        seen = self._seen()
        self._seen_here.state = None
        fields = {"position": position, "format": mapping.FORMAT}
        with failing_plainly():
            try:
                answer = self._client.index(
                    index=self.index, id=_ID, document=fields, **seen.condition
                )
            except ApiError as error:
                if error.status_code in _CHANGED:
                    raise IndexUnavailable(
                        "the index's position was changed or deleted by another"
                    ) from error
                raise
        self._seen_here.state = _Seen(fields, _condition(answer.body))

    def forget(self) -> None:
        """The state was deleted."""
        self._seen_here.state = _NOTHING

    def _seen(self) -> _Seen:
        seen: _Seen | None = getattr(self._seen_here, "state", None)
        return self._look() if seen is None else seen

    def _look(self) -> _Seen:
        from elasticsearch import NotFoundError

        self._seen_here.state = None
        with failing_plainly():
            try:
                body = self._client.get(index=self.index, id=_ID).body
                seen = _Seen(dict(body["_source"]), _condition(body))
            except NotFoundError:
                seen = _NOTHING
        self._seen_here.state = seen
        return seen


def _condition(answer: dict[str, Any]) -> dict[str, Any]:
    return {"if_seq_no": answer["_seq_no"], "if_primary_term": answer["_primary_term"]}
