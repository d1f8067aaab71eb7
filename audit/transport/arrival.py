"""What the receiver hands on: messages that arrived, what was refused, and the counts of both."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from audit.frame.octet_counting import Frame

Listener = Literal["tls", "udp", "tcp"]


class Arrival(NamedTuple):
    """One message as it arrived.

    Attributes:
        raw: the message without its frame; its head only, where it was longer than the limit.
        original_length: octets that the sender sent.
        received_at: UTC, nanoseconds since 1970.
        listener: how it came.
        peer: IP address of the sender, without port.
        certificate_der: the sender's certificate, None without TLS.
        certificate_chain: the certificates above it, up to the one that was trusted.
        connection: number of the connection, 0 for UDP; counts from 1 at start.
    """

    raw: bytes
    original_length: int
    received_at: int
    listener: Listener
    peer: str
    certificate_der: bytes | None = None
    certificate_chain: tuple[bytes, ...] = ()
    connection: int = 0


class RefusalKind(StrEnum):
    """What was refused."""

    HANDSHAKE = "handshake"
    """The peer failed to authenticate, or spoke no TLS: a Security Alert (110113, 110126)."""
    LIMIT = "limit"
    """A limit of the operator's was reached."""
    FRAME = "frame"
    """A message broke off or couldn't be cut out of the stream."""
    JOURNAL = "journal"
    """The journal couldn't make a message durable."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A connection or message that was not taken.

    Attributes:
        peer: IP address.
        reason: in words, for the operator.
        certificate_der: what the peer showed, also where that is why it was refused; None when
            it showed none.
        received_at: UTC, nanoseconds since 1970.
        listener: how it came.
        kind: what was refused.
        kept: what came of a message that broke off, its head at most.
    """

    peer: str
    reason: str
    certificate_der: bytes | None
    received_at: int
    listener: Listener
    kind: RefusalKind
    kept: Frame | None = None


@dataclass(slots=True)
class Counters:
    """Counts since start. Always ``received = journaled + refused + in_flight``, in messages.

    Attributes:
        received: messages begun to be taken: whole, too long, or broken off.
        journaled: messages that the sink reported durable.
        refused: messages broken off, cut wrongly, or that the journal couldn't take.
        in_flight: messages handed to the sink and not settled.
        in_flight_octets: their octets.
        received_octets: octets of messages received, frames and TLS not counted.
        truncated: messages longer than the limit, of which the head was kept.
        datagrams: messages that came by UDP.
        kernel_dropped_datagrams: datagrams that the kernel dropped before us, never received.
        connections_accepted: TLS and TCP, before any check.
        connections_open: at this moment.
        connections_limited: closed at once for a limit on connections.
        handshakes_refused: TLS connections that failed to authenticate.
        connections_idle: closed for being idle or too slow.
        probes: connections closed by the peer before its first octet.
        times_blocked: how often reading was stopped for back-pressure.
    """

    received: int = 0
    journaled: int = 0
    refused: int = 0
    in_flight: int = 0
    in_flight_octets: int = 0
    received_octets: int = 0
    truncated: int = 0
    datagrams: int = 0
    kernel_dropped_datagrams: int = 0
    connections_accepted: int = 0
    connections_open: int = 0
    connections_limited: int = 0
    handshakes_refused: int = 0
    connections_idle: int = 0
    probes: int = 0
    times_blocked: int = 0
