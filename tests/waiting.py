"""Waiting for something to become true, with a deadline instead of a fixed pause."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], *, within_s: float = 60.0, every_s: float = 0.02) -> T:
    """The first truthy answer of ``look``; fails when none comes in time."""
    deadline = time.monotonic() + within_s
    pause = Event()
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {look}")
        pause.wait(every_s)
