"""A timestamping authority for tests: openssl behind a small HTTP server."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.needs import program
from tests.service.http_place import Asked, Reply, http_place

CONFIG = """[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/root.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.55555.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """Where to ask, and the root to trust."""

    url: str
    root: Path


def _certificate(
    name: str,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    *extensions: tuple[x509.ExtensionType, bool],
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key if issuer is None else issuer[1], hashes.SHA256()), key


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def make_authority(folder: Path) -> Path:
    """The files of an authority in a folder; its root."""
    folder.mkdir()
    root = _certificate(
        "Test time root",
        None,
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (_usage(sign_certificates=True), True),
    )
    tsa = _certificate(
        "Test time authority",
        root,
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(sign_certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(root[1].public_key()), False),
    )
    (folder / "root.pem").write_bytes(root[0].public_bytes(Encoding.PEM))
    (folder / "tsa.pem").write_bytes(tsa[0].public_bytes(Encoding.PEM))
    key = tsa[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "tsa.key").write_bytes(key)
    (folder / "serial").write_text("01")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
    return folder / "root.pem"


@contextmanager
def authority(folder: Path) -> Iterator[Authority]:
    """An authority that answers ``application/timestamp-query``."""
    openssl = program("openssl")
    root = make_authority(folder)

    def answer(asked: Asked) -> Reply:
        if asked.headers.get("content-type") != "application/timestamp-query":
            return Reply(415)
        query, reply = folder / "query", folder / "reply"
        query.write_bytes(asked.body)
        command: list[str | Path] = [
            openssl,
            "ts",
            "-reply",
            "-config",
            folder / "tsa.cnf",
            "-section",
            "one",
        ]
        subprocess.run(
            [*command, "-queryfile", query, "-out", reply],
            check=True,
            capture_output=True,
            timeout=120,
        )
        return Reply(200, reply.read_bytes(), {"Content-Type": "application/timestamp-reply"})

    with http_place(answer) as place:
        yield Authority(place.url, root)
