"""Measuring: wall and processor time of work that is repeated, and percentiles."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from audit.errors import AuditError

_LOOK_EVERY_S = 0.01


class MeasurementFailed(AuditError):
    """What was to be measured did not work; the text says why."""


def wait_until(look: Callable[[], bool], within_s: float, what: str) -> None:
    """Return as soon as ``look`` says so.

    Raises:
        MeasurementFailed: it did not come about in that time.
    """
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while not look():
        if time.monotonic() > deadline:
            raise MeasurementFailed(f"not within {within_s:.0f} s: {what}")
        pause.wait(_LOOK_EVERY_S)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a stretch of work took; ``cpu_s`` is this process's own time, whoever else is busy."""

    wall_s: float
    cpu_s: float


class Watch:
    """Measures from its making, or the last ``restart``."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Measure from now."""
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def spent(self) -> Spent:
        """Since the start; never zero."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return Spent(max(wall, 1e-9), max(cpu, 1e-9))


def timed(work: Callable[[], object]) -> Spent:
    """What one call takes."""
    watch = Watch()
    work()
    return watch.spent()


def percentile(values: Sequence[float], percent: float) -> float:
    """The least value that so many percent of the values don't exceed; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


def latencies(seconds: Sequence[float]) -> dict[str, Any]:
    """p50, p99 and number of durations given in seconds, as JSON in milliseconds."""
    return {
        "p50_ms": round(percentile(seconds, 50) * 1000, 3),
        "p99_ms": round(percentile(seconds, 99) * 1000, 3),
        "n": len(seconds),
    }
