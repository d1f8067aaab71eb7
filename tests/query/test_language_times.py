from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.query.language_times import Moment, moment

S = 1_000_000_000
NOW = 1_780_000_000 * S  # 2026-05-28T20:26:40Z


def at(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * S  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", at(2026, 1, 1), at(2027, 1, 1)),
        ("2026-02", at(2026, 2, 1), at(2026, 3, 1)),
        ("2026-12", at(2026, 12, 1), at(2027, 1, 1)),
        ("2024-02-29", at(2024, 2, 29), at(2024, 3, 1)),
        ("today", at(2026, 5, 28), at(2026, 5, 29)),
        ("yesterday", at(2026, 5, 27), at(2026, 5, 28)),
        ("now", NOW, NOW),
        ("-24h", NOW - 86_400 * S, NOW - 86_400 * S),
        ("now-90m", NOW - 5_400 * S, NOW - 5_400 * S),
        ("-2w", NOW - 14 * 86_400 * S, NOW - 14 * 86_400 * S),
        ("-999999999w", 0, 0),
        ("2026-05-28T20:26:40Z", NOW, NOW),
        ("2026-05-28t22:26:40.5+02:00", NOW + S // 2, NOW + S // 2),
        ("2026-05-28T20:26:40.000000001Z", NOW + 1, NOW + 1),
        ("2026-05-28T20:26Z", NOW - 40 * S, NOW - 40 * S),
    ],
)
def test_times(text: str, start: int, end: int) -> None:
    assert moment(text, NOW) == Moment(start, end)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("2026-05-28T20:26:40", "no time zone"),
        ("2026-02-30", "no date of the calendar"),
        ("2026-13", "no date of the calendar"),
        ("1969", "out of range"),
        ("2262-01-01", "out of range"),
        ("1969-12-31T23:00:00Z", "out of range"),
        ("2026-05-28T25:00:00Z", "no time of the calendar"),
        ("0001-01-01T00:00:00+23:59", "no time of the calendar"),
        ("tomorrow", "no time"),
        ("28.05.2026", "no time"),
        ("-5y", "no time"),
        ("", "no time"),
    ],
)
def test_what_is_no_time_says_why(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        moment(text, NOW)


@given(st.datetimes(datetime(1970, 1, 2), datetime(2261, 12, 30)))  # noqa: DTZ001 - zone below
def test_every_instant_is_itself(when: datetime) -> None:
    text = when.replace(tzinfo=UTC).isoformat()
    read = moment(text, NOW).start
    assert divmod(read, S) == (
        int(when.replace(tzinfo=UTC, microsecond=0).timestamp()),
        when.microsecond * 1_000,
    )
