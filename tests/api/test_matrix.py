"""The authorisation matrix: every route with every role and every sort of bad credentials.

It is generated from the OpenAPI document, so a new route is in it without anybody's doing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from audit.query.access import ALL_SCOPES, Scope
from audit.query.roles import all_roles
from audit.state.grants import Grants
from audit.web.application import MACHINE_PREFIXES
from audit.web.oidc.claims import guest_of
from audit.web.oidc.provider import Provider
from audit.web.oidc.tokens import verified
from audit.web.options import WebOptions
from tests.api.samples import Operation, operations_of
from tests.web.oidc.identity_provider import (
    AUDIENCE,
    IdentityProvider,
    identity_provider,
    new_key,
    options_of,
)
from tests.web.stack import PASSWORD, Stack, application, hospital_day, stack

OPEN = {"/openapi.json", "/api/v1/docs", "/api/v1/docs/style.css"}
"""What anybody may read: how the API is used."""

MARKERS = ("P48003", "patient_name", "Doe^")
"""Nothing of this stands in an answer that refuses."""


@dataclass
class Matrix:
    """An application with an identity provider beside it, and its operations."""

    place: Stack
    client: TestClient
    idp: IdentityProvider
    operations: list[Operation]

    def token(self, *scopes: str, roles: tuple[str, ...] = ()) -> str:
        grants = Grants(scopes=frozenset(scopes), roles=frozenset(roles))
        owner = token_urlsafe(8)
        return self.place.state.tokens.create("caller", owner, grants, 3600).secret


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    folder = tmp_path_factory.mktemp("matrix")
    with stack(folder) as place, identity_provider() as idp:
        place.add(hospital_day(20))
        provider = Provider(options_of(idp))
        web = WebOptions(
            https=False,
            allowed_hosts=("testserver",),
            requests_per_s=100_000.0,
            request_burst=100_000,
            tail_longest_s=0.0,
            bearer=lambda token: guest_of(verified(provider, token, AUDIENCE), provider.options),
        )
        app = application(place, web)
        with TestClient(app) as client:
            yield Matrix(place, client, idp, list(operations_of(app.openapi())))
        provider.close()


def test_every_route_declares_its_scope(matrix: Matrix) -> None:
    undeclared = []
    for route in iter_route_contexts(matrix.client.app.routes):  # type: ignore[attr-defined]
        path = str(route.path)
        if path.startswith(MACHINE_PREFIXES) and path not in OPEN:
            extra: dict[str, Any] = getattr(route, "openapi_extra", None) or {}
            scopes = extra.get("x-required-scope")
            if scopes is None or not set(scopes.split()) <= set(Scope):
                undeclared.append(path)
    assert undeclared == [], "declare the scope: openapi_extra=scoped(Scope.…)"


def test_with_what_it_declares_each_route_lets_pass(matrix: Matrix) -> None:
    everything = matrix.token(*ALL_SCOPES)
    refused = {}
    for operation in matrix.operations:
        answer = operation.ask(matrix.client, everything)
        if answer.status_code in {401, 403, 422, 500}:
            refused[operation.name] = answer.text
    assert refused == {}


def test_without_what_it_declares_none_does(matrix: Matrix) -> None:
    wrong = {}
    for operation in matrix.operations:
        for scope in operation.scopes:
            answer = operation.ask(matrix.client, matrix.token(*(ALL_SCOPES - {scope})))
            is_refused = answer.status_code == 403 or _hides(operation, answer.status_code)
            if not is_refused or any(mark in answer.text for mark in MARKERS):
                wrong[operation.name] = (answer.status_code, answer.text[:200])
    assert wrong == {}


def _hides(operation: Operation, status: int) -> bool:
    """Whether the answer is that there is no such thing, which also lets nobody in."""
    return operation.names_object and status == 404


@pytest.mark.parametrize("role", [*all_roles()])
def test_each_role_reaches_what_it_has_the_scopes_for(matrix: Matrix, role: str) -> None:
    held = all_roles()[role].scopes
    token = matrix.token(roles=(role,))
    wrong = {}
    for operation in matrix.operations:
        status = operation.ask(matrix.client, token).status_code
        is_let_in = status not in {401, 403}
        if _hides(operation, status):
            continue
        if is_let_in != (operation.scopes <= held):
            wrong[operation.name] = status
    # An auditor sees some records only, and whoever sees pseudonyms can't search by words.
    assert {name: status for name, status in wrong.items() if status != 403} == {}
    assert len(wrong) <= len(matrix.operations) // 3


def expired(matrix: Matrix) -> str:
    made = matrix.place.state.tokens.create("old", token_urlsafe(8), ALL_SCOPES, 1e-9)
    return made.secret


def revoked(matrix: Matrix) -> str:
    made = matrix.place.state.tokens.create("gone", token_urlsafe(8), ALL_SCOPES, 3600)
    matrix.place.state.tokens.revoke(made.token.id)
    return made.secret


def session(matrix: Matrix) -> str:
    name = matrix.place.account(f"u{token_urlsafe(6).lower()}")
    account = matrix.place.state.accounts.check(name, PASSWORD, "")
    return matrix.place.state.sessions.begin(account)


CREDENTIALS: dict[str, Callable[[Matrix], str | None]] = {
    "anonymous": lambda _: None,
    "nonsense": lambda _: "nonsense",
    "a secret of nobody's": lambda _: "arr_" + token_urlsafe(32),
    "expired token": expired,
    "revoked token": revoked,
    "a session's cookie as a token": session,
    "expired JWT": lambda matrix: matrix.idp.token(exp=1),
    "JWT of the wrong audience": lambda matrix: matrix.idp.token("https://else.example"),
    "JWT of the wrong issuer": lambda matrix: matrix.idp.token(iss="https://evil.example"),
    "JWT signed by a stranger": lambda matrix: matrix.idp.token(key=new_key("k1")),
    "JWT by HS256 with the public key": lambda matrix: matrix.idp.shared_secret_token(),
    "JWT without a signature": lambda matrix: matrix.idp.unsigned_token(),
}


@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_bad_credentials_open_nothing(matrix: Matrix, credentials: str) -> None:
    secret = CREDENTIALS[credentials](matrix)
    wrong = {}
    for operation in matrix.operations:
        answer = operation.ask(matrix.client, secret)
        is_refused = answer.status_code == 401 and "www-authenticate" in answer.headers
        if not is_refused or any(mark in answer.text for mark in MARKERS):
            wrong[operation.name] = (answer.status_code, answer.text[:200])
    assert wrong == {}


def test_a_jwt_reaches_what_its_roles_have_the_scopes_for(matrix: Matrix) -> None:
    matrix.idp.person["roles"] = ["investigator"]
    assert _named(matrix, "events_search").ask(matrix.client, matrix.idp.token()).is_success
    matrix.idp.person["roles"] = ["operator"]
    answer = _named(matrix, "events_search").ask(matrix.client, matrix.idp.token())
    assert answer.status_code == 403


def _named(matrix: Matrix, name: str) -> Operation:
    return next(one for one in matrix.operations if one.name == name)


def test_nobody_reaches_what_is_another_s(matrix: Matrix) -> None:
    mine, theirs = matrix.token(*ALL_SCOPES), matrix.token(*ALL_SCOPES)
    headers = {"Authorization": f"Bearer {mine}"}
    made = matrix.client.post("/api/v1/events/tail", json={"query": ""}, headers=headers)
    kept = matrix.client.post("/api/v1/exports", json={"format": "csv"}, headers=headers)
    export = f"/api/v1/exports/{kept.json()['id']}"
    assert matrix.client.get(export, headers=headers).is_success
    stranger = {"Authorization": f"Bearer {theirs}"}
    for method, path in (
        ("GET", f"/api/v1/events/tail?filter={made.json()['id']}"),
        ("GET", export),
        ("GET", f"{export}/content"),
        ("DELETE", export),
    ):
        assert matrix.client.request(method, path, headers=stranger).status_code == 404
    listed = matrix.client.get("/api/v1/exports", headers=stranger).json()
    assert listed["items"] == []


SHOWS_NO_RECORD = {
    "access_me",
    "events_tail_filter",
    "accounts_list",
    "tokens_list",
    "sessions_list",
    "exports_list",
}
"""They answer without a record of the look: nothing of the trail is in what they show."""


def test_with_the_journal_stopped_no_route_gives_data(matrix: Matrix) -> None:
    everything = matrix.token(*ALL_SCOPES)
    wrong = {}
    matrix.place.journal_fails = True
    try:
        for operation in matrix.operations:
            answer = operation.ask(matrix.client, everything)
            has_data = any(mark in answer.text for mark in MARKERS)
            is_told = answer.status_code in {503, 404} or operation.name in SHOWS_NO_RECORD
            if has_data or not is_told:
                wrong[operation.name] = (answer.status_code, answer.text[:60])
    finally:
        matrix.place.journal_fails = False
    assert wrong == {}, str(wrong)


def test_with_the_journal_stopped_no_page_shows_data(matrix: Matrix) -> None:
    from tests.dashboard.conftest import Visit

    name = matrix.place.account(f"u{token_urlsafe(6).lower()}")
    visit = Visit(matrix.place)
    visit.sign_in(name)
    pages = [
        str(route.path)
        for route in iter_route_contexts(visit.client.app.routes)  # type: ignore[attr-defined]
        if not str(route.path).startswith((*MACHINE_PREFIXES, "/static", "/sign-in", "/confirm"))
        and "GET" in (route.methods or ())
    ]
    shown = {}
    matrix.place.journal_fails = True
    try:
        for page in pages:
            path = page.replace("{event_id}", "0").replace("{search_id}", "0" * 32)
            answer = visit.get(path)
            if answer.status_code not in {503, 404} or "P48003" in answer.text:
                shown[path] = answer.status_code
    finally:
        matrix.place.journal_fails = False
    assert set(shown) <= {"/searches", "/reports"}, shown
