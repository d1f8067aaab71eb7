"""Records that keep arriving in an index while it is asked, from a process of their own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol

from audit.bench.repository import Site
from audit.bench.traffic import entries, received
from audit.projector.project import project
from audit.service.backends import open_index
from audit.settings import Settings

_BATCHES_PER_S = 4
_DIFFERENT = 5_000
_STARTS_WITHIN_S = 60.0
_ENDS_WITHIN_S = 20.0
_SEED = 2


class Flag(Protocol):
    """An event of threads or of processes."""

    def set(self) -> None:
        """Raise it."""

    def is_set(self) -> bool:
        """Whether it is raised."""

    def wait(self, timeout: float | None = None) -> bool:
        """Until it is raised, but no longer than so many seconds."""


def keep_arriving(
    site: Site, settings: Settings, first: int, per_s: int, ready: Flag, stop: Flag
) -> None:
    """In its own process: project and put so many records a second, from a sequence on."""
    index = open_index(settings, site.paths)
    arrived = list(received(_DIFFERENT, days=0.5, seed=_SEED))
    size = max(1, per_s // _BATCHES_PER_S)
    try:
        ready.set()
        while not stop.is_set():
            begun = time.monotonic()
            batch = [arrived[(first + n) % _DIFFERENT] for n in range(size)]
            records = [project(entry, "bench") for entry in entries(batch, first)]
            first += size
            index.put(records, first)
            stop.wait(max(0.0, size / per_s - (time.monotonic() - begun)))
    finally:
        index.close()


@contextmanager
def arriving(site: Site, settings: Settings, first: int, per_s: int) -> Iterator[None]:
    """While this holds, records arrive at that pace; none when it is 0."""
    if per_s == 0:
        yield
        return
    context = get_context("spawn")
    ready, stop = context.Event(), context.Event()
    process = context.Process(
        target=keep_arriving, args=(site, settings, first, per_s, ready, stop), daemon=True
    )
    process.start()
    try:
        ready.wait(_STARTS_WITHIN_S)
        yield
    finally:
        stop.set()
        process.join(_ENDS_WITHIN_S)
        process.kill()
        process.join()
