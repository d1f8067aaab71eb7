from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.record import times
from audit.record.times import format_ns, parse_date_time

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.5Z", -SECOND // 2),
        ("1970-01-01T00:00:00.1234567891234Z", 123_456_789),
        ("1970-01-01T00:00:60Z", 60 * SECOND),
        ("2016-12-31T23:59:60.25Z", 1_483_228_800 * SECOND + SECOND // 4),
        ("1969-12-31T24:00:00Z", 0),
        (" 1970-01-01T00:00:01Z ", SECOND),
        ("2026-03-01T09:30:00-05:30", 1_772_377_200 * SECOND),
    ],
)
def test_a_time_with_zone(text: str, ns: int) -> None:
    parsed = parse_date_time(text)
    assert parsed.ns == ns
    assert parsed.zone
    assert parsed.leap_second is (":60" in text)


def test_a_time_without_zone_is_taken_as_utc_and_says_so() -> None:
    parsed = parse_date_time("1970-01-01T00:00:01")
    assert (parsed.ns, parsed.zone) == (SECOND, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "1970-01-01",
        "1970-01-01 00:00:00Z",
        "1970-13-01T00:00:00Z",
        "1970-02-30T00:00:00Z",
        "1970-01-01T25:00:00Z",
        "1970-01-01T24:00:01Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:61Z",
        "1970-01-01T00:00:00+15:00",
        "1970-01-01T00:00:00+01:60",
        "0000-01-01T00:00:00Z",
        "1970-01-01T00:00:00." + "0" * 300 + "Z",
        "١٩٧٠-01-01T00:00:00Z",
    ],
)
def test_what_is_no_time(text: str) -> None:
    assert parse_date_time(text).ns is None


@given(st.text(max_size=40))
def test_no_text_raises(text: str) -> None:
    parse_date_time(text)


@given(
    st.from_regex(
        r"[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
        r"(\.[0-9]{3}|\.[0-9]{6})?(Z|[+-][01][0-9]:[0-6][0-9])?",
        fullmatch=True,
    )
)
def test_the_quick_reading_is_the_slow_one(text: str) -> None:
    if quick := times._usual(text):
        assert quick == times._parsed(text)
        assert times.is_usual(text)
    assert parse_date_time(text) == times._parsed(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_formatted_time_is_read_as_the_same(when: datetime) -> None:
    since = when - datetime(1970, 1, 1, tzinfo=UTC)
    ns = (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1000
    assert parse_date_time(format_ns(ns)).ns == ns
    assert parse_date_time(when.isoformat()).ns == ns


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (SECOND // 4, "1970-01-01T00:00:00.250Z"),
        (1000, "1970-01-01T00:00:00.000001Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (-SECOND, "1969-12-31T23:59:59Z"),
        (-62_135_596_800 * SECOND, "0001-01-01T00:00:00Z"),
    ],
)
def test_times_are_written_with_as_many_digits_as_needed(ns: int, text: str) -> None:
    assert format_ns(ns) == text
