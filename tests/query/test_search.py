from collections.abc import Callable
from dataclasses import replace

import pytest

from audit.errors import (
    AuditError,
    Denied,
    IndexUnavailable,
    JournalUnavailable,
    NotFound,
    QuerySyntaxError,
    RequestError,
)
from audit.index.criteria import Term
from audit.index.port import Span
from audit.journal.entry import EntryKind, Received
from audit.query.access import READ_SCOPES, Principal, Scope
from audit.query.cursor import InvalidCursor
from audit.query.home import HomeOptions
from audit.query.search import SearchService, Shape
from tests.projector.messages import NOW, SECOND, event, message, patient, study, syslog
from tests.query.trail import MARA, NOBODY, Trail


def fill(trail: Trail, count: int = 10) -> None:
    for number in range(count):
        one = message(objects=(study(), patient(f"P{number % 3}")))
        trail.take(syslog(one, f"ws{number}"), at=NOW + number * SECOND)
    trail.follow()


def test_newest_first_with_total_and_lag(trail: Trail) -> None:
    fill(trail)
    answer = trail.service().search(MARA, "patient:P1", limit=2)
    assert [record.sequence for record in answer.records] == [7, 4]
    shown = answer.as_dict()
    assert shown["total"] == {"value": 3, "relation": "eq"}
    assert shown["index_lag"] == {"journal_seq": 10, "index_seq": 10, "behind": 0}
    assert (shown["partial"], shown["warnings"]) == (False, [])
    assert [item["id"] for item in shown["items"]] == [
        f"{trail.reader.origin}-7",
        f"{trail.reader.origin}-4",
    ]
    assert shown["next_cursor"]


def test_pages_are_stable_while_records_arrive(trail: Trail) -> None:
    fill(trail)
    service = trail.service()
    seen: list[int] = []
    cursor = None
    while True:
        answer = service.search(MARA, "category:access", limit=3, cursor=cursor)
        seen += [record.sequence for record in answer.records]
        assert answer.total.value == 10
        trail.take(syslog(message()), at=NOW + 3 * SECOND)
        trail.follow()
        cursor = answer.next_cursor
        if cursor is None:
            break
    assert seen == list(range(9, -1, -1))


def test_relative_times_count_from_the_first_page(trail: Trail) -> None:
    for number in range(4):
        trail.take(syslog(message(event(event_date_time="x"))), at=NOW + number * SECOND)
    trail.follow()
    trail.now = NOW + 4 * SECOND
    service = trail.service()
    first = service.search(MARA, "after:-4s category:access", limit=2, include_repeats=True)
    trail.now += 2 * SECOND
    second = service.search(
        MARA,
        "after:-4s category:access",
        limit=2,
        cursor=first.next_cursor,
        include_repeats=True,
    )
    assert [record.sequence for record in (*first.records, *second.records)] == [3, 2, 1, 0]


def test_a_cursor_serves_its_own_query_alone(trail: Trail) -> None:
    fill(trail)
    service = trail.service()
    cursor = service.search(MARA, "category:access", limit=2).next_cursor
    for query, repeats in (("category:query", False), ("category:access", True)):
        with pytest.raises(InvalidCursor):
            service.search(MARA, query, cursor=cursor, include_repeats=repeats)


def test_repeats_are_hidden_and_counted(trail: Trail) -> None:
    for _ in range(3):
        trail.take(syslog(message()))
    trail.follow()
    service = trail.service()
    answer = service.search(MARA, "")
    assert [record.sequence for record in answer.records] == [0]
    assert (answer.total.value, answer.repeats_hidden.value) == (1, 2)
    whole = service.search(MARA, "category:access", include_repeats=True)
    assert (whole.total.value, whole.repeats_hidden.value) == (3, 0)


def test_counting_stops_at_its_bound(trail: Trail) -> None:
    fill(trail)
    answer = trail.service(count_at_most=4).search(MARA, "category:access", limit=1)
    assert answer.as_dict()["total"] == {"value": 4, "relation": "gte"}


def test_counting_phrases_stops_earlier(trail: Trail) -> None:
    fill(trail)
    service = trail.service(count_phrases_at_most=3)
    for query in ('"ct thorax"', 'x OR (-y "ct thorax")'):
        assert service.search(MARA, query, limit=1).total.value == 3
        assert not service.search(MARA, query, limit=1).total.exact
    assert service.search(MARA, "ct thorax", limit=1).total.exact


def test_criteria_are_taken_too(trail: Trail) -> None:
    fill(trail)
    answer = trail.service().search(MARA, Term("patient", "P2"))
    assert [record.sequence for record in answer.records] == [8, 5, 2]
    assert "P2" in trail.details()[0]["query"]


def test_an_answer_says_how_far_the_index_is_behind(trail: Trail) -> None:
    fill(trail, 3)
    trail.take(syslog(message()))
    lag = trail.service().search(MARA, "").index_lag
    assert (lag.journal_seq, lag.index_seq, lag.behind) == (4, 3, 1)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_limits(trail: Trail, limit: int) -> None:
    with pytest.raises(RequestError, match="allowed are 1 to 1000"):
        trail.service().search(MARA, "", limit=limit)


def test_a_query_that_cannot_be_read_shows_nothing(trail: Trail) -> None:
    with pytest.raises(QuerySyntaxError):
        trail.service().search(MARA, "usr:x")


def test_one_record_by_id_or_bare_sequence(trail: Trail) -> None:
    fill(trail)
    service = trail.service()
    for name in ("4", " 4 "):
        assert service.event(MARA, name).record.sequence == 4
    answer = service.event(MARA, f"{trail.reader.origin}-4")
    shown = answer.as_dict()
    assert shown["summary"] == "Mara Voss opened the study CT Thorax of Doe^Jane (P1)."
    assert shown["body"]["message"]["objects"][1]["id"] == "P1"
    assert shown["index_lag"]["behind"] == 2


@pytest.mark.parametrize(
    "name", ["", "x", "other-4", "4-4", "-4", "99", "9" * 19, "9" * 30, "4.0", "٤"]
)
def test_no_such_record(trail: Trail, name: str) -> None:
    fill(trail, 5)
    service = trail.service()
    with pytest.raises(NotFound):
        service.event(MARA, name)
    with pytest.raises(NotFound):
        service.message(MARA, name)


def test_a_record_that_is_journaled_but_not_searchable_yet(trail: Trail) -> None:
    fill(trail, 1)
    trail.take(syslog(message()))
    with pytest.raises(NotFound, match="not searchable yet"):
        trail.service().event(MARA, "1")
    with pytest.raises(NotFound, match=r"record 7$"):
        trail.service().event(MARA, "7")


def test_the_exact_octets_come_from_the_journal(trail: Trail) -> None:
    raw = b"\xef\xbb\xbf" + syslog(message()) + b"\r\n"
    trail.take(raw)
    answer = trail.service().message(MARA, "0")
    assert answer.received == raw
    assert answer.msg.startswith(b"<?xml")
    assert answer.msg.endswith(b"\r\n")
    assert not answer.is_truncated
    assert answer.id == f"{trail.reader.origin}-0"


def test_a_cut_message_says_how_long_it_was(trail: Trail) -> None:
    arrival = Received(b"<85>1 head", NOW, "tls", "", b"", EntryKind.TRUNCATED, 20_000_000)
    trail.writer.append([arrival])
    answer = trail.service().message(MARA, "0")
    assert answer.is_truncated
    assert answer.original_length == 20_000_000


def test_a_certificate_is_no_message(trail: Trail) -> None:
    arrival = Received(b"der", NOW, "tls", "", bytes(32), EntryKind.CERTIFICATE)
    trail.writer.append([arrival])
    with pytest.raises(NotFound, match="certificate"):
        trail.service().message(MARA, "0")


def test_an_overview(trail: Trail) -> None:
    fill(trail)
    trail.take(syslog(message(), "ws0"), at=NOW)
    span = Span(start=NOW, end=NOW + 10 * SECOND, interval=5 * SECOND)
    shape = Shape(facets=("patient", "outcome"), size=2, span=span, split="category")
    overview = trail.service().overview(MARA, "category:access", shape)
    assert overview.facets == {
        "patient": (("p0", 4), ("p1", 3)),
        "outcome": (("success", 10),),
    }
    assert [bucket.counts for bucket in overview.histogram] == [{"access": 10}, {}]
    assert overview.total.value == 10
    plain = trail.service().overview(MARA, "", Shape())
    assert (plain.facets, plain.histogram) == ({}, ())


def test_an_overview_has_bounds(trail: Trail) -> None:
    service = trail.service(max_buckets=10, max_facet_size=5)
    with pytest.raises(RequestError, match="size"):
        service.overview(MARA, "", Shape(facets=("user",), size=6))
    for span in (Span(start=0, end=11, interval=1), Span(start=0, end=11, interval=0)):
        with pytest.raises(RequestError, match="buckets"):
            service.overview(MARA, "", Shape(size=1, span=span))


READS: dict[str, Callable[[SearchService, Principal], object]] = {
    "search": lambda service, who: service.search(who, "patient:P1"),
    "overview": lambda service, who: service.overview(who, "patient:P1", Shape(("user",))),
    "event": lambda service, who: service.event(who, "1"),
    "message": lambda service, who: service.message(who, "1"),
    "home": lambda service, who: service.home(who),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_every_look_is_journaled_once(
    trail: Trail, read: Callable[[SearchService, Principal], object]
) -> None:
    fill(trail, 3)
    read(trail.service(), MARA)
    assert len(trail.appended) == 1
    assert trail.reader.durable_count() == 4
    record = trail.own_records()[0]
    assert record.first("event") == "110101"
    assert record.first("outcome") == "success"
    assert record.values("requestor") == (MARA.name,)
    assert trail.details()[0]


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_without_a_journal_there_is_no_answer(
    trail: Trail, read: Callable[[SearchService, Principal], object]
) -> None:
    fill(trail, 3)
    trail.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        read(trail.service(), MARA)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_who_lacks_the_scope_gets_nothing_and_is_journaled(
    trail: Trail, read: Callable[[SearchService, Principal], object]
) -> None:
    fill(trail, 3)
    with pytest.raises(Denied):
        read(trail.service(), NOBODY)
    record = trail.own_records()[0]
    assert record.first("outcome") == "serious-failure"
    assert record.values("requestor") == ("guest",)


def test_octets_need_a_scope_of_their_own(trail: Trail) -> None:
    fill(trail, 3)
    reader = Principal("r", scopes=frozenset({Scope.EVENTS_READ}))
    service = trail.service()
    assert service.event(reader, "1").record.sequence == 1
    with pytest.raises(Denied, match="events:raw"):
        service.message(reader, "1")
    raw_only = Principal("r", scopes=frozenset(READ_SCOPES) - {Scope.EVENTS_READ})
    with pytest.raises(Denied, match="events:read"):
        service.search(raw_only, "")


@pytest.mark.parametrize("name", ["search", "overview", "event", "home"])
def test_an_index_that_is_down_gives_no_answer(trail: Trail, name: str) -> None:
    fill(trail, 3)
    trail.index.fault = IndexUnavailable("down")
    with pytest.raises(IndexUnavailable):
        READS[name](trail.service(), MARA)


def test_the_octets_need_no_index(trail: Trail) -> None:
    fill(trail, 3)
    trail.index.fault = IndexUnavailable("down")
    assert trail.service().message(MARA, "1").received


def test_services_with_one_key_share_cursors(trail: Trail) -> None:
    fill(trail)
    cursor = trail.service().search(MARA, "", limit=1).next_cursor
    assert trail.service().search(MARA, "", limit=1, cursor=cursor).records
    with pytest.raises(InvalidCursor):
        trail.service(cursor_key=b"other").search(MARA, "", limit=1, cursor=cursor)


def test_home(trail: Trail) -> None:
    fill(trail)
    trail.take(syslog(message(event("110114", event_outcome_indicator="8"))), at=NOW)
    trail.take(syslog(message(event("110113", event_outcome_indicator="12"))), at=NOW)
    trail.take(syslog(b"no XML"), at=NOW)
    trail.follow()
    answer = trail.service(home=HomeOptions(window_s=3600, buckets=6)).home(MARA)
    figures = answer.figures
    assert len(figures.histogram) == 6
    assert sum(bucket.total for bucket in figures.histogram) == 13
    assert dict(figures.categories)["access"] == 10
    assert figures.users == (("mvoss@example.org", 4),)
    assert [record.first("category") for record in figures.failures] == ["authentication"]
    assert (figures.failure_total.value, figures.alerts.value) == (1, 1)
    assert figures.findings
    assert answer.index["backend"] == "memory"
    assert answer.origin == trail.reader.origin
    assert answer.index_lag.behind == 0


def test_errors_are_ours() -> None:
    assert issubclass(InvalidCursor, AuditError)


def test_a_cursor_is_of_whoever_got_it(trail: Trail) -> None:
    fill(trail, 3)
    service = trail.service()
    first = service.search(MARA, "", limit=1)
    other = replace(MARA, name="another@example.org")
    with pytest.raises(InvalidCursor):
        service.search(other, "", limit=1, cursor=first.next_cursor)
    assert service.search(MARA, "", limit=1, cursor=first.next_cursor).records


def test_a_page_while_the_index_is_made_anew_says_so(trail: Trail) -> None:
    fill(trail, 3)
    service = trail.service()
    first = service.search(MARA, "", limit=1)
    assert not first.partial
    trail.index.clear()
    later = service.search(MARA, "", limit=1, cursor=first.next_cursor)
    assert later.partial
    assert "made anew" in later.warnings[0]
