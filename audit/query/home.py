"""The figures of the home page: what goes on, at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.index.criteria import And, Criteria, Exists, Not, Or, Range, Term
from audit.index.document import IndexedRecord
from audit.index.port import Bucket, SearchIndex, Span, Total
from audit.query.language_times import NS_PER_S
from audit.query.roles import OWN_USE
from audit.query.view import PrincipalView

FAILURES = ("minor-failure", "serious-failure", "major-failure")
NOT_REPEATED = Not(Exists("repeat_of"))
"""Counts that matter leave repeats out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeOptions:
    """How much the home page shows.

    Attributes:
        window_s: how far back the figures look.
        buckets: bars of the chart over that time.
        young_intervals_s: lengths of a bar, shortest first, while the first record is younger
            than the window: the figures then begin with it, so that the chart shows several bars.
        young_buckets: bars of the chart of a young repository are a multiple of this.
        users: how many users are named.
        failures: how many of the latest failures are shown.
        senders: how many senders with findings are named.
    """

    window_s: int = 86_400
    buckets: int = 48
    young_intervals_s: tuple[int, ...] = (60, 300, 900)
    young_buckets: int = 6
    users: int = 8
    failures: int = 8
    senders: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeFigures:
    """What the home page shows.

    Attributes:
        span: the time the figures cover.
        histogram: records by category over that time.
        categories: records by category, the commonest first.
        users: requestors by the number of different patients of their records.
        failures: the latest acts that failed; security alerts are no failed acts.
        failure_total: how many failed in that time.
        alerts: security alerts in that time.
        senders: audit sources by the number of their records with an error or a warning.
        findings: rules by the number of records that break them.
        partial: a part of the index did not answer.
        warnings: why.
    """

    span: Span
    histogram: tuple[Bucket, ...]
    categories: tuple[tuple[str, int], ...]
    users: tuple[tuple[str, int], ...]
    failures: tuple[IndexedRecord, ...]
    failure_total: Total
    alerts: Total
    senders: tuple[tuple[str, int], ...]
    findings: tuple[tuple[str, int], ...]
    partial: bool
    warnings: tuple[str, ...]


def failed_acts() -> Criteria:
    """Acts that failed. In a Security Alert the outcome is a gravity (PS3.15 A.5.3.11)."""
    failed = Or(tuple(Term("outcome", name) for name in FAILURES))
    return And((failed, Not(Term("category", "security"))))


def with_findings() -> Criteria:
    """Records whose sender has something to mend."""
    return Or((Term("severity", "error"), Term("severity", "warning")))


def span_before(now: int, options: HomeOptions) -> Span:
    """The window that ends with the bucket in which ``now`` (UTC nanoseconds) lies."""
    return _span_before(now, options.window_s * NS_PER_S // options.buckets, options.buckets)


def _span_before(now: int, interval: int, buckets: int) -> Span:
    end = (now // interval + 1) * interval
    return Span(start=end - interval * buckets, end=end, interval=interval)


def young_span(now: int, first: int, options: HomeOptions) -> Span | None:
    """The window that begins about ``first`` (UTC nanoseconds), cut into the shortest bars.

    None when they are too many: then the ordinary window does.
    """
    for interval_s in options.young_intervals_s:
        interval = interval_s * NS_PER_S
        needed = now // interval - first // interval + 1
        buckets = -(-needed // options.young_buckets) * options.young_buckets
        if buckets <= options.buckets and buckets * interval_s < options.window_s:
            return _span_before(now, interval, buckets)
    return None


def _span_of(index: SearchIndex | PrincipalView, now: int, options: HomeOptions) -> Span:
    """The ordinary window, or that of a repository whose first record lies within it."""
    span = span_before(now, options)
    if index.count(Range("time", None, span.start), at_most=1).value:
        return span
    oldest = index.search(Range("time", span.start, span.end), limit=1, newest_first=False)
    if not oldest.records:
        return span
    return young_span(now, oldest.records[0].time, options) or span


def home_figures(
    index: SearchIndex | PrincipalView, now: int, options: HomeOptions
) -> HomeFigures:
    """Ask the index for all figures; raises IndexUnavailable as it does."""
    span = _span_of(index, now, options)
    within: Sequence[Criteria] = (Range("time", span.start, span.end), NOT_REPEATED)
    everything = And(tuple(within))
    outside = And((*within, Not(OWN_USE)))  # reviewers look at many patients' records
    failed = And((*within, failed_acts()))
    faulty = And((*within, with_findings()))
    latest = index.search(failed, limit=options.failures)
    named = index.facets(faulty, ("node", "finding"), options.senders)
    return HomeFigures(
        span=span,
        histogram=index.histogram(everything, span, "category"),
        categories=index.facets(everything, ("category",), 20)["category"],
        users=index.top_by_distinct(outside, "requestor", "patient", options.users),
        failures=latest.records,
        failure_total=index.count(failed),
        alerts=index.count(And((*within, Term("category", "security")))),
        senders=named["node"],
        findings=named["finding"],
        partial=latest.partial,
        warnings=latest.warnings,
    )
