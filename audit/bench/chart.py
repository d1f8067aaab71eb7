"""A chart of several runs of ``arr bench search``: how the times grow with the records."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from audit.errors import RequestError

_COLOURS = ("#9ecae1", "#4292c6", "#08519c", "#08306b")
_LABEL_WIDTH, _BAR_WIDTH, _FIGURE_WIDTH = 90, 420, 90
_BAR_HEIGHT, _GAP, _TOP = 12, 10, 44
_LEAST_MS, _MOST_MS = 0.1, 10_000.0


@dataclass(frozen=True, slots=True)
class SearchRun:
    """One run: records searched, and p50 of each kind of question in milliseconds."""

    events: int
    p50_ms: dict[str, float]


def read_run(file: Path) -> SearchRun:
    """What ``arr bench search --json`` printed.

    Raises:
        RequestError: the file holds something else.
    """
    try:
        figures = json.loads(file.read_text(encoding="utf-8"))
        return SearchRun(
            int(figures["events"]),
            {name: float(told["p50_ms"]) for name, told in figures["queries"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(f"{file}: is no output of arr bench search --json") from error


def draw(runs: Sequence[SearchRun]) -> str:
    """The chart as SVG: for each kind of question a bar a run, lengths on a logarithmic scale."""
    ordered = sorted(runs, key=lambda run: run.events)[-len(_COLOURS) :]
    names = list(dict.fromkeys(name for run in ordered for name in run.p50_ms))
    group = len(ordered) * _BAR_HEIGHT + _GAP
    width = _LABEL_WIDTH + _BAR_WIDTH + _FIGURE_WIDTH
    height = _TOP + len(names) * group
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11" role="img">'
    )
    lines = [
        head,
        "<title>p50 of searches in milliseconds, by records in the index</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *_legend(ordered),
    ]
    for row, name in enumerate(names):
        lines += _row(ordered, name, _TOP + row * group)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _legend(runs: Sequence[SearchRun]) -> Iterator[str]:
    yield f'<text x="{_LABEL_WIDTH}" y="14">p50 in ms, logarithmic, by records in the index</text>'
    for number, run in enumerate(runs):
        x = _LABEL_WIDTH + number * 120
        yield f'<rect x="{x}" y="22" width="10" height="10" fill="{_COLOURS[number]}"/>'
        yield f'<text x="{x + 15}" y="31">{run.events:,}</text>'


def _row(runs: Sequence[SearchRun], name: str, top: int) -> Iterator[str]:
    yield f'<text x="4" y="{top + _BAR_HEIGHT - 2}">{escape(name)}</text>'
    for number, run in enumerate(runs):
        if (ms := run.p50_ms.get(name)) is not None:
            y = top + number * _BAR_HEIGHT
            length = round(_length(ms), 1)
            yield (
                f'<rect x="{_LABEL_WIDTH}" y="{y}" width="{length}" height="{_BAR_HEIGHT - 2}" '
                f'fill="{_COLOURS[number]}"/>'
            )
            yield f'<text x="{_LABEL_WIDTH + length + 4}" y="{y + 9}">{ms:,.1f}</text>'


def _length(ms: float) -> float:
    within = min(max(ms, _LEAST_MS), _MOST_MS)
    return _BAR_WIDTH * math.log(within / _LEAST_MS) / math.log(_MOST_MS / _LEAST_MS)
