import pytest

from audit.bench.clocks import (
    MeasurementFailed,
    Watch,
    latencies,
    percentile,
    timed,
    wait_until,
)


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, 50) == 50
    assert percentile(values, 99) == 99
    assert percentile([7.0], 99) == 7
    assert percentile([], 50) == 0


def test_latencies_are_told_in_milliseconds() -> None:
    assert latencies([0.001, 0.002, 0.5]) == {"p50_ms": 2.0, "p99_ms": 500.0, "n": 3}


def test_a_watch_goes_on_and_restarts() -> None:
    watch = Watch()
    first = watch.spent().wall_s
    assert watch.spent().wall_s >= first
    watch.restart()
    assert timed(lambda: None).wall_s > 0


def test_waiting_ends_with_the_condition_or_says_what_did_not_come() -> None:
    looks = iter([False, True])
    wait_until(lambda: next(looks), 5, "the second look")
    with pytest.raises(MeasurementFailed, match="the kettle boils"):
        wait_until(lambda: False, 0.03, "the kettle boils")
