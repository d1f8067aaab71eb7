"""A report as plain text, for a terminal: one line a row."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_WIDTH = 100
_NONE = "-"
_ESCAPED = frozenset("\u061c\u200e\u200f\u2028\u2029")


def text_of(report: Mapping[str, Any]) -> str:
    """The JSON form of a report as text; what would steer a terminal is written out."""
    return "\n".join(map(_harmless, _lines(report))) + "\n"


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    yield str(report["title"])
    yield str(report["basis"])
    yield from (f"{one['name']}: {one['value']}" for one in report["asked"])
    yield f"Period: {report['from']} to {report['to']}"
    yield f"Made: {report['made_at']} for {report['made_by']}"
    if report["reason"]:
        yield f"Reason: {report['reason']}"
    yield f"Recorded as: {report['record']}"
    yield ""
    yield "How far this can be relied on"
    for said in report["qualifications"]:
        yield from textwrap.wrap(f"- {said}", _WIDTH, subsequent_indent="  ")
    for section in (*report["sections"], *report["reliance"]):
        yield from _section(section)


def _section(section: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"{section['title']} ({len(section['rows'])})"
    if section["note"]:
        yield from textwrap.wrap(section["note"], _WIDTH)
    if section["rows"]:
        yield _row(name.replace("_", " ") for name in section["rows"][0])
    for row in section["rows"]:
        yield _row(value or _NONE for value in row.values())


def _row(values: Iterable[str]) -> str:
    return "  " + "  |  ".join(values)


def _harmless(line: str) -> str:
    """Control characters and such as change the direction of text, written out."""
    return "".join(
        c if c.isprintable() and c not in _ESCAPED else f"\\u{ord(c):04x}" for c in line
    )
