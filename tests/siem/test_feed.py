"""The feed: each record exactly once, in the order of the journal, from any place on."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from typing_extensions import override

from audit.errors import Denied, IndexUnavailable, RequestError
from audit.index.criteria import Term
from audit.index.port import Page
from audit.journal.reader import JournalReader
from audit.query.access import Principal, Scope
from audit.siem.feed import Feed, cursor_of, position_of
from tests.journal.journals import open_writer
from tests.projector.messages import NOW, SECOND
from tests.properties import examples
from tests.query.trail import NOBODY, Trail

SIEM = Principal("siem", scopes=frozenset({Scope.SIEM_READ, Scope.AUDIT_READ}), kind="token")
WARD = Principal("ward", scopes=SIEM.scopes, kind="token", rows=Term("app", "ward"))


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    with (
        open_writer(tmp_path) as writer,
        JournalReader(tmp_path / "journal", tmp_path / "run" / "journal.position") as reader,
    ):
        yield Trail(writer, reader)


def say(trail: Trail, *texts: str, app: str = "app", at: int = NOW) -> list[int]:
    said = [trail.take(f"<85>1 - host {app} - - - {text}".encode(), at=at) for text in texts]
    trail.follow()
    return said


def read_all(feed: Feed, position: int = 0, limit: int = 3) -> list[int]:
    found: list[int] = []
    while True:
        piece = feed.read(position, limit)
        found += [record.sequence for record in piece.records]
        assert len(piece.records) <= limit
        position = piece.position
        if piece.caught_up:
            return found


def test_every_record_in_the_order_of_the_journal(trail: Trail) -> None:
    said = [*say(trail, "a", "b", at=NOW + SECOND), *say(trail, "c"), *say(trail, "d", "e", "f")]
    feed = Feed(trail.service().trail, SIEM)
    for limit in (1, 2, 3, 50):
        assert read_all(feed, limit=limit) == said
    for position in range(8):
        assert read_all(feed, position) == [one for one in said if one >= position]


def test_repeats_only_when_asked_for(trail: Trail) -> None:
    first, again = say(trail, "same", "same")
    shared = trail.service().trail
    assert read_all(Feed(shared, SIEM)) == [first]
    assert read_all(Feed(shared, SIEM, include_repeats=True)) == [first, again]


def test_a_few_among_many_are_found(trail: Trail) -> None:
    said: list[int] = []
    for number in range(60):
        say(trail, f"x{number}")
        if number % 17 == 0:
            said += say(trail, f"y{number}", app="ward")
    assert read_all(Feed(trail.service().trail, WARD), limit=2) == said


def test_rows_hold(trail: Trail) -> None:
    say(trail, "x", "y")
    (seen,) = say(trail, "z", app="ward")
    assert read_all(Feed(trail.service().trail, WARD)) == [seen]


def test_own_looks_are_left_out_and_those_of_others_are_not(trail: Trail) -> None:
    shared = trail.service().trail
    feed = Feed(shared, SIEM)
    feed.record_use(("format", "ecs"))
    other = Feed(shared, Principal("other", scopes=SIEM.scopes, kind="token"))
    other.record_use()
    trail.follow()
    (seen,) = feed.read(0, 10).records
    assert seen.first("requestor") == "other"
    assert trail.details()[0] == {"view": "SIEM feed", "format": "ecs"}


def test_without_the_scope_there_is_none(trail: Trail) -> None:
    with pytest.raises(Denied):
        Feed(trail.service().trail, NOBODY)
    assert len(trail.appended) == 1


def test_a_place_behind_the_index_stays(trail: Trail) -> None:
    say(trail, "a")
    piece = Feed(trail.service().trail, SIEM).read(500, 10)
    assert (piece.records, piece.position, piece.caught_up) == ((), 500, True)


def test_a_partial_answer_is_none(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    say(trail, "a")
    feed = Feed(trail.service().trail, SIEM)
    page = Page((), None, partial=True, warnings=("a shard is gone",))
    monkeypatch.setattr(trail.index, "search", lambda *_args, **_more: page)
    with pytest.raises(IndexUnavailable, match="a shard is gone"):
        feed.read(0, 10)


def test_cursors() -> None:
    assert position_of(cursor_of("k3f9x2ab", 42), "k3f9x2ab") == 42
    assert position_of(None, "k3f9x2ab") == 0
    for cursor in ("", "42", "k3f9x2ab-", "other-42", "k3f9x2ab--1", "k3f9x2ab-1\n", "x" * 60):
        with pytest.raises(RequestError, match="after"):
            position_of(cursor, "k3f9x2ab")


class GrowingFeed(RuleBasedStateMachine):
    """Messages come, are indexed late, consumers come and go: none misses or repeats one."""

    @initialize()
    def begin(self) -> None:
        self._made = ExitStack()
        folder = Path(self._made.enter_context(TemporaryDirectory()))
        writer = self._made.enter_context(open_writer(folder))
        position = folder / "run" / "journal.position"
        reader = self._made.enter_context(JournalReader(folder / "journal", position))
        self._trail = Trail(writer, reader)
        self._shared = self._trail.service().trail
        self._said: list[int] = []
        self._searchable: list[int] = []
        self._readers: list[tuple[int, int, list[int]]] = [(0, 0, [])]

    @rule(texts=st.lists(st.integers(0, 10**9), max_size=4, unique=True), later=st.integers(-9, 9))
    def messages_come(self, texts: list[int], later: int) -> None:
        for text in texts:
            raw = f"<85>1 - h a - - - {len(self._said)} {text}".encode()
            self._said.append(self._trail.take(raw, at=NOW + later * SECOND))

    @rule()
    def the_index_follows(self) -> None:
        self._trail.follow()
        self._searchable = list(self._said)

    @rule()
    def somebody_else_looks(self) -> None:
        Feed(self._shared, SIEM).record_use()

    @rule(limit=st.integers(1, 5), which=st.integers(0, 9))
    def somebody_reads_on(self, limit: int, which: int) -> None:
        which %= len(self._readers)
        start, position, found = self._readers[which]
        piece = Feed(self._shared, SIEM).read(position, limit)
        read = [record.sequence for record in piece.records]
        self._readers[which] = (start, piece.position, [*found, *read])

    @rule(which=st.integers(0, 9))
    def another_begins_where_one_is(self, which: int) -> None:
        position = self._readers[which % len(self._readers)][1]
        self._readers.append((position, position, []))

    @invariant()
    def each_has_what_lies_between(self) -> None:
        for start, position, found in getattr(self, "_readers", ()):
            assert found == [one for one in self._searchable if start <= one < position]

    @override
    def teardown(self) -> None:
        if not hasattr(self, "_made"):
            return
        with self._made:
            for start, position, found in self._readers:
                rest = read_all(Feed(self._shared, SIEM), position)
                assert found + rest == [one for one in self._searchable if one >= start]


TestGrowingFeed = GrowingFeed.TestCase
TestGrowingFeed.settings = examples(15, stateful_step_count=25)
