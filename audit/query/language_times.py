"""Times of the query language: days, instants with an offset, and times before now."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NS_PER_S = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_AGO = re.compile(r"(?:now)?-(?P<count>\d{1,9})(?P<unit>[smhdw])")
_DATE = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?", re.ASCII)
_INSTANT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt](?P<time>\d{2}:\d{2}(?::\d{2})?)(?P<fraction>\.\d{1,9})?"
    r"(?P<zone>[Zz]|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_LATEST_YEAR = 2261
"""Later times don't fit 63 bits of nanoseconds."""
_EARLIEST_YEAR = 1970


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of time, [start, end) in UTC nanoseconds; an instant has no length."""

    start: int
    end: int


def moment(text: str, now: int) -> Moment:
    """What a time of the query language means.

    ``2026``, ``2026-01`` and ``2026-01-31`` are a year, a month and a day in UTC; ``today`` and
    ``yesterday`` likewise; ``now``, ``-90m`` and ``now-7d`` and ``2026-01-31T08:00:00+01:00`` are
    instants.

    Raises:
        ValueError: it is none of these; the text says what is wrong.
    """
    if found := _AGO.fullmatch(text):
        past = now - int(found["count"]) * _UNITS_S[found["unit"]] * NS_PER_S
        return Moment(max(past, 0), max(past, 0))
    if text == "now":
        return Moment(now, now)
    if text in {"today", "yesterday"}:
        start = _midnight(now) - timedelta(days=text == "yesterday")
        return Moment(_ns(start), _ns(start + timedelta(days=1)))
    if found := _DATE.fullmatch(text):
        return _dated(found)
    if found := _INSTANT.fullmatch(text):
        return _instant(found)
    raise ValueError(f"{text} is no time; write 2026-01-31, 2026-01-31T08:00:00Z, today or -24h")


def _ns(when: datetime) -> int:
    passed = when - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * NS_PER_S + passed.microseconds * 1_000


def _midnight(now: int) -> datetime:
    day = datetime.fromtimestamp(now // NS_PER_S, UTC)
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def _check_year(year: int) -> None:
    if not _EARLIEST_YEAR <= year <= _LATEST_YEAR:
        raise ValueError(f"the year {year:04d} is out of range; use {_EARLIEST_YEAR} or later")


def _dated(found: re.Match[str]) -> Moment:
    year = int(found["year"])
    _check_year(year)
    month, day = int(found["month"] or 1), int(found["day"] or 1)
    try:
        start = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{found[0]} is no date of the calendar") from None
    if found["day"]:
        length = 1
    elif found["month"]:
        length = monthrange(year, month)[1]
    else:
        length = (datetime(year + 1, 1, 1, tzinfo=UTC) - start).days
    return Moment(_ns(start), _ns(start + timedelta(days=length)))


def _instant(found: re.Match[str]) -> Moment:
    if found["zone"] is None:
        raise ValueError(f"{found[0]} has no time zone; end it with Z or an offset as +01:00")
    zone = found["zone"].upper().replace("Z", "+00:00")
    try:
        when = datetime.fromisoformat(f"{found['date']}T{found['time']}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{found[0]} is no time of the calendar") from None
    _check_year(when.year)
    fraction = int((found["fraction"] or ".0")[1:].ljust(9, "0"))
    return Moment(_ns(when) + fraction, _ns(when) + fraction)
