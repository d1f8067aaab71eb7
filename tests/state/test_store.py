import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import insert

from audit.errors import ConfigurationError, StorageError
from audit.state import tables
from audit.state.database import Database
from audit.state.store import StateStore
from tests.state.conftest import OPTIONS, PASSWORD, Clock


def test_only_this_user_can_read_it(url: str, tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "state" / "state.db"
    with StateStore(url, OPTIONS, clock):
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700
    file.chmod(0o644)
    with StateStore(url, OPTIONS, clock) as store:
        store.accounts.create("mvoss", PASSWORD)
        modes = {one.name: one.stat().st_mode & 0o777 for one in file.parent.iterdir()}
    assert set(modes.values()) == {0o600}


def test_what_was_stored_is_there_after_a_restart(url: str, clock: Clock) -> None:
    with StateStore(url, OPTIONS, clock) as store:
        account = store.accounts.create("mvoss", PASSWORD, scopes={"events:read"})
        secret = store.sessions.begin(account)
        token = store.tokens.create("nightly", "mvoss", {"siem:read"}, 3600)
        saved = store.saved_searches.save("mvoss", "patient:P1")
    with StateStore(url, OPTIONS, clock) as again:
        assert again.accounts.check("mvoss", PASSWORD, "") == account
        session = again.sessions.find(secret)
        assert session is not None
        assert (session.name, session.grants) == (account.name, account.grants)
        assert again.tokens.find(token.secret) == token.token
        assert again.saved_searches.find(saved.id) == saved


def test_no_secret_is_stored(url: str, tmp_path: Path, clock: Clock) -> None:
    with StateStore(url, OPTIONS, clock) as store:
        account = store.accounts.create("mvoss", PASSWORD)
        secret = store.sessions.begin(account)
        token = store.tokens.create("nightly", "mvoss", {"siem:read"}, 3600).secret
        store.accounts.set_enabled("mvoss", enabled=True)
    octets = (tmp_path / "state" / "state.db").read_bytes()
    for hidden in (PASSWORD, secret, token, token.removeprefix("arr_")):
        assert hidden.encode() not in octets
    assert b"$argon2id$" in octets


def test_cleanup_is_bounded_and_forgets_only_what_has_ended(
    store: StateStore, clock: Clock
) -> None:
    account = store.accounts.create("mvoss", PASSWORD)
    for _ in range(3):
        store.sessions.begin(account)
        store.saved_searches.save("mvoss", "x")
    store.tokens.create("t", "mvoss", {"siem:read"}, 3600)
    assert store.cleanup() == 0
    clock.pass_s(9 * 3600)
    assert store.cleanup() == 3
    clock.pass_s(31 * 86_400)
    assert store.cleanup() == 3
    clock.pass_s(100 * 86_400)
    assert store.cleanup() == 1
    assert store.cleanup() == 0


def test_a_cleanup_removes_at_most_so_many(url: str, clock: Clock) -> None:
    database = Database(url, clock=clock)
    try:
        with database.begin() as connection:
            for number in range(5):
                row = {"digest": bytes([number]), "failures": 1, "last_at": 0, "blocked_until": 0}
                connection.execute(insert(tables.attempts).values(row))
        key, old = tables.attempts.c.digest, tables.attempts.c.last_at < 1
        assert [database.delete_some(key, old, 2) for _ in range(4)] == [2, 2, 1, 0]
    finally:
        database.close()


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "sqlite:///:memory:", "nodb://host/x"])
def test_addresses_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ConfigurationError):
        StateStore(url, OPTIONS)


def test_a_file_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        StateStore(f"sqlite:///{tmp_path}/file/state.db", OPTIONS)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError, match="state store failed"):
        StateStore(f"sqlite:///{tmp_path}/state.db", OPTIONS)


def test_a_store_of_a_newer_version_is_left_alone(url: str, tmp_path: Path, clock: Clock) -> None:
    StateStore(url, OPTIONS, clock).close()
    connection = sqlite3.connect(tmp_path / "state" / "state.db")
    with connection:
        connection.execute("update about set value = '99'")
    connection.close()
    with pytest.raises(ConfigurationError, match="version 99"):
        StateStore(url, OPTIONS, clock)


def test_an_error_tells_no_parameters(store: StateStore) -> None:
    database = store._database
    row = {"name": None, "display_name": "Jane Doe"}
    with pytest.raises(StorageError) as caught, database.begin() as connection:
        connection.execute(insert(tables.accounts).values(row))
    assert "Jane" not in str(caught.value)


def test_a_key_that_is_no_column_of_a_table(store: StateStore) -> None:
    key = tables.attempts.alias().c.digest
    with pytest.raises(TypeError):
        store._database.delete_some(key, key.is_(None), 1)
