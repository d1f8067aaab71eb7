"""Date values: what each means, to the nanosecond."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import RequestError
from audit.fhir.dates import NS_PER_S, date_range

DAY = 86_400 * NS_PER_S
NOW = int(datetime(2026, 5, 11, tzinfo=UTC).timestamp()) * NS_PER_S


def ns(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * NS_PER_S  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024", ns(2024, 1, 1), ns(2025, 1, 1)),
        ("2024-02", ns(2024, 2, 1), ns(2024, 3, 1)),
        ("2024-12", ns(2024, 12, 1), ns(2025, 1, 1)),
        ("2024-02-29", ns(2024, 2, 29), ns(2024, 3, 1)),
        ("2024-02-29T10:30", ns(2024, 2, 29, 10, 30), ns(2024, 2, 29, 10, 31)),
        ("2024-02-29T10:30:15Z", ns(2024, 2, 29, 10, 30, 15), ns(2024, 2, 29, 10, 30, 16)),
        ("2024-02-29T10:30:15+02:00", ns(2024, 2, 29, 8, 30, 15), ns(2024, 2, 29, 8, 30, 16)),
        ("2024-02-29T10:30-01:30", ns(2024, 2, 29, 12, 0), ns(2024, 2, 29, 12, 1)),
        ("9999", ns(9999, 1, 1), ns(9999, 1, 1) + 365 * DAY),
    ],
)
def test_a_value_means_the_whole_of_what_it_names(text: str, start: int, end: int) -> None:
    for prefix in ("", "eq"):
        found = date_range(prefix + text, NOW)
        assert (found.start, found.end, found.excluded) == (start, end, False)
    assert date_range(f"ne{text}", NOW).excluded
    assert (date_range(f"ge{text}", NOW).start, date_range(f"ge{text}", NOW).end) == (start, None)
    assert (date_range(f"le{text}", NOW).start, date_range(f"le{text}", NOW).end) == (None, end)
    for prefix in ("gt", "sa"):
        assert date_range(prefix + text, NOW).start == end
    for prefix in ("lt", "eb"):
        assert date_range(prefix + text, NOW).end == start


def test_fractions_mean_as_much_as_is_written() -> None:
    found = date_range("2024-01-01T00:00:00.25Z", NOW)
    assert (found.start or 0) - ns(2024, 1, 1) == 250_000_000
    assert (found.end or 0) - (found.start or 0) == 10_000_000


def test_about_then_is_within_a_tenth_of_the_time_since() -> None:
    found = date_range("ap2026-05-01", NOW)
    assert (found.start, found.end) == (ns(2026, 4, 30), ns(2026, 5, 3))
    assert found.has_lower
    assert found.has_upper


@pytest.mark.parametrize(
    "text",
    [
        *("", "ge", "24", "2024-13", "2024-00", "2024-02-30", "2024-01-01T", "2024-01-01T24:00"),
        *("2024-01-01T10:60", "2024-01-01T10:00:61", "2024-01-01T10:00+25:00", "0000", "xx2024"),
        *("2024-01-01T10:00:00.1234567890", "2024-1-1", "\uff12024", "2024-01-01T10"),
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        date_range(text, NOW)


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 30)), st.integers(0, 2**62))  # noqa: DTZ001 - told as UTC
def test_prefixes_fit_together(when: datetime, at: int) -> None:
    text = when.isoformat(timespec="seconds")

    def holds(prefix: str) -> bool:
        return date_range(prefix + text, NOW).holds(at)

    assert holds("eq") is not holds("ne")
    assert holds("le") is (holds("eq") or holds("lt"))
    assert holds("ge") is (holds("eq") or holds("gt"))
    assert [holds("lt"), holds("eq"), holds("gt")].count(True) == 1
