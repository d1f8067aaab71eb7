"""Who is let in, who is not, and what the operator is told."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace

import pytest
import uvloop
from cryptography.hazmat.primitives.asymmetric import rsa

from audit.frame.octet_counting import encode
from audit.transport.arrival import RefusalKind
from audit.transport.pki import CertificateAuthority, Credentials, KeyKind, Purpose, Request
from audit.transport.pki import self_signed as make_self_signed
from tests import pki
from tests.pki import Site
from tests.transport.receiving import Sink, connect, options, receiving, until

MESSAGE = b"<85>1 - - - - IHE+RFC-3881 - <AuditMessage/>"
TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
LOOPS = {"asyncio": asyncio.run, "uvloop": uvloop.run}


@pytest.fixture(params=LOOPS)
def loop_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def attempt(
    site: Site, credentials: Credentials | None, version: ssl.TLSVersion | None = None
) -> Sink:
    """One client sends one message; the sink as it is afterwards."""
    context = pki.weak_client_context(credentials, site.folder, version)
    async with receiving(options(site)) as (receiver, sink):
        try:
            reader, writer = await connect(receiver.tls_port, context)
        except (ssl.SSLError, ConnectionError):
            await until(lambda: sink.refusals)
            return sink
        try:
            writer.write(encode(MESSAGE))
            writer.write_eof() if writer.can_write_eof() else None
            await until(lambda: sink.arrivals or sink.refusals)
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)
            reader.feed_eof()
    return sink


def run(
    loop_name: str,
    site: Site,
    credentials: Credentials | None,
    version: ssl.TLSVersion | None = None,
) -> Sink:
    result: Sink = LOOPS[loop_name](attempt(site, credentials, version))
    return result


def weak_rsa(name: str = "old-device.test") -> Credentials:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the case
    return pki.authority().issue(Request(name), key)


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_a_good_client_is_let_in(loop_name: str, site: Site, version: ssl.TLSVersion) -> None:
    sink = run(loop_name, site, pki.client(), version)
    assert sink.messages == [MESSAGE]
    arrival = sink.arrivals[0]
    assert (arrival.listener, arrival.peer) == ("tls", "127.0.0.1")
    assert arrival.certificate_der == pki.client().certificate_der
    assert arrival.certificate_chain == (pki.authority().credentials.certificate_der,)
    assert not sink.refusals


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_a_self_signed_enrolled_client_is_let_in(
    loop_name: str, site: Site, version: ssl.TLSVersion
) -> None:
    site.enrol(pki.self_signed_client())
    sink = run(loop_name, site, pki.self_signed_client(), version)
    assert sink.messages == [MESSAGE]
    assert sink.arrivals[0].certificate_der == pki.self_signed_client().certificate_der
    assert sink.arrivals[0].certificate_chain == ()


def test_a_leaf_of_an_unknown_authority_is_let_in_once_enrolled(
    loop_name: str, site: Site
) -> None:
    site.enrol(pki.wrong_ca_client())
    assert run(loop_name, site, pki.wrong_ca_client()).messages == [MESSAGE]


def test_an_enrolled_certificate_is_trusted_whatever_usage_it_names(
    loop_name: str, site: Site
) -> None:
    server_only = make_self_signed(
        Request("server.test", purpose=Purpose.SERVER, key_kind=KeyKind.EC_P256)
    )
    site.enrol(server_only)
    assert run(loop_name, site, server_only).messages == [MESSAGE]


REFUSED: dict[str, tuple[Callable[[], Credentials], str]] = {
    "expired": (lambda: pki.client_valid(-20, -10), "it has expired"),
    "not yet valid": (lambda: pki.client_valid(10, 20), "it is not valid yet"),
    "wrong authority": (pki.wrong_ca_client, "its issuer is not a trusted authority"),
    "self-signed, not enrolled": (pki.self_signed_client, "it is self-signed and not enrolled"),
    "RSA 1024": (weak_rsa, "its key is too weak"),
    "server's certificate": (pki.server, "its key usage doesn't allow this"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_an_untrusted_client_is_refused_with_reason_and_certificate(
    loop_name: str, site: Site, case: str, version: ssl.TLSVersion
) -> None:
    make, words = REFUSED[case]
    credentials = make()
    sink = run(loop_name, site, credentials, version)
    assert not sink.arrivals
    (refusal,) = sink.refusals
    assert words in refusal.reason
    assert refusal.kind is RefusalKind.HANDSHAKE
    assert refusal.certificate_der == credentials.certificate_der
    assert (refusal.peer, refusal.listener) == ("127.0.0.1", "tls")


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_no_certificate_is_refused(loop_name: str, site: Site, version: ssl.TLSVersion) -> None:
    sink = run(loop_name, site, None, version)
    assert sink.reasons == ["no client certificate was sent"]
    assert sink.refusals[0].certificate_der is None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_1_1_is_refused(loop_name: str, site: Site) -> None:
    sink = run(loop_name, site, pki.client(), ssl.TLSVersion.TLSv1_1)
    assert "TLS versions older" in sink.reasons[0]


def test_what_an_enrolled_peer_issued_is_refused(loop_name: str, site: Site) -> None:
    peer = CertificateAuthority.create("a peer with a CA's certificate", KeyKind.EC_P256)
    site.enrol(peer.credentials)
    issued = peer.issue(Request("issued.test", key_kind=KeyKind.EC_P256))
    sink = run(loop_name, site, issued)
    assert not sink.arrivals
    assert "enrolled as a peer, not trusted as an authority" in sink.reasons[0]
    assert sink.refusals[0].certificate_der == issued.certificate_der
    assert run(loop_name, site, peer.credentials).messages == [MESSAGE]


def test_rsa_1024_is_let_in_where_the_operator_allows_it(site: Site) -> None:
    tls = site.server_tls()
    tls = replace(tls, trust=replace(tls.trust, allow_rsa_1024=True))

    async def main() -> None:
        async with receiving(options(site, tls=tls)) as (receiver, sink):
            context = pki.weak_client_context(weak_rsa(), site.folder)
            _, writer = await connect(receiver.tls_port, context)
            writer.write(encode(MESSAGE))
            await until(lambda: sink.arrivals)
            writer.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("cipher", "accepted"),
    [
        ("DHE-RSA-AES128-GCM-SHA256", True),
        ("DHE-RSA-AES256-GCM-SHA384", True),
        ("ECDHE-RSA-AES128-GCM-SHA256", True),
        ("ECDHE-RSA-AES256-GCM-SHA384", True),
        ("AES128-GCM-SHA256", False),
        ("ECDHE-RSA-AES128-SHA", False),
        ("ECDHE-RSA-AES256-SHA384", False),
    ],
)
def test_cipher_suites_of_the_dicom_profiles(site: Site, cipher: str, accepted: bool) -> None:
    files = pki.server(KeyKind.RSA_2048).write(site.folder, "rsa-server")
    tls = replace(site.server_tls(), certificate=files[0], private_key=files[1])

    async def main() -> list[str]:
        async with receiving(options(site, tls=tls)) as (receiver, sink):
            context = pki.weak_client_context(pki.client(), site.folder, TLS_1_2)
            context.set_ciphers(cipher)
            try:
                _, writer = await connect(receiver.tls_port, context)
            except (ssl.SSLError, ConnectionError):
                await until(lambda: sink.refusals)
                return sink.reasons
            assert writer.get_extra_info("cipher")[0] == cipher
            writer.close()
            return []

    reasons = asyncio.run(main())
    assert bool(reasons) is not accepted
    assert all("no cipher suite that is allowed" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"42 <85>1 - - - - - - <AuditMessage/>", "not TLS"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "an HTTP request"),
        (b"\x80\xff\x00\x13" * 50, ""),
        (b"\x16\x03\x01\x00\x05\x09\x00\x00\x01\x00", "not a TLS handshake"),
    ],
)
def test_what_is_not_tls_is_refused(loop_name: str, site: Site, sent: bytes, words: str) -> None:
    async def main() -> list[str]:
        async with receiving(options(site)) as (receiver, sink):
            _, writer = await connect(receiver.tls_port, None)
            writer.write(sent)
            await until(lambda: sink.refusals)
            writer.close()
            return sink.reasons

    (reason,) = LOOPS[loop_name](main())
    assert words in reason
    assert reason


def test_no_session_is_resumed(site: Site) -> None:
    async def main() -> None:
        async with receiving(options(site)) as (receiver, _):
            for version in (TLS_1_2, TLS_1_3):
                context = pki.weak_client_context(pki.client(), site.folder, version)
                _, writer = await connect(receiver.tls_port, context)
                session = writer.get_extra_info("ssl_object").session
                assert session is None or not session.has_ticket
                writer.close()

    asyncio.run(main())


def test_removing_an_enrolled_peer_ends_its_connection_and_shuts_it_out(site: Site) -> None:
    enrolled = site.enrol(pki.self_signed_client())

    async def main() -> None:
        async with receiving(options(site)) as (receiver, sink):
            stranger = pki.weak_client_context(pki.self_signed_client(), site.folder)
            good = pki.weak_client_context(pki.client(), site.folder)
            reader, writer = await connect(receiver.tls_port, stranger)
            _, other = await connect(receiver.tls_port, good)
            writer.write(encode(MESSAGE))
            other.write(encode(MESSAGE))
            await until(lambda: len(sink.arrivals) == 2)
            assert receiver.reload_tls() == 0
            enrolled.unlink()
            assert receiver.reload_tls() == 1
            assert await reader.read() == b""
            other.write(encode(MESSAGE))
            await until(lambda: len(sink.arrivals) == 3)
            _, again = await connect(receiver.tls_port, stranger)
            await until(lambda: sink.refusals)
            assert "not enrolled" in sink.reasons[0]
            for each in (writer, other, again):
                each.close()

    asyncio.run(main())
