import pytest

from audit.errors import Denied, JournalUnavailable, NotFound, RequestError
from audit.query.neighbours import Neighbourhood
from tests.projector.messages import NOW, SECOND
from tests.query.trail import MARA, NOBODY, Trail


@pytest.fixture
def filled(trail: Trail) -> Trail:
    """Sequence n is n * 10 s after the first."""
    for n in range(9):
        host = "even" if n % 2 == 0 else "odd"
        trail.take(f"<85>1 - {host} app - - - number {n}".encode(), at=NOW + n * 10 * SECOND)
    trail.follow()
    return trail


def near(trail: Trail, about: str = "4", limit: int = 100, **asked: object) -> list[int]:
    answer = trail.service().neighbours(
        MARA, about, Neighbourhood(**asked), limit=limit  # type: ignore[arg-type]
    )  # fmt: skip
    return [one.sequence for one in answer.records]


def test_what_lies_within_the_window_newest_first(filled: Trail) -> None:
    assert near(filled, window_s=20) == [6, 5, 4, 3, 2]
    assert near(filled, window_s=19) == [5, 4, 3]
    assert near(filled, "0", window_s=10) == [1, 0]


def test_the_nearest_are_given_when_there_are_more(filled: Trail) -> None:
    assert near(filled, "7", limit=4, window_s=60) == [8, 7, 6, 5]
    assert near(filled, limit=1, window_s=60) == [4]
    answer = filled.service().neighbours(MARA, "4", Neighbourhood(window_s=20), limit=3)
    assert answer.total.value == 5
    assert answer.warnings == ("only the nearest in time are shown",)
    assert answer.next_cursor is None


def test_they_can_be_asked_to_share_a_value(filled: Trail) -> None:
    assert near(filled, window_s=30, same=("host",)) == [6, 4, 2]
    with pytest.raises(RequestError, match="no patient"):
        near(filled, same=("patient",))


def test_repeats_are_left_out_unless_asked_for(filled: Trail) -> None:
    filled.take(b"<85>1 - even app - - - number 4", at=NOW + 41 * SECOND)
    filled.follow()
    assert near(filled, window_s=5) == [4]
    assert near(filled, window_s=5, include_repeats=True) == [9, 4]


def test_records_of_the_same_moment_are_neighbours(trail: Trail) -> None:
    for n in range(3):
        trail.take(f"<85>1 - h app - - - same {n}".encode(), at=NOW)
    trail.follow()
    assert near(trail, "1", window_s=1) == [2, 1, 0]


@pytest.mark.parametrize("asked", [{"window_s": 0}, {"window_s": 86_401}, {"limit": 0}])
def test_bounds(filled: Trail, asked: dict[str, int]) -> None:
    with pytest.raises(RequestError, match="allowed are"):
        near(filled, **asked)  # type: ignore[arg-type]  # numbers only


def test_the_look_is_journaled_or_refused(filled: Trail) -> None:
    near(filled, same=("host",))
    assert filled.details()[-1]["neighbours of"] == "4"
    with pytest.raises(NotFound):
        near(filled, "99")
    with pytest.raises(Denied):
        filled.service().neighbours(NOBODY, "4", Neighbourhood())
    filled.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        near(filled)
