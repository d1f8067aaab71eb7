"""Values of FHIR date parameters → intervals of time.

A value means the whole of what it names: a year, a month, a day, a minute, a second, or as fine a
fraction as is written. Without a zone it is UTC.

Source: FHIR R4 3.1.1.4.7 (date) and 3.1.1.4.5 (prefixes).
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from audit.errors import RequestError
from audit.index.criteria import Criteria, Not, Range

NS_PER_S: Final = 1_000_000_000
_DAY: Final = 86_400 * NS_PER_S
_DATE = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb|ap)?(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_APART = 10
"""``ap``: within a tenth of the time between now and then."""
_LEAP_SECOND = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DateRange:
    """What one value of a date parameter asks for: times in [start, end), or all others.

    Attributes:
        start: UTC nanoseconds; None for no lower bound.
        end: UTC nanoseconds; None for no upper bound.
        excluded: the times outside are meant (``ne``).
    """

    start: int | None
    end: int | None
    excluded: bool = False

    def holds(self, ns: int) -> bool:
        """Whether a time is one of those asked for."""
        inside = (self.start is None or ns >= self.start) and (self.end is None or ns < self.end)
        return inside != self.excluded

    def criteria(self, field: str) -> Criteria:
        """The same of a field of the index."""
        asked = Range(field, self.start, self.end)
        return Not(asked) if self.excluded else asked

    @property
    def has_lower(self) -> bool:
        """Whether the times asked for have a lower bound."""
        return self.start is not None and not self.excluded

    @property
    def has_upper(self) -> bool:
        """Whether the times asked for have an upper bound."""
        return self.end is not None and not self.excluded


def date_range(text: str, now: int) -> DateRange:
    """Read one value, prefix and all.

    Args:
        text: such as ``ge2026-05-01``.
        now: UTC nanoseconds, for ``ap``.

    Raises:
        RequestError: it isn't one.
    """
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise RequestError("a date is written like ge2026-05-01 or le2026-05-01T12:00:00Z")
    start, end = _interval(found)
    match found["prefix"] or "eq":
        case "gt" | "sa":
            return DateRange(end, None)
        case "ge":
            return DateRange(start, None)
        case "lt" | "eb":
            return DateRange(None, start)
        case "le":
            return DateRange(None, end)
        case "ap":
            apart = abs(now - start) // _APART
            return DateRange(start - apart, end + apart)
        case prefix:
            return DateRange(start, end, excluded=prefix == "ne")


def _interval(found: "re.Match[str]") -> tuple[int, int]:
    """[start, end) of what is named."""
    year, month, day = int(found["year"]), int(found["month"] or 1), int(found["day"] or 1)
    try:
        first = datetime(year, month, day, tzinfo=_zone(found["zone"]))
        if found["day"] is None:
            days = monthrange(year, month)[1] if found["month"] else _days_of(year)
            return _ns(first), _ns(first) + days * _DAY
        if found["hour"] is None:
            return _ns(first), _ns(first) + _DAY
        return _of_day(_ns(first), found)
    except (ValueError, OverflowError) as error:
        raise RequestError("there is no such date") from error


def _days_of(year: int) -> int:
    return sum(monthrange(year, month)[1] for month in range(1, 13))


def _of_day(day: int, found: "re.Match[str]") -> tuple[int, int]:
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    if hour >= 24 or minute >= 60 or second > _LEAP_SECOND:  # noqa: PLR2004 - hours and minutes
        raise ValueError
    start = day + ((hour * 60 + minute) * 60 + second) * NS_PER_S
    if found["second"] is None:
        return start, start + 60 * NS_PER_S
    fraction = found["fraction"]
    if fraction is None:
        return start, start + NS_PER_S
    start += int(fraction.ljust(9, "0"))
    return start, int(start + 10 ** (9 - len(fraction)))


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def _ns(when: datetime) -> int:
    since = when - _EPOCH
    return (since.days * 86_400 + since.seconds) * NS_PER_S
