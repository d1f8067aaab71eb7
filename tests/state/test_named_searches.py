import sqlite3
from pathlib import Path

import pytest

from audit.errors import RequestError
from audit.state.options import StateOptions
from audit.state.store import StateStore
from tests.state.conftest import OPTIONS, Clock


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


def test_whether_names_are_exact_is_kept(store: StateStore) -> None:
    searches = store.named_searches
    assert searches.keep("mara", "a", "patient:1", exact_names=True).exact_names
    searches.keep("mara", "b", "patient:1")
    assert [one.exact_names for one in searches.of("mara")] == [True, False]


def test_a_store_of_version_2_gets_what_it_lacks(url: str, tmp_path: Path, clock: Clock) -> None:
    with StateStore(url, OPTIONS, clock) as store:
        store.named_searches.keep("mara", "a", "patient:1")
    connection = sqlite3.connect(tmp_path / "state" / "state.db")
    with connection:
        connection.execute("alter table named_searches drop column exact_names")
        connection.execute("update about set value = '2'")
    connection.close()
    for _ in range(2):
        with StateStore(url, OPTIONS, clock) as store:
            store.named_searches.keep("mara", "b", "patient:1", exact_names=True)
            kept = store.named_searches.of("mara")
            assert [(one.title, one.exact_names) for one in kept] == [("a", False), ("b", True)]


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
