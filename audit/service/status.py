"""What each process says of itself: a small file, replaced each second, that outlives it."""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

STATUS_INTERVAL_S = 1.0
STALE_AFTER_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One process at one moment.

    Attributes:
        role: receive, project, web or push.
        ready: whether it does its work.
        detail: facts for ``/readyz`` by name.
        metrics: Prometheus text.
        updated: UTC nanoseconds.
    """

    role: str
    ready: bool
    pid: int
    updated: int
    detail: Mapping[str, Any] = field(default_factory=dict)
    metrics: str = ""

    @property
    def fresh(self) -> bool:
        """Whether the process wrote this a moment ago."""
        return time.time_ns() - self.updated < STALE_AFTER_S * 1e9


def write_status(path: Path, status: Status) -> None:
    """Replace the status file at once, so that a reader never sees half of it."""
    text = json.dumps(
        {
            "role": status.role,
            "ready": status.ready,
            "pid": status.pid,
            "updated": status.updated,
            "detail": dict(status.detail),
            "metrics": status.metrics,
        }
    )
    partial = path.with_suffix(f".{os.getpid()}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def read_status(path: Path) -> Status | None:
    """The status in that file; None when there is none or it can't be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Status(**content)
    except (OSError, ValueError, TypeError):
        return None


def read_all(folder: Path) -> tuple[Status, ...]:
    """Every status in the folder, by role."""
    found = (read_status(path) for path in sorted(folder.glob("status-*.json")))
    return tuple(status for status in found if status is not None)


class StatusWriter:
    """Writes a status each second from a thread of its own, until stopped."""

    def __init__(self, path: Path, look: Callable[[], Status]) -> None:
        self._path = path
        self._look = look
        self._stop = Event()
        self._thread = Thread(target=self._run, name="status", daemon=True)

    def start(self) -> None:
        """Write the first status and go on."""
        write_status(self._path, self._look())
        self._thread.start()

    def stop(self) -> None:
        """Stop writing and remove the file: a process that has ended has no status."""
        self._stop.set()
        self._thread.join()
        self._path.unlink(missing_ok=True)

    def _run(self) -> None:
        while not self._stop.wait(STATUS_INTERVAL_S):
            write_status(self._path, self._look())
