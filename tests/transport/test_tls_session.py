"""The server's side of TLS without a socket."""

import ssl
from contextlib import suppress

import pytest

from audit.transport.tls_session import ServerContext, TlsRefused, TlsSession, _first_certificate
from tests import pki
from tests.pki import Site


class Client:
    """A client without a socket, joined to a session."""

    def __init__(self, site: Site, session: TlsSession, version: ssl.TLSVersion) -> None:
        self.session = session
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = pki.weak_client_context(pki.client(), site.folder, version)
        self.tls = context.wrap_bio(self.incoming, self.outgoing)

    def shake_hands(self) -> None:
        for _ in range(4):
            with suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
            assert self.give() == b""

    def give(self, extra: bytes = b"") -> bytes:
        plaintext = self.session.receive(self.outgoing.read() + extra)
        self.incoming.write(self.session.outgoing())
        return plaintext


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def client(request: pytest.FixtureRequest, site: Site) -> Client:
    """A client that has shaken hands."""
    one = Client(site, ServerContext(site.server_tls()).session(), request.param)
    one.shake_hands()
    assert one.session.established
    return one


def test_plaintext_comes_out_however_it_is_cut(client: Client) -> None:
    client.tls.write(b"x" * 50_000)
    ciphertext = client.outgoing.read()
    plaintext = b"".join(
        client.session.receive(ciphertext[start : start + 7])
        for start in range(0, len(ciphertext), 7)
    )
    assert plaintext == b"x" * 50_000


def test_several_records_at_once_come_out_together(client: Client) -> None:
    for part in (b"a", b"b", b"c"):
        client.tls.write(part)
    assert client.give() == b"abc"


def test_the_peer_s_close_is_noticed_and_answered(client: Client) -> None:
    client.tls.write(b"last")
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    assert client.give() == b"last"
    assert client.session.peer_closed
    client.session.close()
    client.incoming.write(client.session.outgoing())
    client.tls.unwrap()


def test_we_may_close_first_and_still_read(client: Client) -> None:
    client.session.close()
    goodbye = client.session.outgoing()
    assert goodbye
    client.tls.write(b"late")
    assert client.session.receive(client.outgoing.read()) == b"late"
    client.incoming.write(goodbye)
    assert client.tls.read() == b""


def test_a_broken_record_is_refused(client: Client) -> None:
    with pytest.raises(TlsRefused, match="decryption failed"):
        client.give(b"\x17\x03\x03\x00\x20" + b"\x00" * 32)


def test_good_records_before_a_broken_one_count(client: Client) -> None:
    client.tls.write(b"good")
    assert client.give(b"\x17\x03\x03\x00\x20" + b"\x00" * 32) == b"good"
    assert client.session.fault


def test_closing_before_the_handshake_sends_nothing(site: Site) -> None:
    session = ServerContext(site.server_tls()).session()
    session.close()
    assert session.outgoing() == b""
    assert session.certificate_shown is None


def test_without_the_hook_a_refusal_goes_without_certificate(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.hasattr", lambda *_: False)
    context = ServerContext(site.server_tls())
    monkeypatch.undo()
    one = Client(site, context.session(), ssl.TLSVersion.TLSv1_3)
    one.shake_hands()
    assert one.session.certificate_shown == pki.client().certificate_der


@pytest.mark.parametrize("version", [0x0303, 0x0304])
def test_a_certificate_message_that_is_cut_does_no_harm(version: int) -> None:
    for length in range(12):
        assert len(_first_certificate(b"\x0b" + b"\xff" * length, version)) < 12


def test_a_session_is_watched_during_the_handshake_only(client: Client) -> None:
    watched = ServerContext(client.session._owner.options).session()
    assert watched._ssl.context is not client.session._owner._quiet_context
    assert client.session._ssl.context is client.session._owner._quiet_context
