"""Stretches of time in words, and the times that stand below a chart."""

from datetime import tzinfo

from audit.dashboard.display import NS_PER_S, moment_of

_TICKS = 6
_UNITS = ((604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_DAY_NS = 86_400 * NS_PER_S
_CLOCK, _DAY_AND_CLOCK, _DAY, _MONTH = "%H:%M", "%d %b %H:%M", "%d %b", "%b %Y"


def interval_words(interval_ns: int) -> str:
    """A length of time in words: ``30 minutes``, ``2 hours``, ``1 day``."""
    seconds = interval_ns // NS_PER_S
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a second"


def axis(start: int, end: int, zone: tzinfo) -> list[str]:
    """Times below a chart: clock times, days or months as its length asks."""
    step = (end - start) // _TICKS
    moments = [moment_of(start + step * i, zone) for i in range(_TICKS + 1)]
    form = _form(end - start, is_one_day=moments[0].date() == moments[-1].date())
    return [moment.strftime(form) for moment in moments]


def _form(length: int, *, is_one_day: bool) -> str:
    if length <= _TICKS * 60 * NS_PER_S:
        return "%H:%M:%S"
    if is_one_day or length <= _DAY_NS:
        return _CLOCK
    if length <= 4 * _DAY_NS:
        return _DAY_AND_CLOCK
    return _DAY if length <= 370 * _DAY_NS else _MONTH
