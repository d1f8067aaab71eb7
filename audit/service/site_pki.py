"""A certificate authority of one's own: made once, issues to senders, enrols strangers."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from audit.errors import ConfigurationError, RequestError
from audit.transport.pki import CertificateAuthority
from audit.transport.revocation import read_revocations

CA_STEM = "ca"
SERVER_STEM = "server"
PKCS12_PASSWORD_OCTETS = 12


@dataclass(frozen=True, slots=True)
class Issued:
    """Files of one certificate, paths absolute.

    ``p12`` and ``p12_password`` are None when no PKCS#12 file was wanted.
    """

    certificate: Path
    key: Path
    ca: Path
    p12: Path | None = None
    p12_password: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        """The JSON form, with the names that ``access.json`` uses."""
        return {
            "cert": str(self.certificate),
            "key": str(self.key),
            "ca": str(self.ca),
            "p12": None if self.p12 is None else str(self.p12),
            "p12_password": self.p12_password,
        }


def create_authority(folder: Path, name: str, hosts: tuple[str, ...]) -> Issued:
    """Make a CA and a server certificate for the repository.

    Raises:
        RequestError: the folder holds a CA already; nothing is overwritten.
    """
    if (folder / f"{CA_STEM}.key").exists():
        raise RequestError(f"{folder} holds a CA already; choose another folder, or issue from it")
    authority = CertificateAuthority.create(name)
    ca_file, _ = authority.credentials.write(folder, CA_STEM)
    certificate, key = authority.issue_server(hosts[0], hosts).write(folder, SERVER_STEM)
    return Issued(certificate, key, ca_file)


def load_authority(folder: Path) -> CertificateAuthority:
    """The CA that lies in a folder.

    Raises:
        ConfigurationError: there is none, or it can't be read.
    """
    if not (folder / f"{CA_STEM}.key").exists():
        raise ConfigurationError(f"{folder}: there is no CA here; make one with arr pki init")
    return CertificateAuthority.load(folder / f"{CA_STEM}.crt", folder / f"{CA_STEM}.key")


def issue_client(ca_folder: Path, name: str, out: Path, *, p12: bool) -> Issued:
    """Issue a client certificate to a sender.

    Raises:
        ConfigurationError: there is no CA in the folder.
        RequestError: the name can't be a file name.
    """
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise RequestError(f"{name!r} can't be the name of a certificate; use letters and digits")
    credentials = load_authority(ca_folder).issue_client(name)
    certificate, key = credentials.write(out, name)
    ca_file = (ca_folder / f"{CA_STEM}.crt").absolute()
    if not p12:
        return Issued(certificate, key, ca_file)
    password = secrets.token_urlsafe(PKCS12_PASSWORD_OCTETS)
    bundle = credentials.write_pkcs12(out / f"{name}.p12", password)
    return Issued(certificate, key, ca_file, bundle, password)


def revoke(ca_folder: Path, certificates: Iterable[Path], days: int) -> Path:
    """Take certificates back: they join the CA's revocation list, which is signed anew.

    Returns:
        The list's file, to be named in ``trust.crl``.

    Raises:
        ConfigurationError: there is no CA in the folder, a file holds no PEM certificate, or the
            list that is there can't be read.
        RequestError: a certificate is not one of this CA's.
    """
    authority = load_authority(ca_folder)
    file = ca_folder / f"{CA_STEM}.crl"
    revoked = dict(_revoked_before(file))
    for path in certificates:
        certificate = _certificate_in(path)
        try:
            certificate.verify_directly_issued_by(authority.credentials.certificate)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise RequestError(f"{path}: was not issued by the CA in {ca_folder}") from error
        revoked.setdefault(certificate.serial_number, datetime.now(UTC))
    fresh = file.with_suffix(".crl.new")
    fresh.write_bytes(authority.revocation_list(revoked, days))
    return fresh.replace(file)


def _revoked_before(file: Path) -> Iterator[tuple[int, datetime]]:
    if not file.exists():
        return
    for one in read_revocations((file,)).lists:
        for entry in one.parsed:
            yield entry.serial_number, entry.revocation_date_utc


def enrol(certificate_file: Path, folder: Path) -> Path:
    """Trust a certificate directly (IHE ITI-19): keep it in the folder of enrolled ones.

    Returns:
        The file it is kept in, named by its SHA-256.

    Raises:
        ConfigurationError: the file holds no PEM certificate.
    """
    certificate = _certificate_in(certificate_file)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = folder / f"{certificate.fingerprint(hashes.SHA256()).hex()}.pem"
    kept.write_bytes(certificate.public_bytes(Encoding.PEM))
    return kept


def _certificate_in(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file}: holds no PEM certificate: {error}") from error
