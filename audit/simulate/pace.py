"""When how much happens: a clock that runs by the number of messages."""

from datetime import datetime, timedelta

from audit.simulate.facts import facts

_HOUR_MS = 3_600_000
_SATURDAY = 5


def _weight(hour_start: datetime) -> int:
    weekday, weekend = facts().hours
    hours = weekday if hour_start.weekday() < _SATURDAY else weekend
    return hours[hour_start.hour]


def weight_between(start: datetime, hours: int) -> int:
    """The sum of the hourly weights of so many hours from ``start``."""
    return sum(_weight(start + timedelta(hours=hour)) for hour in range(hours))


def working_day_weight() -> int:
    """The sum of a working day's hourly weights."""
    return sum(facts().hours[0])


class Pace:
    """Spreads messages over time as the hours' weights say.

    Args:
        start: aware; hours count from here, in its time zone.
        per_weight: messages for one unit of weight.
    """

    def __init__(self, start: datetime, per_weight: float) -> None:
        self._per_weight = per_weight
        self._hour = start
        self._hour_ms = round(start.timestamp() * 1000)
        self._before = 0.0
        self._in_hour = _weight(start) * per_weight

    def time_of(self, count: float) -> int:
        """UTC milliseconds at which so many messages should have come; counts must not fall."""
        while count >= self._before + self._in_hour:
            self._before += self._in_hour
            self._hour += timedelta(hours=1)
            self._hour_ms += _HOUR_MS
            self._in_hour = _weight(self._hour) * self._per_weight
        done = max(0.0, count - self._before) / self._in_hour
        return self._hour_ms + int(done * _HOUR_MS)
