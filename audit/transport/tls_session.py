"""One TLS connection of a server, without a socket: ciphertext in, plaintext out.

Driving TLS here, not in the event loop, lets us tell a refused peer why (the alert is sent),
name the certificate it showed, and bound each connection's memory.
"""

import ssl
import weakref
from collections.abc import Callable
from typing import Any

from audit.errors import ConnectionFailed
from audit.transport.refusal_words import refusal_words
from audit.transport.tls import ServerTls, server_context

_READ_OCTETS = 16384
"""A TLS record holds at most so much (RFC 8446 5.1)."""
_INCOMING = "read"
_HANDSHAKE_RECORD = 22
_CERTIFICATE_MESSAGE = 11
_TLS_1_3 = 0x0304


class TlsRefused(ConnectionFailed):
    """The handshake failed; the text says why, ``outgoing`` still holds the alert to send."""


class ServerContext:
    """The settings of a TLS server, fixed when built; sessions are made from it."""

    def __init__(self, options: ServerTls) -> None:
        """Reads all files.

        Raises:
            ConfigurationError: a file is missing, unreadable, or holds something else.
        """
        self.options = options
        self._context, self.trusted = server_context(options)
        # Once the handshake is over the session moves to this one, which isn't watched.
        self._quiet_context, _ = server_context(options)
        self._shown: weakref.WeakKeyDictionary[ssl.SSLObject, bytes] = weakref.WeakKeyDictionary()
        _watch_messages(self._context, self._note_certificate)

    def session(self) -> "TlsSession":
        """A session for one connection."""
        return TlsSession(self, self._context)

    def certificate_shown(self, ssl_object: ssl.SSLObject) -> bytes | None:
        """What the peer showed, verified or not, DER; None when it showed none."""
        return self._shown.get(ssl_object)

    def end_of_handshake(self, ssl_object: ssl.SSLObject) -> None:
        """Stops watching the session's messages."""
        self._shown.pop(ssl_object, None)
        ssl_object.context = self._quiet_context

    def _note_certificate(
        self, ssl_object: ssl.SSLObject, direction: str, version: int, message: bytes
    ) -> None:
        if direction != _INCOMING:
            return
        certificate = _first_certificate(message, version)
        if certificate:
            self._shown[ssl_object] = certificate


class TlsSession:
    """The server's side of one TLS connection. Not thread-safe.

    Feed what came with ``receive``, then send ``outgoing()``, also when it raised. A ``fault``
    behind plaintext that was good is told by its words; nothing more can be received then.
    """

    def __init__(self, owner: ServerContext, context: ssl.SSLContext) -> None:
        self._owner = owner
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established = False
        self.peer_closed = False
        self.fault = ""
        self.chain: tuple[bytes, ...] = ()

    @property
    def certificate_shown(self) -> bytes | None:
        """The peer's certificate, DER, accepted or not; None when it showed none yet."""
        return self.chain[0] if self.chain else self._owner.certificate_shown(self._ssl)

    def receive(self, ciphertext: bytes) -> bytes:
        """The plaintext in what the peer sent; empty while shaking hands.

        Raises:
            TlsRefused: the peer isn't trusted, speaks no TLS, or the stream is broken.
        """
        self._incoming.write(ciphertext)
        try:
            if not self.established and not self._shake_hands():
                return b""
            return self._read()
        except ssl.SSLError as error:
            raise TlsRefused(refusal_words(error)) from error

    def outgoing(self) -> bytes:
        """Octets to send to the peer now."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def close(self) -> None:
        """Puts our close_notify into ``outgoing``; the peer may still send."""
        if self.established:
            try:
                self._ssl.unwrap()
            except ssl.SSLError:
                return  # the peer's own close_notify isn't there yet

    def _shake_hands(self) -> bool:
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.chain = verified_chain(self._ssl)
        self._owner.end_of_handshake(self._ssl)
        objection = self._owner.trusted.objection(self.chain)
        if objection:
            raise TlsRefused(f"certificate refused: {objection}")
        self.established = True
        return True

    def _read(self) -> bytes:
        chunks = []
        try:
            while chunk := self._ssl.read(_READ_OCTETS):
                chunks.append(chunk)
            self.peer_closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.peer_closed = True
        except ssl.SSLError as error:
            if not chunks:
                raise
            self.fault = refusal_words(error)  # what came before it counts
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def verified_chain(connection: ssl.SSLObject | ssl.SSLSocket) -> tuple[bytes, ...]:
    """The chain that was verified, DER, leaf first and trust anchor last.

    Python shows it publicly from 3.13 on; before, only the object below does.
    """
    public = getattr(connection, "get_verified_chain", None)
    if public is not None:
        return tuple(public())
    inner: Any = connection._sslobj  # type: ignore[union-attr]  # noqa: SLF001 - see above
    return tuple(
        ssl.PEM_cert_to_DER_cert(item.public_bytes()) for item in inner.get_verified_chain() or ()
    )


def _watch_messages(
    context: ssl.SSLContext, note: Callable[[ssl.SSLObject, str, int, bytes], None]
) -> None:
    """Calls ``note`` with each Certificate message of each handshake under this context.

    Uses the hook that Python keeps for debugging, the only way to see a certificate that
    OpenSSL refuses. Where it is missing, refusals go without the certificate.
    """

    def callback(
        connection: ssl.SSLObject,
        direction: str,
        version: int,
        content_type: int,
        message_type: int,
        octets: bytes,
    ) -> None:
        if content_type == _HANDSHAKE_RECORD and message_type == _CERTIFICATE_MESSAGE:
            note(connection, direction, version, octets)

    if hasattr(context, "_msg_callback"):
        context._msg_callback = callback  # noqa: SLF001 - see above


def _first_certificate(message: bytes, version: int) -> bytes:
    """The leaf in a Certificate message (RFC 8446 4.4.2, RFC 5246 7.4.2), empty when none."""
    place = 4
    if version == _TLS_1_3:
        place += 1 + int.from_bytes(message[place : place + 1], "big")
    place += 3
    length = int.from_bytes(message[place : place + 3], "big")
    return message[place + 3 : place + 3 + length]
