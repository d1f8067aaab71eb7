"""Geometry of stacked bars."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.dashboard import charts

COUNTS = st.lists(
    st.dictionaries(st.sampled_from("abcxyz"), st.integers(0, 10**6), max_size=6), max_size=60
)


@given(COUNTS)
def test_bars_stay_in_the_box_and_keep_their_proportion(counts: list[dict[str, int]]) -> None:
    chart = charts.stacked_bars(list(enumerate(counts)), "abc")
    assert chart.top >= max((sum(one.values()) for one in counts), default=0)
    for bar, given_counts in zip(chart.bars, counts, strict=True):
        assert bar.total == sum(given_counts.values())
        below = charts.HEIGHT + 0.02
        for part in bar.rectangles:
            assert part.x >= 0
            assert part.x + part.width <= charts.WIDTH
            assert part.y >= -0.02
            assert part.y + part.height <= below + 0.02
            assert part.height == pytest.approx(charts.HEIGHT * part.count / chart.top, abs=0.01)
            below = part.y


def test_known_names_come_first_and_in_order() -> None:
    chart = charts.stacked_bars([(0, {"z": 1, "b": 2, "a": 3}), (1, {"b": 1})], "abc")
    assert chart.names == (("a", 3), ("b", 3), ("z", 1))
    assert not chart.is_empty
    assert charts.stacked_bars([(0, {}), (1, {"a": 0})], "abc").is_empty


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 1), (1, 1), (2, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (43, 50), (501, 600)],
)
def test_scale_ends_at_a_round_number(value: int, expected: int) -> None:
    assert charts.round_up(value) == expected
