"""Certificates of the hospital's nodes, issued from the demo authority at start."""

from pathlib import Path

from audit.nodes.dicom_tls import Credentials
from audit.nodes.registry import Station
from audit.transport.pki import CertificateAuthority, KeyKind, Purpose, Request


class Identities:
    """Issues and keeps one certificate for each node, in ``folder``.

    Raises:
        ConfigurationError: the authority's files are missing or hold something else.
    """

    def __init__(self, ca_certificate: Path, ca_key: Path, folder: Path) -> None:
        self._authority = CertificateAuthority.load(ca_certificate, ca_key)
        self._trusted = ca_certificate
        self._folder = folder
        self._issued: dict[Station, Credentials] = {}

    def of(self, station: Station) -> Credentials:
        """A node's certificate: client and server at once, named after its machine.

        RSA, because the DICOM TLS profiles that toolkits offer ask for it (PS3.15 B.12).
        """
        if station not in self._issued:
            hosts = (station.machine, "localhost", "127.0.0.1")
            request = Request(station.machine, hosts, Purpose.NODE)
            made = self._written(self._authority, request, station.ae_title)
            self._issued[station] = made
        return self._issued[station]

    def stolen(self) -> Credentials:
        """A good certificate in the wrong hands."""
        return self._written(self._authority, Request("vendor-laptop"), "vendor-laptop")

    def foreign(self) -> Credentials:
        """A certificate of an authority that nobody here trusts."""
        authority = CertificateAuthority.create("Unknown Authority", KeyKind.EC_P256)
        request = Request("stranger", purpose=Purpose.NODE, key_kind=KeyKind.EC_P256)
        return self._written(authority, request, "stranger")

    def _written(
        self, authority: CertificateAuthority, request: Request, stem: str
    ) -> Credentials:
        certificate, key = authority.issue(request).write(self._folder, stem)
        return Credentials(certificate, key, self._trusted)
