import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID

from audit.errors import ConfigurationError
from audit.transport.pki import (
    CertificateAuthority,
    KeyKind,
    Purpose,
    Request,
    load_credentials,
    self_signed,
    write_private,
)
from tests import pki


def test_files_are_written_and_read_back_and_keys_are_private(tmp_path: Path) -> None:
    certificate, key = pki.client().write(tmp_path / "new", "client")
    assert certificate.is_absolute()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    again = load_credentials(certificate, key)
    assert again.certificate == pki.client().certificate
    assert again.key_pem == pki.client().key_pem
    pki.client().write(tmp_path / "new", "client")
    assert sorted(path.name for path in key.parent.iterdir()) == ["client.crt", "client.key"]


def test_an_authority_is_loaded_and_goes_on(tmp_path: Path) -> None:
    files = pki.authority().credentials.write(tmp_path, "ca")
    loaded = CertificateAuthority.load(*files)
    issued = loaded.issue(Request("x", key_kind=KeyKind.EC_P256))
    issued.certificate.verify_directly_issued_by(pki.authority().credentials.certificate)


@pytest.mark.parametrize("spoilt", ["certificate", "key", "missing", "other key"])
def test_files_that_hold_something_else(tmp_path: Path, spoilt: str) -> None:
    certificate, key = pki.client().write(tmp_path, "client")
    if spoilt == "certificate":
        certificate.write_text("no certificate")
    elif spoilt == "key":
        key.write_text("no key")
    elif spoilt == "missing":
        key.unlink()
    else:
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric import ed25519

        other = ed25519.Ed25519PrivateKey.generate()
        key.write_bytes(
            other.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        )
    with pytest.raises(ConfigurationError, match="client"):
        load_credentials(certificate, key)


@pytest.mark.parametrize(
    ("purpose", "usages"),
    [
        (Purpose.CLIENT, {ExtendedKeyUsageOID.CLIENT_AUTH}),
        (Purpose.SERVER, {ExtendedKeyUsageOID.SERVER_AUTH}),
        (Purpose.NODE, {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}),
    ],
)
def test_a_certificate_says_what_was_asked_for(
    purpose: Purpose, usages: set[x509.ObjectIdentifier]
) -> None:
    request = Request(
        "ct1.radiology", ("ct1.test", "192.0.2.7"), purpose, KeyKind.EC_P256, organization="St. X"
    )
    certificate = pki.authority().issue(request).certificate
    extensions = certificate.extensions
    assert set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == usages
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["ct1.test"]
    assert str(names.get_values_for_type(x509.IPAddress)[0]) == "192.0.2.7"
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.subject.rfc4514_string() == "CN=ct1.radiology,O=St. X"
    now = datetime.now(UTC)
    assert certificate.not_valid_before_utc < now
    lasts = certificate.not_valid_after_utc - now
    assert timedelta(days=824) < lasts < timedelta(days=826)


def test_short_ways_to_the_usual_certificates() -> None:
    authority = pki.authority()
    client = authority.issue_client("client")
    assert isinstance(client.key, rsa.RSAPrivateKey)
    assert client.key.key_size == 2048
    assert client.chain == (authority.credentials.certificate,)
    for made in (authority.issue_server("s", ["s.test"]), authority.issue_node("n", ["n.test"])):
        names = made.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert len(list(names.value)) == 1


def test_pkcs12_opens_with_its_password_only(tmp_path: Path) -> None:
    path = pki.client().write_pkcs12(tmp_path / "client.p12", "secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key, certificate, chain = pkcs12.load_key_and_certificates(path.read_bytes(), b"secret")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert certificate == pki.client().certificate
    assert chain == [pki.authority().credentials.certificate]
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_key_and_certificates(path.read_bytes(), b"wrong")


def test_a_self_signed_certificate_is_its_own_issuer() -> None:
    made = self_signed(Request("node", ("node.test",), key_kind=KeyKind.EC_P256))
    made.certificate.verify_directly_issued_by(made.certificate)
    assert made.chain == ()
    given = ec.generate_private_key(ec.SECP256R1())
    assert self_signed(Request("node"), given).key is given
    assert isinstance(load_pem_private_key(made.key_pem, None), ec.EllipticCurvePrivateKey)


def test_a_private_file_replaces_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old, and open to all")
    path.chmod(0o644)
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_names_longer_than_x509_allows_are_cut() -> None:
    made = self_signed(Request("n" * 100, key_kind=KeyKind.EC_P256, organization="o" * 100))
    assert made.certificate.subject.rfc4514_string() == f"CN={'n' * 64},O={'o' * 64}"
