"""A caller of the web process: over HTTP, as programs and browsers come."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

from audit.bench.clocks import MeasurementFailed
from audit.bench.repository import LOOPBACK

_ANSWERED_WITHIN_S = 60.0
_OK = 200
_FACETS = ("category", "outcome", "requestor", "patient", "node", "address")


@dataclass(frozen=True, slots=True)
class Access:
    """What a caller shows: an API token, and the session of a browser."""

    token: str
    session: str


class Caller:
    """One caller with one connection, which asks again as soon as it is answered."""

    def __init__(self, port: int, access: Access) -> None:
        self._connection = HTTPConnection(LOOPBACK, port, timeout=_ANSWERED_WITHIN_S)
        self._token = {"Authorization": f"Bearer {access.token}"}
        self._session = {"Cookie": f"arr-session={access.session}"}

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def search(self, query: str, limit: int = 100) -> dict[str, Any]:
        """One page of a search, by all names of whoever is named."""
        return self._asked("events/search", {"query": query, "limit": limit})

    def pivot(self, kind: str, value: str) -> dict[str, Any]:
        """The first page of a pivot."""
        return self._asked(f"pivots/{kind}", {"value": value})

    def facets(self, query: str) -> dict[str, Any]:
        """The commonest values of some fields."""
        return self._asked("events/overview", {"query": query, "facets": list(_FACETS)})

    def histogram(self, query: str) -> dict[str, Any]:
        """The course over the last year, by category."""
        bars = {"from": "-364d", "interval_s": 7 * 86_400, "split": "category"}
        return self._asked("events/overview", {"query": query, "histogram": bars})

    def _asked(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        headers = {**self._token, "Content-Type": "application/json"}
        found: dict[str, Any] = json.loads(
            self._answer("POST", f"/api/v1/{path}", headers, json.dumps(asked))
        )
        return found

    def event(self, record_id: str) -> dict[str, Any]:
        """One event."""
        path = f"/api/v1/events/{record_id}"
        found: dict[str, Any] = json.loads(self._answer("GET", path, self._token))
        return found

    def home(self) -> None:
        """The home page: histogram, facets and tops of the last day."""
        self._answer("GET", "/", self._session)

    def _answer(
        self, method: str, path: str, headers: dict[str, str], body: str | None = None
    ) -> bytes:
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise MeasurementFailed(f"{method} {path}: {error}") from error
        if answer.status != _OK:
            raise MeasurementFailed(f"{method} {path} gives {answer.status}: {content[:200]!r}")
        return content
