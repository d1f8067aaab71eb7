"""What else went on about the time of one record."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.errors import RequestError
from audit.index.criteria import And, Criteria, Or, Range, Term
from audit.index.document import IndexedRecord
from audit.index.port import Page, Place
from audit.query.access import Principal, Scope
from audit.query.answers import Answer
from audit.query.audited_trail import AuditedTrail, Details, check_bound
from audit.query.home import NOT_REPEATED
from audit.query.language_times import NS_PER_S
from audit.query.view import PrincipalView


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """Which records are neighbours of one.

    Attributes:
        window_s: their event's time is at most so far from its.
        same: keyword fields of which they must share a value with it.
        include_repeats: byte-identical re-deliveries are neighbours too.
    """

    window_s: int = 300
    same: tuple[str, ...] = ()
    include_repeats: bool = False


def neighbours(
    trail: AuditedTrail,
    principal: Principal,
    record_id: str,
    asked: Neighbourhood,
    *,
    limit: int = 100,
) -> Answer:
    """The records nearest in time to one, that one among them, newest first.

    Needs ``events:read``. Beyond ``limit`` the farther ones are left out, and the answer warns.

    Raises:
        NotFound: there is no such record, or it isn't searchable yet.
        RequestError: a bound is broken, or the record has no value of a field of ``same``.
    """
    details: Details = (
        ("neighbours of", record_id),
        ("seconds", str(asked.window_s)),
        *((("same", " ".join(asked.same)),) if asked.same else ()),
    )
    trail.require(principal, Scope.EVENTS_READ, details)
    check_bound("limit", limit, trail.options.max_limit)
    check_bound("window_s", asked.window_s, trail.options.max_neighbour_window_s)
    record, lag = trail.record(principal, record_id)
    view = trail.view(principal)
    window = asked.window_s * NS_PER_S
    within = Range("time", record.time - window, record.time + window + 1)
    found = And((within, *(_shared(record, name) for name in asked.same)))
    shown = found if asked.include_repeats else And((found, NOT_REPEATED))
    pages = _around(view, shown, record, limit)
    records = _nearest(record, [one for page in pages for one in page.records], limit)
    warnings = [warning for page in pages for warning in page.warnings]
    total = trail.count(shown, view)
    if total.value > len(records):
        warnings.append("only the nearest in time are shown")
    answer = Answer(
        records=records,
        next_cursor=None,
        total=total,
        repeats_hidden=trail.repeats(found, view, shown=asked.include_repeats),
        index_lag=lag,
        partial=any(page.partial for page in pages),
        warnings=tuple(warnings),
    )
    trail.audit.used(principal, (*details, ("records shown", str(len(records)))), records)
    return answer


def _shared(record: IndexedRecord, name: str) -> Criteria:
    values = record.values(name)
    if not values:
        raise RequestError(f"{record.id} has no {name} that another record could share")
    return Or(tuple(Term(name, value) for value in values))


def _around(
    view: PrincipalView, shown: Criteria, record: IndexedRecord, limit: int
) -> tuple[Page, Page]:
    """So many on either side; the nearest of both are among them."""
    place = Place(record.time, record.sequence)
    return (
        view.search(shown, limit=limit, after=place, newest_first=True),
        view.search(shown, limit=limit, after=place, newest_first=False),
    )


def _nearest(
    record: IndexedRecord, others: Sequence[IndexedRecord], limit: int
) -> tuple[IndexedRecord, ...]:
    near = sorted(others, key=lambda one: (abs(one.time - record.time), one.sequence))
    chosen = (record, *near[: limit - 1])
    return tuple(sorted(chosen, key=lambda one: (one.time, one.sequence), reverse=True))
