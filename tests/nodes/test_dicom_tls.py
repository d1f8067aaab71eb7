import socket
import ssl
from collections.abc import Iterator
from threading import Event

import pytest
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from audit.nodes.dicom_tls import (
    Credentials,
    TlsAssociationServer,
    handshake_fault,
    peer_common_name,
)
from audit.nodes.registry import ARCHIVE
from tests.nodes.conftest import WAIT_S, Pki


class Refusals:
    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.came = Event()

    def note(self, address: str, reason: str) -> None:
        assert address == "127.0.0.1"
        self.reasons.append(reason)
        self.came.set()


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


@pytest.fixture
def server(pki: Pki, refusals: Refusals) -> Iterator[TlsAssociationServer]:
    entity = AE("ANY")
    entity.add_supported_context(Verification)
    made = entity.make_server(
        ("127.0.0.1", 0),
        server_class=TlsAssociationServer,
        tls=pki.node(ARCHIVE).accepting(),
        on_refused=refusals.note,
        handshake_timeout_s=0.2,
    )
    assert isinstance(made, TlsAssociationServer)
    made.serve_in_background("ANY")
    yield made
    made.shutdown()


def test_a_handshake_that_never_comes_ends_in_time(
    server: TlsAssociationServer, refusals: Refusals
) -> None:
    with socket.create_connection(("127.0.0.1", server.port)):
        assert refusals.came.wait(WAIT_S)
    assert refusals.reasons == ["no handshake within the time allowed"]


def test_a_client_without_a_certificate_is_refused(
    server: TlsAssociationServer, pki: Pki, refusals: Refusals
) -> None:
    context = ssl.create_default_context(cafile=pki.trusted)
    with (
        socket.create_connection(("127.0.0.1", server.port)) as plain,
        pytest.raises(ssl.SSLError),
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        secured.recv(1)
    assert refusals.came.wait(WAIT_S)
    assert refusals.reasons == ["no client certificate was sent"]


def test_tls_1_1_is_refused(server: TlsAssociationServer, pki: Pki, refusals: Refusals) -> None:
    context = pki.client("old").calling()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", server.port)) as plain,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(plain, server_hostname="localhost")
    assert refusals.came.wait(WAIT_S)


def test_a_server_of_another_name_is_not_trusted(server: TlsAssociationServer, pki: Pki) -> None:
    context = pki.client("careful").calling()
    with (
        socket.create_connection(("127.0.0.1", server.port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"),
    ):
        context.wrap_socket(plain, server_hostname="elsewhere.example")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (ConnectionResetError(104, "reset by peer"), "lost during the handshake: reset by peer"),
        (OSError("odd"), "connection lost during the handshake: odd"),
    ],
)
def test_a_fault_has_words(fault: OSError, words: str) -> None:
    assert words in handshake_fault(fault)


def test_the_peers_name_is_read_from_its_certificate(
    server: TlsAssociationServer, pki: Pki
) -> None:
    context = pki.client("careful").calling(check_name=False)
    with (
        socket.create_connection(("127.0.0.1", server.port)) as plain,
        context.wrap_socket(plain) as secured,
    ):
        assert peer_common_name(secured) == "PACS_MAIN"
    assert peer_common_name(None) == ""


def test_credentials_that_are_missing_raise(pki: Pki) -> None:
    missing = Credentials(pki.folder / "none.crt", pki.folder / "none.key", pki.trusted)
    with pytest.raises(OSError, match="No such file"):
        missing.calling()
