"""Row ids rise with time."""

from hypothesis import given
from hypothesis import strategies as st

from audit.index import row_ids

seconds = st.integers(-9_223_372_037, 9_223_372_036)
times = st.integers(-(1 << 63), (1 << 63) - 1)


@given(seconds, seconds, st.integers(0, row_ids.LANES - 1))
def test_rows_of_a_lane_are_in_the_order_of_seconds(one: int, other: int, lane: int) -> None:
    assert (row_ids.last_row(lane, one) < row_ids.first_row(lane, other)) == (one < other)
    assert row_ids.second_of(row_ids.last_row(lane, one)) == one
    assert row_ids.lane_of(row_ids.first_row(lane, one)) == lane
    assert row_ids.last_row(lane, one) < 1 << 63


@given(times, times, times, st.integers(0, 3))
def test_bounds_hold_every_time_asked_for(time: int, one: int, other: int, lane: int) -> None:
    at_least, below = sorted((one, other))
    low, high = row_ids.lane_bounds(lane, at_least, below)
    first = row_ids.first_row(lane, time // row_ids.SECOND)
    if at_least <= time < below:
        assert low <= first <= high
    if low <= first <= high:
        assert at_least // row_ids.SECOND <= time // row_ids.SECOND <= below // row_ids.SECOND


@given(st.integers(-(1 << 80), 1 << 80), st.integers(-(1 << 80), 1 << 80))
def test_bounds_stay_inside_the_lane(at_least: int, below: int) -> None:
    low, high = row_ids.lane_bounds(2, at_least, below)
    assert row_ids.lane_of(low) == 2
    assert row_ids.lane_of(max(high, 2 << row_ids.LANE_BITS)) == 2
