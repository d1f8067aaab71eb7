"""Senders of syslog: over TLS (RFC 5425) with reconnecting, and over UDP (RFC 5426)."""

import random
import socket
import threading
import time
from dataclasses import dataclass

from audit.errors import ConnectionFailed
from audit.frame.octet_counting import encode
from audit.transport.receiver_options import SYSLOG_TLS_PORT, SYSLOG_UDP_PORT
from audit.transport.tls import ClientTls, client_context
from audit.transport.tls_client import TlsConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderOptions:
    """How a TLS sender behaves.

    Attributes:
        timeout_s: longest wait for the peer: to connect, to shake hands, to take octets.
        first_backoff_s: after a failed attempt nothing is tried for so long.
        longest_backoff_s: each further failure doubles the wait up to this.
        stable_after_s: a connection that breaks sooner counts as a failed attempt.
    """

    timeout_s: float = 10.0
    first_backoff_s: float = 0.5
    longest_backoff_s: float = 60.0
    stable_after_s: float = 5.0


class SyslogTlsSender:
    """Sends messages over one TLS connection, connecting as needed. Thread-safe, synchronous.

    RFC 5425 has no acknowledgement: ``send`` returning means the kernel took the message. Use
    ``SpooledSender`` where none may be lost, and ``close`` to learn what the receiver confirmed.
    """

    def __init__(
        self,
        host: str,
        tls: ClientTls,
        port: int = SYSLOG_TLS_PORT,
        options: SenderOptions | None = None,
    ) -> None:
        """Reads the certificates; connects at the first ``send``.

        Raises:
            ConfigurationError: a file is missing or holds something else.
        """
        self._address = (host, port)
        self._server_name = tls.server_name or host
        self._options = options or SenderOptions()
        self._context, self._trusted = client_context(tls)
        self._lock = threading.Lock()
        self._connection: TlsConnection | None = None
        self._since_s = 0.0
        self._not_before_s = 0.0
        self._backoff_s = 0.0

    @property
    def connected(self) -> bool:
        """Whether a connection is open, as far as is known."""
        return self._connection is not None

    @property
    def connected_for_s(self) -> float:
        """Age of the connection, 0 without one. In TLS 1.3 a refusal comes after the handshake."""
        return time.monotonic() - self._since_s if self._connection is not None else 0.0

    @property
    def retry_in_s(self) -> float:
        """How long the back-off after a failure still lasts; 0 when ``send`` may be tried."""
        return max(0.0, self._not_before_s - time.monotonic())

    def send(self, *messages: bytes) -> None:
        """Sends the messages in order, octet-counted, on a live connection.

        A connection that the receiver closed meanwhile is replaced once.

        Raises:
            ConnectionFailed: the receiver can't be reached or refuses us, or the back-off after
                an earlier failure still lasts. How many messages it got is unknown: send again.
        """
        framed = b"".join(encode(message) for message in messages)
        with self._lock:
            if self._connection is not None:
                try:
                    self._connection.send(framed)
                except ConnectionFailed:
                    self._lose()
                else:
                    return
            self._send_fresh(framed)

    def unacknowledged_octets(self) -> int:
        """Octets sent that the peer's kernel has not acknowledged.

        Raises:
            ConnectionFailed: the connection is gone, and with it what was not acknowledged.
        """
        with self._lock:
            if self._connection is None:
                raise ConnectionFailed("not connected")
            try:
                return self._connection.unacknowledged_octets()
            except ConnectionFailed:
                self._lose()
                raise

    def close(self) -> bool:
        """Ends the connection; True when the receiver confirmed all that was sent over it.

        This product's receiver confirms what is durable in its journal, others what they read.
        """
        with self._lock:
            connection, self._connection = self._connection, None
            return connection.close() if connection is not None else False

    def _send_fresh(self, framed: bytes) -> None:
        if self.retry_in_s:
            raise ConnectionFailed(f"next attempt in {self.retry_in_s:.1f} s")
        options = self._options
        try:
            self._connection = TlsConnection.open(
                self._address, self._context, self._trusted, self._server_name, options.timeout_s
            )
            self._since_s = time.monotonic()
            self._connection.send(framed)
        except ConnectionFailed:
            self._lose()
            raise

    def _lose(self) -> None:
        """Drops the connection; when it was not stable, doubles the wait for the next one.

        With jitter, so that many senders don't come back at once.
        """
        options = self._options
        stable = self.connected_for_s > options.stable_after_s
        if self._connection is not None:
            self._connection.abort()
            self._connection = None
        if stable:
            self._backoff_s = 0.0
            return
        doubled = self._backoff_s * 2 or options.first_backoff_s
        self._backoff_s = min(doubled, options.longest_backoff_s)
        jitter = random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        self._not_before_s = time.monotonic() + self._backoff_s * jitter


class SyslogUdpSender:
    """Sends each message as one datagram, without any promise. Thread-safe."""

    def __init__(self, host: str, port: int = SYSLOG_UDP_PORT) -> None:
        """Looks the host up.

        Raises:
            ConnectionFailed: the host is unknown.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except OSError as error:
            raise ConnectionFailed(f"{host}: {error}") from error
        family, _, _, _, address = found[0]
        self._address: tuple[object, ...] = address
        self._socket = socket.socket(family, socket.SOCK_DGRAM)

    def send(self, *messages: bytes) -> None:
        """Sends the messages, one datagram each.

        Raises:
            ConnectionFailed: the kernel refuses one, as it does above 65,507 octets.
        """
        for message in messages:
            try:
                self._socket.sendto(message, self._address)
            except OSError as error:
                raise ConnectionFailed(f"{self._address}: {error}") from error

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()
