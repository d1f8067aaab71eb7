"""The alias table: names become one, versions stay."""

from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import RequestError
from audit.state.aliases import Aliases, Link, Name
from audit.state.options import StateOptions
from audit.state.store import StateStore
from tests.properties import examples


def names_of(aliases: Aliases, name: Name, version: int | None = None) -> set[tuple[str, str]]:
    found = aliases.find("patient", name, version)
    return {(n.name.identifier, n.name.assigner) for one in found for n in one.names}


def link(aliases: Aliases, *names: Name, evidence: str = "") -> tuple[int, int]:
    return aliases.link("patient", [Link(names, evidence)], by="mara", source="api")


A, B, C, D = Name("A", "x"), Name("B", "y"), Name("C"), Name("D")


def test_names_of_one_are_found_by_each(store: StateStore) -> None:
    aliases = store.aliases
    assert aliases.version() == 0
    assert aliases.find("patient", A) == ()
    assert link(aliases, A, B, evidence="a letter") == (1, 2)
    for name in (A, B, Name("a ", "X"), Name("A")):
        assert names_of(aliases, name) == {("A", "x"), ("B", "y")}
    assert names_of(aliases, Name("A", "other")) == set()
    assert aliases.find("person", A) == ()
    (somebody,) = aliases.find("patient", A)
    assert {(one.source, one.evidence, one.since) for one in somebody.names} == {
        ("api", "a letter", 1)
    }


def test_a_shared_name_makes_two_one_and_again_changes_nothing(store: StateStore) -> None:
    aliases = store.aliases
    link(aliases, A, B)
    link(aliases, C, D)
    version, touched = link(aliases, B, C)
    assert (version, touched) == (3, 2)
    assert names_of(aliases, D) == {("A", "x"), ("B", "y"), ("C", ""), ("D", "")}
    assert link(aliases, A, D) == (3, 0)
    assert aliases.version() == 3


def test_what_was_known_is_known_at_its_version(store: StateStore) -> None:
    aliases = store.aliases
    link(aliases, A, B)
    link(aliases, C, D)
    link(aliases, B, C)
    assert aliases.unlink("patient", A, by="otto") == (4, 1)
    assert aliases.unlink("patient", A, by="otto") == (4, 0)
    assert names_of(aliases, A) == set()
    assert names_of(aliases, B) == {("B", "y"), ("C", ""), ("D", "")}
    assert names_of(aliases, A, 3) == {("A", "x"), ("B", "y"), ("C", ""), ("D", "")}
    assert names_of(aliases, A, 1) == {("A", "x"), ("B", "y")}
    assert names_of(aliases, A, 0) == set()
    assert [(one.version, one.changed_by, one.names) for one in aliases.history()] == [
        (4, "otto", 1),
        (3, "mara", 2),
        (2, "mara", 2),
        (1, "mara", 2),
    ]


def test_one_identifier_of_several_assigners_is_of_several(store: StateStore) -> None:
    aliases = store.aliases
    link(aliases, Name("1", "x"), B)
    link(aliases, Name("1", "z"), C)
    assert len(aliases.find("patient", Name("1"))) == 2
    assert names_of(aliases, Name("1", "z")) == {("1", "z"), ("C", "")}


@pytest.mark.parametrize("name", [Name(""), Name(" "), Name("a" * 257), Name("a", "x" * 257)])
def test_what_is_no_name_is_refused_whole(store: StateStore, name: Name) -> None:
    with pytest.raises(RequestError):
        store.aliases.link("patient", [Link((A, B)), Link((C, name))], by="m", source="csv")
    assert store.aliases.version() == 0
    assert store.aliases.find("patient", A) == ()


def test_bounds(store: StateStore, url: str) -> None:
    many = [Name(str(n)) for n in range(51)]
    with pytest.raises(RequestError, match="more than 50"):
        link(store.aliases, *many)
    with StateStore(url, StateOptions(max_identities=3)) as small:
        link(small.aliases, A, B)
        with pytest.raises(RequestError, match="at most 3"):
            link(small.aliases, C, D)
        assert names_of(small.aliases, C) == set()


def test_how_far_a_learner_has_looked(store: StateStore) -> None:
    assert store.aliases.position("merges") == 0
    for position in (7, 9):
        store.aliases.note_position("merges", position)
        assert store.aliases.position("merges") == position


@given(st.lists(st.sets(st.integers(0, 9), min_size=2, max_size=3), max_size=6))
@examples(25)
def test_linked_names_are_the_connected_ones(links: list[set[int]]) -> None:
    with TemporaryDirectory() as folder, StateStore(f"sqlite:///{folder}/s.db") as store:
        groups = [{n} for n in range(10)]
        for one in links:
            joined = set[int]().union(*(group for group in groups if group & one))
            groups = [group for group in groups if not group & one] + [joined]
            link(store.aliases, *(Name(str(n)) for n in sorted(one)))
        linked = set[int]().union(*links)
        for group in groups:
            for member in group & linked:
                found = {int(name) for name, _ in names_of(store.aliases, Name(str(member)))}
                assert found == group
