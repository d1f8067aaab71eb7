"""xsd:dateTime and RFC 3339 ⇄ UTC nanoseconds, without loss of fraction digits up to nine."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_DATE_TIME = re.compile(
    r"\s*(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)T(?P<hour>\d\d):(?P<minute>\d\d)"
    r":(?P<second>\d\d)(?:\.(?P<fraction>\d+))?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?\s*",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_S = 1_000_000_000
_MAX_ZONE_MINUTES = 14 * 60
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class ParsedTime:
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
    matched = _DATE_TIME.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if matched is None:
        return _NO_TIME
    second = int(matched["second"])
    zone = _zone_minutes(matched["zone"])
    if zone is None or second > 60:  # noqa: PLR2004 - a minute has at most 61 seconds
        return _NO_TIME
    whole = _whole_seconds(matched, min(second, 59))
    if whole is None:
        return _NO_TIME
    is_leap = second == 60  # noqa: PLR2004 - the leap second
    fraction = int((matched["fraction"] or "0")[:9].ljust(9, "0"))
    seconds = whole + is_leap - zone * 60
    return ParsedTime(seconds * _NS_PER_S + fraction, matched["zone"] is not None, is_leap)


def _zone_minutes(zone: str | None) -> int | None:
    if zone is None or zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    if int(zone[4:6]) > 59 or minutes > _MAX_ZONE_MINUTES:  # noqa: PLR2004 - minutes of an hour
        return None
    return -minutes if zone[0] == "-" else minutes


def _whole_seconds(matched: re.Match[str], second: int) -> int | None:
    hour, minute = int(matched["hour"]), int(matched["minute"])
    end_of_day = hour == 24 and minute == 0 and int(matched["second"]) == 0  # noqa: PLR2004
    try:
        day = datetime(
            int(matched["year"]), int(matched["month"]), int(matched["day"]), tzinfo=UTC
        )
        at = timedelta(days=1) if end_of_day else _time_of_day(hour, minute, second)
    except ValueError:
        return None
    since = day - _EPOCH + at
    return since.days * 86_400 + since.seconds


def _time_of_day(hour: int, minute: int, second: int) -> timedelta:
    if hour > 23 or minute > 59:  # noqa: PLR2004 - hours of a day, minutes of an hour
        raise ValueError
    return timedelta(hours=hour, minutes=minute, seconds=second)


def format_ns(ns: int) -> str:
    """RFC 3339 in UTC with ``Z``; as many fraction digits as needed, in groups of three."""
    seconds, fraction = divmod(ns, _NS_PER_S)
    whole = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{fraction:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    year, rest = whole.split("-", 1)
    return f"{year:0>4}-{rest}{'.' + digits if digits else ''}Z"
