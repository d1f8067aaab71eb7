"""TLS for syslog: BCP 195 with room for ITI-19's two ways to trust a peer.

A peer is accepted when a CA chain leads to its certificate, or when exactly its certificate is
enrolled (self-signed or issued by anyone). A context never changes: reloading builds a new one.
"""

import base64
import ssl
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from audit.errors import ConfigurationError
from audit.transport.dh_parameters import FFDHE_2048_PEM
from audit.transport.revocation import NO_REVOCATIONS, Revocations, read_revocations

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+aRSA+AESGCM"
"""TLS 1.2 suites: forward secret and authenticated encryption only (RFC 9325 4.2)."""

ENROLLED_SUFFIXES = frozenset({".pem", ".crt", ".cer"})

TlsVersion = Literal["1.2", "1.3"]
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

_TRUSTED_FOR_TLS = bytes.fromhex("3016 3014 06082b06010505070301 06082b06010505070302")
"""X509_CERT_AUX of OpenSSL: trusted as server and client, whatever usage the certificate names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom to trust.

    Attributes:
        ca_files: PEM files; a chain to any certificate in them is accepted.
        enrolled_dir: folder of PEM files (.pem, .crt, .cer); each certificate in it is accepted
            by itself, and no other that it may have issued.
        crl_files: certificate revocation lists, PEM or DER; an enrolled certificate is trusted by
            itself, whatever they say.
        allow_rsa_1024: accept RSA keys of 1024 bits (old devices); refused by default.
        strict_x509: demand key usage and key identifiers as RFC 5280 does; ITI-19 doesn't.
    """

    ca_files: tuple[Path, ...] = ()
    enrolled_dir: Path | None = None
    crl_files: tuple[Path, ...] = ()
    allow_rsa_1024: bool = False
    strict_x509: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """How to serve TLS; clients must authenticate.

    Attributes:
        certificate: PEM file, our certificate first, then the chain.
        private_key: PEM file; RSA where DHE-RSA suites are needed.
        trust: which clients are accepted.
        minimum_version: ``1.2`` or ``1.3``.
    """

    certificate: Path
    private_key: Path
    trust: Trust
    minimum_version: TlsVersion = "1.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """How to connect by TLS.

    Attributes:
        trust: which servers are accepted.
        certificate: PEM file, our certificate first; None to show none.
        private_key: PEM file.
        server_name: name that the server's certificate must hold; None for the host connected
            to. Not checked where the certificate itself is enrolled.
        minimum_version: ``1.2`` or ``1.3``.
    """

    trust: Trust
    certificate: Path | None = None
    private_key: Path | None = None
    server_name: str | None = None
    minimum_version: TlsVersion = "1.2"


@dataclass(frozen=True, slots=True)
class TrustedPeers:
    """The certificates that a context was built with, DER, with the file each came from.

    Attributes:
        authorities: a chain to one of them is trusted.
        enrolled: each is trusted by itself.
        revocations: what authorities took back.
    """

    authorities: Mapping[bytes, str]
    enrolled: Mapping[bytes, str]
    revocations: Revocations = NO_REVOCATIONS

    def objection(self, chain: tuple[bytes, ...]) -> str:
        """Why the verified chain (leaf first) is not to be trusted, empty when it is.

        An enrolled certificate vouches for itself only, not for what it may have issued.
        """
        if not chain:
            return "no certificate was sent"
        if chain[0] in self.enrolled:
            return ""
        if chain[-1] in self.authorities:
            return self.revocations.objection(chain)
        return "its issuer is enrolled as a peer, not trusted as an authority"

    def server_objection(self, chain: tuple[bytes, ...], server_name: str) -> str:
        """Why the verified chain of a server is not to be trusted, empty when it is."""
        objection = self.objection(chain)
        if objection or chain[0] in self.enrolled:
            return objection
        certificate = x509.load_der_x509_certificate(chain[0])
        if holds_name(certificate, server_name):
            return ""
        return f"its certificate doesn't hold the name {server_name}"

    def still_trust(self, leaf: bytes) -> bool:
        """Whether a connection made under an older context would still be accepted.

        Looks at enrolled certificates and direct issuers only: doubt means False, and the peer
        connects again.
        """
        if leaf in self.enrolled:
            return True
        certificate = x509.load_der_x509_certificate(leaf)
        return any(
            _issued(certificate, x509.load_der_x509_certificate(authority))
            and not self.revocations.objection((leaf, authority))
            for authority in self.authorities
        )


def server_context(options: ServerTls) -> tuple[ssl.SSLContext, TrustedPeers]:
    """A new context that demands a client certificate, and the certificates it trusts.

    TLS 1.2 at least; no session tickets, no resumption, no renegotiation, no compression.

    Raises:
        ConfigurationError: a file is missing, unreadable, or holds something else.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    _restrict(context, options.minimum_version, options.trust)
    context.options |= ssl.OP_NO_TICKET | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 0
    _load_dh_parameters(context)
    _load_own(context, options.certificate, options.private_key)
    return context, _load_trust(context, options.trust)


def client_context(options: ClientTls) -> tuple[ssl.SSLContext, TrustedPeers]:
    """A new context that demands a trusted server certificate, and the certificates it trusts.

    The caller checks the name with ``TrustedPeers.server_objection``: an enrolled certificate
    is accepted whatever name it holds, any other must hold the server's.

    Raises:
        ConfigurationError: a file is missing, unreadable, or holds something else.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    _restrict(context, options.minimum_version, options.trust)
    if options.certificate is not None:
        _load_own(context, options.certificate, options.private_key or options.certificate)
    return context, _load_trust(context, options.trust)


def holds_name(certificate: x509.Certificate, name: str) -> bool:
    """Whether SubjectAltName holds the DNS name or IP address (RFC 9525 6.3, 6.5).

    A wildcard stands for the whole leftmost label only.
    """
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return False
    names = extension.value
    try:
        return ip_address(name) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        wanted = name.lower().rstrip(".")
    _, _, parent = wanted.partition(".")
    dns_names = {held.lower() for held in names.get_values_for_type(x509.DNSName)}
    return wanted in dns_names or bool("." in parent and f"*.{parent}" in dns_names)


def _restrict(context: ssl.SSLContext, minimum: TlsVersion, trust: Trust) -> None:
    level = 1 if trust.allow_rsa_1024 else 2
    context.minimum_version = _VERSIONS[minimum]
    context.set_ciphers(f"{CIPHERS}:@SECLEVEL={level}")
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_TRUSTED_FIRST
    if trust.strict_x509:
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    else:
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT


def _load_own(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{certificate}, {key}: {error}") from error


def _load_trust(context: ssl.SSLContext, trust: Trust) -> TrustedPeers:
    authorities = _read(trust.ca_files)
    enrolled = _read(enrolled_files(trust.enrolled_dir))
    blocks = [ssl.DER_cert_to_PEM_cert(der) for der in authorities if der not in enrolled]
    blocks += [_trusted_pem(der) for der in enrolled]
    if blocks:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write("".join(blocks))
            file.flush()
            context.load_verify_locations(cafile=file.name)
    return TrustedPeers(authorities, enrolled, read_revocations(trust.crl_files))


def enrolled_files(folder: Path | None) -> tuple[Path, ...]:
    """The certificate files of the folder, sorted; none when it doesn't exist.

    Raises:
        ConfigurationError: it can't be read.
    """
    if folder is None or not folder.exists():
        return ()
    try:
        return tuple(sorted(file for file in folder.iterdir() if file.suffix in ENROLLED_SUFFIXES))
    except OSError as error:
        raise ConfigurationError(f"{folder}: {error}") from error


def _read(files: Iterable[Path]) -> dict[bytes, str]:
    """Every certificate in the files, DER, with the file's name."""
    found: dict[bytes, str] = {}
    for file in files:
        try:
            certificates = x509.load_pem_x509_certificates(file.read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{file}: {error}") from error
        found |= {c.public_bytes(Encoding.DER): file.name for c in certificates}
    return found


def _trusted_pem(der: bytes) -> str:
    """A certificate with OpenSSL's trust settings: an anchor whatever usage it names."""
    text = base64.encodebytes(der + _TRUSTED_FOR_TLS).decode("ascii")
    return f"-----BEGIN TRUSTED CERTIFICATE-----\n{text}-----END TRUSTED CERTIFICATE-----\n"


def _load_dh_parameters(context: ssl.SSLContext) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(FFDHE_2048_PEM)
        file.flush()
        context.load_dh_params(file.name)


def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
