"""Certificate revocation lists (RFC 5280 5): which certificates their authority took back.

Complete lists that the issuing authority signed itself; indirect and delta lists are not used.
Lists are files that the site renews; nothing is fetched while a peer waits.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from audit.errors import ConfigurationError

DEFAULT_MAX_LIST_OCTETS = 64 * 1024 * 1024

_PEM = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)
_SIGNING_KEYS = (
    rsa.RSAPublicKey,
    ec.EllipticCurvePublicKey,
    dsa.DSAPublicKey,
    ed25519.Ed25519PublicKey,
    ed448.Ed448PublicKey,
)


@dataclass(frozen=True, slots=True)
class RevocationList:
    """One authority's list.

    Attributes:
        file: where it came from.
        parsed: the list itself.
        revoked: serial number → day of revocation, ISO 8601.
    """

    file: str
    parsed: x509.CertificateRevocationList
    revoked: dict[int, str]

    @property
    def is_outdated(self) -> bool:
        """Whether a newer one should have come by now (nextUpdate, RFC 5280 5.1.2.5)."""
        due = self.parsed.next_update_utc
        return due is not None and due < datetime.now(UTC)

    def is_signed_by(self, authority: x509.Certificate) -> bool:
        """Whether this authority made the list."""
        if self.parsed.issuer != authority.subject:
            return False
        key = authority.public_key()
        if not isinstance(key, _SIGNING_KEYS):
            return False
        try:
            return self.parsed.is_signature_valid(key)
        except TypeError:  # signed by an algorithm of another kind of key
            return False


@dataclass(frozen=True, slots=True)
class Revocations:
    """All lists that are used. An outdated list still counts: what it took back stays so."""

    lists: tuple[RevocationList, ...] = ()

    def objection(self, chain: tuple[bytes, ...]) -> str:
        """Why a verified chain (DER, leaf first) may not be trusted, empty when it may."""
        if not self.lists:
            return ""
        certificates = [x509.load_der_x509_certificate(der) for der in chain]
        for certificate, authority in pairwise(certificates):
            since = self._revoked_since(certificate, authority)
            if since:
                whose = "its" if certificate is certificates[0] else "an authority's"
                return f"{whose} certificate was revoked on {since}"
        return ""

    def _revoked_since(self, certificate: x509.Certificate, authority: x509.Certificate) -> str:
        for one in self.lists:
            since = one.revoked.get(certificate.serial_number, "")
            if since and one.is_signed_by(authority):
                return since
        return ""


NO_REVOCATIONS = Revocations()


def read_revocations(
    files: Iterable[Path], max_list_octets: int = DEFAULT_MAX_LIST_OCTETS
) -> Revocations:
    """Every list in the files, PEM (one or several) or DER.

    Raises:
        ConfigurationError: a file is missing, too long, or holds something else.
    """
    return Revocations(tuple(found for file in files for found in _read(file, max_list_octets)))


def _read(file: Path, max_list_octets: int) -> list[RevocationList]:
    try:
        if file.stat().st_size > max_list_octets:
            raise ConfigurationError(
                f"{file}: longer than {max_list_octets} octets, so it is no list to be used"
            )
        octets = file.read_bytes()
        blocks = _PEM.findall(octets)
        parsed = [x509.load_pem_x509_crl(block) for block in blocks] or [
            x509.load_der_x509_crl(octets)
        ]
        return [RevocationList(file.name, one, _entries(one)) for one in parsed]
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{file}: is no certificate revocation list: {error}") from error


def _entries(parsed: x509.CertificateRevocationList) -> dict[int, str]:
    return {one.serial_number: one.revocation_date_utc.date().isoformat() for one in parsed}
