from datetime import UTC

import pytest

from audit.dashboard.display import NS_PER_S
from audit.dashboard.times import axis, interval_words

DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "first", "last"),
    [
        (60, "00:00:00", "00:01:00"),
        (DAY // 2, "00:00", "12:00"),
        (3 * DAY, "01 Jan 00:00", "04 Jan 00:00"),
        (60 * DAY, "01 Jan", "02 Mar"),
        (800 * DAY, "Jan 1970", "Mar 1972"),
    ],
)
def test_times_below_a_chart_are_as_fine_as_it_is_long(
    seconds: int, first: str, last: str
) -> None:
    ticks = axis(0, seconds * NS_PER_S, UTC)
    assert (len(ticks), ticks[0], ticks[-1]) == (7, first, last)


def test_less_than_a_second_is_said_so() -> None:
    assert interval_words(NS_PER_S // 2) == "less than a second"
    assert interval_words(7 * DAY * NS_PER_S) == "1 week"
