"""A store on disk, with cheap passwords and a clock that stands still until it is moved."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from audit.state.options import PasswordOptions, StateOptions
from audit.state.store import StateStore

S = 1_000_000_000
PASSWORD = "correct horse battery"
CHEAP = PasswordOptions(memory_kib=64, passes=1, lanes=1)
OPTIONS = StateOptions(passwords=CHEAP, max_sessions=3, max_tokens=3, max_saved_searches=3)


@dataclass
class Clock:
    """UTC nanoseconds."""

    now: int = 1_780_000_000 * S

    def __call__(self) -> int:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += int(seconds * S)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/state/state.db"


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[StateStore]:
    with StateStore(url, OPTIONS, clock) as opened:
        yield opened
