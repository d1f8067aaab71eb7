import pytest

from audit.index.criteria import matches
from audit.index.document import IndexedRecord
from audit.query.home import (
    HomeOptions,
    failed_acts,
    home_figures,
    span_before,
    with_findings,
    young_span,
)
from tests.projector.messages import NOW, SECOND
from tests.query.memory_index import MemoryIndex

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def record(at: int = 0, **fields: str) -> IndexedRecord:
    return IndexedRecord(
        id=f"a-{at}",
        sequence=1,
        time=at,
        received=at,
        fields={name: (value,) for name, value in fields.items()},
    )


def test_the_window_ends_with_the_bar_that_holds_now() -> None:
    span = span_before(NOW, HomeOptions(window_s=3600, buckets=6))
    assert span.interval == 600 * SECOND
    assert span.end - span.start == 3600 * SECOND
    assert span.end - span.interval <= NOW < span.end
    assert span.start % span.interval == 0


@pytest.mark.parametrize(
    ("age", "interval", "bars"),
    [
        (0, MINUTE, 6),
        (2 * MINUTE, MINUTE, 6),
        (20 * MINUTE, MINUTE, 24),
        (46 * MINUTE, MINUTE, 48),
        (HOUR, 5 * MINUTE, 18),
        (3 * HOUR, 5 * MINUTE, 42),
        (6 * HOUR, 15 * MINUTE, 30),
    ],
)
def test_a_young_trail_is_shown_from_its_first_record(age: int, interval: int, bars: int) -> None:
    span = young_span(NOW, NOW - age, HomeOptions())
    assert span is not None
    assert (span.interval, (span.end - span.start) // span.interval) == (interval, bars)
    assert span.start <= NOW - age <= NOW < span.end
    assert span.start % interval == 0


def test_a_trail_of_half_a_day_needs_the_whole_window() -> None:
    assert young_span(NOW, NOW - 13 * HOUR, HomeOptions()) is None


@pytest.mark.parametrize(
    ("ages", "interval"),
    [
        ((), 30 * MINUTE),
        ((3 * MINUTE, MINUTE), MINUTE),
        ((20 * HOUR, MINUTE), 30 * MINUTE),
        ((25 * HOUR, MINUTE), 30 * MINUTE),
    ],
)
def test_only_a_young_trail_has_short_bars(ages: tuple[int, ...], interval: int) -> None:
    index = MemoryIndex()
    index.put([record(NOW - age, category="query") for age in ages], len(ages))
    figures = home_figures(index, NOW, HomeOptions())
    assert figures.span.interval == interval
    shown = sum(bucket.total for bucket in figures.histogram)
    assert shown == sum(age < 24 * HOUR for age in ages)


def test_a_security_alert_is_no_failed_act() -> None:
    assert matches(failed_acts(), record(outcome="minor-failure", category="export"))
    assert not matches(failed_acts(), record(outcome="minor-failure", category="security"))
    assert not matches(failed_acts(), record(outcome="success", category="export"))


def test_senders_with_something_to_mend() -> None:
    assert matches(with_findings(), record(severity="error"))
    assert matches(with_findings(), record(severity="warning"))
    assert not matches(with_findings(), record(severity="info"))
