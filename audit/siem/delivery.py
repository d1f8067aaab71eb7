"""Delivery: messages over TLS to one receiver, with what it confirmed told from what was sent.

RFC 5425 has no acknowledgement. Two things stand in for it: the peer's kernel says that it has
the octets, and a receiver that answers the end of a connection has read all of it. A connection
that breaks in between may have lost anything since the last end that was answered.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from audit.errors import ConnectionFailed
from audit.frame.octet_counting import encode
from audit.transport.tls import ClientTls, client_context
from audit.transport.tls_client import TlsConnection

_LOOK_AGAIN_S = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOptions:
    """How a receiver is spoken to.

    Attributes:
        timeout_s: longest wait to connect, to shake hands, for the peer to take 64 KiB.
        acknowledge_s: longest wait without any progress for its kernel to have all octets.
        trust_after_s: age of a connection before that counts: in TLS 1.3 a receiver that refuses
            us does so after our handshake, and acknowledges until then.
    """

    timeout_s: float = 10.0
    acknowledge_s: float = 30.0
    trust_after_s: float = 0.5


class Delivery(Protocol):
    """A way to one receiver. Not for several threads."""

    @property
    def connected(self) -> bool:
        """Whether a connection is open, as far as is known."""

    def open(self) -> None:
        """Connect; raises ConnectionFailed."""

    def deliver(self, messages: Sequence[bytes], stop: Event) -> None:
        """Send in order; back when the peer's kernel has all. Raises ConnectionFailed."""

    def confirm(self) -> bool:
        """End the connection; True when the receiver confirmed all that was sent over it."""

    def abort(self) -> None:
        """Give the connection up."""


class TlsDelivery:
    """A ``Delivery`` by RFC 5425."""

    def __init__(
        self, host: str, port: int, tls: ClientTls, options: DeliveryOptions | None = None
    ) -> None:
        """Reads the certificates; raises ConfigurationError when they can't be used."""
        self._address = (host, port)
        self._server_name = tls.server_name or host
        self._options = options or DeliveryOptions()
        self._context, self._trusted = client_context(tls)
        self._connection: TlsConnection | None = None
        self._since_s = 0.0

    @property
    def connected(self) -> bool:
        """Whether a connection is open, as far as is known."""
        return self._connection is not None

    def open(self) -> None:
        """Connect.

        Raises:
            ConnectionFailed: the receiver can't be reached, or one side refuses the other.
        """
        self.abort()
        self._connection = TlsConnection.open(
            self._address, self._context, self._trusted, self._server_name, self._options.timeout_s
        )
        self._since_s = time.monotonic()

    def deliver(self, messages: Sequence[bytes], stop: Event) -> None:
        """Send in order, octet-counted; back when the peer's kernel has all of it.

        Raises:
            ConnectionFailed: it doesn't, or ``stop`` was set. How much it got is unknown.
        """
        if self._connection is None:
            raise ConnectionFailed("not connected")
        try:
            self._connection.send(b"".join(map(encode, messages)))
            self._wait(self._connection, stop)
        except ConnectionFailed:
            self.abort()
            raise

    def confirm(self) -> bool:
        """End the connection; True when the receiver confirmed all that was sent over it."""
        connection, self._connection = self._connection, None
        return connection is not None and connection.close()

    def abort(self) -> None:
        """Give the connection up."""
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    def _wait(self, connection: TlsConnection, stop: Event) -> None:
        least = connection.unacknowledged_octets()
        moved_s = time.monotonic()
        while least or time.monotonic() - self._since_s < self._options.trust_after_s:
            if stop.wait(_LOOK_AGAIN_S):
                raise ConnectionFailed("stopped")
            left = connection.unacknowledged_octets()
            if left < least:
                least, moved_s = left, time.monotonic()
            if least and time.monotonic() - moved_s > self._options.acknowledge_s:
                raise ConnectionFailed("the receiver doesn't take what is sent")
