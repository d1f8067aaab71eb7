"""The period of a report, from what a caller wrote."""

from audit.errors import RequestError
from audit.query.reports.report import Kind
from audit.record.times import parse_date_time

_NS_PER_MS = 1_000_000
_NS_PER_DAY = 86_400 * 1_000_000_000
_DAYS = 30
_DAYS_OF_DISCLOSURES = 6 * 365 + 2
"""Six years, leap days included (45 CFR 164.528(a)(1))."""


def period_of(kind: Kind, start: str | None, end: str | None, now: int) -> tuple[int, int]:
    """First time and end, UTC nanoseconds; what isn't given is the usual of the kind.

    Args:
        kind: of the report.
        start: RFC 3339 with its offset, or None.
        end: the same; None for now.
        now: UTC nanoseconds.

    Raises:
        RequestError: a time can't be read, or names no offset.
    """
    days = _DAYS_OF_DISCLOSURES if kind == "disclosures" else _DAYS
    # To the millisecond, as pages write times: what is signed off is of the period reviewed.
    until = now // _NS_PER_MS * _NS_PER_MS if end is None else _time(end)
    return (until - days * _NS_PER_DAY if start is None else _time(start)), until


def _time(text: str) -> int:
    read = parse_date_time(text)
    if read.ns is None or not read.zone:
        raise RequestError("a time is written like 2026-01-31T13:00:00Z, with its offset")
    return read.ns
