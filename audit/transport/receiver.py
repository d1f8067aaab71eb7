"""The syslog receiver: TLS (RFC 5425), UDP (RFC 5426), plain TCP (RFC 6587) where asked for."""

import asyncio
import itertools
import socket
import time
from collections.abc import Callable

from audit.errors import AuditError, ConfigurationError, ConnectionFailed
from audit.transport.arrival import Arrival, Counters
from audit.transport.connection import StreamConnection, Surroundings, Wait
from audit.transport.datagrams import DatagramListener
from audit.transport.intake import Intake, OnArrival, OnRefused
from audit.transport.memory_budget import MemoryBudget
from audit.transport.receiver_options import ReceiverOptions
from audit.transport.tls import ServerTls
from audit.transport.tls_session import ServerContext

DEFAULT_DRAIN_S = 2.0
_QUIET_S = 0.1
"""When stopping, a connection silent for so long has nothing more for us."""
_STOP_STEP_S = 0.02
_LONGEST_SWEEP_S = 1.0


class SyslogReceiver:
    """Receives syslog and hands each message to ``on_arrival``, in the event loop's thread.

    The sink calls ``settle`` (any thread) once a message is durable or failed; with
    ``functools.partial(receiver.settle, arrival)`` it is a journal's done callback. When too
    much is unsettled, or ``on_arrival`` raises a StorageError for want of room, reading stops:
    TCP holds the senders back. Nothing received is dropped.
    """

    def __init__(
        self, options: ReceiverOptions, on_arrival: OnArrival, on_refused: OnRefused
    ) -> None:
        """Must be called where the event loop runs.

        Raises:
            ConfigurationError: a certificate file is missing or holds something else.
        """
        self._options = options
        self._context = ServerContext(options.tls) if options.tls else None
        self._intake = Intake(
            on_arrival, on_refused, options.max_in_flight_octets, options.retry_s
        )
        self._intake.on_block_change = self._set_blocked
        self._connections: dict[int, StreamConnection] = {}
        self._around = Surroundings(
            options,
            self._intake,
            MemoryBudget(options.max_unfinished_octets),
            self._connections,
            {},
        )
        self._numbers = itertools.count(1)
        self._servers: list[asyncio.Server] = []
        self._datagrams: DatagramListener | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self.tls_port = self.udp_port = self.tcp_port = 0

    @property
    def counters(self) -> Counters:
        """Live counts; read only."""
        return self._intake.counters

    @property
    def blocked(self) -> bool:
        """Whether reading is stopped for back-pressure."""
        return self._intake.blocked

    async def start(self) -> None:
        """Listens; ``tls_port``, ``udp_port`` and ``tcp_port`` tell where, 0 for not.

        Raises:
            ConfigurationError: an address can't be listened at.
        """
        options = self._options
        try:
            if self._context is not None:
                self.tls_port = await self._listen(options.tls_port, self._new_tls)
            if options.tcp_port is not None:
                self.tcp_port = await self._listen(options.tcp_port, self._new_tcp)
            if options.udp_port is not None:
                self._listen_udp(options.udp_port)
        except BaseException:
            await self.stop(0)
            raise
        self._sweep_later()

    async def stop(self, drain_s: float = DEFAULT_DRAIN_S) -> None:
        """Stops listening, lets peers end, delivers what was read, waits until it is settled.

        Takes ``drain_s`` at most, and about 0.1 s where nobody sends. What the sink hasn't taken
        by then is refused.
        """
        deadline_s = time.monotonic() + drain_s
        if self._sweep is not None:
            self._sweep.cancel()
        for server in self._servers:
            server.close()
        if self._datagrams is not None:
            self._datagrams.close()
            self._datagrams = None
        await self._end_connections(deadline_s)
        remaining_s = max(0.0, deadline_s - time.monotonic())
        try:
            await asyncio.wait_for(self._intake.idle.wait(), remaining_s)
        except TimeoutError:
            self._intake.give_up()
        while self._connections:
            for connection in list(self._connections.values()):
                connection.abort()
            await asyncio.sleep(_STOP_STEP_S)
        self._servers.clear()

    def settle(
        self, arrival: Arrival, sequence: int | None, error: AuditError | None = None
    ) -> None:
        """The sink's word on one arrival: durable under ``sequence``, or failed. Any thread."""
        self._intake.settle(arrival, sequence, error)

    def pause(self) -> None:
        """Stops reading from every peer until ``resume``; nothing is dropped but UDP."""
        self._intake.pause()

    def resume(self) -> None:
        """Reads again, unless a limit still forbids it."""
        self._intake.resume()

    def reload_tls(self, options: ServerTls | None = None) -> int:
        """Reads certificates and trust anew; gives how many connections it ended.

        New connections use a new context at once. Connections whose peer would not be accepted
        any more are ended after what they sent.

        Raises:
            ConfigurationError: the files don't fit; the old context stays in use.
        """
        if self._context is None:
            raise ConfigurationError("there is no TLS listener to reload")
        self._context = ServerContext(options or self._context.options)
        ended = 0
        for connection in list(self._connections.values()):
            certificate = connection.certificate_der
            if certificate and not self._context.trusted.still_trust(certificate):
                connection.end()
                ended += 1
        return ended

    # -------- Listening

    async def _listen(self, port: int, protocol: Callable[[], StreamConnection]) -> int:
        bound = self._bind(port, socket.SOCK_STREAM)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(protocol, sock=bound, backlog=self._options.backlog)
        self._servers.append(server)
        return int(bound.getsockname()[1])

    def _listen_udp(self, port: int) -> None:
        bound = self._bind(port, socket.SOCK_DGRAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._options.udp_buffer_octets)
        self.udp_port = int(bound.getsockname()[1])
        self._datagrams = DatagramListener(bound, self._intake)
        self._datagrams.set_reading(not self._intake.blocked)

    def _bind(self, port: int, kind: socket.SocketKind) -> socket.socket:
        host = self._options.host
        try:
            family, address = _family(host, port, kind)
            bound = socket.socket(family, kind)
        except OSError as error:
            raise ConnectionFailed(f"can't listen at {host or '*'}:{port}: {error}") from error
        try:
            if kind is socket.SOCK_STREAM:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if family is socket.AF_INET6 and not host:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            bound.bind(address)
        except OSError as error:
            bound.close()
            raise ConfigurationError(f"can't listen at {host or '*'}:{port}: {error}") from error
        return bound

    def _new_tls(self) -> StreamConnection:
        session = self._context.session() if self._context else None
        return StreamConnection(next(self._numbers), self._around, session)

    def _new_tcp(self) -> StreamConnection:
        return StreamConnection(next(self._numbers), self._around, None)

    # -------- Running

    def _set_blocked(self, blocked: bool) -> None:
        for connection in list(self._connections.values()):
            connection.wait_for(Wait.SINK, blocked)
        if self._datagrams is not None:
            self._datagrams.set_reading(not blocked)

    def _sweep_later(self) -> None:
        options = self._options
        shortest_s = min(
            options.idle_timeout_s, options.message_timeout_s, options.silence_ends_message_s
        )
        delay_s = min(_LONGEST_SWEEP_S, shortest_s / 4)
        self._sweep = asyncio.get_running_loop().call_later(delay_s, self._sweep_now)

    def _sweep_now(self) -> None:
        now_s = time.monotonic()
        for connection in list(self._connections.values()):
            connection.check_time(now_s)
        self._sweep_later()

    async def _end_connections(self, deadline_s: float) -> None:
        """Ends each connection once it is quiet, all others at the deadline."""
        while self._connections:
            now_s = time.monotonic()
            overdue = now_s >= deadline_s
            for connection in list(self._connections.values()):
                if overdue or connection.quiet_since(now_s - _QUIET_S):
                    connection.end()
            if overdue:
                return
            await asyncio.sleep(_STOP_STEP_S)


def _family(
    host: str, port: int, kind: socket.SocketKind
) -> tuple[socket.AddressFamily, tuple[object, ...]]:
    if not host:
        if socket.has_dualstack_ipv6():
            return socket.AF_INET6, ("::", port)
        return socket.AF_INET, ("0.0.0.0", port)  # noqa: S104 - the operator asked for all
    found = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    return family, address
