"""Accounts, tokens and sessions over the API: only for administrators, each change on record."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from audit.query.access import READ_SCOPES, Scope
from audit.state.grants import Grants
from tests.api.conftest import client_of
from tests.web.stack import PASSWORD, Stack

A = "/api/v1"
NOBODY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def admin(own: Stack) -> TestClient:
    return client_of(own, Scope.ADMIN, *READ_SCOPES)


def make(client: TestClient, **asked: Any) -> Any:
    return client.post(f"{A}/tokens", json={"name": "nightly", **asked})


def test_a_token_is_made_listed_used_and_revoked(own: Stack, admin: TestClient) -> None:
    made = make(admin, roles=["siem"], sources=["PACS"], days=2).json()
    assert (made["owner"], made["roles"], made["sources"]) == ("reader", ["siem"], ["PACS"])
    found = own.state.tokens.find(made["token"])
    assert found is not None
    assert found.grants == Grants(roles=frozenset({"siem"}), sources=frozenset({"PACS"}))
    listed = admin.get(f"{A}/tokens").json()["items"]
    assert made["id"] in [one["id"] for one in listed]
    assert made["token"] not in str(listed)
    assert admin.delete(f"{A}/tokens/{made['id']}").json() == {"id": made["id"]}
    assert own.state.tokens.find(made["token"]) is None
    assert admin.delete(f"{A}/tokens/{made['id']}").status_code == 404
    assert [what.split()[0] for _, what in own.changes] == ["Token", "Token"]
    assert {who for who, _ in own.changes} == {"reader"}


def test_a_token_may_do_no_more_than_its_maker(own: Stack) -> None:
    only = client_of(own, Scope.ADMIN)
    before = len(own.own_records())
    for asked in ({"roles": ["investigator"]}, {"scopes": ["admin", "events:raw"]}):
        assert make(only, **asked).status_code == 403
    assert len(own.own_records()) == before + 2
    assert make(only, scopes=["admin"]).status_code == 200
    narrow = Grants(scopes=frozenset({Scope.ADMIN, *READ_SCOPES}), sites=frozenset({"a"}))
    secret = own.state.tokens.create("narrow", "x", narrow, 60).secret
    headers = {"Authorization": f"Bearer {secret}"}
    wide: dict[str, Any] = {"name": "wide", "scopes": ["events:read"]}
    assert only.post(f"{A}/tokens", json=wide, headers=headers).status_code == 403


def test_a_token_ends_with_the_token_that_made_it(own: Stack) -> None:
    maker = own.state.tokens.create("maker", "x", {Scope.ADMIN}, 600)
    headers = {"Authorization": f"Bearer {maker.secret}"}
    with client_of(own) as client:
        asked = {"name": "heir", "scopes": ["admin"], "days": 366}
        made = client.post(f"{A}/tokens", json=asked, headers=headers).json()
    heir = own.state.tokens.find(made["token"])
    assert heir is not None
    assert heir.expires_at <= maker.token.expires_at


@pytest.mark.parametrize("asked", [{"roles": ["king"]}, {"scopes": ["events:all"]}, {}])
def test_what_means_nothing_is_not_granted(admin: TestClient, asked: dict[str, Any]) -> None:
    assert make(admin, **asked).status_code == 400


def test_sessions_are_listed_and_ended(own: Stack, admin: TestClient) -> None:
    own.account("mara")
    account = own.state.accounts.check("mara", PASSWORD, "")
    secret = own.state.sessions.begin(account, "10.0.0.9", emergency=True, reason="night")
    (shown,) = admin.get(f"{A}/sessions").json()["items"]
    assert (shown["name"], shown["emergency"], shown["reason"]) == ("mara", True, "night")
    assert secret not in str(shown)
    assert admin.delete(f"{A}/sessions/{shown['id']}").json() == {"id": shown["id"]}
    assert own.state.sessions.find(secret) is None
    assert admin.delete(f"{A}/sessions/{NOBODY}").status_code == 404
    assert admin.delete(f"{A}/sessions/x").status_code == 422


def test_accounts_are_listed_without_passwords(own: Stack, admin: TestClient) -> None:
    own.state.accounts.create("glass", PASSWORD, scopes={"events:read"}, emergency=True)
    (shown,) = admin.get(f"{A}/accounts").json()["items"]
    assert (shown["name"], shown["emergency"], shown["scopes"]) == ("glass", True, ["events:read"])
    assert "argon2" not in str(shown)


def test_nothing_is_changed_without_a_record(own: Stack, admin: TestClient) -> None:
    token = own.state.tokens.create("t", "x", {"events:read"}, 60)
    own.journal_fails = True
    assert make(admin, roles=["siem"]).status_code == 503
    assert admin.delete(f"{A}/tokens/{token.token.id}").status_code == 503
    own.journal_fails = False
    assert own.state.tokens.find(token.secret) is not None


def test_a_reason_is_taken_from_its_header(own: Stack, own_client: TestClient) -> None:
    def ask(reason: bytes) -> int:
        headers = {b"ARR-Reason": reason}
        return own_client.get(f"{A}/senders", headers=headers).status_code

    assert ask("Fall 7, Müller".encode()) == 200
    assert b'type="reason"' in own.own_records()[-1]
    assert ask(b"x" * 2_000) == 400
    assert ask("a\u202eb".encode()) == 400
