"""One stream connection: TLS or plain TCP in, arrivals out."""

import asyncio
import time
from dataclasses import dataclass
from enum import IntFlag, auto
from typing import cast

from typing_extensions import override

from audit.errors import FrameError
from audit.frame.non_transparent import NonTransparentDecoder
from audit.frame.octet_counting import Frame, OctetCountingDecoder
from audit.transport.arrival import Arrival, Listener, Refusal, RefusalKind
from audit.transport.intake import Intake
from audit.transport.memory_budget import MemoryBudget
from audit.transport.receiver_options import ReceiverOptions
from audit.transport.tls_session import TlsRefused, TlsSession

SMALL_MESSAGE_OCTETS = 64 * 1024
"""A message up to this length needs no reservation: each connection may hold one."""

Decoder = OctetCountingDecoder | NonTransparentDecoder


class Wait(IntFlag):
    """Why a connection isn't read; read while there is no reason."""

    NOTHING = 0
    SINK = auto()
    MEMORY = auto()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all connections of a receiver share."""

    options: ReceiverOptions
    intake: Intake
    budget: MemoryBudget
    connections: "dict[int, StreamConnection]"
    per_address: dict[str, int]


class StreamConnection(asyncio.Protocol):
    """Reads frames off one connection; belongs to the event loop's thread.

    At the end of a TLS connection our close_notify is sent once every message of the
    connection is durable, and not at all if one failed: a sender that waits for it knows.
    """

    def __init__(self, number: int, around: Surroundings, session: TlsSession | None) -> None:
        self.number = number
        self.listener: Listener = "tls" if session else "tcp"
        self._around = around
        self._session = session
        self._decoder: Decoder | None = None
        if session:
            limits = around.options
            self._decoder = OctetCountingDecoder(
                limits.max_message_octets, limits.kept_head_octets
            )
        self._transport: asyncio.Transport | None = None
        self._peer = ""
        self._counted = False
        self._ended = False
        self._wait = Wait.NOTHING
        self._handshake_timer: asyncio.TimerHandle | None = None
        self._last_octet_s = 0.0
        self._message_begun_s = 0.0
        self._reserved = False
        self._heard = False

    # -------- Event loop

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        around = self._around
        around.intake.counters.connections_accepted += 1
        self._peer = address_text(transport.get_extra_info("peername"))
        self._last_octet_s = time.monotonic()
        reason = self._over_limit()
        if reason:
            around.intake.counters.connections_limited += 1
            self._refuse(reason, RefusalKind.LIMIT)
            self.abort()
            return
        self._counted = True
        around.connections[self.number] = self
        around.per_address[self._peer] = around.per_address.get(self._peer, 0) + 1
        around.intake.counters.connections_open += 1
        if self._session:
            self._begin_handshake_time()
        if around.intake.blocked:
            # Later: uvloop begins to read after this call, and gives us one chunk at least.
            asyncio.get_running_loop().call_soon(self._wait_if_blocked)

    @override
    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        self._heard = True
        if self._session:
            plaintext = self._decrypt(self._session, data)
            if plaintext:
                self._take(plaintext)
            if self._session.fault:
                self._tls_failed(self._session.fault, handshaking=False)
            elif self._session.peer_closed:
                self._end_of_stream()
        else:
            self._take(data)

    @override
    def eof_received(self) -> bool:
        self._end_of_stream()
        return True  # we close, once everything is durable

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._handshaking and not self._ended:
            self._lost_in_handshake()
        self._finish_decoder()
        self._ended = True
        self._leave()

    # -------- For the receiver

    @property
    def certificate_der(self) -> bytes | None:
        """The certificate of an authenticated peer."""
        return self._session.chain[0] if self._session and self._session.chain else None

    def wait_for(self, reason: Wait, on: bool) -> None:
        """Stops reading for a reason, or goes on when it was the last one."""
        before = self._wait
        self._wait = before | reason if on else before & ~reason
        if self._transport is None or self._transport.is_closing() or self._ended:
            return
        if self._wait and not before:
            self._transport.pause_reading()
        elif before and not self._wait:
            self._last_octet_s = self._message_begun_s = time.monotonic()
            self._transport.resume_reading()

    def _wait_if_blocked(self) -> None:
        if self._around.intake.blocked:
            self.wait_for(Wait.SINK, True)

    def check_time(self, now_s: float) -> None:
        """Ends the connection when it was silent or slow for too long; not while we wait."""
        decoder, options = self._decoder, self._around.options
        if self._wait or self._handshaking or self._ended or decoder is None:
            return
        silent_s = now_s - self._last_octet_s
        if not decoder.inside_message:
            if silent_s > options.idle_timeout_s:
                self._end_idle()
        elif (
            isinstance(decoder, NonTransparentDecoder)
            and silent_s > options.silence_ends_message_s
        ):
            self._deliver(decoder.flush())
        if decoder.inside_message and now_s - self._message_begun_s > options.message_timeout_s:
            self._around.intake.counters.connections_idle += 1
            self._broken_off(f"a message took longer than {options.message_timeout_s:g} s")

    def quiet_since(self, moment_s: float) -> bool:
        """Whether nothing came since and no message is half received; for stopping."""
        unfinished = self._decoder is not None and self._decoder.inside_message
        return self._handshaking or (self._last_octet_s < moment_s and not unfinished)

    def end(self) -> None:
        """Ends the connection from our side; what was received counts."""
        if self._handshaking:
            self.abort()
        else:
            self._end_of_stream()

    def abort(self) -> None:
        """Closes at once, without close_notify: the peer learns that not all is durable."""
        self._ended = True
        if self._transport is not None:
            self._transport.abort()

    # -------- TLS

    @property
    def _handshaking(self) -> bool:
        return self._session is not None and not self._session.established

    def _decrypt(self, session: TlsSession, data: bytes) -> bytes:
        handshaking = not session.established
        try:
            plaintext = session.receive(data)
        except TlsRefused as error:
            self._flush_session()
            self._tls_failed(str(error), handshaking=not session.established)
            return b""
        self._flush_session()
        if handshaking and session.established and self._handshake_timer:
            self._handshake_timer.cancel()
        return plaintext

    def _flush_session(self) -> None:
        if self._session and self._transport and not self._transport.is_closing():
            octets = self._session.outgoing()
            if octets:
                self._transport.write(octets)

    def _tls_failed(self, reason: str, handshaking: bool) -> None:
        if handshaking:
            self._around.intake.counters.handshakes_refused += 1
            self._refuse(reason, RefusalKind.HANDSHAKE)
            self._ended = True
            if self._transport is not None:
                self._transport.close()  # sends the alert first
        elif not self._ended:
            self._broken_off(f"TLS broke: {reason}")

    def _begin_handshake_time(self) -> None:
        self._handshake_timer = asyncio.get_running_loop().call_later(
            self._around.options.handshake_timeout_s, self._handshake_timed_out
        )

    def _handshake_timed_out(self) -> None:
        if self._wait:
            self._begin_handshake_time()  # we didn't listen: the time counts anew
        elif self._handshaking and not self._ended:
            limit = self._around.options.handshake_timeout_s
            self._around.intake.counters.handshakes_refused += 1
            self._refuse(f"no TLS handshake within {limit:g} s", RefusalKind.HANDSHAKE)
            self.abort()

    def _lost_in_handshake(self) -> None:
        counters = self._around.intake.counters
        if self._heard:
            counters.handshakes_refused += 1
            reason = "the peer closed the connection during the TLS handshake"
            self._refuse(reason, RefusalKind.HANDSHAKE)
        else:
            counters.probes += 1

    # -------- Messages

    def _take(self, data: bytes) -> None:
        """Cuts the octets into messages and hands them on."""
        decoder = self._decoder
        if decoder is None:
            decoder = self._decoder = self._decoder_for(data)
        was_inside = decoder.inside_message
        self._last_octet_s = time.monotonic()
        try:
            frames = decoder.feed(data)
        except FrameError as error:
            self._broken_off(str(error))
            return
        if frames or not was_inside:
            self._message_begun_s = self._last_octet_s
        self._deliver(frames)
        if decoder.fault is not None:
            self._broken_off(str(decoder.fault))
        else:
            self._reserve(decoder, bool(frames))

    def _decoder_for(self, first: bytes) -> Decoder:
        """RFC 6587 has no sign of its framing but the first octet: a digit or ``<``."""
        limits = self._around.options
        kind = OctetCountingDecoder if first[:1].isdigit() else NonTransparentDecoder
        return kind(limits.max_message_octets, limits.kept_head_octets)

    def _deliver(self, frames: list[Frame]) -> None:
        if not frames:
            return
        received_at = time.time_ns()
        session, intake = self._session, self._around.intake
        chain = session.chain if session else ()
        certificate = chain[0] if chain else None
        for frame in frames:
            intake.offer(
                Arrival(
                    frame.octets,
                    frame.original_length,
                    received_at,
                    self.listener,
                    self._peer,
                    certificate,
                    chain[1:],
                    self.number,
                )
            )

    def _reserve(self, decoder: Decoder, message_ended: bool) -> None:
        """Waits for memory when a large message has begun; gives it back at its end."""
        if message_ended and self._reserved:
            self._reserved = False
            self._around.budget.release(self.number)
        wanted = decoder.wanted_octets
        if wanted <= SMALL_MESSAGE_OCTETS or self._reserved:
            return
        self._reserved = True
        if not self._around.budget.reserve(self.number, wanted, self._memory_granted):
            self.wait_for(Wait.MEMORY, True)

    def _memory_granted(self) -> None:
        self.wait_for(Wait.MEMORY, False)

    # -------- End

    def _over_limit(self) -> str:
        around = self._around
        options = around.options
        if len(around.connections) >= options.max_connections:
            return f"more than {options.max_connections} connections"
        if around.per_address.get(self._peer, 0) >= options.max_connections_per_address:
            return f"more than {options.max_connections_per_address} connections of one address"
        return ""

    def _end_idle(self) -> None:
        self._around.intake.counters.connections_idle += 1
        self._end_of_stream()

    def _end_of_stream(self) -> None:
        """The peer ended its stream, or we do: close once every message is durable."""
        if self._ended:
            return
        if self._handshaking:
            if self._transport is not None:
                self._transport.close()  # connection_lost tells why
            return
        self._finish_decoder()
        self._ended = True
        self._around.intake.when_settled(self.number, self._close)

    def _close(self, all_durable: bool) -> None:
        if not all_durable:
            self.abort()
            return
        if self._session:
            self._session.close()
            self._flush_session()
        if self._transport is not None:
            self._transport.close()

    def _finish_decoder(self) -> None:
        """Takes the last message of a stream with trailers; tells of one that broke off."""
        if self._decoder is None or self._ended:
            return
        try:
            self._deliver(self._decoder.finish())
        except FrameError as error:
            self._refuse(str(error), RefusalKind.FRAME)

    def _broken_off(self, reason: str) -> None:
        """A message broke off: it is refused, and the connection can't go on."""
        self._refuse(reason, RefusalKind.FRAME)
        self._ended = True
        if self._transport is not None:
            self._transport.abort()

    def _refuse(self, reason: str, kind: RefusalKind) -> None:
        session, is_message = self._session, kind is RefusalKind.FRAME
        refusal = Refusal(
            peer=self._peer,
            reason=reason,
            certificate_der=session.certificate_shown if session else None,
            received_at=time.time_ns(),
            listener=self.listener,
            kind=kind,
            kept=self._decoder.remainder if self._decoder and is_message else None,
        )
        if is_message:
            self._around.intake.refuse_message(refusal)
        else:
            self._around.intake.refuse_connection(refusal)

    def _leave(self) -> None:
        if self._handshake_timer:
            self._handshake_timer.cancel()
        around = self._around
        around.intake.forget(self.number)
        around.budget.release(self.number)
        if not self._counted:
            return
        self._counted = False
        del around.connections[self.number]
        around.intake.counters.connections_open -= 1
        around.per_address[self._peer] -= 1
        if not around.per_address[self._peer]:
            del around.per_address[self._peer]


def address_text(peername: object) -> str:
    """The IP address of a peer, without port and zone; IPv4 in IPv6 is given as IPv4."""
    if not isinstance(peername, tuple) or not peername:
        return ""
    text = str(peername[0]).partition("%")[0]
    return text.removeprefix("::ffff:") if "." in text else text
