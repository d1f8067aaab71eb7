import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import ConfigurationError
from audit.transport.memory_budget import MemoryBudget
from tests.properties import examples


def test_those_who_wait_are_served_in_turn() -> None:
    budget = MemoryBudget(100)
    served: list[str] = []
    assert budget.reserve(1, 60, lambda: served.append("one"))
    assert not budget.reserve(2, 80, lambda: served.append("two"))
    assert not budget.reserve(3, 10, lambda: served.append("three"))
    budget.release(1)
    assert served == ["two", "three"]
    assert budget.reserved_octets == 90


def test_one_who_leaves_the_queue_is_not_served() -> None:
    budget = MemoryBudget(100)
    served: list[str] = []
    budget.reserve(1, 100, lambda: None)
    budget.reserve(2, 100, lambda: served.append("two"))
    budget.release(2)
    budget.release(1)
    assert not served
    assert budget.reserved_octets == 0


def test_more_than_there_is_in_all_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="101"):
        MemoryBudget(100).reserve(1, 101, lambda: None)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 100)), max_size=40))
@examples(20)
def test_never_more_is_reserved_than_there_is_and_all_are_served_in_the_end(
    steps: list[tuple[int, int]],
) -> None:
    budget = MemoryBudget(100)
    asked: set[int] = set()
    served: set[int] = set()

    def ask(holder: int, octets: int) -> None:
        asked.add(holder)
        if budget.reserve(holder, octets, lambda: served.add(holder)):
            served.add(holder)

    for holder, octets in steps:
        if holder in asked:
            budget.release(holder)
            asked.discard(holder)
            served.discard(holder)
        else:
            ask(holder, octets)
        assert 0 <= budget.reserved_octets <= 100
    while asked:
        holder = next(iter(asked & served))  # somebody is always served
        budget.release(holder)
        asked.discard(holder)
    assert budget.reserved_octets == 0
