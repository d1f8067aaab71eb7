import pytest

from audit.projector.event_time import choose_time
from audit.projector.options import ProjectionOptions
from audit.record.times import format_ns
from tests.projector.messages import DAY, NOW, SECOND, received


@pytest.mark.parametrize(
    ("age", "counts"),
    [
        (0, True),
        (45 * DAY, True),
        (45 * DAY + SECOND, False),
        (-DAY, True),
        (-DAY - SECOND, False),
        (4000 * DAY, False),
    ],
)
def test_the_events_own_time_counts_within_the_window(age: int, counts: bool) -> None:
    sent = format_ns(NOW - age)
    chosen = choose_time(sent, received(b"x"), ProjectionOptions())
    assert chosen.ns == (NOW - age if counts else NOW)
    assert (chosen.finding is None) == counts
    if chosen.finding is not None:
        assert chosen.finding.rule == "clock-skew"
        assert sent in chosen.finding.message


def test_an_imported_record_keeps_its_own_time() -> None:
    arrival = received(b"x", listener="import")
    chosen = choose_time(format_ns(NOW - 9000 * DAY), arrival, ProjectionOptions())
    assert chosen.ns == NOW - 9000 * DAY
    assert chosen.finding is None


def test_a_time_that_is_none_gives_way_to_receipt() -> None:
    chosen = choose_time("yesterday", received(b"x"), ProjectionOptions())
    assert (chosen.ns, chosen.finding) == (NOW, None)


def test_the_window_can_be_set() -> None:
    options = ProjectionOptions(oldest_event_age_s=10, newest_event_lead_s=0)
    assert choose_time(format_ns(NOW - 11 * SECOND), received(b"x"), options).finding
    assert choose_time(format_ns(NOW + SECOND), received(b"x"), options).finding
    assert not choose_time(format_ns(NOW - 10 * SECOND), received(b"x"), options).finding
