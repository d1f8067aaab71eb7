import pytest

from audit.errors import NotFound, RequestError
from audit.state.store import StateStore
from tests.state.conftest import OPTIONS, Clock

DAY_S = 86_400


def test_a_token_by_its_secret(store: StateStore) -> None:
    made = store.tokens.create(" nightly ", "mvoss", {"siem:read", "events:read"}, DAY_S)
    assert made.secret.startswith("arr_")
    assert len(made.secret) == 4 + 43
    assert made.token.name == "nightly"
    assert store.tokens.find(made.secret) == made.token
    assert made.secret not in repr(made.token)
    for other in ("", "arr_", made.secret[4:], made.secret + "x", made.secret.upper()):
        assert store.tokens.find(other) is None
    assert store.tokens.all() == (made.token,)


def test_a_token_expires(store: StateStore, clock: Clock) -> None:
    made = store.tokens.create("t", "mvoss", {"siem:read"}, DAY_S)
    clock.pass_s(DAY_S - 1)
    assert store.tokens.find(made.secret)
    clock.pass_s(1)
    assert store.tokens.find(made.secret) is None


def test_a_revoked_token_is_dead_at_once(store: StateStore) -> None:
    made = store.tokens.create("t", "mvoss", {"siem:read"}, DAY_S)
    store.tokens.revoke(made.token.id)
    assert store.tokens.find(made.secret) is None
    assert store.tokens.all()[0].revoked_at is not None
    with pytest.raises(NotFound):
        store.tokens.revoke(made.token.id)
    with pytest.raises(NotFound):
        store.tokens.revoke("unknown")


@pytest.mark.parametrize(
    ("name", "scopes", "lifetime_s", "complaint"),
    [
        ("", {"siem:read"}, DAY_S, "name"),
        ("t\n", {"siem:read"}, 0, "days"),
        ("a\nb", {"siem:read"}, DAY_S, "name"),
        ("t", set(), DAY_S, "scope"),
        ("t", {"siem:read"}, -1, "days"),
        ("t", {"siem:read"}, OPTIONS.token_max_lifetime_s + 1, "366 days"),
    ],
)
def test_tokens_that_are_refused(
    store: StateStore, name: str, scopes: set[str], lifetime_s: float, complaint: str
) -> None:
    with pytest.raises(RequestError, match=complaint):
        store.tokens.create(name, "mvoss", scopes, lifetime_s)


def test_only_so_many_tokens_alive(store: StateStore) -> None:
    made = [store.tokens.create(f"t{n}", "mvoss", {"siem:read"}, DAY_S) for n in range(3)]
    with pytest.raises(RequestError, match="revoke one"):
        store.tokens.create("t4", "mvoss", {"siem:read"}, DAY_S)
    store.tokens.create("t4", "another", {"siem:read"}, DAY_S)
    store.tokens.revoke(made[0].token.id)
    store.tokens.create("t4", "mvoss", {"siem:read"}, DAY_S)
