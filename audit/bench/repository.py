"""A real repository in a temporary folder: the product's own processes, on loopback."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.bench.clocks import MeasurementFailed, wait_until
from audit.bench.processes import cpu_of_tree, rss_of
from audit.errors import IndexUnavailable
from audit.index.port import SearchIndex
from audit.journal.position import read_position
from audit.service.backends import open_index, upkeep_of
from audit.service.paths import DataPaths
from audit.service.site_pki import CA_STEM, SERVER_STEM, create_authority, issue_client
from audit.service.status import Status, read_status
from audit.settings import Settings, load
from audit.transport.tls import ClientTls, Trust

LOOPBACK = "127.0.0.1"
SEALED_AT_ONCE_H = 1e-9
"""Hours without a record after which a past month is sealed: none."""
LOOK_EVERY_S = 0.02
"""How often `SearchableCount` looks at the index, at most."""

_READY_WITHIN_S = 60.0
_STOPS_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Site:
    """The folder of a measured repository and the certificates of those who send to it."""

    folder: Path

    @property
    def paths(self) -> DataPaths:
        """Where the repository keeps everything."""
        return DataPaths(self.folder / "data")

    @property
    def pki(self) -> Path:
        """The folder of the certificates."""
        return self.folder / "pki"

    def server_files(self) -> tuple[Path, Path, Path]:
        """CA, certificate and key of the server."""
        server = self.pki / SERVER_STEM
        return self.pki / f"{CA_STEM}.crt", server.with_suffix(".crt"), server.with_suffix(".key")

    def client_tls(self) -> ClientTls:
        """How a sender of this site connects."""
        client = self.pki / "client" / "sender"
        return ClientTls(
            trust=Trust(ca_files=(self.pki / f"{CA_STEM}.crt",)),
            certificate=client.with_suffix(".crt"),
            private_key=client.with_suffix(".key"),
        )

    def settings(self, **flags: Any) -> Settings:
        """Loopback only, free ports; ``flags`` by name with ``__`` for the dot."""
        ca, certificate, key = self.server_files()
        named = {name.replace("__", "."): value for name, value in flags.items()}
        return load(
            None,
            {
                "data": self.paths.root,
                "syslog.host": LOOPBACK,
                "syslog.tls_port": 0,
                "syslog.udp_enabled": False,
                "trust.certificate": certificate,
                "trust.private_key": key,
                "trust.client_ca": ca,
                "journal.reserve_octets": 64 * 1024 * 1024,
                "web.host": LOOPBACK,
                "web.plain_http": True,
                "ops.log_level": "error",
                **named,
            },
            {},
        )


@contextmanager
def temporary_site(folder: Path | None = None) -> Iterator[Site]:
    """A site with certificates, below ``folder``; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="arr-bench-", dir=folder) as made:
        site = Site(Path(made))
        create_authority(site.pki, "Bench CA", ("localhost", LOOPBACK))
        issue_client(site.pki, "sender", site.pki / "client", p12=False)
        site.paths.prepare()
        yield site


class Running:
    """The processes of one repository that run now."""

    def __init__(self, site: Site, settings: Settings) -> None:
        self._paths = site.paths
        self._settings = settings
        self._log = site.folder / "processes.log"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, role: str) -> None:
        """Start one more process and wait until it is ready.

        Raises:
            MeasurementFailed: it isn't in time.
        """
        with self._log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-m", "audit.cli", "serve", role, "--supervised"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self._processes[role] = process
        assert process.stdin is not None  # noqa: S101 - asked for above
        process.stdin.write(self._settings.model_dump_json().encode() + b"\n")
        process.stdin.flush()
        wait_until(lambda: self._is_ready(role), _READY_WITHIN_S, f"{role} is ready")

    def _is_ready(self, role: str) -> bool:
        if self._processes[role].poll() is not None:
            said = self._log.read_text(encoding="utf-8", errors="replace")[-500:]
            raise MeasurementFailed(f"{role} ended: {said}")
        status = read_status(self._paths.status(role))
        return status is not None and status.ready and status.pid == self._processes[role].pid

    def status(self, role: str) -> Status:
        """What that process says of itself.

        Raises:
            MeasurementFailed: it says nothing.
        """
        status = read_status(self._paths.status(role))
        if status is None:
            raise MeasurementFailed(f"{role} is not running")
        return status

    @property
    def tls_port(self) -> int:
        """Where TLS syslog is taken."""
        return int(self.status("receive").detail["tls_port"])

    def durable(self) -> int:
        """How many journal entries are durable."""
        return read_position(self._paths.position)

    def cpu_s(self, role: str) -> float:
        """Processor seconds of that process and its children so far."""
        return cpu_of_tree(self._processes[role].pid)

    def rss_octets(self, role: str) -> int:
        """Memory that process holds now."""
        return rss_of(self._processes[role].pid)

    def stop(self) -> None:
        """Stop all, the receiver last."""
        for role in sorted(self._processes, key=lambda name: name == "receive"):
            self._stop_one(self._processes[role])
        self._processes.clear()

    def _stop_one(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


@contextmanager
def running(site: Site, settings: Settings, *roles: str) -> Iterator[Running]:
    """A repository of these roles, ready; stopped afterwards."""
    with ExitStack() as undo:
        repository = Running(site, settings)
        undo.callback(repository.stop)
        for role in roles:
            repository.start(role)
        yield repository


class SearchableCount:
    """How far the index of a running repository is: the first sequence not in it.

    It looks at most every `LOOK_EVERY_S`: each look is work on the cores that are measured.
    """

    def __init__(self, site: Site, settings: Settings) -> None:
        self._index = open_index(settings, site.paths)
        self._looked_at = -LOOK_EVERY_S
        self._position = 0

    def __call__(self) -> int:
        """The position now, or a moment ago."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_EVERY_S:
            with suppress(IndexUnavailable):
                self._position = self._index.position()
            self._looked_at = now
        return self._position

    def close(self) -> None:
        """Give the index back."""
        self._index.close()


def free_port() -> int:
    """A TCP port of loopback that nobody uses at this moment."""
    with socket.create_server((LOOPBACK, 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def seal_past(index: SearchIndex, settings: Settings) -> None:
    """Months that are past are sealed, as those of a repository of two years are."""
    seal = upkeep_of(index, settings)
    if seal is not None:
        seal()
