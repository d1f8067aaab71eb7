"""Facets and histogram: the shape of an answer before its records are read."""

from collections.abc import Callable
from time import time_ns
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Security
from pydantic import Field, StringConstraints
from starlette.responses import Response

from audit.api.events import COMMON, json_answer
from audit.api.questions import by_names, text_of
from audit.api.schemas import IndexLag, NamedQuestion, NamesUsed, Strict, Total
from audit.errors import QuerySyntaxError
from audit.index.port import Span
from audit.query.access import Principal, Scope
from audit.query.answers import Overview, total_as_dict
from audit.query.language_times import NS_PER_S, moment
from audit.query.search import SearchService, Shape
from audit.record.times import format_ns
from audit.standards.fields import fields_of
from audit.web.declared import scoped
from audit.web.openapi import problem_answers

MOST_FACETS = 20
MOST_VALUES = 1_000
_LONGEST_INTERVAL_S = 366 * 86_400

FacetField = Literal[tuple(field.name for field in fields_of("keyword"))]  # type: ignore[valid-type]  # the table of fields says which
SplitField = Literal[  # type: ignore[valid-type]  # likewise
    tuple(field.name for field in fields_of("keyword") if field.summed and not field.many)
]
Moment = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    Field(examples=["2026-01-31T00:00:00Z", "2026-01-31", "-24h"]),
]


class HistogramRequest(Strict):
    """A stretch of time and the length of a bar."""

    from_: Moment = Field(alias="from", description="Beginning, as the query language has it.")
    to: Moment = Field(default="now", description="End, itself not included.")
    interval_s: int = Field(
        ge=1, le=_LONGEST_INTERVAL_S, description="Length of a bar; at most 1,000 bars are given."
    )
    split: SplitField | None = Field(  # type: ignore[valid-type]  # likewise
        default=None, description="Field by whose values each bar is divided."
    )


class OverviewRequest(NamedQuestion):
    """A question, and what to count among the records that match; repeats are left out."""

    facets: Annotated[list[FacetField], Field(max_length=MOST_FACETS)] = Field(  # type: ignore[valid-type]  # likewise
        default=[],
        description="Fields whose commonest values are asked for.",
        examples=[["category", "outcome"]],
    )
    size: int = Field(default=10, ge=1, le=MOST_VALUES, description="How many values of each.")
    histogram: HistogramRequest | None = None


class FacetValue(Strict):
    """A value and the number of records that hold it."""

    value: str = Field(description="Folded: without case and accents.")
    count: int = Field(ge=1)


class HistogramBar(Strict):
    """One bar."""

    start: str = Field(description="Its beginning, RFC 3339 UTC.")
    total: int = Field(ge=0)
    counts: dict[str, int] = Field(description="By value of the split field; empty without one.")


class Histogram(Strict):
    """Records by the time of their event."""

    from_: str = Field(alias="from", description="RFC 3339 UTC.")
    to: str = Field(description="RFC 3339 UTC.")
    interval_s: int
    bars: list[HistogramBar]


class OverviewAnswer(Strict):
    """The shape of an answer."""

    facets: dict[str, list[FacetValue]] = Field(description="By field; the commonest first.")
    histogram: Histogram | None
    total: Total
    index_lag: IndexLag
    partial: bool = Field(description="A part of the index did not answer.")
    warnings: list[str]
    identities: NamesUsed


def add_overview_routes(
    routes: APIRouter, search: SearchService, admitted: Callable[..., Principal]
) -> None:
    """Add ``/events/overview``."""
    caller = Annotated[Principal, Security(admitted)]

    @routes.post(
        "/events/overview",
        tags=["events"],
        operation_id="events_overview",
        summary="Facets and histogram",
        response_model=OverviewAnswer,
        responses=problem_answers(*COMMON, 413, 422),
        openapi_extra=scoped(Scope.EVENTS_READ),
    )
    def events_overview(principal: caller, asked: OverviewRequest) -> Response:
        """The commonest values among the records that match, and their course over time."""
        shape = Shape(
            facets=tuple(dict.fromkeys(asked.facets)),
            size=asked.size,
            span=_span(asked.histogram),
            split=asked.histogram.split if asked.histogram else None,
        )
        with text_of(asked) as query:
            answer = search.overview(principal, by_names(asked, query), shape)
        return json_answer(_told(answer, shape))


def _span(asked: HistogramRequest | None) -> Span | None:
    if asked is None:
        return None
    now = time_ns()
    ends = {}
    for name, text in (("from", asked.from_), ("to", asked.to)):
        try:
            ends[name] = moment(text, now).start
        except ValueError as error:
            raise QuerySyntaxError(str(error), pointer=f"#/histogram/{name}") from None
    return Span(start=ends["from"], end=ends["to"], interval=asked.interval_s * NS_PER_S)


def _told(answer: Overview, shape: Shape) -> dict[str, Any]:
    return {
        "facets": {
            name: [{"value": value, "count": count} for value, count in values]
            for name, values in answer.facets.items()
        },
        "histogram": None if shape.span is None else _histogram(answer, shape.span, shape.split),
        "total": total_as_dict(answer.total),
        "index_lag": answer.index_lag.as_dict(),
        "partial": False,
        "warnings": [],
        "identities": None if answer.identities is None else answer.identities.as_dict(()),
    }


def _histogram(answer: Overview, span: Span, split: str | None) -> dict[str, Any]:
    return {
        "from": format_ns(span.start),
        "to": format_ns(span.end),
        "interval_s": span.interval // NS_PER_S,
        "bars": [
            {
                "start": format_ns(bar.start),
                "total": bar.total,
                "counts": bar.counts if split else {},
            }
            for bar in answer.histogram
        ],
    }
