from types import SimpleNamespace
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom.dimse_messages import C_FIND_RSP, C_STORE_RSP

from audit.nodes.deliveries import CANCELLED, PENDING, Delivery


class Told:
    def __init__(self) -> None:
        self.began: list[int] = []
        self.ended: list[tuple[int, int]] = []

    def delivery(self, count: int) -> Delivery:
        return Delivery(
            [Dataset() for _ in range(count)],
            lambda sent: self.began.append(len(sent)),
            lambda arrived, missed: self.ended.append((len(arrived), len(missed))),
        )


@pytest.fixture
def told() -> Told:
    return Told()


def event(*, cancelled: bool = False) -> Any:
    return SimpleNamespace(is_cancelled=cancelled)


def answer(status: int, kind: type = C_STORE_RSP) -> Any:
    message = kind()
    message.command_set.Status = status
    return SimpleNamespace(message=message)


def test_what_was_answered_well_arrived(told: Told) -> None:
    delivery = told.delivery(3)
    steps = delivery.steps(event())
    assert next(steps) == 3
    for status in (0x0000, 0xB000, 0xA700):
        sent = next(steps)
        assert isinstance(sent, tuple)
        assert sent[0] == PENDING
        delivery.answered(answer(status))
        delivery.answered(answer(0, C_FIND_RSP))
    assert list(steps) == []
    assert (told.began, told.ended) == ([3], [(2, 1)])


def test_a_cancelled_delivery_tells_what_arrived_until_then(told: Told) -> None:
    delivery = told.delivery(2)
    steps = delivery.steps(event(cancelled=True))
    assert [next(steps), next(steps)] == [2, (CANCELLED, None)]
    steps.close()  # type: ignore[attr-defined]
    assert told.ended == [(0, 2)]


def test_a_delivery_that_never_began_is_told_as_missed(told: Told) -> None:
    steps = told.delivery(2).steps(event())
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert (told.began, told.ended) == ([], [(0, 2)])


def test_nothing_to_deliver_is_not_told(told: Told) -> None:
    assert list(told.delivery(0).steps(event())) == [0]
    assert not told.ended
