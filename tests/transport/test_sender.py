import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from audit.errors import ConfigurationError, ConnectionFailed, StorageError
from audit.transport.pki import Credentials, KeyKind, Purpose, Request, self_signed
from audit.transport.sender import SenderOptions, SyslogTlsSender, SyslogUdpSender
from audit.transport.tls import ClientTls, Trust
from tests import pki
from tests.pki import Site
from tests.transport.receiving import options, receiver_thread, until_in_thread

QUICK = SenderOptions(timeout_s=5, first_backoff_s=0.02, longest_backoff_s=0.1)


@contextmanager
def sender(port: int, tls: ClientTls, chosen: SenderOptions = QUICK) -> Iterator[SyslogTlsSender]:
    one = SyslogTlsSender("127.0.0.1", tls, port, chosen)
    try:
        yield one
    finally:
        one.close()


def test_messages_arrive_in_order_and_close_confirms_them(site: Site) -> None:
    sent = [b"%d" % number for number in range(200)]
    with (
        receiver_thread(options(site)) as (receiver, sink),
        sender(receiver.tls_port, site.client_tls()) as one,
    ):
        one.send(*sent[:100])
        for message in sent[100:]:
            one.send(message)
        assert one.connected
        assert one.close()
        assert sink.messages == sent
        assert receiver.counters.journaled == 200
        assert receiver.counters.connections_accepted == 1
        assert not one.close()


def test_a_large_message(site: Site) -> None:
    with (
        receiver_thread(options(site)) as (receiver, sink),
        sender(receiver.tls_port, site.client_tls()) as one,
    ):
        one.send(b"x" * 3_000_000)
        assert one.close()
        assert sink.messages == [b"x" * 3_000_000]


def test_threads_share_a_sender(site: Site) -> None:
    with (
        receiver_thread(options(site)) as (receiver, sink),
        sender(receiver.tls_port, site.client_tls()) as one,
    ):

        def work() -> None:
            for _ in range(50):
                one.send(b"x" * 2000)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert one.close()
        assert sink.messages == [b"x" * 2000] * 200


def test_close_does_not_confirm_what_the_journal_failed_on(site: Site) -> None:
    with (
        receiver_thread(options(site)) as (receiver, sink),
        sender(receiver.tls_port, site.client_tls()) as one,
    ):
        sink.settles = False
        one.send(b"precious")
        until_in_thread(lambda: sink.arrivals)
        sink.settle_all(StorageError("disk full"))
        until_in_thread(lambda: sink.refusals)
        assert not one.close()


def test_a_connection_that_the_receiver_closed_is_replaced(site: Site) -> None:
    with (
        receiver_thread(options(site, idle_timeout_s=0.05)) as (receiver, sink),
        sender(receiver.tls_port, site.client_tls(), replace(QUICK, stable_after_s=0.0)) as one,
    ):
        for number in range(3):
            one.send(b"%d" % number)
            until_in_thread(lambda: receiver.counters.connections_open == 0)
        assert sink.messages == [b"0", b"1", b"2"]
        assert receiver.counters.connections_accepted == 3


def test_nobody_listens_and_the_back_off_grows(site: Site) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    chosen = replace(QUICK, first_backoff_s=10.0, longest_backoff_s=30.0)
    with sender(port, site.client_tls(), chosen) as one:
        with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{port}"):
            one.send(b"x")
        assert 7 < one.retry_in_s <= 12.5
        with pytest.raises(ConnectionFailed, match="next attempt in"):
            one.send(b"x")
        with pytest.raises(ConnectionFailed, match="not connected"):
            one.unacknowledged_octets()


@pytest.mark.parametrize("minimum", ["1.2", "1.3"])
def test_a_sender_that_is_refused_learns_why(site: Site, minimum: str) -> None:
    tls = replace(site.client_tls(pki.wrong_ca_client()), minimum_version=minimum)  # type: ignore[arg-type]
    with (
        receiver_thread(options(site)) as (receiver, sink),
        sender(receiver.tls_port, tls) as one,
    ):

        def refused() -> bool:
            try:
                one.send(b"x")
                one.unacknowledged_octets()
            except ConnectionFailed as error:
                return "doesn't know our authority" in str(error)
            return False

        until_in_thread(refused)
        assert not sink.arrivals


def server_options(site: Site, credentials: Credentials) -> ClientTls:
    certificate, key = credentials.write(site.folder, "server")
    assert (certificate, key) == site.server_files
    return site.client_tls()


def test_a_server_with_another_name_is_refused(site: Site) -> None:
    request = Request("x", ("elsewhere.test",), Purpose.SERVER, KeyKind.EC_P256)
    tls = server_options(site, pki.authority().issue(request))
    with (
        receiver_thread(options(site)) as (receiver, _),
        sender(receiver.tls_port, tls) as one,
    ):
        with pytest.raises(ConnectionFailed, match=r"doesn't hold the name 127\.0\.0\.1"):
            one.send(b"x")
        named = replace(tls, server_name="elsewhere.test")
        with sender(receiver.tls_port, named) as other:
            other.send(b"x")
            assert other.close()


def test_a_self_signed_server_is_accepted_once_enrolled_whatever_its_name(site: Site) -> None:
    credentials = self_signed(Request("x", (), Purpose.CLIENT, KeyKind.EC_P256))
    tls = server_options(site, credentials)
    enrolling = replace(tls, trust=Trust(enrolled_dir=site.enrolled_dir))
    with receiver_thread(options(site)) as (receiver, sink):
        with (
            sender(receiver.tls_port, tls) as one,
            pytest.raises(ConnectionFailed, match="not enrolled"),
        ):
            one.send(b"x")
        site.enrol(credentials, "collector")
        with sender(receiver.tls_port, enrolling) as one:
            one.send(b"x")
            assert one.close()
        assert "the peer refused our certificate" in sink.reasons[0]


def test_a_peer_that_is_no_tls_server(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"220 smtp.test ready\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with (
            sender(server.getsockname()[1], site.client_tls()) as one,
            pytest.raises(ConnectionFailed, match="not TLS"),
        ):
            one.send(b"x")
        thread.join()


def test_a_missing_file_is_named(site: Site) -> None:
    tls = replace(site.client_tls(), certificate=site.folder / "missing.crt")
    with pytest.raises(ConfigurationError, match=r"missing\.crt"):
        SyslogTlsSender("127.0.0.1", tls)


def test_datagrams_arrive_and_too_large_ones_are_refused(site: Site) -> None:
    with receiver_thread(options(site)) as (receiver, sink):
        one = SyslogUdpSender("127.0.0.1", receiver.udp_port)
        one.send(b"a", b"b")
        until_in_thread(lambda: sink.messages == [b"a", b"b"])
        with pytest.raises(ConnectionFailed):
            one.send(b"x" * 70_000)
        one.close()
    with pytest.raises(ConnectionFailed, match=r"no\.such\.host"):
        SyslogUdpSender("no.such.host.invalid")


def test_a_server_that_stalls_in_the_handshake_is_left(site: Site) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        sender(server.getsockname()[1], site.client_tls(), replace(QUICK, timeout_s=0.1)) as one,
        pytest.raises(ConnectionFailed, match="timed out"),
    ):
        one.send(b"x")


def test_the_two_newest_versions_are_spoken(site: Site) -> None:
    assert ssl.HAS_TLSv1_3
    for minimum in ("1.2", "1.3"):
        tls = replace(site.server_tls(), minimum_version=minimum)
        with (
            receiver_thread(options(site, tls=tls)) as (receiver, _),
            sender(receiver.tls_port, site.client_tls()) as one,
        ):
            one.send(b"x")
            assert one.close()
