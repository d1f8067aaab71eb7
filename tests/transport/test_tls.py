import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from audit.errors import ConfigurationError
from audit.transport.pki import CertificateAuthority, KeyKind, Purpose, Request
from audit.transport.refusal_words import refusal_words
from audit.transport.tls import (
    TrustedPeers,
    client_context,
    enrolled_files,
    holds_name,
    server_context,
)
from tests import pki
from tests.pki import Site


def test_a_server_context_is_strict(site: Site) -> None:
    context, trusted = server_context(site.server_tls())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.num_tickets == 0
    for option in (ssl.OP_NO_TICKET, ssl.OP_NO_RENEGOTIATION, ssl.OP_NO_COMPRESSION):
        assert context.options & option
    for cipher in context.get_ciphers():
        assert cipher["aead"]
        assert cipher["kea"] in {"kx-ecdhe", "kx-dhe", "kx-any"}
    assert list(trusted.authorities.values()) == ["ca.crt"]


def test_strictness_about_x509_is_a_setting(site: Site) -> None:
    tls = site.server_tls()
    context, _ = server_context(tls)
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    context, _ = server_context(replace(tls, trust=replace(tls.trust, strict_x509=True)))
    assert context.verify_flags & ssl.VERIFY_X509_STRICT


@pytest.mark.parametrize("spoil", ["certificate", "ca", "enrolled", "folder"])
def test_files_that_do_not_fit_are_named(site: Site, spoil: str) -> None:
    tls = site.server_tls()
    if spoil == "certificate":
        site.server_files[0].write_text("nothing")
        name = "server.crt"
    elif spoil == "ca":
        site.ca_file.write_text("nothing")
        name = "ca.crt"
    elif spoil == "enrolled":
        (site.enrolled_dir / "bad.pem").write_text("nothing")
        name = "bad.pem"
    else:
        tls = replace(tls, trust=replace(tls.trust, enrolled_dir=site.ca_file))
        name = "ca.crt"
    with pytest.raises(ConfigurationError, match=name):
        server_context(tls)


def test_which_files_of_a_folder_count_as_enrolled(site: Site, tmp_path: Path) -> None:
    for name in ("b.pem", "a.crt", "c.cer", "d.key", "README"):
        (site.enrolled_dir / name).write_bytes(pki.client().certificate_pem)
    found = [path.name for path in enrolled_files(site.enrolled_dir)]
    assert found == ["a.crt", "b.pem", "c.cer"]
    assert enrolled_files(tmp_path / "missing") == enrolled_files(None) == ()


def test_trusting_nobody_is_possible_and_a_client_may_show_nothing(site: Site) -> None:
    empty = replace(site.server_tls().trust, ca_files=())
    _, trusted = server_context(replace(site.server_tls(), trust=empty))
    assert not trusted.authorities
    assert not trusted.enrolled
    client_context(site.anonymous_tls())


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("arr.test", True),
        ("ARR.test.", True),
        ("a.wild.test", True),
        ("a.b.wild.test", False),
        ("wild.test", False),
        ("other.test", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("2001:db8::7", True),
        ("test", False),
        ("", False),
    ],
)
def test_names_in_a_certificate(name: str, held: bool) -> None:
    hosts = ("arr.test", "*.wild.test", "192.0.2.7", "2001:db8:0::7", "*.test"[:0] or "x.test")
    request = Request("not.looked.at", hosts, Purpose.SERVER, KeyKind.EC_P256)
    certificate = pki.authority().issue(request).certificate
    assert holds_name(certificate, name) is held


def test_the_common_name_is_not_looked_at() -> None:
    assert not holds_name(pki.client("modality.test").certificate, "modality.test")


def test_which_peers_stay_trusted_after_a_reload() -> None:
    ca = pki.authority().credentials.certificate_der
    enrolled = pki.self_signed_client().certificate_der
    trusted = TrustedPeers({ca: "ca"}, {enrolled: "peer"})
    assert trusted.still_trust(pki.client().certificate_der)
    assert trusted.still_trust(enrolled)
    assert not trusted.still_trust(pki.wrong_ca_client().certificate_der)
    same_name = CertificateAuthority.create("Test CA", KeyKind.EC_P256)
    forged = same_name.issue(Request("modality.test", key_kind=KeyKind.EC_P256))
    assert not trusted.still_trust(forged.certificate_der)
    assert trusted.objection(()) == "no certificate was sent"


def test_reasons_without_better_words_are_openssl_s_own() -> None:
    error = ssl.SSLError(1, "something new")
    assert refusal_words(error) == str(error)
    error.reason = "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
    assert refusal_words(error) == "decryption failed or bad record mac"
