"""Who gets in, how often, and that every look is journaled before it is answered."""

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from audit.api.access import Doorkeeper
from audit.fhir.values import Json
from audit.query.access import Scope
from audit.query.admission import StepUp
from audit.state.grants import Grants
from audit.state.sessions import Guest
from audit.web.options import WebOptions
from tests.api.conftest import client_of
from tests.web.stack import Stack, application

READS = [
    ("POST", "/api/v1/events/search", Scope.EVENTS_READ),
    ("POST", "/api/v1/events/overview", Scope.EVENTS_READ),
    ("POST", "/api/v1/pivots/user", Scope.EVENTS_READ),
    ("POST", "/api/v1/events/0/neighbours", Scope.EVENTS_READ),
    ("GET", "/api/v1/events/0", Scope.EVENTS_READ),
    ("GET", "/api/v1/events/0/message", Scope.EVENTS_RAW),
]
PARAMETERS = pytest.mark.parametrize(("method", "path", "scope"), READS)


def ask(client: TestClient, method: str, path: str, **more: object) -> int:
    asked = {"value": "jdoe"} if "/pivots/" in path else {}
    body: dict[str, object] = {"json": asked} if method == "POST" else {}
    answer = client.request(method, path, **(body | more))  # type: ignore[arg-type]  # httpx's many
    assert answer.status_code == 200 or answer.headers["content-type"].endswith("problem+json")
    return answer.status_code


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer arr_" + "x" * 43, "Basic YTpi", "x" * 2000],
)
def test_no_valid_token_no_entry(shared: Stack, header: str) -> None:
    client = TestClient(application(shared), headers={"Authorization": header})
    for method, path in (*((m, p) for m, p, _ in READS), ("GET", "/api/v1/me")):
        answer = client.request(method, path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_revoked_token_is_no_token(own: Stack) -> None:
    client = client_of(own)
    assert ask(client, "GET", "/api/v1/me") == 200
    own.state.tokens.revoke(own.state.tokens.all()[0].id)
    assert ask(client, "GET", "/api/v1/me") == 401


@PARAMETERS
def test_the_scope_decides(own: Stack, method: str, path: str, scope: Scope) -> None:
    own.add([b"<85>1 - host app - - - hello"])
    others = [other for other in Scope if other is not scope]
    assert ask(client_of(own, scope), method, path) == 200
    before = len(own.own_records())
    assert ask(client_of(own, *others), method, path) == 403
    refused = own.own_records()[before:]
    assert len(refused) == 1
    assert b'EventOutcomeIndicator="8"' in refused[0]


@PARAMETERS
def test_each_look_leaves_one_record(own: Stack, method: str, path: str, scope: Scope) -> None:
    own.add([b"<85>1 - host app - - - hello"])
    client = client_of(own, scope)
    before = len(own.own_records())
    assert ask(client, method, path) == 200
    written = own.own_records()[before:]
    assert len(written) == 1
    assert b'csd-code="110101"' in written[0]
    assert b'UserID="reader"' in written[0]


@PARAMETERS
def test_no_record_no_answer(own: Stack, method: str, path: str, scope: Scope) -> None:
    own.add([b"<85>1 - host app - - - hello"])
    client = client_of(own, scope)
    own.journal_fails = True
    assert ask(client, method, path) == 503


PROVED = [
    ("POST", "/api/v1/exports", {"query": "", "format": "csv"}, 200),
    ("GET", "/api/v1/events/0/message", None, 200),
    ("POST", "/api/v1/reports/activity", {}, 200),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), PROVED)
def test_a_person_exports_and_reveals_only_shortly_after_a_sign_in(
    own: Stack, method: str, path: str, body: Json | None, status: int
) -> None:
    own.add([b"<85>1 - host app - - - hello"])
    within_s, now = 300, own.state.clock()
    grants = Grants(roles=frozenset({"investigator"}))
    proofs = {"fresh": now, "old": now - (within_s + 1) * 10**9, "none": None}

    def vouched(token: str) -> Guest:
        whose, proof, _ = token.split(".")
        return Guest(
            name="mara",
            display_name="Mara",
            grants=grants,
            issuer="https://idp.example",
            is_person=whose == "person",
            proved_at=proofs[proof],
        )

    web = WebOptions(
        https=False,
        allowed_hosts=("testserver",),
        bearer=vouched,
        step_up=StepUp(within_s=within_s),
    )
    with TestClient(application(own, web)) as client:
        for token in ("person.fresh.x", "program.none.x", "program.old.x"):
            bearer = {"Authorization": f"Bearer {token}"}
            assert client.request(method, path, json=body, headers=bearer).status_code == status
        for token in ("person.old.x", "person.none.x"):
            bearer = {"Authorization": f"Bearer {token}"}
            before = len(own.own_records())
            refused = client.request(method, path, json=body, headers=bearer)
            assert refused.status_code == 401
            assert refused.json()["type"] == "urn:arr:problem:proof-needed"
            challenge = refused.headers["www-authenticate"]
            assert challenge.startswith("Bearer ")
            assert 'error="insufficient_user_authentication"' in challenge
            assert f'max_age="{within_s}"' in challenge
            failed = [r for r in own.own_records()[before:] if b'OutcomeIndicator="8"' in r]
            assert len(failed) == 1
            assert client.post("/api/v1/events/search", json={}, headers=bearer).is_success


def test_me_names_the_token_and_its_scopes(own: Stack) -> None:
    me = client_of(own, Scope.EVENTS_READ).get("/api/v1/me").json()
    assert me == {
        "name": "reader",
        "display_name": "officer",
        "kind": "token",
        "scopes": ["events:read"],
    }


def test_each_token_has_its_own_rate(own: Stack) -> None:
    web = WebOptions(
        https=False, allowed_hosts=("testserver",), requests_per_s=0.01, request_burst=2
    )
    client = TestClient(application(own, web))
    first, second = ({"Authorization": f"Bearer {own.token()}"} for _ in range(2))
    codes = [ask(client, "GET", "/api/v1/me", headers=first) for _ in range(3)]
    assert codes == [200, 200, 429]
    answer = client.get("/api/v1/me", headers=first)
    assert answer.json()["type"] == "urn:arr:problem:too-many-requests"
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["ratelimit"].startswith('"principal";r=0')
    allowed = client.get("/api/v1/me", headers=second)
    assert allowed.status_code == 200
    assert allowed.headers["ratelimit"].startswith('"principal";r=1')
    assert allowed.headers["ratelimit-policy"] == '"principal";q=2;w=200'


def test_all_interfaces_share_one_rate(own: Stack) -> None:
    slow = WebOptions(
        https=False, allowed_hosts=("testserver",), requests_per_s=0.01, request_burst=2
    )
    headers = {"Authorization": f"Bearer {own.token()}"}
    client = TestClient(application(own, slow), headers=headers)
    asked = ("/api/v1/me", "/api/v1/exports", "/siem/v1/events?format=ecs", "/api/v1/identities")
    assert client.get(asked[0]).status_code == 200
    assert client.get(asked[1]).status_code != 429
    assert [client.get(path).status_code for path in asked] == [429] * 4


def test_default_rate_lets_a_script_read_fifty_times_a_second(own: Stack) -> None:
    client = client_of(own)
    assert {ask(client, "GET", "/api/v1/me") for _ in range(60)} == {200}
    assert WebOptions().requests_per_s >= 50


@pytest.mark.parametrize(
    ("before", "now", "is_let_on"),
    [
        ({"roles": {"reviewer"}}, {"roles": {"reviewer"}}, True),
        ({"roles": {"reviewer"}}, {"roles": {"reviewer", "investigator"}}, True),
        ({"roles": {"investigator"}}, {"roles": {"reviewer"}}, False),
        ({"roles": {"reviewer"}}, {"roles": {"operator"}}, False),
        ({"roles": {"reviewer"}}, {"roles": {"reviewer"}, "sites": {"radiology"}}, False),
    ],
)
def test_a_long_answer_ends_when_its_caller_may_see_less(
    own: Stack, before: dict[str, set[str]], now: dict[str, set[str]], is_let_on: bool
) -> None:
    held = before

    def vouched(_: str) -> Guest:
        grants = Grants(**{name: frozenset(values) for name, values in held.items()})
        return Guest(name="mara", display_name="", grants=grants, issuer="https://idp.example")

    door = Doorkeeper.of(own.state, WebOptions(bearer=vouched))
    request = Request({"type": "http", "headers": [(b"authorization", b"Bearer a.b.c")]})
    assert door.admit(request).may(Scope.EVENTS_READ)
    held = now
    assert door.still_admits(request, Scope.EVENTS_READ) is is_let_on
