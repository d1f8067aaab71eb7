"""Narrowing: what stands beside an answer so that a person can go on from it.

Commonest values, the course over time, and, where nothing matches, which term is in the way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from audit.index.criteria import And, Criteria, Range
from audit.index.port import Bucket, Span, Total
from audit.query.access import Principal, Scope
from audit.query.answers import Facets
from audit.query.audited_trail import AuditedTrail, Details, check_bound
from audit.query.home import NOT_REPEATED
from audit.query.identities import ByAllNames
from audit.query.language_times import NS_PER_S
from audit.query.patients_shown import PatientsShown
from audit.query.view import PrincipalView

_DAY_S = 86_400
INTERVALS_S = (
    *(1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200),
    *(_DAY_S, 7 * _DAY_S, 28 * _DAY_S, 91 * _DAY_S, 364 * _DAY_S),
)
"""Lengths of a bar that a person can name."""

MOST_HINTS = 12
FEWEST_BARS = 12
"""A short time is shown with empty bars after it, so that one bar doesn't fill the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is wanted beside an answer.

    Attributes:
        facets: keyword fields whose commonest values are asked for, each with how many of them.
        bars: most bars of the course over time; 0 for none.
        split: single-valued keyword field by which the bars are divided.
        offset_ns: of the zone in which the bars of a day begin.
        include_repeats: count byte-identical re-deliveries too.
        instead: queries to count as well, to say what would match without a term.
        by_all_names: asks for patients and people by all their names.
        recorded: the look at the same query has its record already: this is part of it.
    """

    facets: tuple[tuple[str, int], ...] = ()
    bars: int = 0
    split: str | None = "category"
    offset_ns: int = 0
    include_repeats: bool = False
    instead: tuple[str, ...] = ()
    by_all_names: bool = False
    recorded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What stands beside an answer.

    Attributes:
        facets: the commonest values by field.
        span: the time that the bars cover; None without any record.
        bars: records by time.
        instead: how many match each of the queries asked about, in their order.
    """

    facets: Facets = field(default_factory=dict)
    span: Span | None = None
    bars: tuple[Bucket, ...] = ()
    instead: tuple[Total, ...] = ()


def narrowing(trail: AuditedTrail, principal: Principal, query: str, beside: Beside) -> Narrowing:
    """Facets and course over time of the records that match; journaled as one look, or none.

    Needs ``events:read``.

    Raises:
        QuerySyntaxError: the query can't be read.
        RequestError: more is wanted than is allowed.
        Denied, JournalUnavailable, IndexUnavailable: as every look does.
    """
    names = tuple(name for name, _ in beside.facets)
    asked: Details = (("query", query), ("overview of", " ".join(names)))
    trail.require(principal, Scope.EVENTS_READ, asked)
    for _, size in beside.facets:
        check_bound("size", size, trail.options.max_facet_size)
    if beside.bars:
        check_bound("bars", beside.bars, trail.options.max_buckets)
    view = trail.view(principal)
    found = _criteria(trail, principal, query, beside)
    span = fitting_span(view, found, beside.bars, beside.offset_ns) if beside.bars else None
    answer = Narrowing(
        facets=_facets(view, found, beside.facets),
        span=span,
        bars=view.histogram(found, span, beside.split) if span else (),
        instead=tuple(
            trail.count(_criteria(trail, principal, one, beside), view)
            for one in beside.instead[:MOST_HINTS]
        ),
    )
    if not beside.recorded:
        beside_patients = [value for value, _ in answer.facets.get("patient", ())]
        trail.audit.used(principal, asked, PatientsShown(identifiers=beside_patients))
    return answer


def _criteria(trail: AuditedTrail, principal: Principal, query: str, beside: Beside) -> Criteria:
    asked = ByAllNames(query) if beside.by_all_names else query
    found, _ = trail.asked(principal, asked, trail.options.clock())
    return found if beside.include_repeats else And((found, NOT_REPEATED))


def _facets(view: PrincipalView, found: Criteria, wanted: Sequence[tuple[str, int]]) -> Facets:
    """The values of each field; fields that want as many are asked for together."""
    facets: Facets = {}
    for size in sorted({size for _, size in wanted}):
        facets |= view.facets(found, tuple(name for name, one in wanted if one == size), size)
    return facets


def fitting_span(
    view: PrincipalView, found: Criteria, most: int, offset_ns: int = 0
) -> Span | None:
    """The time asked for, else the time between the first and the last match, cut into bars.

    None when nothing matches.

    Args:
        view: where the matches are.
        found: what they are matches of.
        most: most bars.
        offset_ns: bars begin at whole intervals of a clock that is so far ahead of UTC.
    """
    newest = view.search(found, limit=1).records
    oldest = view.search(found, limit=1, newest_first=False).records
    if not newest or not oldest:
        return None
    starts, ends = zip(*_ranges(found), strict=True) if list(_ranges(found)) else ((), ())
    start = max((one for one in starts if one is not None), default=oldest[0].time)
    end = min((one for one in ends if one is not None), default=newest[0].time + 1)
    # An end given without the other may lie far from any record.
    start, end = min(start, oldest[0].time), max(end, newest[0].time + 1)
    return cut(start, end, most, offset_ns)


def cut(start: int, end: int, most: int, offset_ns: int = 0) -> Span:
    """[start, end) in at most so many bars of a length that a person can name."""
    for interval_s in INTERVALS_S:
        interval = interval_s * NS_PER_S
        first = (start + offset_ns) // interval * interval - offset_ns
        bars = -(-(end - first) // interval)
        if bars <= most:
            bars = max(bars, min(most, FEWEST_BARS))
            return Span(start=first, end=first + bars * interval, interval=interval)
    interval = -(-(end - start) // (most * NS_PER_S)) * NS_PER_S
    return Span(start=start, end=start + most * interval, interval=interval)


def _ranges(criteria: Criteria) -> Iterator[tuple[int | None, int | None]]:
    """Bounds of time that every match keeps."""
    match criteria:
        case Range("time", at_least, below):
            yield at_least, below
        case And(parts):
            for part in parts:
                yield from _ranges(part)
        case _:
            return
