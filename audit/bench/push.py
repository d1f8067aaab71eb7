"""How long a message takes to be durable while records are pushed to a SIEM, and while none are.

Two repositories on loopback: one is measured, the other takes what it pushes. What is pushed lies
in the index beforehand, so that the push is busy all the while. Both stretches belong to one run:
compare their ratio.
"""

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from audit.bench.clocks import MeasurementFailed, latencies, wait_until
from audit.bench.machine import machine
from audit.bench.repository import (
    LOOPBACK,
    Running,
    SearchableCount,
    Site,
    running,
    temporary_site,
)
from audit.bench.traffic import recent
from audit.settings import Settings
from audit.transport.sender import SenderOptions, SyslogTlsSender

_DESTINATION = "bench"
_SEARCHABLE_WITHIN_S = 600.0
_DURABLE_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.0005
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PushBenchOptions:
    """How much is pushed and measured.

    Attributes:
        backlog: records that wait to be pushed when the push begins.
        messages: that are sent one after the other in each stretch, and timed.
        folder: where the temporary folders are made.
    """

    backlog: int = 10_000
    messages: int = 500
    folder: Path | None = None


def run(options: PushBenchOptions) -> dict[str, Any]:
    """Times from sent to durable, without and with a busy push, and what was pushed meanwhile."""
    with (
        temporary_site(options.folder) as site,
        temporary_site(options.folder) as siem,
        running(siem, siem.settings(), "receive") as receiver,
    ):
        settings = _settings(site, siem, receiver.tls_port)
        with running(site, settings, "receive", "project") as repository:
            return _measured(options, site, settings, repository)


def _settings(site: Site, siem: Site, port: int) -> Settings:
    tls = siem.client_tls()
    told = {
        "host": LOOPBACK,
        "port": port,
        "ca": str(tls.trust.ca_files[0]),
        "certificate": str(tls.certificate),
        "private_key": str(tls.private_key),
        "max_octets": 65_536,
    }
    return site.settings(siem__destinations={_DESTINATION: told})


def _measured(
    options: PushBenchOptions, site: Site, settings: Settings, repository: Running
) -> dict[str, Any]:
    messages = list(recent(options.backlog + 2 * options.messages, seed=1))
    port = repository.tls_port
    sender = SyslogTlsSender(LOOPBACK, site.client_tls(), port, SenderOptions())
    with closing(sender), closing(SearchableCount(site, settings)) as searchable:
        for start in range(0, options.backlog, _BATCH):
            sender.send(*messages[start : min(start + _BATCH, options.backlog)])
        wait_until(
            lambda: searchable() >= max(options.backlog, repository.durable()),
            _SEARCHABLE_WITHIN_S,
            "the backlog is searchable",
        )
        rest = messages[options.backlog :]
        without = _times(sender, repository, rest[: options.messages])
        repository.start("push")
        before = _pushed(repository)
        beside = _times(sender, repository, rest[options.messages :])
        pushed = _pushed(repository) - before
    return {
        "without_push": latencies(without),
        "with_push": latencies(beside),
        "ratio_p99": round(_p99(beside) / _p99(without), 3),
        "pushed_meanwhile": pushed,
        "machine": machine(),
    }


def _times(sender: SyslogTlsSender, repository: Running, messages: list[bytes]) -> list[float]:
    """Seconds from each message's sending until one more entry is durable.

    Raises:
        MeasurementFailed: one is not.
    """
    found, pause = [], Event()
    for message in messages:
        wanted = repository.durable() + 1
        begun = time.perf_counter()
        sender.send(message)
        while repository.durable() < wanted:
            if time.perf_counter() - begun > _DURABLE_WITHIN_S:
                raise MeasurementFailed("a message was not durable in time")
            pause.wait(_LOOK_EVERY_S)
        found.append(time.perf_counter() - begun)
    return found


def _p99(seconds: list[float]) -> float:
    return float(latencies(seconds)["p99_ms"]) or _LOOK_EVERY_S


def _pushed(repository: Running) -> int:
    """Journal entries that the push has gone over."""
    told: Any = repository.status("push").detail.get(_DESTINATION, {})
    return int(told.get("position", 0))
