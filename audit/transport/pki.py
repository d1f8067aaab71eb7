"""A small certificate authority for a demo, a site without one of its own, and tests.

Keys are RSA 2048 by default: every DICOM toolkit takes them, and the DHE-RSA suites of the
DICOM TLS profiles need them. Private keys are written readable by their owner only.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from audit.errors import ConfigurationError

DEFAULT_VALIDITY_DAYS = 825
CA_VALIDITY_DAYS = 3650
_CLOCK_TOLERANCE = timedelta(minutes=5)
_LONGEST_NAME = 64
"""ub-common-name and ub-organization-name (RFC 5280 appendix A)."""

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class KeyKind(StrEnum):
    """What key a certificate is made with."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    EC_P256 = "ec-p256"


class Purpose(StrEnum):
    """What a certificate may be used for; a DICOM node is client and server at once."""

    SERVER = "server"
    CLIENT = "client"
    NODE = "node"


_USAGES = {
    Purpose.SERVER: [ExtendedKeyUsageOID.SERVER_AUTH],
    Purpose.CLIENT: [ExtendedKeyUsageOID.CLIENT_AUTH],
    Purpose.NODE: [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
}


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a certificate holds; both aware."""

    not_before: datetime
    not_after: datetime

    @classmethod
    def days(cls, days: int) -> Self:
        """From five minutes ago, for clocks that are a little late, for so many days."""
        now = datetime.now(UTC)
        return cls(now - _CLOCK_TOLERANCE, now + timedelta(days=days))


@dataclass(frozen=True, slots=True)
class Credentials:
    """A certificate, its private key, and the certificates above it, root last."""

    certificate: x509.Certificate
    key: PrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def certificate_pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def certificate_der(self) -> bytes:
        """The certificate as a peer shows it."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        """The private key in PKCS#8, not encrypted."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def pkcs12(self, password: str, name: str) -> bytes:
        """Key, certificate and chain as a PKCS#12 file (AES-256, PBKDF2)."""
        return pkcs12.serialize_key_and_certificates(
            name.encode(),
            self.key,
            self.certificate,
            list(self.chain),
            serialization.BestAvailableEncryption(password.encode()),
        )

    def write(self, folder: Path, stem: str) -> tuple[Path, Path]:
        """Writes ``stem.crt`` and ``stem.key`` (mode 0600); gives both paths, absolute.

        Raises:
            OSError: the folder can't be written to.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        certificate_file = (folder / f"{stem}.crt").absolute()
        key_file = (folder / f"{stem}.key").absolute()
        certificate_file.write_bytes(self.certificate_pem)
        write_private(key_file, self.key_pem)
        return certificate_file, key_file

    def write_pkcs12(self, path: Path, password: str) -> Path:
        """Writes the PKCS#12 file (mode 0600); gives its absolute path.

        Raises:
            OSError: the file can't be written.
        """
        write_private(path, self.pkcs12(password, path.stem))
        return path.absolute()


@dataclass(frozen=True, slots=True)
class Request:
    """What a certificate is to say.

    Attributes:
        common_name: of its subject.
        hosts: DNS names and IP addresses under which the subject is reached.
        purpose: client, server, or both.
        key_kind: what key to make.
        validity: None for 825 days from now.
        organization: of its subject; left out when empty.
    """

    common_name: str
    hosts: Sequence[str] = ()
    purpose: Purpose = Purpose.CLIENT
    key_kind: KeyKind = KeyKind.RSA_2048
    validity: Validity | None = None
    organization: str = ""


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """Issues certificates. Two of them with the same name don't accept each other's."""

    credentials: Credentials

    @classmethod
    def create(
        cls, common_name: str, key_kind: KeyKind = KeyKind.RSA_2048, days: int = CA_VALIDITY_DAYS
    ) -> Self:
        """A new authority with a new key, its certificate signed by itself."""
        key = make_key(key_kind)
        request = Request(common_name, key_kind=key_kind, validity=Validity.days(days))
        builder = _builder(request, key)
        usage = _key_usage(signs_certificates=True)
        builder = builder.issuer_name(_name(request)).add_extension(usage, critical=True)
        constraints = x509.BasicConstraints(ca=True, path_length=1)
        builder = builder.add_extension(constraints, critical=True)
        return cls(Credentials(builder.sign(key, hashes.SHA256()), key))

    @classmethod
    def load(cls, certificate_file: Path, key_file: Path) -> Self:
        """The authority that ``Credentials.write`` wrote.

        Raises:
            ConfigurationError: a file is missing or holds something else.
        """
        return cls(load_credentials(certificate_file, key_file))

    def issue(self, request: Request, key: PrivateKey | None = None) -> Credentials:
        """A certificate as requested, with a new key or for the key given."""
        own = self.credentials
        key = key or make_key(request.key_kind)
        builder = _leaf_extensions(_builder(request, key), request)
        builder = builder.issuer_name(own.certificate.subject).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(own.key.public_key()),
            critical=False,
        )
        certificate = builder.sign(own.key, hashes.SHA256())
        return Credentials(certificate, key, (own.certificate, *own.chain))

    def issue_client(self, common_name: str) -> Credentials:
        """A client certificate, for a syslog sender or a DICOM SCU."""
        return self.issue(Request(common_name))

    def issue_server(self, common_name: str, hosts: Iterable[str]) -> Credentials:
        """A server certificate for these DNS names and IP addresses."""
        return self.issue(Request(common_name, tuple(hosts), Purpose.SERVER))

    def issue_node(self, common_name: str, hosts: Iterable[str]) -> Credentials:
        """A certificate for a DICOM node, which is client and server at once."""
        return self.issue(Request(common_name, tuple(hosts), Purpose.NODE))

    def revocation_list(self, revoked: Mapping[int, datetime], days: int) -> bytes:
        """A complete list (RFC 5280 5), PEM, of serial numbers and since when; due in ``days``."""
        own, now = self.credentials, datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(own.certificate.subject)
            .last_update(now - _CLOCK_TOLERANCE)
            .next_update(now + timedelta(days=days))
        )
        for serial, since in revoked.items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
            builder = builder.add_revoked_certificate(entry.build())
        signed = builder.sign(own.key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)


def self_signed(request: Request, key: PrivateKey | None = None) -> Credentials:
    """A certificate signed by its own key, to be enrolled where it is trusted (ITI-19)."""
    key = key or make_key(request.key_kind)
    builder = _leaf_extensions(_builder(request, key), request).issuer_name(_name(request))
    return Credentials(builder.sign(key, hashes.SHA256()), key)


def load_credentials(certificate_file: Path, key_file: Path) -> Credentials:
    """Certificate, chain and key from PEM files.

    Raises:
        ConfigurationError: a file is missing or holds something else.
    """
    try:
        first, *chain = x509.load_pem_x509_certificates(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"{certificate_file}, {key_file}: {error}") from error
    if not isinstance(key, PrivateKey):
        raise ConfigurationError(f"{key_file}: expected an RSA or an EC key")
    return Credentials(first, key, tuple(chain))


def make_key(kind: KeyKind) -> PrivateKey:
    """A new private key."""
    if kind is KeyKind.EC_P256:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.value[4:]))


def write_private(path: Path, octets: bytes) -> None:
    """Writes a file that never, not for a moment, can be read by others.

    Raises:
        OSError: the file can't be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
    temporary.replace(path)


def _builder(request: Request, key: PrivateKey) -> x509.CertificateBuilder:
    validity = request.validity or Validity.days(DEFAULT_VALIDITY_DAYS)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(request))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _leaf_extensions(
    builder: x509.CertificateBuilder, request: Request
) -> x509.CertificateBuilder:
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_USAGES[request.purpose]), critical=False)
    )
    if request.hosts:
        names = x509.SubjectAlternativeName([_host(host) for host in request.hosts])
        builder = builder.add_extension(names, critical=False)
    return builder


def _name(request: Request) -> x509.Name:
    parts = [(NameOID.COMMON_NAME, request.common_name[:_LONGEST_NAME])]
    if request.organization:
        parts.insert(0, (NameOID.ORGANIZATION_NAME, request.organization[:_LONGEST_NAME]))
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
