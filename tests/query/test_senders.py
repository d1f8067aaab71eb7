"""What the report on senders counts, and that replay and rebuilding change nothing in it."""

from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from audit.errors import Denied, JournalUnavailable, RequestError
from audit.frame.syslog import read_header
from audit.index.document import IndexedRecord
from audit.index.port import Page
from audit.query.access import Principal, Scope
from audit.query.senders import (
    Period,
    Sender,
    SenderOptions,
    SenderReporter,
    SendersAnswer,
    clock_skew,
)
from audit.record.parse import parse
from audit.record.serialise import serialise
from audit.record.times import format_ns
from tests.projector.messages import DAY, NOW, SECOND, event, message, received, syslog
from tests.query.memory_index import MemoryIndex
from tests.query.trail import MARA, NOBODY, Trail

PEER = bytes(range(32))
DAY_BEFORE = Period(NOW - DAY, NOW + 1)


def good(node: str = "CT1", seconds: int = 0) -> bytes:
    when = event(event_date_time=format_ns(NOW - seconds * SECOND))
    return serialise(message(when, node=node))


def bad(node: str = "CT1", seconds: int = 0) -> bytes:
    return good(node, seconds).replace(b'UserIsRequestor="true"', b'UserIsRequestor="TRUE"')


def report(trail: Trail, **asked: Any) -> SendersAnswer:
    return trail.service().senders(MARA, **asked)


def by_node(answer: SendersAnswer) -> dict[str, Sender]:
    return {one.node: one for one in answer.senders}


def fill(trail: Trail) -> None:
    for number in range(3):
        trail.take(syslog(good("CT1", number)))
    for number in range(2):
        trail.take(syslog(bad("MR2", number)))
    trail.take(syslog(b"no XML at all"))
    trail.follow()


def test_each_sender_has_its_counts(trail: Trail) -> None:
    fill(trail)
    senders = by_node(report(trail))
    assert set(senders) == {"CT1", "MR2", ""}
    assert (senders["CT1"].messages, senders["CT1"].unsound) == (3, 0)
    assert senders["CT1"].verdicts == {"valid": 3}
    assert senders["MR2"].verdicts == {"invalid": 2}
    assert senders["MR2"].tiers == {"none": 2}
    assert senders["MR2"].dialects == {"dicom": 2}
    assert senders["MR2"].severities == {"error": 2}
    assert senders[""].verdicts == {"malformed": 1}
    assert senders["MR2"].app == "viewer"
    assert senders["MR2"].hosts == ("ws12",)
    assert senders["MR2"].addresses == ("192.0.2.9",)


def test_rules_come_with_mend_and_examples(trail: Trail) -> None:
    fill(trail)
    (rule, *_) = by_node(report(trail))["MR2"].rules
    assert (rule.rule, rule.severity, rule.records) == ("user-is-requestor", "error", 2)
    assert rule.clause == "PS3.15 A.5.1"
    assert rule.fix == "Write it in lower case: true or false."
    assert rule.title
    assert [one.id.partition("-")[2] for one in rule.examples] == ["3", "4"]
    assert rule.examples[0].path.endswith("/@UserIsRequestor")
    assert "TRUE" in rule.examples[0].message


def test_those_with_most_to_mend_come_first(trail: Trail) -> None:
    fill(trail)
    assert [one.node for one in report(trail).senders] == ["MR2", "", "CT1"]


def test_a_source_is_divided_by_certificate_and_application(trail: Trail) -> None:
    writer_says = syslog(good("CT1")).replace(b" viewer ", b" burner ")
    trail.take(syslog(good("CT1", 1)))
    trail.take(writer_says)
    certified = take_certified(trail, syslog(bad("CT1", 2)))
    trail.follow()
    senders = {(one.peer, one.app): one for one in report(trail).senders}
    assert set(senders) == {("", "viewer"), ("", "burner"), (PEER.hex(), "viewer")}
    assert senders[PEER.hex(), "viewer"].rules[0].examples[0].id.endswith(f"-{certified}")
    assert senders["", "burner"].unsound == 0


def take_certified(trail: Trail, raw: bytes) -> int:
    return trail.writer.append([replace(received(raw), certificate_sha256=PEER)])[0]


def test_repeats_are_told_apart_and_not_counted(trail: Trail) -> None:
    for _ in range(3):
        trail.take(syslog(bad("MR2")))
    trail.follow()
    (sender,) = report(trail).senders
    assert (sender.messages, sender.repeats) == (1, 2)
    assert sender.rules[0].records == 1


def test_replay_and_rebuilding_change_nothing(trail: Trail) -> None:
    def told() -> tuple[Sender, ...]:
        return SenderReporter(trail.index, DAY_BEFORE, SenderOptions()).report()

    fill(trail)
    before = told()
    records = list(trail.index.records.values())
    trail.index.put(records, len(records))
    assert told() == before
    trail.index.clear()
    assert told() == ()
    trail.follow()
    assert told() == before


def test_only_what_was_received_in_the_period_counts(trail: Trail) -> None:
    trail.take(syslog(good("CT1", 3)), at=NOW - 2 * DAY)
    trail.take(syslog(good("CT1", 1)), at=NOW - DAY // 2)
    trail.follow()
    assert report(trail, days=1).senders[0].messages == 1
    assert report(trail, days=3).senders[0].messages == 2
    assert report(trail, days=3).period == Period(NOW + 1 - 3 * DAY, NOW + 1)


def test_first_and_last_seen_are_by_receipt_even_when_the_clock_jumps(trail: Trail) -> None:
    start = NOW - 1_000 * SECOND
    ages = [500 + n * 7 % 40 for n in range(40)]
    ages[3], ages[0], ages[39], ages[17] = 900, 1, 800, 0
    for number, age in enumerate(ages):
        trail.take(syslog(good("CT1", age)), at=start + number * SECOND)
    trail.follow()
    reporter = SenderReporter(trail.index, DAY_BEFORE, SenderOptions(sample=1, examples=1))
    (sender,) = reporter.report()
    assert sender.first_seen == start
    assert sender.last_seen == start + 39 * SECOND


def test_the_clock_is_judged_by_the_newest_records(trail: Trail) -> None:
    for age in (2, 4, 60):
        trail.take(syslog(good("CT1", age)))
    trail.follow()
    skew = report(trail).senders[0].clock_skew
    assert skew is not None
    assert (skew.records, skew.median_s, skew.last_s) == (3, 4.0, 60.0)
    assert (skew.least_s, skew.greatest_s) == (2.0, 60.0)


def test_a_time_without_zone_tells_nothing_of_the_clock() -> None:
    def record(sent: str | None) -> IndexedRecord:
        return IndexedRecord(id="a-1", sequence=1, time=0, received=0, body={"event_time": sent})

    assert clock_skew((record(None), record("2026-01-01T00:00:00"), record("noon"))) is None
    ahead = clock_skew((record("1970-01-01T00:00:05Z"),))
    assert ahead is not None
    assert ahead.last_s == -5.0


def test_one_sender_can_be_asked_for(trail: Trail) -> None:
    fill(trail)
    assert [one.node for one in report(trail, node="mr2").senders] == ["MR2"]
    assert [one.node for one in report(trail, node="").senders] == [""]
    assert report(trail, node="nobody").senders == ()


def test_senders_and_parts_are_bounded_and_the_answer_says_so(trail: Trail) -> None:
    for number in range(5):
        trail.take(syslog(good(f"CT{number}", number)))
    trail.take(syslog(bad("MR2")))
    for number in range(4):
        trail.take(syslog(good("XA", number)).replace(b" viewer ", b" app%d " % number))
    trail.follow()
    few = SenderReporter(trail.index, DAY_BEFORE, SenderOptions(senders=2))
    assert "MR2" in {one.node for one in few.report()}
    assert few.warnings == ["more than 2 senders; the rest is left out"]
    parts = SenderReporter(trail.index, DAY_BEFORE, SenderOptions(parts=3))
    assert len([one for one in parts.report() if one.node == "XA"]) == 3
    assert parts.warnings == ["a sender with more than 3 values of app is told only in part"]


def test_rules_and_examples_are_bounded(trail: Trail) -> None:
    fill(trail)
    options = SenderOptions(rules=1, examples=1)
    reporter = SenderReporter(trail.index, DAY_BEFORE, options)
    sender = next(one for one in reporter.report() if one.node == "MR2")
    assert len(sender.rules) == 1
    assert len(sender.rules[0].examples) == 1


def test_an_example_is_found_beyond_the_newest_records(trail: Trail) -> None:
    trail.take(syslog(bad("CT1", 500)))
    for number in range(4):
        trail.take(syslog(good("CT1", number)))
    trail.follow()
    options = SenderOptions(sample=2)
    (sender,) = SenderReporter(trail.index, DAY_BEFORE, options).report()
    assert sender.rules[0].examples[0].id.endswith("-0")


def test_a_rule_that_is_no_more_is_told_as_the_index_knows_it(trail: Trail) -> None:
    fill(trail)
    for key, record in list(trail.index.records.items()):
        fields = record.fields | {"finding": ("rule-of-old",)}
        trail.index.records[key] = replace(record, fields=fields)
    rules = by_node(report(trail))["CT1"].rules
    assert [(one.rule, one.title, one.examples) for one in rules] == [("rule-of-old", "", ())]


def test_a_partial_answer_says_so(trail: Trail) -> None:
    fill(trail)

    class Partial(MemoryIndex):
        @override
        def search(self, *asked: Any, **more: Any) -> Page:
            return replace(super().search(*asked, **more), partial=True, warnings=("a gap",))

    partial = Partial()
    partial.records = trail.index.records
    reporter = SenderReporter(partial, DAY_BEFORE, SenderOptions())
    assert reporter.report()
    assert (reporter.partial, reporter.warnings) == (True, ["a gap"])


def test_names_are_looked_for_once_unless_there_are_too_many(trail: Trail) -> None:
    fill(trail)
    asked: list[tuple[str, ...]] = []

    class Counting(MemoryIndex):
        @override
        def facets(self, criteria: Any, fields: Any, size: int = 10) -> Any:
            asked.append(tuple(fields))
            return super().facets(criteria, fields, size)

    counting = Counting()
    counting.records = trail.index.records
    told = SenderReporter(counting, DAY_BEFORE, SenderOptions()).report()
    assert asked.count(("node",)) == 1
    asked.clear()
    (first,) = SenderReporter(counting, DAY_BEFORE, SenderOptions(senders=1)).report()
    assert asked.count(("node",)) == 2
    assert first.unsound
    assert len(told) > 1


def test_an_empty_index_has_no_senders(trail: Trail) -> None:
    answer = report(trail)
    assert answer.senders == ()
    assert answer.as_dict()["items"] == []


def last_used(trail: Trail) -> tuple[str, list[tuple[str, str]]]:
    raw = trail.appended[-1]
    said = parse(raw[read_header(raw).msg_offset :])
    details = said.participant_objects[0].participant_object_details
    told = [(one.type, (one.octets or b"").decode()) for one in details]
    return said.event_identification.event_outcome_indicator, told


def test_the_report_is_journaled_before_it_is_given(trail: Trail) -> None:
    fill(trail)
    report(trail, days=3)
    assert last_used(trail) == ("0", [("view", "conformance of senders"), ("days", "3")])
    trail.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        report(trail)


def test_excerpts_are_journaled_by_record(trail: Trail) -> None:
    fill(trail)
    (sender,) = report(trail, node="MR2", excerpts=True).senders
    shown = sender.rules[0].examples[0]
    assert 'UserIsRequestor="TRUE"' in shown.excerpt
    assert "Voss" not in shown.excerpt
    assert sender.rules[0].examples[1].excerpt == ""
    assert ("masked lines of", shown.id) in last_used(trail)[1]


@pytest.mark.parametrize(
    ("asked", "needs"),
    [({}, Scope.EVENTS_READ), ({"node": "MR2", "excerpts": True}, Scope.EVENTS_RAW)],
)
def test_the_scopes_are_needed_and_the_attempt_is_journaled(
    trail: Trail, asked: dict[str, Any], needs: Scope
) -> None:
    others = frozenset(Scope) - {needs}
    for principal in (NOBODY, Principal("clerk", scopes=others)):
        with pytest.raises(Denied, match=str(needs)):
            trail.service().senders(principal, **asked)
        assert last_used(trail)[0] == "8"


def test_what_is_out_of_bounds_is_refused(trail: Trail) -> None:
    for days in (0, -1, 3_661):
        with pytest.raises(RequestError, match="days"):
            report(trail, days=days)
    with pytest.raises(RequestError, match="one sender"):
        report(trail, excerpts=True)


def test_the_bounds_are_options_of_the_service(trail: Trail) -> None:
    fill(trail)
    service = trail.service(senders=SenderOptions(senders=1, days=2))
    assert len(service.senders(MARA, 2).senders) == 1
    with pytest.raises(RequestError):
        service.senders(MARA, 3)
