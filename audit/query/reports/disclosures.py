"""Accounting of disclosures (45 CFR 164.528), with a log of what was left out and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from audit.index.criteria import And, Criteria, Or, Term
from audit.query.reports import wording
from audit.query.reports.asked import ReportAsked
from audit.query.reports.gather import Gather
from audit.query.reports.moment import moment
from audit.query.reports.patients import Touched, touched
from audit.query.reports.report import Column, Section
from audit.standards.files import read_toml

TITLE = "Accounting of disclosures"
BASIS = "45 CFR 164.528. Six years back at most; to be given within 60 days of being asked for."

CANDIDATES: Criteria = Or(
    (
        Term("category", "export"),
        Term("kind", "disclosure"),
        And((Term("category", "transfer"), Term("kind", "outside"))),
    )
)
"""Events by which data may have left: exports, disclosures said to be so, transfers outside."""

ACCOUNT = (
    Column("first", "Date", 2),
    Column("recipient", "Recipient", 3),
    Column("address", "Address", 2),
    Column("what", "What was disclosed", 4),
    Column("purpose", "Purpose", 2),
    Column("by", "Released by", 3),
    Column("times", "Times", 1),
    Column("last", "Last", 2),
    Column("records", "Records", 2),
)
LEFT_OUT = (
    Column("time", "Date", 2),
    Column("event", "Event", 3),
    Column("recipient", "Recipient", 3),
    Column("paragraph", "Paragraph", 2),
    Column("why", "Why it is left out", 3),
    Column("record", "Record", 2),
)
_SAME_ACT = "110102"
_FAILED = frozenset({"serious-failure", "major-failure"})
"""Of a minor failure, after which the act goes on, data may have left (RFC 3881 5.1.4)."""
_MOST_RECORDS = 20


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why an event is not accounted for; the paragraph is empty where no law is needed."""

    paragraph: str
    why: str


@cache
def _paragraphs() -> Mapping[str, Exclusion]:
    """The exclusion by purpose of use."""
    table = read_toml("reports/disclosures.toml")["paragraph"]
    return {
        code: Exclusion(name, row["meaning"])
        for name, row in table.items()
        for code in row["purposes"]
    }


def exclusion_of(one: Touched) -> Exclusion | None:
    """Why this event is left out; None when it is accounted for."""
    record = one.record
    if record.first("outcome") in _FAILED:
        return Exclusion("", f"it did not succeed: {wording.outcome(record)}")
    if record.first("event") == _SAME_ACT:
        return Exclusion("", "the begin of a transfer; its end is an event of its own")
    event = wording.message_of(record)["event"] or {"purposes": []}
    codes = [purpose["code"] for purpose in event["purposes"]]
    found = [_paragraphs().get(code.upper()) for code in codes]
    # An event for several purposes is left out only when each of them takes it out.
    return found[0] if found and all(found) else None


def recipients(one: Touched) -> list[wording.JsonObject]:
    """Who received: the destination, else whoever asked for it without being its source."""
    destination = wording.in_role(one.record, wording.DESTINATION)
    if destination:
        return destination
    every = wording.participants(one.record)
    return [
        who
        for who in every
        if who["is_requestor"] and not wording.has_role(who, wording.SOURCE) and who["roles"]
    ]


def media(one: Touched) -> str:
    """The medium, where the data went onto one."""
    every = wording.message_of(one.record)["participants"]
    told = [who["media"]["text"] or who["media"]["code"] for who in every if who["media"]]
    return wording.BETWEEN.join(dict.fromkeys(told))


def releasing(one: Touched) -> str:
    """Every agent that released: the sources, else the people who acted."""
    sources = wording.in_role(one.record, wording.SOURCE)
    return wording.names(sources or wording.people(one.record))


def _recipient(one: Touched) -> str:
    named = wording.names(recipients(one))
    medium = media(one)
    if named and medium:
        return f"{named} (on {medium})"
    return named or (f"not named (on {medium})" if medium else "not named")


def sections(gather: Gather, asked: ReportAsked) -> tuple[Section, ...]:
    """The account, repeated disclosures to one recipient for one purpose as 164.528(b)(3) has it,
    and what was left out.
    """
    found = touched(gather, asked.patients, CANDIDATES)
    excluded = [(one, exclusion_of(one)) for one in found]
    account = Section(
        name="disclosures",
        title="Disclosures",
        columns=ACCOUNT,
        rows=tuple(_rows(one for one, why in excluded if why is None)),
        note="Several disclosures to one recipient for one purpose are one line: the first in "
        "full, their number and the date of the last (164.528(b)(3)). No record tells of what "
        "was given away by word of mouth or on paper.",
        empty="No disclosure was recorded that has to be accounted for.",
    )
    left_out = Section(
        name="left_out",
        title="Left out",
        columns=LEFT_OUT,
        rows=tuple(_left_out(one, why) for one, why in excluded if why is not None),
        note="By the purposes that the messages state. No code tells of what is incidental, "
        "authorised, for national security, in custody, or a limited data set (164.528(a)(1)"
        "(iii), (iv), (vi) to (viii)): such disclosures stand above. Whether an agency asked for "
        "a suspension (164.528(a)(2)) is for whoever gives this out to check.",
        empty="Nothing was left out.",
    )
    return account, left_out


def _rows(found: Iterable[Touched]) -> Iterable[tuple[str, ...]]:
    groups: dict[tuple[str, str], list[Touched]] = {}
    for one in found:
        groups.setdefault((_recipient(one), wording.purposes(one.record)), []).append(one)
    for (recipient, purpose), group in groups.items():
        first, last = group[0], group[-1]
        ids = [one.record.id for one in group]
        more = f" and {len(ids) - _MOST_RECORDS} more" if len(ids) > _MOST_RECORDS else ""
        yield (
            moment(first.record.time),
            recipient,
            wording.addresses(recipients(first)),
            first.data or f"not told: {wording.act(first.record)}",
            purpose or "not stated",
            wording.BETWEEN.join(dict.fromkeys(map(releasing, group))),
            str(len(group)),
            moment(last.record.time),
            " ".join(ids[:_MOST_RECORDS]) + more,
        )


def _left_out(one: Touched, why: Exclusion) -> tuple[str, ...]:
    return (
        moment(one.record.time),
        wording.act(one.record),
        _recipient(one),
        why.paragraph,
        why.why,
        one.record.id,
    )
