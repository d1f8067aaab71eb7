"""What an operator can set about receiving syslog. Every limit has a name, a unit, a default."""

from dataclasses import dataclass

from audit.errors import ConfigurationError
from audit.frame.octet_counting import DEFAULT_KEPT_HEAD_OCTETS, DEFAULT_MAX_MESSAGE_OCTETS
from audit.transport.tls import ServerTls

SYSLOG_TLS_PORT = 6514
"""RFC 5425 4.1."""
SYSLOG_UDP_PORT = 514
"""RFC 5426 3.3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverOptions:
    """Where to listen and within what limits.

    Attributes:
        host: address to listen at; empty for all, IPv4 and IPv6.
        tls: certificates of the TLS listener; None for no TLS listener.
        tls_port: 0 for any free one.
        udp_port: None for no UDP listener, 0 for any free port.
        tcp_port: plain TCP (RFC 6587), which no profile allows; None, the default, for none.
        max_message_octets: a longer message is kept as its head.
        kept_head_octets: octets kept of a message that is too long.
        max_connections: TLS and TCP, at a time; further ones are closed at once.
        max_connections_per_address: likewise; relays and NAT need many.
        handshake_timeout_s: from accepting to an authenticated peer.
        message_timeout_s: from the first octet of a message to its last.
        idle_timeout_s: without an octet; audit senders are silent for long.
        silence_ends_message_s: plain TCP with trailers only: after this long without an octet
            behind a trailer, the message is taken to be whole.
        max_in_flight_octets: received and not yet durable; at this bound reading stops.
        max_unfinished_octets: memory for large messages (over 64 KiB) being received, all
            connections together; those that don't fit wait.
        udp_buffer_octets: asked of the kernel for datagrams that wait to be read.
        backlog: connections that the kernel holds until they are accepted.
        retry_s: how long to wait before a sink that had no room is tried again.
    """

    host: str = ""
    tls: ServerTls | None = None
    tls_port: int = SYSLOG_TLS_PORT
    udp_port: int | None = SYSLOG_UDP_PORT
    tcp_port: int | None = None
    max_message_octets: int = DEFAULT_MAX_MESSAGE_OCTETS
    kept_head_octets: int = DEFAULT_KEPT_HEAD_OCTETS
    max_connections: int = 10_000
    max_connections_per_address: int = 4_000
    handshake_timeout_s: float = 10.0
    message_timeout_s: float = 300.0
    idle_timeout_s: float = 3600.0
    silence_ends_message_s: float = 1.0
    max_in_flight_octets: int = 64 * 1024 * 1024
    max_unfinished_octets: int = 256 * 1024 * 1024
    udp_buffer_octets: int = 4 * 1024 * 1024
    backlog: int = 1024
    retry_s: float = 0.05

    def __post_init__(self) -> None:
        """Refuses limits that contradict each other.

        Raises:
            ConfigurationError: naming the option and the mend.
        """
        if self.max_unfinished_octets < self.max_message_octets:
            raise ConfigurationError(
                f"max_unfinished_octets ({self.max_unfinished_octets}) must be at least "
                f"max_message_octets ({self.max_message_octets})"
            )
        if not 0 < self.kept_head_octets <= self.max_message_octets:
            raise ConfigurationError(
                f"kept_head_octets ({self.kept_head_octets}) must be from 1 to "
                f"max_message_octets ({self.max_message_octets})"
            )
