"""The table for the operator and the page for the vendor."""

from dataclasses import replace

from audit.query.answers import IndexLag
from audit.query.broken_rules import BrokenRule, Example
from audit.query.sender_text import render_for_vendor, render_table
from audit.query.senders import ClockSkew, Period, Sender, SendersAnswer
from tests.projector.messages import DAY, NOW, SECOND

RULE = BrokenRule(
    rule="user-is-requestor",
    severity="error",
    clause="PS3.15 A.5.1",
    title="UserIsRequestor is written true, false, 1 or 0.",
    fix="Write it in lower case: true or false.",
    records=2,
    examples=(
        Example(
            id="log-7", message="is 'TRUE'", path="/A/@B", line=4, excerpt="<A B='TRUE'\n   ^"
        ),
        Example(id="log-8", message="is 'FALSE'"),
    ),
)
INFO = replace(RULE, rule="syslog-msgid", severity="info", title="The MSGID.")
SENDER = Sender(
    node="CT1",
    peer="ab" * 32,
    app="modality",
    subject="CN=ct1",
    hosts=("ct1.example",),
    addresses=("192.0.2.9",),
    messages=5,
    repeats=1,
    verdicts={"valid": 3, "invalid": 2},
    tiers={"dicom": 3, "none": 2},
    dialects={"dicom": 5},
    severities={"none": 3, "error": 2},
    rules=(RULE, INFO),
    clock_skew=ClockSkew(records=5, median_s=-90.0, last_s=2.04, least_s=-7200, greatest_s=2.04),
    first_seen=NOW - DAY,
    last_seen=NOW + 5,
)
BARE = replace(SENDER, node="", peer="", app="", subject="", hosts=(), clock_skew=None, rules=())


def answer(*senders: Sender) -> SendersAnswer:
    return SendersAnswer(
        period=Period(NOW - 7 * DAY, NOW + SECOND), senders=senders, index_lag=IndexLag(6, 6)
    )


def test_the_table_has_a_row_for_each_sender_and_its_rules() -> None:
    lines = render_table(answer(SENDER, BARE)).split("\n")
    assert lines[0].split() == [
        "sender", "certificate", "application", "records", "invalid", "tier", "clock",
    ]  # fmt: skip
    assert lines[1].split("  ")[0] == "CT1"
    assert "-1.5 min" in lines[1]
    assert lines[2].strip() == f"2  error user-is-requestor: {RULE.title}"
    assert lines[3].startswith("(no AuditSourceID)")
    assert len(lines) == 4


def test_a_certificate_without_a_subject_is_named_by_its_digest() -> None:
    assert "abababababab  " in render_table(answer(replace(SENDER, subject="")))


def test_long_and_hostile_names_stay_in_their_column() -> None:
    text = render_table(answer(replace(SENDER, node="n" * 400 + "\x1b[31m\n")))
    assert "\x1b" not in text
    assert max(len(line) for line in text.split("\n")) < 200


def test_the_page_for_the_vendor_tells_every_rule_and_its_mend() -> None:
    page = render_for_vendor(answer(SENDER))
    for told in (
        "Audit messages of CT1",
        "Received      2026-05-21T20:26:40Z to 2026-05-28T20:26:41Z",
        "Seen          2026-05-27T20:26:40Z to 2026-05-28T20:26:40Z",
        "Messages      5 (3 valid, 2 invalid)",
        "Certificate   CN=ct1 (SHA-256 abab",
        "Hosts         ct1.example",
        "events are dated -1.5 min before receipt in the median of 5, 2.0 s the last, -2.0 h to",
        "1. UserIsRequestor is written true, false, 1 or 0.",
        "error user-is-requestor, PS3.15 A.5.1; 2 messages",
        "How to mend it: Write it in lower case: true or false.",
        "- log-7, line 4 at /A/@B: is 'TRUE'",
        "         <A B='TRUE'\n            ^",
        "- log-8: is 'FALSE'",
        "2. The MSGID.",
    ):
        assert told in page


def test_a_sender_without_faults_is_told_so() -> None:
    page = render_for_vendor(answer(BARE))
    assert page.startswith("Audit messages of a sender without AuditSourceID\n====")
    assert page.endswith("Every message kept to the standard.")
    assert "Certificate" not in page
