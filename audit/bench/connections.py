"""Idle mutual-TLS connections held by a real receiver, while messages arrive over others."""

import resource
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.bench.clocks import MeasurementFailed, Watch, wait_until
from audit.bench.machine import machine
from audit.bench.repository import LOOPBACK, Running, Site, running, temporary_site
from audit.bench.senders import SenderPlan, Senders, sending
from audit.errors import RequestError
from audit.transport.tls import ClientTls, client_context

_SPARE_FILES = 256
_OPEN_GAUGE = "arr_connections "
_SEEN_WITHIN_S = 10.0
_CONNECT_WITHIN_S = 30.0
_KIBI = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionsOptions:
    """How much is held.

    Attributes:
        connections: idle ones.
        seconds: how long messages are sent, before and while the connections are held.
        senders: processes that send, each over one more connection.
        messages: different messages of each sender.
        folder: where the temporary folder is made.
    """

    connections: int
    seconds: float = 5.0
    senders: int = 2
    messages: int = 5_000
    folder: Path | None = None


def run(options: ConnectionsOptions) -> dict[str, Any]:
    """Memory of the receiver, and what it takes in, without and with the connections.

    Raises:
        RequestError: this process may not open so many files.
    """
    _allow_files(options.connections + _SPARE_FILES)
    most = options.connections + _SPARE_FILES
    with temporary_site(options.folder) as site:
        settings = site.settings(
            syslog__max_connections=most, syslog__max_connections_per_address=most
        )
        with (
            running(site, settings, "receive") as repository,
            sending(_plans(options, site, repository.tls_port)) as senders,
        ):
            return _measure(options, site, repository, senders)


def _plans(options: ConnectionsOptions, site: Site, port: int) -> list[SenderPlan]:
    tls = site.client_tls()
    return [
        SenderPlan(host=LOOPBACK, port=port, tls=tls, seed=seed, messages=options.messages)
        for seed in range(1, options.senders + 1)
    ]


def _measure(
    options: ConnectionsOptions, site: Site, repository: Running, senders: Senders
) -> dict[str, Any]:
    alone_per_s = _durable_per_s(options.seconds, repository, senders)
    before = repository.rss_octets("receive")
    watch = Watch()
    with held(options.connections, repository.tls_port, site.client_tls()):
        opened_s = watch.spent().wall_s
        wait_until(
            lambda: _open_now(repository) >= options.connections,
            _SEEN_WITHIN_S,
            f"the receiver holds {options.connections} connections",
        )
        idle = repository.rss_octets("receive")
        beside_per_s = _durable_per_s(options.seconds, repository, senders)
        busy = repository.rss_octets("receive")
        still = _open_now(repository)
    return {
        "connections": options.connections,
        "still_open": still >= options.connections,
        "opened_per_s": round(options.connections / opened_s),
        "rss_mb": {
            name: round(octets / 1e6, 1)
            for name, octets in (("before", before), ("idle", idle), ("busy", busy))
        },
        "kib_per_connection": round((idle - before) / options.connections / _KIBI, 1),
        "durable_per_s": {"alone": alone_per_s, "beside": beside_per_s},
        "ratio_beside_to_alone": round(beside_per_s / alone_per_s, 3),
        "machine": machine(),
    }


def _durable_per_s(seconds: float, repository: Running, senders: Senders) -> int:
    """What becomes durable while the senders are busy; what comes late isn't counted.

    Raises:
        MeasurementFailed: nothing did.
    """
    senders.send(1)
    before = repository.durable()
    watch = Watch()
    senders.send_for(seconds)
    durable = repository.durable() - before
    if not durable:
        raise MeasurementFailed(f"nothing became durable within {seconds:g} s; measure for longer")
    return round(durable / watch.spent().wall_s)


def _open_now(repository: Running) -> int:
    lines = repository.status("receive").metrics.splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith(_OPEN_GAUGE))


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise RequestError(f"{wanted} open files are needed, {hard} allowed; see ulimit -n")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextmanager
def held(count: int, port: int, tls: ClientTls) -> Iterator[None]:
    """So many authenticated connections that say nothing."""
    context, _ = client_context(tls)
    with ExitStack() as connections:
        for _ in range(count):
            connections.enter_context(_connected(port, context))
        yield


def _connected(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    """One connection, its handshake done.

    Raises:
        MeasurementFailed: the receiver refuses it.
    """
    try:
        plain = socket.create_connection((LOOPBACK, port), timeout=_CONNECT_WITHIN_S)
        try:
            return context.wrap_socket(plain, server_hostname=LOOPBACK)
        except OSError:
            plain.close()
            raise
    except OSError as error:
        raise MeasurementFailed(f"the receiver refuses a connection: {error}") from error
