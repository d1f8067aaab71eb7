import pytest

from audit.errors import Denied, NotFound, RequestError
from audit.state.accounts import account_name
from audit.state.grants import Grants
from audit.state.options import PasswordOptions, StateOptions
from audit.state.store import StateStore
from audit.state.throttle import TryLater
from tests.state.conftest import CHEAP, OPTIONS, PASSWORD, Clock


def test_an_account_signs_in_by_any_spelling_of_its_name(store: StateStore) -> None:
    account = store.accounts.create(
        " Mara.Voss@Example.org ", PASSWORD, display_name=" Mara Voss ", scopes={"b", "a"}
    )
    assert account.name == "mara.voss@example.org"
    assert account.display_name == "Mara Voss"
    assert account.grants == Grants(scopes=frozenset({"a", "b"}))
    assert store.accounts.check("MARA.VOSS@example.org", PASSWORD, "10.0.0.1") == account
    assert store.accounts.find("Mara.Voss@example.org") == account
    assert store.accounts.all() == (account,)


@pytest.mark.parametrize("name", ["", "  ", "two words", "a\x00b", "n" * 129])
def test_names_that_are_none(store: StateStore, name: str) -> None:
    with pytest.raises(RequestError, match="name"):
        store.accounts.create(name, PASSWORD)


def test_a_name_is_taken_once(store: StateStore) -> None:
    store.accounts.create("mvoss", PASSWORD)
    with pytest.raises(RequestError, match="already"):
        store.accounts.create("MVoss", PASSWORD)


@pytest.mark.parametrize("password", ["", "short", "x" * 257, "administrator", "administrator1"])
def test_passwords_that_are_too_easy(store: StateStore, password: str) -> None:
    with pytest.raises(RequestError, match="password"):
        store.accounts.create("administrator", password)
    assert store.accounts.find("administrator") is None


def test_wrong_unknown_and_disabled_look_the_same(store: StateStore) -> None:
    store.accounts.create("mvoss", PASSWORD)
    store.accounts.create("gone", PASSWORD)
    store.accounts.set_enabled("gone", enabled=False)
    texts = set()
    for name, password in (
        ("mvoss", "wrong"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("mvoss", "x" * 100_000),
        ("mvoss", "\ud800"),
    ):
        with pytest.raises(Denied) as caught:
            store.accounts.check(name, password, "10.0.0.1")
        texts.add(str(caught.value))
    assert len(texts) == 1


def test_an_accent_is_the_same_however_it_is_typed(store: StateStore) -> None:
    store.accounts.create("mvoss", "caf\u00e9 au lait \u00e0 12")
    assert store.accounts.check("mvoss", "cafe\u0301 au lait a\u0300 12", "").name == "mvoss"


def test_a_new_password_ends_the_sessions(store: StateStore, clock: Clock) -> None:
    account = store.accounts.create("mvoss", PASSWORD)
    secret = store.sessions.begin(account)
    clock.pass_s(5)
    store.accounts.set_password("mvoss", "another long password")
    assert store.sessions.find(secret) is None
    changed = store.accounts.check("mvoss", "another long password", "")
    assert changed.password_changed_at == clock.now
    with pytest.raises(Denied):
        store.accounts.check("mvoss", PASSWORD, "")


def test_disabling_removing_and_rescoping_hold_at_once(store: StateStore) -> None:
    account = store.accounts.create("mvoss", PASSWORD, scopes={"a"})
    secret = store.sessions.begin(account)
    store.accounts.set_grants("mvoss", Grants(scopes=frozenset({"b"})))
    session = store.sessions.find(secret)
    assert session is not None
    assert session.grants.scopes == {"b"}
    store.accounts.set_enabled("mvoss", enabled=False)
    assert store.sessions.find(secret) is None
    with pytest.raises(NotFound):
        store.sessions.begin(account)
    store.accounts.set_enabled("mvoss", enabled=True)
    assert store.sessions.find(secret) is None
    again = store.sessions.begin(account)
    store.accounts.remove("mvoss")
    assert store.sessions.find(again) is None
    assert store.accounts.find("mvoss") is None


def test_an_account_that_is_not_there(store: StateStore) -> None:
    with pytest.raises(NotFound):
        store.accounts.set_password("nobody", PASSWORD)
    with pytest.raises(NotFound):
        store.accounts.set_grants("nobody", Grants())
    with pytest.raises(NotFound):
        store.accounts.set_enabled("nobody", enabled=True)
    with pytest.raises(NotFound):
        store.accounts.remove("nobody")


def test_guessing_meets_growing_pauses(store: StateStore, clock: Clock) -> None:
    store.accounts.create("mvoss", PASSWORD)
    guesses = pauses = 0
    longest = 0.0
    for number in range(1000):
        try:
            store.accounts.check("mvoss", f"guess {number}", "10.0.0.1")
        except Denied:
            guesses += 1
        except TryLater as error:
            pauses += 1
            longest = max(longest, error.retry_after_s)
        clock.pass_s(1)
    assert guesses < 20
    assert guesses + pauses == 1000
    assert 60 < longest <= 900
    with pytest.raises(TryLater):
        store.accounts.check("mvoss", PASSWORD, "10.0.0.2")
    clock.pass_s(901)
    assert store.accounts.check("mvoss", PASSWORD, "10.0.0.2").name == "mvoss"


def test_an_outdated_hash_is_made_anew_at_the_next_sign_in(url: str, clock: Clock) -> None:
    with StateStore(url, OPTIONS, clock) as store:
        store.accounts.create("mvoss", PASSWORD)
    stronger = PasswordOptions(memory_kib=128, passes=1, lanes=1)
    with StateStore(url, StateOptions(passwords=stronger), clock) as store:
        account = store.accounts.check("mvoss", PASSWORD, "")
        row = store.accounts._row("mvoss")
        assert row is not None
        assert "m=128" in row.password_hash
        assert store.accounts.find("mvoss") == account
    assert CHEAP.memory_kib == 64


def test_account_names_fold() -> None:
    assert account_name(" \uff2dVoss ") == "mvoss"
