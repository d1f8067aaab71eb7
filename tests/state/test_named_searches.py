import pytest

from audit.errors import RequestError
from audit.state.options import StateOptions
from audit.state.store import StateStore


def test_kept_until_it_is_dropped_and_only_for_its_owner(store: StateStore) -> None:
    searches = store.named_searches
    kept = searches.keep("mara", "Exports", "category:export")
    searches.keep("otto", "Exports", "x")
    assert [(one.title, one.query) for one in searches.of("mara")] == [
        ("Exports", "category:export")
    ]
    assert not searches.drop("otto", kept.id)
    assert searches.of("mara")
    assert searches.drop("mara", kept.id)
    assert not searches.drop("mara", kept.id)
    assert searches.of("mara") == ()


def test_the_same_name_is_replaced_and_names_are_in_order(store: StateStore) -> None:
    searches = store.named_searches
    for title, query in (("b", "1"), ("a", "2"), ("b", "3")):
        searches.keep("mara", title, query)
    assert [(one.title, one.query) for one in searches.of("mara")] == [("a", "2"), ("b", "3")]


@pytest.mark.parametrize(("title", "query"), [("", "x"), ("t" * 121, "x"), ("t", "q" * 8_193)])
def test_too_long_or_nameless_is_refused(store: StateStore, title: str, query: str) -> None:
    with pytest.raises(RequestError, match="characters"):
        store.named_searches.keep("mara", title, query)


def test_one_owner_keeps_so_many(store: StateStore) -> None:
    most = StateOptions().max_named_searches
    for number in range(most):
        store.named_searches.keep("mara", f"{number}", "x")
    with pytest.raises(RequestError, match=f"at most {most}"):
        store.named_searches.keep("mara", "one more", "x")
    store.named_searches.keep("otto", "mine", "x")
    store.named_searches.keep("mara", "7", "another")
    assert len(store.named_searches.of("mara")) == most


def test_recent_searches_are_the_owners_each_once(store: StateStore) -> None:
    saved = store.saved_searches
    for owner, query in (("mara", "a"), ("otto", "z"), ("mara", "b"), ("mara", "a")):
        saved.save(owner, query)
    recent = [one.query for one in saved.recent("mara", 10)]
    assert sorted(recent) == ["a", "b"]
    assert len(saved.recent("mara", 1)) == 1
