"""When how much happens: a clock that runs by the number of messages."""

from datetime import datetime, tzinfo

from audit.simulate.facts import facts

_HOUR_MS = 3_600_000
_SATURDAY = 5


def _weight(hour_ms: int, zone: tzinfo | None) -> int:
    local = datetime.fromtimestamp(hour_ms / 1000, zone)
    weekday, weekend = facts().hours
    hours = weekday if local.weekday() < _SATURDAY else weekend
    return hours[local.hour]


def weight_between(start_ms: int, end_ms: int, zone: tzinfo | None) -> float:
    """The sum of the hourly weights from start to end, UTC milliseconds."""
    hours = range(start_ms, end_ms, _HOUR_MS)
    whole = sum(_weight(hour, zone) for hour in hours)
    beyond = hours[-1] + _HOUR_MS - end_ms
    return whole - _weight(hours[-1], zone) * beyond / _HOUR_MS


def working_day_weight() -> int:
    """The sum of a working day's hourly weights."""
    return sum(facts().hours[0])


class Pace:
    """Spreads messages over time as the hours' weights say.

    Args:
        start_ms: UTC milliseconds; hours count from here.
        zone: in which the weights' hours are.
        per_weight: messages for one unit of weight.
    """

    def __init__(self, start_ms: int, zone: tzinfo | None, per_weight: float) -> None:
        self._per_weight = per_weight
        self._zone = zone
        self._hour_ms = start_ms
        self._before = 0.0
        self._in_hour = _weight(start_ms, zone) * per_weight

    def time_of(self, count: float) -> int:
        """UTC milliseconds at which so many messages should have come; counts must not fall."""
        while count >= self._before + self._in_hour:
            self._before += self._in_hour
            self._hour_ms += _HOUR_MS
            self._in_hour = _weight(self._hour_ms, self._zone) * self._per_weight
        done = max(0.0, count - self._before) / self._in_hour
        return self._hour_ms + int(done * _HOUR_MS)
