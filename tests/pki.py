"""A throw-away certificate authority for tests: made anew in each run, never in git.

Keys are P-256, which are quick to make, unless a test asks for another kind.
"""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from audit.transport.pki import (
    CertificateAuthority,
    Credentials,
    KeyKind,
    Purpose,
    Request,
    Validity,
    self_signed,
)
from audit.transport.tls import ClientTls, ServerTls, Trust

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@cache
def authority(name: str = "Test CA", key_kind: KeyKind = KeyKind.EC_P256) -> CertificateAuthority:
    """The authority of that name, the same one each time in a run."""
    return CertificateAuthority.create(name, key_kind)


@cache
def server(key_kind: KeyKind = KeyKind.EC_P256) -> Credentials:
    """A server's certificate for this machine, by the test authority."""
    request = Request("collector.test", LOCAL_HOSTS, Purpose.SERVER, key_kind)
    return authority().issue(request)


@cache
def client(name: str = "modality.test") -> Credentials:
    """A good client certificate by the test authority."""
    return authority().issue(Request(name, key_kind=KeyKind.EC_P256))


@cache
def wrong_ca_client() -> Credentials:
    """A client certificate by an authority that nobody trusts."""
    return authority("Stranger CA").issue(Request("stranger.test", key_kind=KeyKind.EC_P256))


@cache
def self_signed_client(name: str = "self.test") -> Credentials:
    """A client certificate signed by its own key."""
    return self_signed(Request(name, key_kind=KeyKind.EC_P256))


def client_valid(from_days: int, to_days: int) -> Credentials:
    """A client certificate by the test authority, valid between days counted from now."""
    now = datetime.now(UTC)
    validity = Validity(now + timedelta(days=from_days), now + timedelta(days=to_days))
    request = Request("timed.test", key_kind=KeyKind.EC_P256, validity=validity)
    return authority().issue(request)


@dataclass(frozen=True)
class Site:
    """Files of a small site in a folder: authority, server, one client, enrolled peers."""

    folder: Path
    ca_file: Path
    server_files: tuple[Path, Path]
    client_files: tuple[Path, Path]
    enrolled_dir: Path

    def server_tls(self) -> ServerTls:
        """The collector's settings: the test authority and enrolled peers are trusted."""
        certificate, key = self.server_files
        trust = Trust(ca_files=(self.ca_file,), enrolled_dir=self.enrolled_dir)
        return ServerTls(certificate=certificate, private_key=key, trust=trust)

    def client_tls(self, credentials: Credentials | None = None) -> ClientTls:
        """A sender's settings, with the site's client certificate or the one given."""
        certificate, key = self.client_files
        if credentials is not None:
            name = f"client-{credentials.certificate.serial_number:x}"
            certificate, key = credentials.write(self.folder, name)
        trust = Trust(ca_files=(self.ca_file,))
        return ClientTls(trust=trust, certificate=certificate, private_key=key)

    def anonymous_tls(self) -> ClientTls:
        """A sender's settings without certificate."""
        return replace(self.client_tls(), certificate=None, private_key=None)

    def enrol(self, credentials: Credentials, name: str = "peer") -> Path:
        """Trusts exactly this certificate."""
        path = self.enrolled_dir / f"{name}.pem"
        path.write_bytes(credentials.certificate_pem)
        return path


def site(folder: Path, enrolled: Iterable[Credentials] = ()) -> Site:
    """Writes the files of a site."""
    enrolled_dir = folder / "enrolled"
    enrolled_dir.mkdir(parents=True, exist_ok=True)
    made = Site(
        folder,
        authority().credentials.write(folder, "ca")[0],
        server().write(folder, "server"),
        client().write(folder, "client"),
        enrolled_dir,
    )
    for number, credentials in enumerate(enrolled):
        made.enrol(credentials, f"peer{number}")
    return made


def weak_client_context(
    credentials: Credentials | None, folder: Path, version: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    """A client that checks nothing and offers anything, to send what must be refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    if credentials is not None:
        name = f"weak-{credentials.certificate.serial_number:x}"
        context.load_cert_chain(*credentials.write(folder, name))
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context
