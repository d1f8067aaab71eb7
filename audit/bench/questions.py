"""What investigators ask, with values that occur in the records."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter
from typing import Any

from audit.bench.clocks import latencies
from audit.index.criteria import (
    And,
    Criteria,
    Everything,
    Not,
    Prefix,
    Range,
    Term,
    Text,
    words_of,
)
from audit.index.document import IndexedRecord
from audit.index.port import Place, SearchIndex, Span
from audit.query.home import NOT_REPEATED

PAGE = 50
DEEP = 100
"""Pages that are turned before a page counts as deep."""

_EXPORT_PAGE = 1_000
_DAY_NS = 86_400 * 1_000_000_000
_PREFIX_CHARS = 4
_FACETS = ("requestor", "node", "event")

Ask = Callable[[SearchIndex], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingOptions:
    """How often is asked.

    Attributes:
        times: each kind of question, with other values each time.
        most_s: no more of a kind are asked after so long.
        export: records that one export reads.
    """

    times: int = 100
    most_s: float = 15.0
    export: int = 100_000


def ask_all(
    index: SearchIndex, samples: Sequence[IndexedRecord], options: AskingOptions
) -> dict[str, dict[str, Any]]:
    """p50 and p99 of every kind of question."""
    found: dict[str, dict[str, Any]] = {
        name: latencies(list(_timed(index, asks, options)))
        for name, asks in _questions(samples).items()
    }
    found["deep_page"] = latencies(list(_deep_pages(index, options)))
    found["export"] = _export(index, options.export)
    return found


def _timed(index: SearchIndex, asks: Iterable[Ask], options: AskingOptions) -> Iterator[float]:
    """Seconds of each; the first one warms up and doesn't count."""
    source = iter(asks)
    next(source)(index)
    begun = perf_counter()
    for ask in islice(source, options.times):
        start = perf_counter()
        ask(index)
        yield perf_counter() - start
        if perf_counter() - begun > options.most_s:
            return


def _questions(samples: Sequence[IndexedRecord]) -> Mapping[str, Iterable[Ask]]:
    newest = max(record.time for record in samples)
    asked: dict[str, Iterable[Criteria]] = {
        name: _terms(samples, field)
        for name, field in (
            ("patient", "patient"),
            ("user", "requestor"),
            ("study", "study"),
            ("address", "address"),
        )
    }
    asked["text"] = (Text(words) for words in _names(samples))
    asked["prefix"] = (
        Prefix("patient", value[:_PREFIX_CHARS]) for value in _values(samples, "patient")
    )
    asked["combined"] = (
        And(
            (
                Term("requestor", value),
                Not(Term("category", "query")),
                Not(Term("outcome", "success")),
                Range("time", newest - 365 * _DAY_NS, None),
            )
        )
        for value in _values(samples, "requestor")
    )
    return {
        **{name: map(_newest, criteria) for name, criteria in asked.items()},
        "histogram": cycle([_histogram(newest)]),
        "facets": (_facets(value) for value in _values(samples, "category")),
    }


def _values(samples: Sequence[IndexedRecord], field: str) -> Iterator[str]:
    """Different values of a field over and over; one that nowhere occurs when it has none."""
    return cycle(dict.fromkeys(v for one in samples for v in one.values(field)) or ("none",))


def _terms(samples: Sequence[IndexedRecord], field: str) -> Iterator[Criteria]:
    return (Term(field, value) for value in _values(samples, field))


def _names(samples: Sequence[IndexedRecord]) -> Iterator[str]:
    """Two words of a patient's name."""
    return (" ".join(words_of(name)[:2]) for name in _values(samples, "patient_name"))


def _newest(criteria: Criteria) -> Ask:
    shown = And((criteria, NOT_REPEATED))
    return lambda index: index.search(shown, limit=PAGE)


def _histogram(newest: int) -> Ask:
    """A year in weeks that end with the newest day, by category."""
    end = (newest // _DAY_NS + 1) * _DAY_NS
    span = Span(start=end - 52 * 7 * _DAY_NS, end=end, interval=7 * _DAY_NS)
    return lambda index: index.histogram(NOT_REPEATED, span, "category")


def _facets(category: str) -> Ask:
    found = And((Term("category", category), NOT_REPEATED))
    return lambda index: index.facets(found, _FACETS, 10)


def _deep_pages(index: SearchIndex, options: AskingOptions) -> Iterator[float]:
    """The pages behind the first ``DEEP`` ones of a common category, or the last there are."""
    found = And((Term("category", "query"), NOT_REPEATED))
    place: Place | None = None
    for _ in range(DEEP):
        page = index.search(found, limit=PAGE, after=place)
        if page.next_place is None:
            break
        place = page.next_place
    asks: Iterable[Ask] = cycle([_page_after(found, place)])
    yield from _timed(index, asks, options)


def _page_after(criteria: Criteria, place: Place | None) -> Ask:
    return lambda index: index.search(criteria, limit=PAGE, after=place)


def _export(index: SearchIndex, most: int) -> dict[str, Any]:
    """Everything, newest first, in large pages, up to so many records."""
    pages: list[float] = []
    records = 0
    place: Place | None = None
    while records < most:
        start = perf_counter()
        page = index.search(Everything(), limit=min(_EXPORT_PAGE, most - records), after=place)
        pages.append(perf_counter() - start)
        records += len(page.records)
        place = page.next_place
        if place is None:
            break
    seconds = sum(pages)
    return {
        **latencies(pages),
        "records": records,
        "seconds": round(seconds, 3),
        "records_per_s": round(records / seconds),
    }
