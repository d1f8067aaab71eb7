"""Delivery to this product's own receiver, and to receivers that don't behave."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server, socket
from threading import Event

import pytest

from audit.errors import ConfigurationError, ConnectionFailed
from audit.siem.delivery import DeliveryOptions, TlsDelivery
from audit.transport.tls import ClientTls, Trust
from tests import pki
from tests.pki import Site
from tests.transport.receiving import options, receiver_thread, until_in_thread

QUICK = DeliveryOptions(timeout_s=1.0, acknowledge_s=0.2, trust_after_s=0.05)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return pki.site(tmp_path / "site")


def deliver_afresh(delivery: TlsDelivery, message: bytes) -> None:
    """By a new connection; one that is refused may be so before or after it is sent."""
    delivery.open()
    delivery.deliver([message], Event())


def test_what_is_delivered_arrives_and_is_confirmed(site: Site) -> None:
    with receiver_thread(options(site)) as (receiver, sink):
        delivery = TlsDelivery("localhost", receiver.tls_port, site.client_tls(), QUICK)
        assert not delivery.confirm()
        for batch in ([b"<85>1 a", b"<85>1 b\nc"], [b"<85>1 d"]):
            delivery.open()
            delivery.deliver(batch, Event())
            assert delivery.confirm()
        assert sink.messages == [b"<85>1 a", b"<85>1 b\nc", b"<85>1 d"]
        assert not delivery.connected


def test_one_that_refuses_us_has_nothing(site: Site) -> None:
    stranger = pki.wrong_ca_client()
    with receiver_thread(options(site)) as (receiver, sink):
        delivery = TlsDelivery("localhost", receiver.tls_port, site.client_tls(stranger), QUICK)
        with pytest.raises(ConnectionFailed):
            deliver_afresh(delivery, b"<85>1 a")
        until_in_thread(lambda: sink.refusals)
        assert not sink.messages


def test_nobody_there(site: Site) -> None:
    with create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    delivery = TlsDelivery("localhost", port, site.client_tls(), QUICK)
    with pytest.raises(ConnectionFailed):
        delivery.open()
    with pytest.raises(ConnectionFailed, match="not connected"):
        delivery.deliver([b"x"], Event())
    delivery.abort()


@contextmanager
def deaf(site: Site) -> Iterator[int]:
    """A receiver that shakes hands and reads nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*site.server_files)
    done = Event()
    with create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            accepted: socket = listener.accept()[0]
            with context.wrap_socket(accepted, server_side=True):
                done.wait(20)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        done.set()
        thread.join(5)


def test_one_that_takes_nothing_is_given_up(site: Site) -> None:
    with deaf(site) as port:
        delivery = TlsDelivery("localhost", port, site.client_tls(), QUICK)
        delivery.open()
        with pytest.raises(ConnectionFailed):
            delivery.deliver([b"x" * 50_000_000], Event())
        assert not delivery.connected


def test_a_stop_ends_the_waiting(site: Site) -> None:
    stop = Event()
    stop.set()
    with receiver_thread(options(site)) as (receiver, _):
        delivery = TlsDelivery("localhost", receiver.tls_port, site.client_tls(), QUICK)
        delivery.open()
        with pytest.raises(ConnectionFailed, match="stopped"):
            delivery.deliver([b"<85>1 a"], stop)


def test_files_are_checked_at_once(tmp_path: Path) -> None:
    tls = ClientTls(trust=Trust(ca_files=(tmp_path / "none.pem",)))
    with pytest.raises(ConfigurationError):
        TlsDelivery("localhost", 6514, tls)
