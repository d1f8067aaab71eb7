"""What the receiver feels of an index that fails: time until a record is durable, well and not.

Records are appended one by one through the repository's own socket and each waits until it is
durable, while a sender keeps up a steady load over TLS. Ways to fail take turns with none, so that
what else the machine does falls on all of them alike.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from threading import Event, Thread
from time import monotonic, perf_counter
from typing import Any, Final

from audit.bench.clocks import latencies, wait_until
from audit.bench.machine import machine
from audit.bench.repository import LOOPBACK, Running, Site, running, temporary_site
from audit.bench.senders import SenderPlan, Senders, sending
from audit.bench.stand_in import FAULTS, WELL, StandIn, stand_in
from audit.bench.traffic import recent
from audit.index.port import SearchIndex
from audit.service.backends import open_index
from audit.transport.append_socket import AppendClient

_ANY: Final = "failing"
"""All ways to fail together: a short run has too few records of each for a 99th percentile."""

_BLOCK: Final = 25
_PACE_S: Final = 0.005
_MESSAGES: Final = 500
_LISTENER: Final = "bench"
_CAUGHT_UP_WITHIN_S: Final = 300.0
_TIMEOUT_S: Final = 2.0
"""How long the projector waits for an answer: short, so that silence is met more than once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageOptions:
    """How long, and how much.

    Attributes:
        seconds: of each way to fail in each round.
        rounds: how often each has its turn.
        per_s: records a second that arrive over TLS meanwhile.
        folder: where the temporary folder is made.
    """

    seconds: float = 3.0
    rounds: int = 3
    per_s: int = 500
    folder: Path | None = None


def run(options: OutageOptions) -> dict[str, Any]:
    """p50 and p99 until durable by what the index does, and how much worse a failing one is."""
    with stand_in() as server, temporary_site(options.folder) as site:
        settings = site.settings(
            index__backend="elasticsearch",
            index__elasticsearch_url=server.url,
            index__elasticsearch_timeout_s=_TIMEOUT_S,
            index__elasticsearch_retry_s=_TIMEOUT_S,
        )
        with (
            running(site, settings, "receive", "project") as repository,
            sending([_plan(site, repository)], _BLOCK) as senders,
        ):
            taken = _take_turns(options, server, site, senders)
            index = open_index(settings, site.paths)
            try:
                behind_s = _catch_up(server, repository, index)
            finally:
                index.close()
    taken[_ANY] = [one for way in FAULTS for one in taken[way]]
    told = {way: latencies(durations) for way, durations in taken.items()}
    well = told[WELL]["p99_ms"]
    return {
        "seconds": options.seconds * options.rounds,
        "arriving_per_s": options.per_s,
        "durable": told,
        "p99_to_well": {way: round(told[way]["p99_ms"] / well, 2) for way in (_ANY, *FAULTS)},
        "requests_failed": server.faults,
        "caught_up_s": round(behind_s, 1),
        "machine": machine(),
    }


def _plan(site: Site, repository: Running) -> SenderPlan:
    return SenderPlan(
        host=LOOPBACK, port=repository.tls_port, tls=site.client_tls(), seed=1, messages=_MESSAGES
    )


def _take_turns(
    options: OutageOptions, server: StandIn, site: Site, senders: Senders
) -> dict[str, list[float]]:
    """Seconds until durable of each record, by what the index did meanwhile."""
    taken: dict[str, list[float]] = {way: [] for way in (WELL, *FAULTS)}
    messages = _different()
    appends = AppendClient(site.paths.append_socket)
    try:
        senders.send(_BLOCK)
        appends.append(next(messages), _LISTENER)
        for _ in range(options.rounds):
            for way in FAULTS:
                for now in (WELL, way):
                    server.way = now
                    with _load(senders, options.per_s):
                        taken[now] += _append_for(options.seconds, appends, messages)
    finally:
        server.way = WELL
        appends.close()
    return taken


def _different() -> Iterator[bytes]:
    """Messages, none the same octets as another."""
    for number, raw in zip(count(), cycle(list(recent(_MESSAGES, seed=2))), strict=False):
        yield raw.replace(b"Z ", b"%06dZ " % number, 1)


@contextmanager
def _load(senders: Senders, per_s: int) -> Iterator[None]:
    """The steady load, for the length of a block, from a thread of its own."""
    over = Event()
    thread = Thread(target=_send_steadily, args=(senders, per_s, over))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _send_steadily(senders: Senders, per_s: int, over: Event) -> None:
    begun, before = monotonic(), senders.sent
    while not over.is_set():
        if senders.sent - before < (monotonic() - begun) * per_s:
            senders.send(_BLOCK)
        else:
            over.wait(_PACE_S)


def _append_for(seconds: float, appends: AppendClient, messages: Iterator[bytes]) -> list[float]:
    found: list[float] = []
    pause = Event()
    until = monotonic() + seconds
    while monotonic() < until:
        begun = perf_counter()
        appends.append(next(messages), _LISTENER)
        found.append(perf_counter() - begun)
        pause.wait(_PACE_S)
    return found


def _catch_up(server: StandIn, repository: Running, index: SearchIndex) -> float:
    """How long until all that is durable was put, once the index works again."""
    server.way = WELL
    begun = monotonic()
    durable = repository.durable()
    wait_until(lambda: index.position() >= durable, _CAUGHT_UP_WITHIN_S, "the index has caught up")
    return monotonic() - begun
