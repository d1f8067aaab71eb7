"""DICOM over mutually authenticated TLS (PS3.15 B.12, BCP 195): contexts, and listening."""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from socketserver import TCPServer
from threading import Thread
from typing import Any, Final

from pynetdicom.ae import ApplicationEntity
from pynetdicom.transport import ThreadedAssociationServer
from typing_extensions import override

from audit.transport.refusal_words import refusal_words

HANDSHAKE_TIMEOUT_S: Final = 5.0
LOOPBACK: Final = "127.0.0.1"
READ_TIMEOUT_S: Final = 30.0
ACCEPT_POLL_S: Final = 0.05
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"


class ClosingSocket(ssl.SSLSocket):
    """A socket whose shutdown never fails.

    pynetdicom shuts a socket down before it closes it, and doesn't close it when that fails, as
    it does when the peer is gone already.
    """

    @override
    def shutdown(self, how: int) -> None:
        with suppress(OSError):
            super().shutdown(how)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A node's own certificate and key, and the authority that it trusts; paths of PEM files."""

    certificate: Path
    key: Path
    trusted: Path

    def accepting(self) -> ssl.SSLContext:
        """For listening: a peer must show a certificate of the trusted authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        return self._loaded(context)

    def calling(self, *, check_name: bool = True) -> ssl.SSLContext:
        """For calling; with ``check_name`` the peer's certificate must name its machine."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = check_name
        return self._loaded(context)

    def _loaded(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.sslsocket_class = ClosingSocket
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.load_cert_chain(self.certificate, self.key)
        context.load_verify_locations(self.trusted)
        return context


class TlsAssociationServer(ThreadedAssociationServer):
    """Listens for associations; each handshake has its own thread and ends in bounded time.

    So a peer that connects and says nothing holds up no other. ``on_refused(address, reason)`` is
    called when a handshake fails; a peer that goes without a word, as a check of the port does,
    has attempted none.
    """

    daemon_threads = True

    def __init__(
        self,
        *args: Any,
        tls: ssl.SSLContext,
        on_refused: Callable[[str, str], None],
        handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._tls = tls
        self._on_refused = on_refused
        self._handshake_timeout_s = handshake_timeout_s

    @override
    def finish_request(self, request: Any, client_address: Any) -> None:
        """Secure the connection, then hand it to a new association."""
        request.settimeout(self._handshake_timeout_s)
        try:
            if not request.recv(1, socket.MSG_PEEK):
                request.close()
                return
            secured = self._tls.wrap_socket(request, server_side=True)
        except OSError as fault:
            request.close()
            self._on_refused(str(client_address[0]), handshake_fault(fault))
            return
        secured.settimeout(READ_TIMEOUT_S)
        super().finish_request(secured, client_address)

    @override
    def shutdown(self) -> None:
        """Stop listening; associations already open go on."""
        TCPServer.shutdown(self)
        self.server_close()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def serve_in_background(self, name: str) -> None:
        """Accept connections in a thread until ``shutdown``."""
        Thread(
            target=self.serve_forever, args=(ACCEPT_POLL_S,), name=f"{name} accepts", daemon=True
        ).start()


def listening(
    entity: ApplicationEntity,
    address: tuple[str, int],
    tls: ssl.SSLContext,
    on_refused: Callable[[str, str], None],
    evt_handlers: list[Any],
) -> TlsAssociationServer:
    """A running server for the entity; port 0 takes a free one."""
    server = entity.make_server(
        address,
        evt_handlers=evt_handlers,
        server_class=TlsAssociationServer,
        tls=tls,
        on_refused=on_refused,
    )
    if not isinstance(server, TlsAssociationServer):  # pragma: no cover - what was asked for
        raise TypeError("pynetdicom made another kind of server")
    server.serve_in_background(entity.ae_title)
    return server


def handshake_fault(fault: OSError) -> str:
    """Why a TLS handshake failed, in words for an alert."""
    if isinstance(fault, ssl.SSLError):
        return refusal_words(fault)
    if isinstance(fault, TimeoutError):
        return "no handshake within the time allowed"
    return f"connection lost during the handshake: {fault.strerror or fault}"


def peer_common_name(connection: socket.socket | None) -> str:
    """The common name in the peer's certificate, empty when there is none."""
    if not isinstance(connection, ssl.SSLSocket):
        return ""
    certificate = connection.getpeercert() or {}
    subject: Any = certificate.get("subject", ())
    names = [str(value) for part in subject for name, value in part if name == "commonName"]
    return names[0] if names else ""
