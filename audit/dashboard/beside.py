"""What stands beside the results: facets, the course over time, hints where nothing matches."""

from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Any

from audit.dashboard import charts
from audit.dashboard.context import PageContext
from audit.dashboard.display import NS_PER_S, moment_of
from audit.dashboard.names import CATEGORY_NAMES
from audit.dashboard.query_terms import joined, pieces_of
from audit.dashboard.review_view import ReviewView
from audit.dashboard.times import axis, interval_words
from audit.index.port import Bucket, Span
from audit.query.access import Principal
from audit.query.answers import Answer
from audit.query.narrowing import MOST_HINTS, Beside, Narrowing, narrowing
from audit.web.errors import BadRequest

FACETS = {
    "category": "Category",
    "outcome": "Outcome",
    "requestor": "User",
    "patient": "Patient",
    "node": "Sender",
    "address": "Address",
    "purpose": "Purpose of use",
    "finding": "Finding",
    "severity": "Gravest finding",
}
"""Field → heading of the lists beside the results, in order."""

FEW, MANY = 6, 50
"""How many values a list shows at first, and when more are asked for."""

BARS = 60


@dataclass(frozen=True, slots=True)
class Facet:
    """One list beside the results; ``is_cut`` says that there may be more values."""

    name: str
    title: str
    values: tuple[tuple[str, int], ...]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Course:
    """The course of the results over time.

    Attributes:
        chart: geometry of the bars.
        places: of each bar: what a click on it asks for, its beginning, how many records.
        length: of a bar in nanoseconds.
        interval: the same in words.
        ticks: times below the bars.
        narrowest: the bars can't be cut any finer.
    """

    chart: charts.BarChart
    places: tuple[tuple[str, int, int], ...]
    length: int
    interval: str
    ticks: list[str]
    narrowest: bool


@dataclass(frozen=True, slots=True)
class Hint:
    """A term without which something would match, its place in the query, and how many."""

    place: int
    text: str
    count: int
    exact: bool


def beside_results(
    context: PageContext, principal: Principal, query: str, view: ReviewView, answer: Answer
) -> dict[str, Any]:
    """Values of the review's template for what stands beside the records.

    The look isn't journaled: it is part of the one at the records.
    """
    pieces = pieces_of(query) if not answer.records else ()
    zone = context.options.zone
    found = narrowing(
        context.search.trail,
        principal,
        query,
        Beside(
            facets=tuple((name, MANY if view.more == name else FEW) for name in FACETS)
            if answer.records
            else (),
            bars=BARS if answer.records else 0,
            offset_ns=_offset_ns(answer, zone),
            include_repeats=view.repeats,
            by_all_names=view.names,
            instead=tuple(
                joined(one for one in pieces if one is not left_out)
                for left_out in pieces[:MOST_HINTS]
            ),
            recorded=True,
        ),
    )
    return {
        "facets": _facets(found, view),
        "course": course_of(found.bars, found.span, zone),
        "hints": [
            Hint(place, pieces[place].text, total.value, total.exact)
            for place, total in enumerate(found.instead)
            if total.value
        ],
    }


def _facets(found: Narrowing, view: ReviewView) -> list[Facet]:
    lists = []
    for name, title in FACETS.items():
        values = found.facets.get(name, ())
        if values:
            lists.append(Facet(name, title, values, view.more != name and len(values) == FEW))
    return lists


def _offset_ns(answer: Answer, zone: tzinfo) -> int:
    if not answer.records:
        return 0
    offset = moment_of(answer.records[0].time, zone).utcoffset() or timedelta()
    return int(offset.total_seconds()) * NS_PER_S


def course_of(bars: tuple[Bucket, ...], span: Span | None, zone: tzinfo) -> Course | None:
    """The bars drawn; None without any."""
    if span is None or not bars:
        return None
    chart = charts.stacked_bars([(bar.start, bar.counts) for bar in bars], tuple(CATEGORY_NAMES))
    return Course(
        chart=chart,
        places=tuple((f"{b.start}..{b.start + span.interval}", b.start, b.total) for b in bars),
        length=span.interval,
        interval=interval_words(span.interval),
        ticks=axis(span.start, span.end, zone),
        narrowest=span.interval <= NS_PER_S,
    )


def time_bounds(text: str, zone: tzinfo) -> tuple[str, str]:
    """Both ends of a bar, ``NS..NS``, as the form writes times.

    Raises:
        BadRequest: it is no pair of times.
    """
    first, _, last = text.partition("..")
    if not (first.isdecimal() and last.isdecimal() and int(first) < int(last) < 2**63):
        raise BadRequest("the time of a bar is written as two numbers of nanoseconds")
    start, end = (moment_of(int(one), zone).isoformat() for one in (first, last))
    return start, end
