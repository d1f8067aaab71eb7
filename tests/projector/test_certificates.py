from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from audit.projector.certificates import CertificateNames, subject_of


def der_of(name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.DER)


def test_a_certificates_subject() -> None:
    assert subject_of(der_of("ct1.example")) == "CN=ct1.example"
    assert subject_of(b"no certificate") == ""


def test_names_are_looked_up_once() -> None:
    asked: list[bytes] = []

    def find(digest: bytes) -> bytes | None:
        asked.append(digest)
        return der_of("ct1") if digest == b"a" else None

    names = CertificateNames(find)
    assert [names.name(b"a"), names.name(b"a"), names.name(b"b"), names.name(b"")] == [
        "CN=ct1",
        "CN=ct1",
        "",
        "",
    ]
    assert asked == [b"a", b"b"]


def test_the_oldest_name_gives_way() -> None:
    names = CertificateNames(lambda _digest: None, max_names=2)
    for digest in (b"a", b"b", b"a", b"c"):
        names.add(digest, b"no certificate" if digest != b"c" else der_of("c"))
    assert names.name(b"c") == "CN=c"
    assert names.name(b"a") == ""
