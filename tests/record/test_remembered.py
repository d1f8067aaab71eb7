from hypothesis import given
from hypothesis import strategies as st

from audit.record.remembered import PerPart, Remembered


def test_what_was_put_is_got_and_nothing_else() -> None:
    known: Remembered[str, int] = Remembered(4)
    known.put("a", 1)
    assert known.get("a") == 1
    assert known.get("b") is None


def test_what_is_asked_for_stays_and_the_rest_gives_way() -> None:
    known: Remembered[int, int] = Remembered(4)
    for number in range(100):
        known.put(number, number)
        assert known.get(0) in {0, None}
        known.put(0, 0)
    assert known.get(0) == 0
    assert known.get(1) is None
    assert len(known) <= 4


@given(st.lists(st.integers(0, 9)), st.integers(1, 6))
def test_a_memory_is_bounded_and_never_wrong(keys: list[int], most: int) -> None:
    known: Remembered[int, str] = Remembered(most)
    for key in keys:
        assert known.get(key) in {str(key), None}
        known.put(key, str(key))
        assert known.get(key) == str(key)
        assert len(known) <= max(most, 2)


def test_a_part_is_worked_on_once_and_known_by_its_identity() -> None:
    asked: list[list[int]] = []

    def total(part: list[int]) -> int:
        asked.append(part)
        return sum(part)

    per_part = PerPart(total, most=4)
    one, same = [1, 2], [1, 2]
    assert [per_part(one), per_part(one), per_part(same)] == [3, 3, 3]
    assert len(asked) == 2
    others = [[number] for number in range(10)]
    assert [per_part(other) for other in others] == list(range(10))
    assert per_part(one) == 3
