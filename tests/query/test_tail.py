import pytest

from audit.errors import Denied, IndexUnavailable, JournalUnavailable
from audit.index.criteria import matches
from audit.projector.project import project
from audit.query.access import Principal
from audit.query.tail import own_looks
from tests.projector.messages import NOW, SECOND, entry
from tests.query.trail import MARA, NOBODY, Trail

OTHER = Principal("other", scopes=MARA.scopes)


def say(trail: Trail, *texts: str, at: int = NOW) -> None:
    for text in texts:
        trail.take(f"<85>1 - host app - - - {text}".encode(), at=at)
    trail.follow()


def test_records_come_once_and_in_the_order_of_the_journal(trail: Trail) -> None:
    say(trail, "before")
    tail = trail.service(tail_page=2).tail(MARA, "")
    assert tail.step().caught_up
    say(trail, "one", at=NOW + SECOND)
    say(trail, "two", "three")
    steps = [tail.step() for _ in range(4)]
    texts = [[one.sequence for one in step.records] for step in steps]
    assert texts == [[2], [3, 4], [], []]
    assert [step.caught_up for step in steps] == [False, True, True, True]
    assert steps[-1].position == 5
    assert steps[-1].index_lag.behind == 0


def test_the_filter_and_the_place_hold(trail: Trail) -> None:
    say(trail, "red", "green", "red again")
    tail = trail.service().tail(MARA, "red", since=1)
    assert [one.sequence for one in tail.step().records] == [2]
    late = trail.service().tail(MARA, "red", since=2**62)
    assert late.step().records == ()


def test_own_looks_wake_nobody(trail: Trail) -> None:
    service = trail.service()
    tail = service.tail(MARA, "")
    service.search(MARA, "")
    service.search(OTHER, "")
    trail.follow()
    users = [one.first("requestor") for step in (tail.step(),) for one in step.records]
    assert users == ["other"]


def test_looks_of_others_of_the_same_name_are_told(trail: Trail) -> None:
    service = trail.service()
    mine = Principal("siem", display_name="officer", scopes=MARA.scopes, kind="token")
    theirs = Principal("siem", display_name="mallory", scopes=MARA.scopes, kind="token")
    person = Principal("siem", scopes=MARA.scopes)
    tail = service.tail(mine, "")
    for who in (mine, theirs, person):
        service.search(who, "")
    trail.follow()
    assert [one.sequence for one in tail.step().records] == [2, 3]


def test_what_came_from_outside_is_never_taken_for_an_own_look(trail: Trail) -> None:
    trail.service().tail(MARA, "")
    (raw,) = trail.appended
    assert matches(own_looks(MARA), project(entry(raw, listener="web"), "own"))
    for listener in ("tls", "udp", "tcp", "import"):
        assert not matches(own_looks(MARA), project(entry(raw, listener=listener), "own"))


def test_one_record_of_use_and_none_for_steps(trail: Trail) -> None:
    tail = trail.service().tail(MARA, "red")
    for _ in range(5):
        say(trail, "red")
        tail.step()
    trail.service().tail(MARA, "red", recorded=True)
    assert trail.details() == [{"query": "red", "view": "live tail"}]


def test_without_a_record_there_is_no_tail(trail: Trail) -> None:
    trail.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        trail.service().tail(MARA, "")


def test_a_tail_needs_the_scope(trail: Trail) -> None:
    with pytest.raises(Denied):
        trail.service().tail(NOBODY, "", recorded=True)
    assert len(trail.appended) == 1


def test_the_place_is_kept_when_the_index_fails(trail: Trail) -> None:
    tail = trail.service().tail(MARA, "")
    say(trail, "one")
    trail.index.fault = IndexUnavailable("gone")
    with pytest.raises(IndexUnavailable):
        tail.step()
    trail.index.fault = None
    assert "one" in str([one.fields for one in tail.step().records])
