"""A repository to try, with certificates of its own, all on loopback."""

from dataclasses import dataclass
from pathlib import Path

from audit.service.paths import DataPaths
from audit.settings import Settings, load
from audit.transport.pki import CertificateAuthority, Credentials


@dataclass(frozen=True, slots=True)
class Place:
    """Settings, folders and the CA that its senders' certificates come from."""

    settings: Settings
    paths: DataPaths
    authority: CertificateAuthority
    folder: Path

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.crt"

    def client(self, name: str = "node-1") -> tuple[Path, Path]:
        return self.authority.issue_client(name).write(self.folder, name)


def make_place(folder: Path, authority: CertificateAuthority, **flags: object) -> Place:
    """A repository on free loopback ports that trusts the authority's clients."""
    server: Credentials = authority.issue_server("localhost", ["localhost", "127.0.0.1"])
    certificate, key = server.write(folder, "server")
    ca, _ = authority.credentials.write(folder, "ca")
    data = folder / "data"
    settings = load(
        None,
        {
            "data": data,
            "syslog.host": "127.0.0.1",
            "syslog.tls_port": 0,
            "syslog.udp_port": 0,
            "trust.certificate": certificate,
            "trust.private_key": key,
            "trust.client_ca": ca,
            "journal.reserve_octets": 0,
            "web.host": "127.0.0.1",
            "web.port": 0,
            "web.plain_http": True,
            "ops.port": 0,
            **{name.replace("__", "."): value for name, value in flags.items()},
        },
        {},
    )
    paths = DataPaths(data)
    paths.prepare()
    return Place(settings, paths, authority, folder)
