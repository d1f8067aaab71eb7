"""Every route that is mounted, with a request that succeeds for whoever may make it.

Those of the API are made from the OpenAPI document. FHIR, the log and the pages are in no such
document: their requests stand here, and a route without one fails the tests.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any

import httpx2
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from audit.dashboard.visitors import form_token_of
from audit.index.criteria import Everything, Exists
from audit.query.access import ALL_SCOPES, Principal
from audit.query.admission import principal_of
from audit.query.reports.asked import ReportAsked
from audit.query.reports.service import ReportService
from audit.state.grants import Grants
from audit.web.application import MACHINE_PREFIXES
from audit.web.declared import RECORD, SCOPES, Leaves
from audit.web.outcomes import is_fhir
from tests.api.samples import Asked, operations_of
from tests.conformance.json_cases import STUDY
from tests.waiting import until
from tests.web.stack import PASSWORD, Stack

FHIR_JSON = "application/fhir+json"
_BATCH = (
    b'{"resourceType": "Bundle", "type": "batch", "entry": [{"resource": %s, '
    b'"request": {"method": "POST", "url": "AuditEvent"}}]}' % STUDY
)

_START, _END = 1_767_225_600 * 10**9, 1_769_904_000 * 10**9
"""January 2026, as the requests of sign-offs have it."""

KNOWN = {
    "GET /openapi.json": Asked("/openapi.json"),
    "GET /api/v1/docs": Asked("/api/v1/docs"),
    "GET /api/v1/docs/style.css": Asked("/api/v1/docs/style.css"),
    "GET /fhir/metadata": Asked("/fhir/metadata"),
    "GET /fhir/AuditEvent": Asked("/fhir/AuditEvent", {"date": "ge2020-01-01"}),
    "POST /fhir/AuditEvent/_search": Asked(
        "/fhir/AuditEvent/_search", form={"date": "ge2020-01-01"}
    ),
    "GET /fhir/AuditEvent/{record_id}": Asked("/fhir/AuditEvent/{event_id}"),
    "POST /fhir/AuditEvent": Asked("/fhir/AuditEvent", octets=STUDY, media_type=FHIR_JSON),
    "POST /fhir": Asked("/fhir", octets=_BATCH, media_type=FHIR_JSON),
    "POST /fhir/": Asked("/fhir/", octets=_BATCH, media_type=FHIR_JSON),
    "GET /log/checkpoint": Asked("/log/checkpoint"),
    "GET /log/tile/{path:path}": Asked("/log/tile/0/000.p/1"),
    "GET /log/tile/entries/{path:path}": Asked("/log/tile/entries/000.p/1"),
    "GET /sign-in": Asked("/sign-in"),
    "POST /sign-in": Asked("/sign-in", form={"name": "{account}", "password": PASSWORD}),
    "POST /sign-out": Asked("/sign-out", form={}),
    "GET /sign-in/oidc": Asked("/sign-in/oidc"),
    "GET /sign-in/oidc/done": Asked("/sign-in/oidc/done"),
    "GET /confirm": Asked("/confirm"),
    "POST /confirm": Asked("/confirm", form={"password": PASSWORD}),
    "POST /search": Asked("/search", form={"query": "category:query"}),
    "POST /pivot": Asked("/pivot", form={"user": "jdoe"}),
    "POST /access-log": Asked("/access-log", form={"user": "jdoe"}),
    "POST /searches": Asked("/searches", form={"title": "mine", "query": "category:query"}),
    "POST /searches/delete": Asked("/searches/delete", form={"id": "0" * 32}),
    "POST /export": Asked("/export", form={"was": "", "format": "csv"}),
    "GET /": Asked("/"),
    "GET /search": Asked("/search"),
    "GET /s/{search_id}": Asked("/s/{search}"),
    "GET /e/{event_id}": Asked("/e/{event_id}"),
    "GET /e/{event_id}/message": Asked("/e/{event_id}/message"),
    "GET /e/{event_id}/neighbours": Asked("/e/{event_id}/neighbours"),
    "GET /static/{name}": Asked("/static/{static}"),
    "GET /searches": Asked("/searches"),
    "GET /access-log": Asked("/access-log"),
    "GET /access-log/{search_id}": Asked("/access-log/{search}"),
    "GET /patient/{search_id}": Asked("/patient/{patient}"),
    "GET /user/{search_id}": Asked("/user/{user}"),
    "GET /study/{search_id}": Asked("/study/{study}"),
    "GET /node/{search_id}": Asked("/node/{node}"),
    "GET /address/{search_id}": Asked("/address/{address}"),
    "GET /reports": Asked("/reports"),
    "POST /reports": Asked("/reports", form={"kind": "activity"}),
    "POST /reports/sign-off": Asked(
        "/reports/sign-off",
        form={
            "begin": "2026-01-01T00:00:00Z",
            "end": "2026-02-01T00:00:00Z",
            "record": "{review}",
            "statement": "nothing odd",
        },
    ),
}
"""By method and path, requests to what no OpenAPI document tells of."""


@dataclass(frozen=True)
class Mounted:
    """One method of one route.

    Attributes:
        name: method and path.
        method: of HTTP.
        scopes: what it says it needs; None when it is open to all, and where it says nothing.
        leaves: what it says its answer leaves on record.
        is_page: whether people at browsers ask for it, with a session instead of a token.
        asked: a request of it; None when none is known.
        declares: whether it says what it needs.
    """

    name: str
    method: str
    scopes: frozenset[str] | None
    leaves: Leaves
    is_page: bool
    asked: Asked | None
    declares: bool


def mounted(app: FastAPI) -> Iterator[Mounted]:
    """Every method of every route of the application."""
    documented = {f"{one.method} {one.path}": one for one in operations_of(app.openapi())}
    for route in iter_route_contexts(app.routes):
        extra: dict[str, Any] = getattr(route, "openapi_extra", None) or {}
        path = str(route.path)
        for method in sorted(set(route.methods or ()) - {"HEAD", "OPTIONS"}):
            name = f"{method} {path}"
            told = extra.get(SCOPES)
            operation = documented.get(name)
            yield Mounted(
                name=name,
                method=method,
                scopes=None if told is None else frozenset(told.split()),
                leaves=Leaves(extra.get(RECORD, "nothing")),
                is_page=not (path.startswith(MACHINE_PREFIXES) or is_fhir(path)),
                asked=operation.asked if operation else KNOWN.get(name),
                declares=SCOPES in extra and RECORD in extra,
            )


class Caller:
    """Somebody with a token and a session, who may do what the grants say."""

    def __init__(self, place: Stack, client: TestClient, grants: Grants) -> None:
        self._place = place
        self._client = client
        self.name = f"u{token_urlsafe(6).lower()}"
        made = place.state.tokens.create(self.name, token_urlsafe(8), grants, 3600)
        self.token = made.secret
        self.account = place.state.accounts.create(
            self.name, PASSWORD, display_name=self.name, grants=grants
        )
        self._session = ""
        self.principal = principal_of(self.account, kind="account")
        self._prepared: dict[str, Asked] = {}

    @property
    def session(self) -> str:
        """The secret of a session that is alive."""
        if self._place.state.sessions.find(self._session) is None:
            self._session = self._place.state.sessions.begin(self.account)
        return self._session

    def prepare(self, route: Mounted) -> None:
        """Make what the route's next request is about, so that only the request is counted."""
        if route.asked is not None:
            self._prepared = {route.name: self._filled(route.asked)}

    def ask(
        self,
        route: Mounted,
        token: str | None = None,
        *,
        more_headers: Mapping[str, str] | None = None,
        form_token: str | None = None,
    ) -> httpx2.Response:
        """Make the route's request, with another token or session if one is given."""
        if route.asked is None:
            raise AssertionError(f"say in tests/api/mounted.py how {route.name} is asked for")
        asked = self._prepared.get(route.name) or self._filled(route.asked)
        more: dict[str, Any] = {"params": asked.parameters}
        if asked.json is not None:
            more["json"] = asked.json
        if asked.octets is not None:
            more["content"] = asked.octets
        headers = {"Content-Type": asked.media_type} if asked.media_type else {}
        if route.is_page:
            secret = self.session if token is None else token
            headers |= {"Accept": "text/html", "Cookie": _cookies(secret)}
            form = asked.form
            shown = form_token_of(secret) if form_token is None else form_token
            more["data"] = None if form is None else {"form_token": shown, **form}
        else:
            more["data"] = asked.form
            secret = self.token if token is None else token
            headers |= {"Authorization": f"Bearer {secret}"} if secret else {}
        headers |= more_headers or {}
        return self._client.request(
            route.method, asked.path, headers=headers, follow_redirects=False, **more
        )

    def _filled(self, asked: Asked) -> Asked:
        def fill(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: fill(one) for key, one in value.items()}
            if isinstance(value, str):
                return re.sub(r"\{([a-z_]+)\}", lambda found: _MAKE[found[1]](self), value)
            return value

        return Asked(
            path=fill(asked.path),
            parameters=fill(asked.parameters),
            json=fill(asked.json),
            form=fill(asked.form),
            octets=asked.octets,
            media_type=asked.media_type,
        )

    def event(self) -> str:
        """The id of a record that they may see at all; of any for those who see none."""
        trail = self._place.search.trail
        seen = trail.view(self.principal).search(Everything(), limit=1).records
        return seen[0].id if seen else f"{self._place.reader.origin}-0"

    def export(self) -> str:
        """An export of theirs that is done; of nobody's for those who may have none."""
        headers = {"Authorization": f"Bearer {self.token}"}
        made = self._client.post("/api/v1/exports", json={"format": "csv"}, headers=headers)
        if not made.is_success:
            return "0" * 32
        name = made.json()["id"]

        def is_done() -> bool:
            listed = self._client.get("/api/v1/exports", headers=headers).json()["items"]
            return any(one["id"] == name and one["state"] == "done" for one in listed)

        until(is_done, within_s=90)
        return str(name)

    def tail_filter(self) -> str:
        """A filter that their token saved."""
        token = self._place.state.tokens.find(self.token)
        owner = "nobody" if token is None else f"api-token:{token.id}"
        return self._place.state.saved_searches.save(owner, "").id

    def search(self, query: str) -> str:
        """A search that they keep."""
        return self._place.state.saved_searches.save(self.name, query).id

    def other_token(self) -> str:
        """The id of somebody else's token."""
        tokens = self._place.state.tokens
        return tokens.create("other", token_urlsafe(8), ALL_SCOPES, 3600).token.id

    def other_session(self) -> str:
        """The id of a session of theirs that isn't this one."""
        sessions = self._place.state.sessions
        known = {one.id for one in sessions.all(self.name)}
        sessions.begin(self.account)
        return next(one.id for one in sessions.all(self.name) if one.id not in known)

    def known(self, field: str) -> str:
        """A value of the field, as they are shown it."""
        record = self._place.index.search(Exists(field), limit=1).records[0]
        return self._place.search.trail.shown(self.principal, record).first(field)

    def static(self) -> str:
        """The address of the style sheet."""
        page = self._client.get("/sign-in", headers={"Accept": "text/html"}).text
        return page.partition('href="/static/')[2].partition('"')[0]

    def review(self) -> str:
        """The id of the record of a review of system activity."""
        everybody = Principal(name="reviewer", scopes=ALL_SCOPES)
        asked = ReportAsked(kind="activity", start=_START, end=_END)
        return ReportService(self._place.search.trail).make(everybody, asked).record or ""


def _cookies(secret: str) -> str:
    return f"arr-session={secret}; arr-visit={secret}"


_MAKE: dict[str, Callable[[Caller], str]] = {
    "event_id": Caller.event,
    "export_id": Caller.export,
    "filter": Caller.tail_filter,
    "token_id": Caller.other_token,
    "session_id": Caller.other_session,
    "review": Caller.review,
    "static": Caller.static,
    "account": lambda caller: caller.name,
    "search": lambda caller: caller.search("category:query"),
    **{
        kind: lambda caller, kind=kind: caller.search(f"{kind}:x")  # type: ignore[misc]
        for kind in ("user", "node")
    },
    "address": lambda caller: caller.search("address:192.0.2.7"),
    "patient": lambda caller: caller.search(f"patient:{caller.known('patient')}"),
    "study": lambda caller: caller.search(f"study:{caller.known('study')}"),
}
"""What a name in braces stands for."""


@contextmanager
def journal_stopped(place: Stack) -> Iterator[None]:
    """Nothing can be journaled meanwhile."""
    place.journal_fails = True
    try:
        yield
    finally:
        place.journal_fails = False
