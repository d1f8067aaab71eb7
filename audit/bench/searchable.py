"""From mutual-TLS sockets to searchable, for a while and for as many records as are wished for.

The senders are held back so that the index is never far behind: the rate can be kept up.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from audit.bench.clocks import MeasurementFailed, Watch, wait_until
from audit.bench.ingest_options import CAUGHT_UP_WITHIN_S, IngestOptions, plans, warm_up
from audit.bench.repository import (
    LOOK_EVERY_S,
    Running,
    SearchableCount,
    running,
    temporary_site,
)
from audit.bench.senders import Senders, sending

_BACKLOG = 6_000
"""Records between sockets and index: some batches, so that no stage waits for the other."""
_ROLES = ("receive", "project")
_TENTHS = 10


@dataclass(slots=True)
class _Stretch:
    """A repository that is sent to, from its present state on."""

    repository: Running
    senders: Senders
    index: SearchableCount
    index_folder: Path
    before: int = field(init=False)
    start: int = field(init=False)
    cpu: dict[str, float] = field(init=False)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        warm_up(self.senders)
        self._wait()
        self.before, self.start = self.senders.sent, self.repository.durable()
        self.cpu = self._cpu()
        self.watch = Watch()

    @property
    def searchable(self) -> int:
        """Records of this stretch that are."""
        return self.index() - self.start

    def may_send(self) -> bool:
        """Whether the index has caught up enough."""
        return self.senders.sent - self.before - self.searchable < _BACKLOG

    def end(self) -> dict[str, Any]:
        """All that was sent is searchable; the figures.

        Raises:
            MeasurementFailed: not all was confirmed, or searchable in time.
        """
        if not self.senders.finish():
            raise MeasurementFailed("the receiver did not confirm every message as durable")
        self._wait()
        spent, used = self.watch.spent().wall_s, self._cpu()
        count = self.senders.sent - self.before
        return {
            "per_s": round(count / spent),
            "records": count,
            "cpu_us": {
                role: round((used[role] - self.cpu[role]) / count * 1e6, 1) for role in used
            },
        }

    def _wait(self) -> None:
        wait_until(
            lambda: self.index() >= self.repository.durable(),
            CAUGHT_UP_WITHIN_S,
            "every record is searchable",
        )

    def _cpu(self) -> dict[str, float]:
        return {role: self.repository.cpu_s(role) for role in _ROLES}


def measure_searchable(options: IngestOptions, workers: int) -> dict[str, Any]:
    """Records a second for ``options.seconds``, and what each cost the processor."""
    with _stretch(options, workers) as stretch:
        stretch.senders.send_for(options.seconds, stretch.may_send)
        return {f"searchable_{name}": value for name, value in stretch.end().items()}


def measure_sustained(options: IngestOptions, workers: int) -> dict[str, Any]:
    """The same for ``options.sustain`` records, tenth by tenth."""
    with _stretch(options, workers) as stretch:
        reached = [0.0]

        def is_done() -> bool:
            while len(reached) <= _TENTHS and (
                stretch.searchable >= options.sustain * len(reached) // _TENTHS
            ):
                reached.append(stretch.watch.spent().wall_s)
                options.progress("searchable", stretch.searchable, options.sustain)
            return len(reached) > _TENTHS

        stretch.senders.send_until(is_done, stretch.may_send)
        found = stretch.end()
        took = [max(LOOK_EVERY_S, end - begin) for begin, end in pairwise(reached)]
        octets = sum(one.stat().st_size for one in stretch.index_folder.rglob("*"))
        return {
            **{f"sustained_{name}": value for name, value in found.items()},
            "sustained_per_s_by_tenth": [
                round(options.sustain / _TENTHS / seconds) for seconds in took
            ],
            "last_tenth_to_first": round(took[0] / took[-1], 3),
            "index_octets_per_record": round(octets / found["records"], 1),
        }


@contextmanager
def _stretch(options: IngestOptions, workers: int) -> Iterator[_Stretch]:
    with temporary_site(options.folder) as site:
        settings = site.settings(index__workers=workers)
        with (
            running(site, settings, *_ROLES) as repository,
            sending(plans(options, site, repository.tls_port)) as senders,
        ):
            index = SearchableCount(site, settings)
            try:
                yield _Stretch(repository, senders, index, site.paths.index)
            finally:
                index.close()
