import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import load_pem_x509_certificate

from audit.errors import ConfigurationError, RequestError
from audit.service.site_pki import create_authority, enrol, issue_client, revoke
from audit.transport.pki import Request, self_signed
from audit.transport.revocation import read_revocations


def test_an_issued_certificate_is_trusted_by_the_ca(tmp_path: Path) -> None:
    create_authority(tmp_path / "pki", "Site CA", ("audit.example.org",))
    issued = issue_client(tmp_path / "pki", "ct-1", tmp_path / "out", p12=False)
    context = ssl.create_default_context(cafile=issued.ca)
    context.load_cert_chain(issued.certificate, issued.key)
    assert issued.key.stat().st_mode & 0o077 == 0


def test_a_pkcs12_file_opens_with_its_password(tmp_path: Path) -> None:
    create_authority(tmp_path / "pki", "Site CA", ("localhost",))
    issued = issue_client(tmp_path / "pki", "ct-1", tmp_path / "out", p12=True)
    assert issued.p12 is not None
    assert issued.p12_password is not None
    loaded = pkcs12.load_pkcs12(issued.p12.read_bytes(), issued.p12_password.encode())
    assert loaded.key is not None


def test_a_second_ca_does_not_overwrite_the_first(tmp_path: Path) -> None:
    create_authority(tmp_path, "Site CA", ("localhost",))
    with pytest.raises(RequestError, match="holds a CA already"):
        create_authority(tmp_path, "Site CA", ("localhost",))


@pytest.mark.parametrize("name", ["", "../x", ".hidden", "a/b", "a\0b"])
def test_a_name_that_is_a_path_is_refused(tmp_path: Path, name: str) -> None:
    create_authority(tmp_path, "Site CA", ("localhost",))
    with pytest.raises(RequestError):
        issue_client(tmp_path, name, tmp_path / "out", p12=False)


def test_without_a_ca_nothing_is_issued(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="arr pki init"):
        issue_client(tmp_path, "ct-1", tmp_path, p12=False)


def test_an_enrolled_certificate_is_kept_under_its_fingerprint(tmp_path: Path) -> None:
    certificate, _ = self_signed(Request("vendor")).write(tmp_path, "vendor")
    kept = enrol(certificate, tmp_path / "enrolled")
    assert len(kept.stem) == 64
    assert kept.read_bytes().startswith(b"-----BEGIN CERTIFICATE")


def test_what_is_no_certificate_is_not_enrolled(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    with pytest.raises(ConfigurationError, match="holds no PEM certificate"):
        enrol(tmp_path / "x.pem", tmp_path / "enrolled")


def test_certificates_taken_back_join_the_list(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    create_authority(folder, "CA", ("localhost",))
    nodes = [issue_client(folder, f"node-{n}", tmp_path, p12=False) for n in range(3)]
    file = revoke(folder, [nodes[0].certificate], 30)
    assert revoke(folder, [nodes[1].certificate, nodes[0].certificate], 30) == file
    (found,) = read_revocations([file]).lists
    serials = [load_pem_x509_certificate(n.certificate.read_bytes()).serial_number for n in nodes]
    assert sorted(found.revoked) == sorted(serials[:2])
    assert not found.is_outdated


def test_only_certificates_of_the_authority_can_be_taken_back(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    create_authority(folder, "CA", ("localhost",))
    stranger, key = self_signed(Request("vendor")).write(tmp_path, "vendor")
    with pytest.raises(RequestError, match="was not issued by the CA"):
        revoke(folder, [stranger], 30)
    with pytest.raises(ConfigurationError, match="no PEM certificate"):
        revoke(folder, [key], 30)
