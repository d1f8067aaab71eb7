"""Conformance of the senders, as a report: the figures are those of ``audit.query.senders``."""

from collections.abc import Sequence

from audit.query.reports.moment import moment
from audit.query.reports.report import Column, Section
from audit.query.senders import Sender

TITLE = "Conformance of the senders"
BASIS = "DICOM PS3.15 A.5, IHE ITI-20: what each sender sent and what it has to mend."

SENDERS = (
    Column("sender", "Sender", 3),
    Column("app", "Application", 2),
    Column("certificate", "Certificate", 3),
    Column("messages", "Messages", 1),
    Column("valid", "Valid", 1),
    Column("tiers", "Tiers", 2),
    Column("clock", "Clock", 1),
    Column("last", "Last received", 2),
)
RULES = (
    Column("sender", "Sender", 2),
    Column("rule", "Rule", 2),
    Column("severity", "Severity", 1),
    Column("records", "Records", 1),
    Column("clause", "Clause", 2),
    Column("fix", "How to mend it", 5),
)


def sections(senders: Sequence[Sender]) -> tuple[Section, ...]:
    """The senders, and the rules that they broke."""
    return (
        Section(
            name="senders",
            title="Senders",
            columns=SENDERS,
            rows=tuple(map(_sender, senders)),
            note="Repeats left out. The clock is the time of receipt less that of the event, in "
            "the median of the newest records: below zero, it is ahead.",
            empty="No sender sent anything.",
        ),
        Section(
            name="rules",
            title="Rules they broke",
            columns=RULES,
            rows=tuple(
                (
                    _name(one),
                    rule.rule,
                    rule.severity,
                    str(rule.records),
                    rule.clause,
                    rule.fix,
                )
                for one in senders
                for rule in one.rules
            ),
            empty="None.",
        ),
    )


def _name(one: Sender) -> str:
    return one.node or "(unnamed)"


def _sender(one: Sender) -> tuple[str, ...]:
    skew = one.clock_skew
    return (
        _name(one),
        one.app,
        one.subject or one.peer[:16],
        str(one.messages),
        str(one.verdicts.get("valid", 0)),
        ", ".join(f"{name} {count}" for name, count in one.tiers.items()),
        "" if skew is None else f"{skew.median_s:+.1f} s",
        moment(one.last_seen),
    )
