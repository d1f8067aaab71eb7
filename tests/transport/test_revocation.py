"""Revocation lists, read as files and held against real handshakes."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from audit.errors import ConfigurationError
from audit.frame.octet_counting import encode
from audit.transport.pki import CertificateAuthority, Credentials, KeyKind
from audit.transport.revocation import Revocations, read_revocations
from audit.transport.tls import client_context, server_context
from tests import pki
from tests.pki import Site
from tests.transport.receiving import connect, options, receiving, until

SINCE = datetime(2026, 3, 1, tzinfo=UTC)


def list_of(authority: CertificateAuthority, *revoked: Credentials, days: int = 30) -> bytes:
    serials = {one.certificate.serial_number: SINCE for one in revoked}
    return authority.revocation_list(serials, days)


def written(folder: Path, octets: bytes) -> Path:
    file = folder / "ca.crl"
    file.write_bytes(octets)
    return file


def objection(lists: Revocations, *chain: Credentials) -> str:
    return lists.objection(tuple(one.certificate_der for one in chain))


def test_what_an_authority_took_back_is_refused(tmp_path: Path) -> None:
    ca, lost, kept = pki.authority(), pki.client("lost"), pki.client("kept")
    lists = read_revocations([written(tmp_path, list_of(ca, lost))])
    assert objection(lists, lost, ca.credentials) == "its certificate was revoked on 2026-03-01"
    assert not objection(lists, kept, ca.credentials)
    assert not objection(Revocations(), lost, ca.credentials)


def test_another_authority_of_the_same_name_takes_nothing_back(tmp_path: Path) -> None:
    ca, lost = pki.authority(), pki.client("lost")
    name = ca.credentials.certificate.subject.rfc4514_string().removeprefix("CN=")
    for kind in (KeyKind.EC_P256, KeyKind.RSA_2048):
        forger = CertificateAuthority.create(name, kind)
        lists = read_revocations([written(tmp_path, list_of(forger, lost))])
        assert not objection(lists, lost, ca.credentials)


def test_lists_are_read_as_pem_and_as_der_and_several_from_one_file(tmp_path: Path) -> None:
    ca, lost = pki.authority(), pki.client("lost")
    pem = list_of(ca, lost)
    two = read_revocations([written(tmp_path, pem + list_of(ca))])
    assert [len(one.revoked) for one in two.lists] == [1, 0]
    der = two.lists[0].parsed.public_bytes(Encoding.DER)
    assert objection(read_revocations([written(tmp_path, der)]), lost, ca.credentials).startswith(
        "its certificate was revoked"
    )


def test_an_outdated_list_still_counts(tmp_path: Path) -> None:
    ca, lost = pki.authority(), pki.client("lost")
    (one,) = read_revocations([written(tmp_path, list_of(ca, lost, days=0))]).lists
    assert one.is_outdated
    assert objection(Revocations((one,)), lost, ca.credentials)


@pytest.mark.parametrize(
    ("octets", "words"),
    [(b"", "no certificate revocation list"), (b"x" * 600, "longer than 512 octets")],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, octets: bytes, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read_revocations([written(tmp_path, octets)], max_list_octets=512)
    with pytest.raises(ConfigurationError, match="missing"):
        read_revocations([tmp_path / "missing"])


def test_an_enrolled_certificate_is_trusted_whatever_its_authority_says(site: Site) -> None:
    ca, client = pki.authority(), pki.client("modality.test")
    (site.enrolled_dir / "peer.pem").write_bytes(client.certificate_pem)
    trust = replace(
        site.server_tls().trust, crl_files=(written(site.folder, list_of(ca, client)),)
    )
    _, trusted = server_context(replace(site.server_tls(), trust=trust))
    assert not trusted.objection((client.certificate_der,))
    assert trusted.still_trust(client.certificate_der)


def test_a_revoked_node_is_cut_off_and_not_let_in_again(site: Site) -> None:
    context, _ = client_context(site.client_tls())
    revoked = written(site.folder, list_of(pki.authority(), pki.client()))
    trust = replace(site.server_tls().trust, crl_files=(revoked,))

    async def main() -> None:
        async with receiving(options(site)) as (receiver, sink):
            reader, writer = await connect(receiver.tls_port, context)
            writer.write(encode(b"<85>1 - - - - - -"))
            await until(lambda: sink.arrivals)
            assert receiver.reload_tls(replace(site.server_tls(), trust=trust)) == 1
            assert await reader.read() == b""
            writer.close()
            reader, writer = await connect(receiver.tls_port, context)
            await until(lambda: len(sink.refusals) == 1)
            assert await reader.read() == b""
            writer.close()
            assert "was revoked on 2026-03-01" in sink.refusals[0].reason

    asyncio.run(main())
