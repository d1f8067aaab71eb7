import sqlite3
from pathlib import Path

import pytest

from audit.errors import RequestError
from audit.state.grants import NOTHING, Grants
from audit.state.sessions import Guest
from audit.state.store import StateStore
from tests.state.conftest import OPTIONS, PASSWORD, Clock

GRANTS = Grants(
    scopes=frozenset({"events:read"}),
    roles=frozenset({"reviewer", "auditor"}),
    sites=frozenset({"St. Anne's, Basel", "main"}),
    sources=frozenset({"PACS 1"}),
)


def test_grants_of_accounts_and_tokens_are_kept(store: StateStore) -> None:
    account = store.accounts.create("mvoss", PASSWORD, grants=GRANTS, emergency=True)
    assert store.accounts.find("mvoss") == account
    assert (account.grants, account.emergency) == (GRANTS, True)
    store.accounts.set_grants("mvoss", Grants(roles=frozenset({"siem"})))
    changed = store.accounts.find("mvoss")
    assert changed is not None
    assert changed.grants.as_dict() == {
        "roles": ["siem"],
        "scopes": [],
        "sites": [],
        "sources": [],
    }
    token = store.tokens.create("t", "mvoss", GRANTS, 60)
    found = store.tokens.find(token.secret)
    assert found is not None
    assert found.grants == GRANTS


@pytest.mark.parametrize(
    "grants",
    [
        Grants(scopes=frozenset({"s" * 257})),
        Grants(sites=frozenset(str(number) for number in range(101))),
        Grants(scopes=frozenset(f"{number:0>200}" for number in range(10))),
    ],
)
def test_grants_are_bounded(store: StateStore, grants: Grants) -> None:
    with pytest.raises(RequestError, match=r"at most|longer than"):
        store.accounts.create("mvoss", PASSWORD, grants=grants)


def test_nothing_is_granted_by_nothing(store: StateStore) -> None:
    assert NOTHING.is_empty
    with pytest.raises(RequestError, match="scope or role"):
        store.tokens.create("t", "mvoss", NOTHING, 60)


def test_a_guest_has_sessions_without_an_account(store: StateStore) -> None:
    guest = Guest(name="mvoss", display_name="Mara Voss", grants=GRANTS, issuer="https://idp")
    secret = store.sessions.begin(guest, "10.0.0.1", reason="case 7")
    found = store.sessions.find(secret)
    assert found is not None
    assert (found.name, found.display_name, found.grants) == ("mvoss", "Mara Voss", GRANTS)
    assert (found.issuer, found.reason, found.emergency) == ("https://idp", "case 7", False)
    local = store.accounts.create("mvoss", PASSWORD)
    store.sessions.begin(local)
    assert len(store.sessions.all("mvoss")) == 2


def test_a_session_is_listed_and_revoked(store: StateStore, clock: Clock) -> None:
    account = store.accounts.create("mvoss", PASSWORD, grants=GRANTS)
    first = store.sessions.begin(account, emergency=True, reason="down")
    clock.pass_s(1)
    second = store.sessions.begin(account)
    newest, oldest = store.sessions.all()
    assert (oldest.emergency, oldest.reason, newest.emergency) == (True, "down", False)
    store.sessions.revoke(oldest.id)
    assert store.sessions.find(first) is None
    assert store.sessions.find(second) is not None
    with pytest.raises(Exception, match="no session"):
        store.sessions.revoke(oldest.id)
    clock.pass_s(OPTIONS.session_idle_s)
    assert store.sessions.all() == ()


def test_showing_again_that_it_is_them(store: StateStore, clock: Clock) -> None:
    account = store.accounts.create("mvoss", PASSWORD)
    secret = store.sessions.begin(account, reason="first")
    clock.pass_s(100)
    store.sessions.confirm(secret)
    found = store.sessions.find(secret)
    assert found is not None
    assert (found.confirmed_at, found.reason) == (clock.now, "first")
    store.sessions.confirm(secret, "second")
    found = store.sessions.find(secret)
    assert found is not None
    assert found.reason == "second"


VERSION_1 = """
CREATE TABLE about (name VARCHAR(32) PRIMARY KEY, value VARCHAR(256) NOT NULL);
INSERT INTO about VALUES ('version', '1');
CREATE TABLE accounts (name VARCHAR(128) PRIMARY KEY, display_name VARCHAR(256) NOT NULL,
  password_hash VARCHAR(256) NOT NULL, scopes VARCHAR(1024) NOT NULL, enabled BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL, password_changed_at BIGINT NOT NULL);
INSERT INTO accounts VALUES ('mvoss', 'Mara', 'x', 'events:read siem:read', 1, 5, 6);
INSERT INTO accounts VALUES ('op', '', 'x', 'operate', 1, 5, 6);
CREATE TABLE sessions (digest BLOB PRIMARY KEY, account VARCHAR(128) NOT NULL,
  address VARCHAR(64) NOT NULL, created_at BIGINT NOT NULL, used_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL, FOREIGN KEY(account) REFERENCES accounts (name));
INSERT INTO sessions VALUES (x'00', 'mvoss', '', 1, 1, 9223372036854775807);
CREATE TABLE tokens (digest BLOB PRIMARY KEY, id VARCHAR(32) NOT NULL UNIQUE,
  name VARCHAR(128) NOT NULL, owner VARCHAR(128) NOT NULL, scopes VARCHAR(1024) NOT NULL,
  created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, revoked_at BIGINT);
INSERT INTO tokens VALUES (x'01', 't1', 'siem', 'op', 'events:read', 1, 9223372036854775807, NULL);
"""


def test_a_store_of_version_1_keeps_what_everybody_may_do(
    url: str, tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "state").mkdir()
    connection = sqlite3.connect(tmp_path / "state" / "state.db")
    connection.executescript(VERSION_1)
    connection.close()
    for _ in range(2):
        with StateStore(url, OPTIONS, clock) as store:
            reader, operator = store.accounts.all()
            assert reader.grants.scopes == {
                "events:read",
                "siem:read",
                "patients:identify",
                "audit:read",
            }
            assert operator.grants.scopes == {"operate"}
            assert not operator.emergency
            (token,) = store.tokens.all()
            assert token.grants.scopes == {"events:read", "patients:identify", "audit:read"}
            assert store.sessions.all() == ()
