"""The home page: what goes on, at a glance, and the two questions people come with."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard import charts
from audit.dashboard.context import CATEGORY_NAMES, PageContext
from audit.dashboard.display import NS_PER_S, moment_of, number, octets
from audit.dashboard.rows import rows_of
from audit.query.answers import HomeAnswer

_TICKS = 6
_PART_OF_HOUR = 60
_TWO_DAYS_NS = 172_800 * NS_PER_S


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
        "ticks": _ticks(context, figures.span.start, figures.span.end),
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


def interval_words(interval_ns: int) -> str:
    """A length of time in words: ``30 minutes``, ``2 hours``, ``1 day``."""
    minutes = interval_ns // (60 * NS_PER_S)
    for size, unit in ((1440, "day"), (_PART_OF_HOUR, "hour"), (1, "minute")):
        if minutes >= size and minutes % size == 0:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{interval_ns // NS_PER_S} seconds"


def _ticks(context: PageContext, start: int, end: int) -> list[str]:
    """Times below the chart: hours, or days where it covers more than two."""
    zone = context.options.zone
    step = (end - start) // _TICKS
    moments = [moment_of(start + step * i, zone) for i in range(_TICKS + 1)]
    form = "%H:%M" if end - start <= _TWO_DAYS_NS else "%d %b"
    return [moment.strftime(form) for moment in moments]
