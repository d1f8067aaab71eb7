"""Ports, certificates and settings of a demonstration."""

import contextlib
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from audit.errors import ConfigurationError
from audit.service.site_pki import CA_STEM, SERVER_STEM, Issued, create_authority, issue_client
from audit.settings import Settings, load

LOOPBACK = "127.0.0.1"
USUAL_HTTP_PORT = 8080
USUAL_SYSLOG_PORT = 6514
_QUIET_PORTS = range(20_000, 32_000)
"""Below those that connections outwards usually get: who comes back after a fault finds its
port free."""
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the demonstration listens."""

    http: int
    syslog_tls: int
    syslog_udp: int
    ops: int
    dicom: int


def choose_ports(http: int | None, syslog: int | None) -> Ports:
    """The usual ports where they are free, else free ones; a port asked for is taken as it is.

    Args:
        http: of the pages; None for the usual one, 0 for any that is free.
        syslog: of TLS syslog, likewise.
    """
    with contextlib.ExitStack() as held:
        return Ports(
            http=http or _free(held, USUAL_HTTP_PORT if http is None else None),
            syslog_tls=syslog or _free(held, USUAL_SYSLOG_PORT if syslog is None else None),
            syslog_udp=_free(held, kind=socket.SOCK_DGRAM),
            ops=_free(held),
            dicom=_free(held),
        )


def _free(
    held: contextlib.ExitStack,
    usual: int | None = None,
    kind: socket.SocketKind = socket.SOCK_STREAM,
) -> int:
    first = () if usual is None else (usual,)
    for port in (*first, *secrets.SystemRandom().sample(_QUIET_PORTS, _TRIES), 0):
        probe = held.enter_context(socket.socket(socket.AF_INET, kind))
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            continue
        number: int = probe.getsockname()[1]
        return number
    raise ConfigurationError("this machine has no free port on loopback")


@dataclass(frozen=True, slots=True)
class DemoPki:
    """The folder of the demo's certificates; made once, used again by later runs."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The demo's CA, which clients of the repository trust."""
        return self.folder / f"{CA_STEM}.crt"

    def prepare(self) -> Issued:
        """Make CA and server certificate where missing; a fresh client with a PKCS#12 file."""
        if not (self.folder / f"{CA_STEM}.key").exists():
            create_authority(self.folder, "Demo hospital CA", ("localhost", LOOPBACK))
        return issue_client(self.folder, "demo-client", self.folder / "client", p12=True)


def demo_settings(data: Path, ports: Ports, pki: DemoPki) -> Settings:
    """The repository's settings: loopback only, plain HTTP so that no browser warns."""
    return load(
        None,
        {
            "data": data,
            "syslog.host": LOOPBACK,
            "syslog.tls_port": ports.syslog_tls,
            "syslog.udp_port": ports.syslog_udp,
            "trust.certificate": pki.folder / f"{SERVER_STEM}.crt",
            "trust.private_key": pki.folder / f"{SERVER_STEM}.key",
            "trust.client_ca": pki.ca,
            "journal.reserve_octets": 64 * 1024 * 1024,
            "web.host": LOOPBACK,
            "web.port": ports.http,
            "web.plain_http": True,
            "ops.port": ports.ops,
            "source.audit_source_id": "demo-repository",
            "source.enterprise_site_id": "Demo Hospital",
        },
        {},
    )
