"""Merges in the trail become identities, each on record."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.errors import JournalUnavailable
from audit.service.identity_learning import LEARNER, learn_identities
from audit.state.aliases import Link, Name
from tests.query.test_merges import patient_record
from tests.web.stack import Stack, stack

OLD, NEW = Name("OLD", "1.2"), Name("NEW", "1.2")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    with stack(tmp_path) as made:
        yield made


def test_a_merge_is_linked_once_and_on_record(own: Stack) -> None:
    told: list[str] = []
    aliases = own.state.aliases
    own.add([patient_record("D", "OLD", "m-1"), patient_record("U", "NEW", "m-1")])
    assert learn_identities(own.index, aliases, told.append) == 1
    (somebody,) = aliases.find("patient", OLD)
    assert {one.name for one in somebody.names} == {OLD, NEW}
    assert {one.source for one in somebody.names} == {"trail"}
    assert len(told) == 1
    version = aliases.version()
    own.add([patient_record("U", "NEW", "m-1") + b" "])
    assert learn_identities(own.index, aliases, told.append) == 0
    assert (aliases.version(), len(told)) == (version, 1)
    assert aliases.position(LEARNER) == own.index.position()


def test_what_cant_be_recorded_is_learned_the_next_time(own: Stack) -> None:
    def refuse(_: str) -> None:
        raise JournalUnavailable("stopped")

    own.add([patient_record("D", "OLD", "m-1"), patient_record("U", "NEW", "m-1")])
    with pytest.raises(JournalUnavailable):
        learn_identities(own.index, own.state.aliases, refuse)
    assert own.state.aliases.find("patient", OLD) == ()
    assert learn_identities(own.index, own.state.aliases, lambda _: None) > 0


def test_a_link_that_is_refused_stops_no_other(own: Stack) -> None:
    many = (*(Name(f"N{n}") for n in range(49)), OLD)
    own.state.aliases.link("patient", [Link(many)], by="m", source="csv")
    own.add(
        [
            patient_record("D", "OLD", "m-1"),
            patient_record("U", "NEW", "m-1"),
            patient_record("D", "A", "m-2"),
            patient_record("U", "B", "m-2"),
        ]
    )
    learn_identities(own.index, own.state.aliases, lambda _: None)
    assert own.state.aliases.find("patient", NEW) == ()
    assert len(own.state.aliases.find("patient", Name("A", "1.2"))) == 1
    assert own.state.aliases.position(LEARNER) == own.index.position()
