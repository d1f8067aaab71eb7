import pytest

from audit.state.accounts import Account
from audit.state.store import StateStore
from tests.state.conftest import OPTIONS, PASSWORD, Clock


@pytest.fixture
def account(store: StateStore) -> Account:
    return store.accounts.create("mvoss", PASSWORD, scopes={"events:read"})


def test_a_session_opens_with_its_secret_alone(store: StateStore, account: Account) -> None:
    secret = store.sessions.begin(account, "10.0.0.1")
    assert len(secret) >= 43
    found = store.sessions.find(secret)
    assert found is not None
    assert (found.name, found.grants, found.address) == ("mvoss", account.grants, "10.0.0.1")
    for other in ("", secret[:-1], secret + "x", secret.swapcase(), "x" * 100_000, "\ud800"):
        assert store.sessions.find(other) is None


def test_an_unused_session_ends(store: StateStore, account: Account, clock: Clock) -> None:
    secret = store.sessions.begin(account)
    clock.pass_s(OPTIONS.session_idle_s - 1)
    assert store.sessions.find(secret)
    clock.pass_s(OPTIONS.session_idle_s - 1)
    assert store.sessions.find(secret)
    clock.pass_s(OPTIONS.session_idle_s)
    assert store.sessions.find(secret) is None


def test_any_session_ends(store: StateStore, account: Account, clock: Clock) -> None:
    secret = store.sessions.begin(account)
    used = 0.0
    while used < OPTIONS.session_absolute_s - 600:
        clock.pass_s(600)
        used += 600
        assert store.sessions.find(secret)
    clock.pass_s(600)
    assert store.sessions.find(secret) is None


def test_use_is_noted_only_so_often(store: StateStore, account: Account, clock: Clock) -> None:
    secret = store.sessions.begin(account)
    begun = clock.now
    clock.pass_s(OPTIONS.session_touch_s - 1)
    store.sessions.find(secret)
    found = store.sessions.find(secret)
    assert found is not None
    assert found.used_at == begun
    clock.pass_s(1)
    store.sessions.find(secret)
    found = store.sessions.find(secret)
    assert found is not None
    assert found.used_at == clock.now


def test_signing_out(store: StateStore, account: Account) -> None:
    first, second = store.sessions.begin(account), store.sessions.begin(account)
    store.sessions.end(first)
    store.sessions.end(first)
    assert store.sessions.find(first) is None
    assert store.sessions.find(second)
    assert store.sessions.end_all("mvoss") == 1
    assert store.sessions.find(second) is None


def test_only_so_many_sessions(store: StateStore, account: Account, clock: Clock) -> None:
    secrets = []
    for _ in range(5):
        secrets.append(store.sessions.begin(account))
        clock.pass_s(1)
    alive = [store.sessions.find(secret) is not None for secret in secrets]
    assert alive == [False, False, True, True, True]
