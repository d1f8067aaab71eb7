"""xsd:dateTime and RFC 3339 ⇄ UTC nanoseconds, without loss of fraction digits up to nine."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

_DATE_TIME = re.compile(
    r"\s*(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)T(?P<hour>\d\d):(?P<minute>\d\d)"
    r":(?P<second>\d\d)(?:\.(?P<fraction>\d+))?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?\s*",
    re.ASCII,
)
_USUAL = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{3}|\.\d{6})?"
    r"(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)",
    re.ASCII,
)
"""What `datetime` reads just as well, only sooner."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - for its text, which is to name no zone
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_NS_PER_S = 1_000_000_000
_SECONDS_PER_DAY = 86_400
_HOURS_PER_DAY = 24
_MINUTES_PER_HOUR = 60
_LEAP_SECOND = 60
_MAX_ZONE_MINUTES = 14 * 60
_MAX_TEXT = 200
_MAX_USUAL_TEXT = 40
_REMEMBERED = 64
"""Few: a time is asked for more than once while its message is worked on, and never again."""


class ParsedTime(NamedTuple):
    """What a date-time text says.

    Attributes:
        ns: UTC nanoseconds since 1970; None when the text is no date-time. A time without zone is
            taken as UTC, and ``zone`` says so. A leap second counts as the first second of the
            next minute.
        zone: whether the text carries a time zone.
        leap_second: whether the seconds are 60.
    """

    ns: int | None
    zone: bool
    leap_second: bool


_NO_TIME = ParsedTime(None, zone=False, leap_second=False)


def parse_date_time(text: str) -> ParsedTime:
    """Read an xsd:dateTime (PS3.15 A.5.2.5): any number of fraction digits, ``:60`` accepted.

    Digits beyond nanoseconds are cut off. Never raises.
    """
    if len(text) > _MAX_USUAL_TEXT:
        return _parsed(text) if len(text) <= _MAX_TEXT else _NO_TIME
    return _remembered(text)


def is_usual(text: str) -> bool:
    """Whether the text is a date-time of which neither grammar nor rules have anything to say.

    False for all that needs a closer look.
    """
    return bool(_USUAL.fullmatch(text)) and parse_date_time(text).ns is not None


def _usual(text: str) -> ParsedTime | None:
    """The time of a text in the usual form; None for all that needs a closer look."""
    if not _USUAL.fullmatch(text):
        return None
    try:
        since = datetime.fromisoformat(text) - _EPOCH
    except ValueError:
        return None
    seconds = since.days * _SECONDS_PER_DAY + since.seconds
    ns = seconds * _NS_PER_S + since.microseconds * 1000
    return ParsedTime(ns, zone=True, leap_second=False)


@lru_cache(maxsize=_REMEMBERED)
def _remembered(text: str) -> ParsedTime:
    return _usual(text) or _parsed(text)


def _parsed(text: str) -> ParsedTime:
    matched = _DATE_TIME.fullmatch(text)
    if matched is None:
        return _NO_TIME
    year, month, day, hour, minute, second, fraction, zone = matched.groups()
    offset = _zone_minutes(zone)
    of_day = _second_of_day(int(hour), int(minute), int(second))
    if offset is None or of_day is None:
        return _NO_TIME
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return _NO_TIME
    ns = int(fraction[:9].ljust(9, "0")) if fraction else 0
    seconds = days * _SECONDS_PER_DAY + of_day - offset * 60
    return ParsedTime(seconds * _NS_PER_S + ns, zone is not None, second == "60")


def _zone_minutes(zone: str | None) -> int | None:
    if zone is None or zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    if int(zone[4:6]) >= _MINUTES_PER_HOUR or minutes > _MAX_ZONE_MINUTES:
        return None
    return -minutes if zone[0] == "-" else minutes


def _second_of_day(hour: int, minute: int, second: int) -> int | None:
    """Seconds since midnight; 24:00:00 is the end of the day, :60 the second after :59."""
    if hour == _HOURS_PER_DAY and minute == 0 and second == 0:
        return _SECONDS_PER_DAY
    if hour >= _HOURS_PER_DAY or minute >= _MINUTES_PER_HOUR or second > _LEAP_SECOND:
        return None
    return (hour * 60 + minute) * 60 + second


def format_ns(ns: int) -> str:
    """RFC 3339 in UTC with ``Z``; as many fraction digits as needed, in groups of three."""
    seconds, fraction = divmod(ns, _NS_PER_S)
    whole = _second_text(seconds)
    if not fraction:
        return f"{whole}Z"
    if not fraction % 1_000_000:
        return f"{whole}.{fraction // 1_000_000:03d}Z"
    if not fraction % 1_000:
        return f"{whole}.{fraction // 1_000:06d}Z"
    return f"{whole}.{fraction:09d}Z"


@lru_cache(maxsize=_REMEMBERED)
def _second_text(seconds: int) -> str:
    return (_NAIVE_EPOCH + timedelta(seconds=seconds)).isoformat()
