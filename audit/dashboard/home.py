"""The home page: what goes on, at a glance, and the two questions people come with."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard import charts
from audit.dashboard.context import PageContext
from audit.dashboard.display import NS_PER_S, number, octets
from audit.dashboard.names import CATEGORY_NAMES
from audit.dashboard.rows import rows_of
from audit.dashboard.times import axis, interval_words
from audit.query.answers import HomeAnswer


def home_page(context: PageContext, request: Request) -> Response:
    """The figures of the last day or of a younger trail, journaled as a look at it."""
    visitor = context.visitor(request)
    answer = context.search.home(visitor.principal)
    return context.page("home.html", _values(context, answer), visitor=visitor)


def _values(context: PageContext, answer: HomeAnswer) -> dict[str, Any]:
    figures = answer.figures
    buckets = figures.histogram
    chart = charts.stacked_bars([(b.start, b.counts) for b in buckets], tuple(CATEGORY_NAMES))
    start = datetime.fromtimestamp(figures.span.start // NS_PER_S, UTC)
    return {
        "figures": figures,
        "failures": rows_of(figures.failures),
        "lag": answer.index_lag,
        "origin": answer.origin,
        "index_state": [
            (words_of_name(name), _stated(name, value))
            for name, value in answer.index.items()
            if value != "" and name != "position"
        ],
        "total": sum(bucket.total for bucket in buckets),
        "buckets": buckets,
        "chart": chart,
        "chart_width": charts.WIDTH,
        "chart_height": charts.HEIGHT,
        "interval": interval_words(figures.span.interval),
        "ticks": axis(figures.span.start, figures.span.end, context.options.zone),
        "from": start.astimezone(context.options.zone).isoformat(),
    }


def _stated(name: str, value: str | int | bool) -> str:
    """What the index says of itself, in words."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int):
        return octets(value) if "octets" in name else number(value)
    return value


def words_of_name(name: str) -> str:
    """``octets_on_disk`` → ``Octets on disk``."""
    return name.replace("_", " ").capitalize()
