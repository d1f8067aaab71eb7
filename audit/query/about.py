"""Everything about one patient, study, user, node or address: the newest records, within a bound.

Unlike a search it reads more than a page, so that who, when and from where can be summed up.
"""

from dataclasses import dataclass
from typing import Literal

from audit.errors import IndexUnavailable
from audit.index.criteria import And, Criteria
from audit.index.document import IndexedRecord
from audit.index.port import Bucket, Place, Span, Total
from audit.query.access import Principal, Scope
from audit.query.answers import Facets, IndexLag
from audit.query.audited_trail import AuditedTrail, Details
from audit.query.home import NOT_REPEATED
from audit.query.narrowing import fitting_span
from audit.query.patients_shown import PatientsShown
from audit.query.view import PrincipalView

Kind = Literal["patient", "user", "study", "node", "address"]

_PAGE = 500

FACETS: dict[Kind, tuple[str, ...]] = {
    "patient": ("category", "node"),
    "user": ("category", "patient", "node", "address"),
    "study": ("category", "node", "requestor"),
    "node": ("category", "requestor", "finding", "address"),
    "address": ("category", "user", "node", "outcome"),
}
"""What is counted over all records; of a patient nothing in which another could stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutRequest:
    """What is asked about one value.

    Attributes:
        kind: which field it is a value of.
        value: the value, as the audit trail will name it.
        criteria: what finds its records.
        also: other names that the criteria ask for, as identifiers of the same patient or user.
        facet_size: how many values of each field are counted.
        bars: most bars of the course over time.
        offset_ns: of the zone in which the bars of a day begin.
    """

    kind: Kind
    value: str
    criteria: Criteria
    also: tuple[str, ...] = ()
    facet_size: int = 12
    bars: int = 60
    offset_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Everything about one value.

    Attributes:
        records: the newest, newest first.
        total: how many there are, repeats left out.
        oldest: time of the very first; None without any record.
        distinct_patients: different patients beside a user; 0 for other kinds.
        facets: the commonest values beside it.
        span: the time that the bars cover; None without any record.
        bars: records by time and category.
        index_lag: how far the index is behind the journal.
        partial: a part of the index did not answer.
        warnings: what to know about the answer.
    """

    records: tuple[IndexedRecord, ...]
    total: Total
    oldest: int | None
    distinct_patients: int
    facets: Facets
    span: Span | None
    bars: tuple[Bucket, ...]
    index_lag: IndexLag
    partial: bool
    warnings: tuple[str, ...]

    @property
    def is_cut(self) -> bool:
        """Whether there are more records than were read."""
        return not self.total.exact or self.total.value > len(self.records)


def about(trail: AuditedTrail, principal: Principal, asked: AboutRequest) -> About:
    """The records about one value and what is beside it; journaled as one look.

    Needs ``events:read``. At most ``SearchOptions.max_about_records`` are read.

    Raises:
        Denied, JournalUnavailable, IndexUnavailable: as every look does.
    """
    named: Details = (
        ("view", f"everything about one {asked.kind}"),
        (asked.kind, asked.value),
        *(("also known as", one) for one in asked.also),
    )
    trail.require(principal, Scope.EVENTS_READ, named)
    view = trail.view(principal)
    found = And((asked.criteria, NOT_REPEATED))
    records, warnings = _newest(view, found, trail.options.max_about_records)
    span = fitting_span(view, found, asked.bars, asked.offset_ns) if records else None
    oldest = view.search(found, limit=1, newest_first=False).records
    answer = About(
        records=records,
        total=trail.count(found, view),
        oldest=oldest[0].time if oldest else None,
        distinct_patients=_patients(view, found) if asked.kind == "user" else 0,
        facets=view.facets(found, FACETS[asked.kind], asked.facet_size) if records else {},
        span=span,
        bars=view.histogram(found, span, "category") if span else (),
        index_lag=trail.lag(),
        partial=bool(warnings),
        warnings=warnings,
    )
    told = (*named, ("records shown", str(len(records))))
    trail.audit.used(principal, told, _patients_shown(asked, answer))
    return answer


def _patients_shown(asked: AboutRequest, answer: About) -> PatientsShown:
    """Of one patient, only that one is shown, whoever else the records name."""
    if asked.kind == "patient":
        names = (asked.value, *asked.also)
        return PatientsShown(identifiers=names if answer.records else ())
    beside = (value for value, _ in answer.facets.get("patient", ()))
    return PatientsShown(answer.records, beside)


def _newest(
    view: PrincipalView, found: Criteria, most: int
) -> tuple[tuple[IndexedRecord, ...], tuple[str, ...]]:
    records: list[IndexedRecord] = []
    warnings: list[str] = []
    place: Place | None = None
    while len(records) < most:
        page = view.search(found, limit=min(_PAGE, most - len(records)), after=place)
        records += page.records
        warnings += page.warnings
        if page.partial and not page.warnings:
            raise IndexUnavailable("a part of the index did not answer")
        place = page.next_place
        if place is None:
            break
    return tuple(records), tuple(dict.fromkeys(warnings))


def _patients(view: PrincipalView, found: Criteria) -> int:
    """Different patients beside the one user that all these records name: no one has more."""
    most = view.top_by_distinct(found, "user", "patient", 1)
    return most[0][1] if most else 0
