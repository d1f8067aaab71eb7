"""Memo: remembers within its bound and is right whatever it remembers."""

from audit.index.memo import Memo


def test_each_is_made_once_while_it_is_remembered() -> None:
    made: list[int] = []

    def square(number: int) -> int:
        made.append(number)
        return number * number

    squares = Memo(square, 100)
    assert [squares[n] for n in (3, 4, 3)] == [9, 16, 9]
    assert made == [3, 4]


def test_all_is_forgotten_when_it_would_be_too_much() -> None:
    def square(number: int) -> int:
        return number * number

    squares = Memo(square, 10)
    for n in range(1_000):
        assert squares[n] == n * n
        assert len(squares) <= 10


def test_what_is_not_to_be_kept_is_made_each_time() -> None:
    def twice(text: str) -> str:
        return text * 2

    doubled = Memo(twice, 10, lambda text: len(text) <= 4)
    assert (doubled["ab"], doubled["abc"]) == ("abab", "abcabc")
    assert list(doubled) == ["ab"]
