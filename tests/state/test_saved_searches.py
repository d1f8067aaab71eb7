import pytest

from audit.errors import RequestError
from audit.state.store import StateStore
from tests.state.conftest import OPTIONS, Clock


def test_a_search_behind_an_id_that_says_nothing(store: StateStore) -> None:
    saved = store.saved_searches.save("mvoss", 'patient:P1 "chest ct" Ä')
    assert len(saved.id) == 32
    assert store.saved_searches.find(saved.id) == saved
    assert store.saved_searches.find("0" * 32) is None
    assert store.saved_searches.save("mvoss", saved.query).id != saved.id


def test_a_search_expires(store: StateStore, clock: Clock) -> None:
    saved = store.saved_searches.save("mvoss", "x")
    clock.pass_s(OPTIONS.saved_search_lifetime_s)
    assert store.saved_searches.find(saved.id) is None


def test_a_new_one_ends_the_oldest(store: StateStore, clock: Clock) -> None:
    saved = []
    for number in range(5):
        saved.append(store.saved_searches.save("mvoss", str(number)).id)
        clock.pass_s(1)
    store.saved_searches.save("another", "x")
    alive = [store.saved_searches.find(one) is not None for one in saved]
    assert alive == [False, False, True, True, True]


def test_a_text_that_is_too_long(store: StateStore) -> None:
    with pytest.raises(RequestError, match="8192"):
        store.saved_searches.save("mvoss", "x" * 8193)
