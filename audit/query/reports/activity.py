"""Review of system activity for a period, with the reviews that were signed off before."""

from collections.abc import Iterator

from audit.index.criteria import And, Criteria, Everything, Not, Phrase, Term
from audit.index.document import IndexedRecord
from audit.query.reports import wording
from audit.query.reports.asked import ReportAsked
from audit.query.reports.gather import Gather
from audit.query.reports.moment import moment
from audit.query.reports.report import Column, Section
from audit.query.roles import OWN_USE

TITLE = "Review of system activity"
BASIS = "45 CFR 164.308(a)(1)(ii)(D): regular review of audit logs, access reports and incidents."

SIGNED = "review signed off"
"""Type of the detail that a sign-off's own record carries; its value is the period."""

SUMS = (Column("what", "What", 4), Column("records", "Records", 1))
MATRIX = (
    Column("category", "Category", 3),
    Column("success", "Success", 1),
    Column("minor", "Minor failure", 1),
    Column("serious", "Serious failure", 1),
    Column("major", "Major failure", 1),
    Column("untold", "Not told", 1),
)
LISTED = (
    Column("time", "Time", 2),
    Column("act", "What happened", 4),
    Column("who", "Who", 3),
    Column("outcome", "Outcome or gravity", 1),
    Column("where", "Reported by", 2),
    Column("record", "Record", 2),
)
PEOPLE = (Column("who", "User", 3), Column("patients", "Different patients", 1))
SIGN_OFFS = (
    Column("time", "Signed off at", 2),
    Column("who", "By", 3),
    Column("period", "Period reviewed", 4),
    Column("statement", "Statement", 4),
    Column("record", "Record", 2),
)
_OUTCOMES = ("success", "minor-failure", "serious-failure", "major-failure")
FAILED_LOGIN: Criteria = And((Term("category", "authentication"), Not(Term("outcome", "success"))))
_MOST_LISTED = 500


def sections(gather: Gather, _asked: ReportAsked) -> tuple[Section, ...]:
    """Figures, alerts, failed sign-ins, overrides, looks at the trail, and earlier reviews."""
    return (
        Section(
            name="categories",
            title="Events by category and outcome",
            columns=MATRIX,
            rows=tuple(_matrix(gather)),
            empty="No event was recorded.",
        ),
        _listed(gather, "alerts", "Security alerts", Term("category", "security")),
        _listed(gather, "failed_logins", "Sign-ins that failed", FAILED_LOGIN),
        _listed(gather, "overrides", "Emergency access", Term("kind", "emergency-override")),
        Section(
            name="users",
            title="Users by different patients",
            columns=PEOPLE,
            rows=tuple(_users(gather)),
            note="Who touched the data of most patients; many is not wrong in itself.",
            empty="Nobody touched a patient's data.",
        ),
        Section(
            name="messages",
            title="Quality of what was received",
            columns=SUMS,
            rows=tuple(_quality(gather)),
        ),
        _listed(gather, "own_use", "Looks at this audit trail", OWN_USE),
        Section(
            name="sign_offs",
            title="Reviews signed off in this period",
            columns=SIGN_OFFS,
            rows=tuple(_sign_offs(gather)),
            empty="No review was signed off in this period.",
        ),
    )


def _matrix(gather: Gather) -> Iterator[tuple[str, ...]]:
    for category, total in gather.facets(Everything(), "category")["category"]:
        mine = Term("category", category)
        by = dict(gather.facets(mine, "outcome")["outcome"])
        told = [by.get(name, 0) for name in _OUTCOMES]
        yield (category, *map(str, (*told, total - sum(told))))


def _listed(gather: Gather, name: str, title: str, criteria: Criteria) -> Section:
    found = gather.newest(criteria, _MOST_LISTED)
    total = gather.count(criteria)
    shown = len(found)
    return Section(
        name=name,
        title=title,
        columns=LISTED,
        rows=tuple(map(_row, found)),
        note=f"The newest {shown} of {total}." if total > shown else "",
        empty="None was recorded.",
    )


def _row(record: IndexedRecord) -> tuple[str, ...]:
    return (
        moment(record.time),
        wording.act(record),
        wording.names(wording.people(record) or wording.participants(record)),
        wording.outcome(record),
        wording.node(record),
        record.id,
    )


def _users(gather: Gather) -> Iterator[tuple[str, ...]]:
    within = And((gather.period, Not(Term("category", "audit-log-used"))))
    for user, patients in gather.view.top_by_distinct(within, "requestor", "patient", 20):
        yield user, str(patients)


def _quality(gather: Gather) -> Iterator[tuple[str, ...]]:
    for field in ("verdict", "severity"):
        for value, count in gather.facets(Everything(), field)[field]:
            yield f"{field}: {value}", str(count)
    for rule, count in gather.facets(Everything(), "finding")["finding"][:20]:
        yield f"finding: {rule}", str(count)


def _sign_offs(gather: Gather) -> Iterator[tuple[str, ...]]:
    for record in gather.newest(And((OWN_USE, Phrase(SIGNED))), _MOST_LISTED):
        details = {
            detail["type"]: detail["value"]
            for one in wording.message_of(record)["objects"]
            for detail in one["details"]
        }
        if SIGNED in details:
            yield (
                moment(record.time),
                wording.names(wording.people(record)),
                details[SIGNED],
                details.get("statement", ""),
                record.id,
            )
