"""HTTP/1.1 over uvicorn's httptools protocol, hardened against slow and malformed clients.

Stock uvicorn never cuts a slow client and takes any size of header, none or several ``Host``
fields. Here each phase of a connection has a deadline, and what RFC 9112 calls an error is one:

    header   first octet (or the connection) → end of the header      408, closed
    body     end of the header → end of the body                      cut
    write    the peer stops reading → it reads again                   cut

    more header octets or fields than allowed                         431, closed
    Host missing or doubled (RFC 9112 3.2), or another authority in
    the request target than in Host                                   400, closed
"""

from asyncio import AbstractEventLoop, Transport
from asyncio.events import TimerHandle
from collections.abc import Callable
from enum import Enum, auto
from hashlib import sha256
from http import HTTPStatus
from threading import Event
from typing import Any, cast

import httptools
from typing_extensions import override
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from audit.web.options import WebOptions

_FIELD_OVERHEAD_OCTETS = 4
"""``: `` and CRLF around each header field."""


CERTIFICATE_EXTENSION = "arr.client_certificate"
"""ASGI extension: ``sha256`` of the client certificate that TLS verified, in hexadecimal."""


LEFT_STATE = "has_left"
"""Member of an ASGI scope's state: a function that tells whether the client has left."""


def _certificate_of(transport: Transport) -> str:
    tls = transport.get_extra_info("ssl_object")
    certificate = None if tls is None else tls.getpeercert(binary_form=True)
    return sha256(certificate).hexdigest() if certificate else ""


class _Phase(Enum):
    IDLE = auto()
    HEADER = auto()
    BODY = auto()
    ANSWER = auto()


class _RefusedError(Exception):
    """Raised inside a parser callback to stop parsing."""


class HardenedHttpProtocol(HttpToolsProtocol):
    """One connection, cut when the peer is too slow, refused when its header is not sound."""

    options: WebOptions = WebOptions()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._phase = _Phase.IDLE
        self._header_octets = 0
        self._refusal = HTTPStatus.BAD_REQUEST
        self._read_deadline: TimerHandle | None = None
        self._write_deadline: TimerHandle | None = None
        self._certificate_sha256 = ""
        self._left = Event()

    # connection

    @override
    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn types it
        super().connection_made(transport)
        self._certificate_sha256 = _certificate_of(transport)
        self._await_header()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._left.set()
        self._disarm_read()
        self._disarm_write()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._phase is _Phase.IDLE:
            self._await_header()
        super().data_received(data)
        if self._phase is _Phase.HEADER and not self.transport.is_closing():
            # A field is handed over only when complete, so a giant one is seen here alone.
            self._header_octets += len(data)
            if self._header_octets > 2 * self.options.max_header_octets:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    # parser callbacks

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"][LEFT_STATE] = self._left.is_set
        if self._certificate_sha256:
            shown = {CERTIFICATE_EXTENSION: {"sha256": self._certificate_sha256}}
            self.scope["extensions"] = cast("dict[str, dict[object, object]]", shown)
        self._header_octets = 0
        if self._phase is not _Phase.HEADER:
            self._await_header()

    @override
    def on_headers_complete(self) -> None:
        self._check_size()
        self._check_host()
        self._phase = _Phase.BODY
        self._arm_read(self.options.body_timeout_s, self._cut)
        super().on_headers_complete()

    @override
    def on_message_complete(self) -> None:
        self._phase = _Phase.ANSWER if not self.cycle.response_complete else _Phase.IDLE
        self._disarm_read()
        super().on_message_complete()

    @override
    def on_response_complete(self) -> None:
        if self._phase is _Phase.ANSWER:
            self._phase = _Phase.IDLE
        super().on_response_complete()
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._arm_write()

    def _check_size(self) -> None:
        octets = len(self.url) + sum(
            len(name) + len(value) + _FIELD_OVERHEAD_OCTETS for name, value in self.headers
        )
        if (
            octets > self.options.max_header_octets
            or len(self.headers) > self.options.max_header_fields
        ):
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise _RefusedError

    def _check_host(self) -> None:
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) != 1 or not hosts[0].strip():
            raise _RefusedError
        if not self.url.startswith(b"/"):
            target = httptools.parse_url(self.url)
            port = f":{target.port}".encode() if target.port else b""
            if (target.host or b"") + port != hosts[0].strip():
                raise _RefusedError

    # answers of our own

    @override
    def send_400_response(self, msg: str) -> None:
        self._refuse(self._refusal)

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer and close; in the middle of another answer only close."""
        self._disarm_read()
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is not None and not cycle.response_complete:
            self.transport.abort()
            return
        body = (
            f'{{"type":"about:blank","title":"{status.phrase}","status":{status.value}}}'.encode()
        )
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            "content-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\n"
            "cache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self._arm_write()

    # deadlines

    def _await_header(self) -> None:
        self._phase = _Phase.HEADER
        self._header_octets = 0
        self._arm_read(self.options.header_timeout_s, self._header_too_slow)

    def _header_too_slow(self) -> None:
        self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _cut(self) -> None:
        self.transport.abort()

    def _arm_read(self, after_s: float, then: Callable[[], None]) -> None:
        self._disarm_read()
        self._read_deadline = self.loop.call_later(after_s, then)

    def _disarm_read(self) -> None:
        if self._read_deadline is not None:
            self._read_deadline.cancel()
            self._read_deadline = None

    def _arm_write(self) -> None:
        if self._write_deadline is None:
            self._write_deadline = self.loop.call_later(self.options.write_timeout_s, self._cut)

    def _disarm_write(self) -> None:
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._arm_write()

    @override
    def resume_writing(self) -> None:
        self._disarm_write()
        super().resume_writing()

    @override
    def timeout_keep_alive_handler(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # the answer was never read
        else:
            super().timeout_keep_alive_handler()


def hardened_protocol(options: WebOptions) -> type[HardenedHttpProtocol]:
    """The protocol class for ``uvicorn.Config(http=…)`` with these limits."""
    return type("ConfiguredHttpProtocol", (HardenedHttpProtocol,), {"options": options})
