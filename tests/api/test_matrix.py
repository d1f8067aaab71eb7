"""The authorisation matrix: every mounted route with every role and every sort of credentials.

It is made from the routes themselves, so a new one is in it without anybody's doing; one that
declares no scope, or of which no request is known, fails.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from secrets import token_urlsafe
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from audit.query.access import ALL_SCOPES
from audit.query.export_forms import FORMS, scopes_of
from audit.query.reports.service import KINDS
from audit.query.roles import all_roles
from audit.state.grants import Grants
from audit.web.declared import Leaves
from audit.web.oidc.claims import guest_of
from audit.web.oidc.provider import Provider
from audit.web.oidc.tokens import verified
from audit.web.options import WebOptions
from tests.api.mounted import Caller, Mounted, journal_stopped, mounted
from tests.waiting import until
from tests.web.oidc.identity_provider import (
    AUDIENCE,
    IdentityProvider,
    identity_provider,
    new_key,
    options_of,
)
from tests.web.stack import Stack, application, hospital_day, stack

OPEN = {
    "GET /openapi.json": "how the API is used",
    "GET /api/v1/docs": "how the API is used",
    "GET /api/v1/docs/style.css": "how the API is used",
    "GET /fhir/metadata": "what the server can do, which FHIR clients read before anything else",
    "GET /sign-in": "the empty form",
    "POST /sign-in": "how one becomes somebody",
    "GET /sign-in/oidc": "leads to the identity provider",
    "GET /sign-in/oidc/done": "how one becomes somebody",
    "GET /static/{name}": "style sheet and signs of the pages",
}
"""What anybody may ask for, and why."""

UNRECORDED = {
    "GET /api/v1/me": "what the caller's own token says",
    "GET /confirm": "an empty form",
    "GET /reports": "an empty form",
    "POST /search": "keeps the question for the page that it leads to, which is recorded",
    "POST /pivot": "keeps the question for the page that it leads to, which is recorded",
    "POST /access-log": "keeps the question for the page that it leads to, which is recorded",
}
"""What shows and changes nothing of the trail or of others, besides what is open to all."""

WITHOUT_A_PROVIDER = {"GET /sign-in/oidc": 404, "GET /sign-in/oidc/done": 401}
"""What is answered where people sign in with passwords."""

MARKERS = ("P48003", "patient_name", "Doe^")
"""Nothing of this stands in an answer that refuses."""

EVENT_IDS = (b"110101", b"110113", b"110114")
RECORDS = {
    Leaves.LOOK: [b"110101"],
    Leaves.USE: [b"110101"],
    Leaves.EXPORT: [b"110101", b"110101"],
    Leaves.CHANGE: [b"110113"],
    Leaves.SIGN_IN: [b"110114"],
    Leaves.RECORDS: [],
    Leaves.NOTHING: [],
}
"""EventIDs of the records (PS3.15 A.5.3) that an answer has left."""


@dataclass
class Matrix:
    """An application with an identity provider beside it, and its routes."""

    place: Stack
    client: TestClient
    idp: IdentityProvider
    routes: list[Mounted]

    def caller(self, *scopes: str, roles: tuple[str, ...] = ()) -> Caller:
        """Somebody with these."""
        grants = Grants(scopes=frozenset(scopes), roles=frozenset(roles))
        return Caller(self.place, self.client, grants)

    def since(self, first: int, listener: str = "internal") -> list[bytes]:
        """Records that came in by that door, from a sequence on."""
        entries = self.place.reader.iterate(first)
        return [one.received.raw for one in entries if one.received.listener == listener]

    @property
    def end(self) -> int:
        return self.place.reader.durable_count()

    @property
    def guarded(self) -> list[Mounted]:
        """Routes that aren't open to all."""
        return [route for route in self.routes if route.scopes is not None]


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    folder = tmp_path_factory.mktemp("matrix")
    with stack(folder) as place, identity_provider() as idp:
        place.journals_all = True
        place.add(hospital_day(20))
        place.writer.publish_head()
        provider = Provider(options_of(idp))
        web = WebOptions(
            https=False,
            allowed_hosts=("testserver",),
            requests_per_s=100_000.0,
            request_burst=100_000,
            tail_longest_s=0.0,
            bearer=lambda token: guest_of(verified(provider, token, AUDIENCE), provider.options),
        )
        app = application(place, web, jobs_per_owner=10_000)
        with TestClient(app) as client:
            made = Matrix(place, client, idp, list(mounted(app)))
            # Who sees nothing but the repository's own records finds one, with patients in it.
            place.search.search(made.caller(*ALL_SCOPES).principal, "has:patient")
            place.catch_up()
            yield made
        provider.close()


def listed(wrong: Mapping[Any, object]) -> str:
    """What was wrong, a line each."""
    return "\n".join(f"{name}: {what}" for name, what in wrong.items())


def is_let_in(route: Mounted, answer: httpx2.Response) -> bool:
    """Whether the request was made good."""
    leads_away = answer.headers.get("location", "").startswith(("/sign-in", "/confirm"))
    is_done = answer.status_code == 303 and (route.name == "POST /sign-out" or not leads_away)
    return answer.is_success or (route.is_page and is_done)


def test_every_route_declares_what_it_needs_and_leaves(matrix: Matrix) -> None:
    silent = {route.name for route in matrix.routes if not route.declares}
    assert silent == {"GET /openapi.json"}, "declare it: openapi_extra=scoped(Scope.…)"
    unasked = {route.name for route in matrix.routes if route.asked is None}
    assert unasked == set(), "say in tests/api/mounted.py how they are asked for"
    assert {route.name for route in matrix.routes if route.scopes is None} == set(OPEN)
    quiet = {route.name for route in matrix.guarded if route.leaves is Leaves.NOTHING}
    assert quiet == set(UNRECORDED)


@pytest.mark.parametrize("role", [*all_roles(), "every scope"])
def test_each_role_reaches_what_it_has_the_scopes_for_and_nothing_else(
    matrix: Matrix, role: str
) -> None:
    known = all_roles().get(role)
    held = known.scopes if known else ALL_SCOPES
    caller = matrix.caller(roles=(role,)) if known else matrix.caller(*ALL_SCOPES)
    wrong = {}
    for route in matrix.guarded:
        answer = caller.ask(route)
        is_expected = (
            is_let_in(route, answer)
            if (route.scopes or frozenset()) <= held
            else answer.status_code == 403
        )
        if not is_expected:
            wrong[route.name] = (answer.status_code, answer.text[:200])
    assert not wrong, listed(wrong)


def test_each_scope_is_needed_and_its_lack_is_one_record(matrix: Matrix) -> None:
    callers = {str(scope): matrix.caller(*(ALL_SCOPES - {scope})) for scope in ALL_SCOPES}
    wrong = {}
    for route in matrix.guarded:
        for scope in route.scopes or ():
            callers[scope].prepare(route)
            before = matrix.end
            answer = callers[scope].ask(route)
            (*_, refusal) = records = [b"", *matrix.since(before)]
            is_told = len(records) == 2 and b'EventOutcomeIndicator="8"' in refusal
            has_data = any(mark in answer.text for mark in MARKERS)
            if answer.status_code != 403 or has_data or not is_told:
                wrong[route.name, scope] = (answer.status_code, len(records) - 1)
    assert not wrong, listed(wrong)


def test_each_answer_leaves_the_records_it_declares(matrix: Matrix) -> None:
    caller, wrong = matrix.caller(*ALL_SCOPES), {}
    for route in matrix.routes:
        caller = matrix.caller(*ALL_SCOPES) if route.leaves is Leaves.USE else caller
        caller.prepare(route)
        before = matrix.end
        status = caller.ask(route).status_code
        expected = RECORDS[route.leaves]
        if route.name == "POST /api/v1/exports":  # its end comes after the answer
            until(partial(_count_is, matrix, before, 2), within_s=90)
        found = [_event_id(raw) for raw in matrix.since(before)]
        fed = len(matrix.since(before, "fhir"))
        if found != expected or fed != (route.leaves is Leaves.RECORDS):
            wrong[route.name] = (status, found, fed)
    assert not wrong, listed(wrong)


def _count_is(matrix: Matrix, first: int, count: int) -> bool:
    return len(matrix.since(first)) == count


def _event_id(raw: bytes) -> bytes:
    event = raw[raw.index(b"<EventID") :]
    return next(code for code in EVENT_IDS if b'"%s"' % code in event[: event.index(b">")])


def test_a_use_that_goes_on_leaves_no_second_record(matrix: Matrix) -> None:
    going_on = [route for route in matrix.routes if route.leaves is Leaves.USE]
    again = {}
    for route in going_on:
        caller = matrix.caller(*ALL_SCOPES)
        caller.prepare(route)
        assert caller.ask(route).is_success
        before = matrix.end
        assert caller.ask(route).is_success
        again[route.name] = len(matrix.since(before))
    # This matrix's tails end at once, and with them their use; tests/api/test_feeds.py has one
    # that goes on.
    assert again.pop("GET /api/v1/events/tail") == 1
    assert set(again.values()) == {0}, again


def test_with_the_journal_stopped_nothing_is_shown_or_changed(matrix: Matrix) -> None:
    caller, wrong = matrix.caller(*ALL_SCOPES), {}
    for route in matrix.routes:
        caller = matrix.caller(*ALL_SCOPES) if route.leaves is Leaves.USE else caller
        caller.prepare(route)
        with journal_stopped(matrix.place):
            answer = caller.ask(route)
        expected = WITHOUT_A_PROVIDER.get(route.name, 200)
        is_told = (
            is_let_in(route, answer) or answer.status_code == expected
            if route.leaves is Leaves.NOTHING
            else answer.status_code == 503
        )
        has_data = any(mark in answer.text for mark in MARKERS)
        if not is_told or (has_data and route.leaves is not Leaves.NOTHING):
            wrong[route.name] = (answer.status_code, answer.text[:60])
    assert not wrong, listed(wrong)


def expired(matrix: Matrix) -> str:
    made = matrix.place.state.tokens.create("old", token_urlsafe(8), ALL_SCOPES, 1e-9)
    return made.secret


def revoked(matrix: Matrix) -> str:
    made = matrix.place.state.tokens.create("gone", token_urlsafe(8), ALL_SCOPES, 3600)
    matrix.place.state.tokens.revoke(made.token.id)
    return made.secret


def session(matrix: Matrix) -> str:
    return matrix.caller(*ALL_SCOPES).session


CREDENTIALS: dict[str, Callable[[Matrix], str]] = {
    "anonymous": lambda _: "",
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
    caller = matrix.caller(*ALL_SCOPES)
    wrong = {}
    for route in matrix.guarded:
        if route.is_page:
            continue
        answer = caller.ask(route, secret)
        is_refused = answer.status_code == 401 and "www-authenticate" in answer.headers
        if not is_refused or any(mark in answer.text for mark in MARKERS):
            wrong[route.name] = (answer.status_code, answer.text[:200])
    assert not wrong, listed(wrong)


def ended(matrix: Matrix) -> str:
    secret = matrix.caller(*ALL_SCOPES).session
    matrix.place.state.sessions.end(secret)
    return secret


def disabled(matrix: Matrix) -> str:
    caller = matrix.caller(*ALL_SCOPES)
    second = matrix.place.state.sessions.begin(caller.account)
    matrix.place.state.accounts.set_enabled(caller.name, enabled=False)
    return second


def removed(matrix: Matrix) -> str:
    caller = matrix.caller(*ALL_SCOPES)
    secret = caller.session
    matrix.place.state.accounts.remove(caller.name)
    return secret


COOKIES: dict[str, Callable[[Matrix], str]] = {
    "anonymous": lambda _: "",
    "nonsense": lambda _: "nonsense",
    "a token as a session's cookie": lambda matrix: matrix.caller(*ALL_SCOPES).token,
    "ended session": ended,
    "session of a disabled account": disabled,
    "session of an account that is gone": removed,
}


@pytest.mark.parametrize("cookie", COOKIES)
def test_bad_cookies_lead_to_the_sign_in(matrix: Matrix, cookie: str) -> None:
    secret = COOKIES[cookie](matrix)
    caller = matrix.caller(*ALL_SCOPES)
    wrong = {}
    for route in matrix.guarded:
        if route.is_page:
            answer = caller.ask(route, secret)
            location = answer.headers.get("location", "")
            if answer.status_code != 303 or not location.startswith("/sign-in"):
                wrong[route.name] = (answer.status_code, answer.text[:200])
    assert not wrong, listed(wrong)


def test_a_jwt_reaches_what_its_roles_have_the_scopes_for(matrix: Matrix) -> None:
    (search,) = [one for one in matrix.routes if one.name == "POST /api/v1/events/search"]
    caller = matrix.caller(*ALL_SCOPES)
    matrix.idp.person["roles"] = ["investigator"]
    assert caller.ask(search, matrix.idp.token()).is_success
    matrix.idp.person["roles"] = ["operator"]
    assert caller.ask(search, matrix.idp.token()).status_code == 403


@pytest.mark.parametrize("role", all_roles())
def test_reports_about_patients_and_exports_as_received_need_more(
    matrix: Matrix, role: str
) -> None:
    held = all_roles()[role].scopes
    caller = matrix.caller(roles=(role,))
    headers = {"Authorization": f"Bearer {caller.token}"}
    about: dict[str, object] = {
        "patients": [{"identifier": "P48003"}],
        "study": "1.2.3",
        "user": "jdoe",
    }
    wrong: dict[str, str] = {}
    for kind in KINDS:
        path = f"/api/v1/reports/{kind}"
        needed = {"reports:read"}
        if kind in {"disclosures", "access", "patients", "study"}:
            needed.add("patients:identify")
        answer = matrix.client.post(path, json=about, headers=headers)
        if answer.status_code != (200 if needed <= held else 403):
            wrong[kind] = answer.text
    for form in FORMS:
        asked = {"format": form, "query": "node:nobody", "reason": "case 7"}
        answer = matrix.client.post("/api/v1/exports", json=asked, headers=headers)
        if answer.status_code != (200 if set(scopes_of(form)) <= held else 403):
            wrong[form] = answer.text
    assert not wrong, listed(wrong)


def test_nobody_reaches_what_is_another_s(matrix: Matrix) -> None:
    mine, theirs = matrix.caller(*ALL_SCOPES), matrix.caller(*ALL_SCOPES)
    export = f"/api/v1/exports/{mine.export()}"
    kept = mine.search("category:query")
    stranger = {"Authorization": f"Bearer {theirs.token}"}
    for method, path in (
        ("GET", f"/api/v1/events/tail?filter={mine.tail_filter()}"),
        ("GET", export),
        ("GET", f"{export}/content"),
        ("DELETE", export),
    ):
        assert matrix.client.request(method, path, headers=stranger).status_code == 404
    assert matrix.client.get("/api/v1/exports", headers=stranger).json()["items"] == []
    cookie = {"Cookie": f"arr-session={theirs.session}", "Accept": "text/html"}
    pages = [f"/s/{kept}", f"/access-log/{kept}", f"/user/{mine.search('user:jdoe')}"]
    assert [matrix.client.get(page, headers=cookie).status_code for page in pages] == [404] * 3
    assert kept not in matrix.client.get("/searches", headers=cookie).text
