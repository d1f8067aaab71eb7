from collections.abc import Callable
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from audit.errors import ConnectionFailed
from audit.nodes.acts import Act
from audit.nodes.chance import seeded
from audit.nodes.day import AT_ONCE, WEIGHTS, Day


class Seat:
    def __init__(self) -> None:
        self.logouts = 0

    def logout(self) -> None:
        self.logouts += 1


class Acts:
    """Acts of three steps that count, and stop the day after so many steps."""

    def __init__(self, stop: Event, steps: int) -> None:
        self.stop = stop
        self.steps = steps
        self.begun: dict[str, int] = {}
        self.going = 0
        self.most_at_once = 0
        self.at_viewer: set[int] = set()
        self.fault: Exception | None = None

    def __getattr__(self, name: str) -> Callable[..., Act]:
        def play(*given: Any) -> Act:
            return self._steps(name, given)

        return play

    def _steps(self, name: str, given: tuple[Any, ...]) -> Act:
        viewer = id(given[0]) if name in {"reading", "arrival", "emergency"} else None
        assert viewer not in self.at_viewer
        if viewer is not None:
            self.at_viewer.add(viewer)
        self.begun[name] = self.begun.get(name, 0) + 1
        self.going += 1
        self.most_at_once = max(self.most_at_once, self.going)
        try:
            for _ in range(3):
                self.steps -= 1
                if self.steps <= 0:
                    self.stop.set()
                if self.fault is not None:
                    raise self.fault
                yield
        finally:
            self.going -= 1
            self.at_viewer.discard(viewer or 0)


@pytest.fixture
def stop() -> Event:
    return Event()


def day(acts: Acts, viewers: int = 2) -> tuple[Day, list[Any]]:
    cast: Any = SimpleNamespace(
        viewers=[SimpleNamespace(seat=Seat()) for _ in range(viewers)], modalities=["CT", "MR"]
    )
    played: Any = acts
    return Day(cast, played, seeded("test"), 0.0, ("127.0.0.1", 6514)), cast.viewers


def test_life_goes_on_with_acts_side_by_side_and_one_person_at_a_viewer(stop: Event) -> None:
    acts = Acts(stop, 600)
    played, viewers = day(acts)
    played.live(stop)
    assert set(acts.begun) == set(WEIGHTS)
    assert acts.most_at_once == AT_ONCE
    assert acts.going == 0
    assert all(viewer.seat.logouts for viewer in viewers)


def test_a_step_that_goes_wrong_ends_its_act_and_not_the_day(stop: Event) -> None:
    acts = Acts(stop, 5)
    acts.fault = ConnectionFailed("PACS_MAIN is gone")
    with capture_logs() as logs:
        day(acts)[0].live(stop)
    assert sum(acts.begun.values()) == 5
    assert logs[0]["fault"] == "PACS_MAIN is gone"
    assert acts.going == 0


def test_the_first_round_plays_every_act_and_ends_when_told(stop: Event) -> None:
    acts = Acts(stop, 1000)
    day(acts)[0].first_round(stop)
    assert acts.begun == {
        "examination": 2,
        "reading": 1,
        "emergency": 1,
        "arrival": 1,
        "intrusion": 1,
    }
    stopped = Acts(stop, 1)
    day(stopped)[0].first_round(stop)
    assert stopped.begun == {"examination": 1}
