"""What happens around every request, as plain ASGI.

Outermost first: SecurityHeaders → RequestRecord (id, access log, last resort) → KnownHost →
BodyLimit → GivenUp → the application.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_hex
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from audit.index.giving_up import LEFT
from audit.web.options import WebOptions
from audit.web.problems import INTERNAL, Problem
from audit.web.protocol import LEFT_STATE

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Own files only, no inline code, no script from strings, no frame around us."""

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

Headered = Callable[[MutableHeaders], None]


def _sending(send: Send, change: Headered) -> Send:
    """A send that lets ``change`` see the headers of the answer."""

    async def changed(message: Message) -> None:
        if message["type"] == "http.response.start":
            change(MutableHeaders(scope=message))
        await send(message)

    return changed


class SecurityHeaders:
    """Puts the security headers on every answer, errors included; nothing is cached by default."""

    def __init__(self, app: ASGIApp, options: WebOptions) -> None:
        self._app = app
        self._headers = dict(_HEADERS)
        if options.https:
            self._headers["Strict-Transport-Security"] = f"max-age={options.hsts_max_age_s}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        def add(headers: MutableHeaders) -> None:
            for name, value in self._headers.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")

        await self._app(scope, receive, _sending(send, add))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """What may be said of a request without naming anyone.

    Attributes:
        request_id: also in the answer, header ``X-Request-Id``.
        method: HTTP method, ``OTHER`` when not a common one.
        route: path template of the route, ``unmatched`` when there was none; never the path.
        parameters: names of the query parameters that are plain words; never values, and none
            of ``/fhir`` and ``/syslogsearch``.
        status: HTTP status of the answer.
        duration_s: seconds until the answer was handed over.
    """

    request_id: str
    method: str
    route: str
    parameters: tuple[str, ...]
    status: int
    duration_s: float


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MOST_PARAMETERS = 20
_NAMING_PATHS = ("/fhir", "/syslogsearch")
"""Their queries name people, by ITI-81 and ITI-82; by a slip even the names of parameters do."""
_LONGEST_NAME = 32


def _parameter_names(path: str, query: bytes) -> tuple[str, ...]:
    if path.startswith(_NAMING_PATHS):
        return ()
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=None)
    names = {name for name, _ in pairs if name.isascii() and name.isidentifier()}
    return tuple(sorted(name for name in names if len(name) <= _LONGEST_NAME))[:_MOST_PARAMETERS]


def _route_of(scope: Mapping[str, Any]) -> str:
    return str(getattr(scope.get("route"), "path", "unmatched"))


def _answer(problem: Problem, scope: Scope) -> Response:
    return problem.response(scope["state"]["request_id"], scope["path"])


class RequestRecord:
    """Gives each request an id, writes one log line for it and answers what escaped everything.

    The line names route, status and time, never path, address, user or parameter values.

    Args:
        app: what is recorded.
        observe: called with the facts of each request.
        answer_escape: the answer to an error that nobody expected; when it fails too, a bare
            problem document is given.
    """

    def __init__(
        self,
        app: ASGIApp,
        observe: Callable[[RequestFacts], None] | None,
        answer_escape: Callable[[Request, Exception], Response],
    ) -> None:
        self._app = app
        self._observe = observe
        self._answer_escape = answer_escape
        self._log = structlog.get_logger("audit.web.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        began = monotonic()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - the last resort: nothing may reach the client
            self._log_failed(scope, error)
            if status == 0:
                await self._last_answer(scope, error)(scope, receive, watched)
        self._finish(scope, request_id, status, monotonic() - began)

    def _last_answer(self, scope: Scope, error: Exception) -> Response:
        try:
            return self._answer_escape(Request(scope), error)
        except Exception as another:  # noqa: BLE001 - what failed may be what pages are made of
            self._log_failed(scope, another)
            return _answer(INTERNAL, scope)

    def _log_failed(self, scope: Scope, error: Exception) -> None:
        self._log.error(
            "request failed",
            request_id=scope["state"]["request_id"],
            error=type(error).__name__,
            route=_route_of(scope),
            where=_where(error),
        )

    def _finish(self, scope: Scope, request_id: str, status: int, duration_s: float) -> None:
        method = scope["method"]
        facts = RequestFacts(
            request_id=request_id,
            method=method if method in _METHODS else "OTHER",
            route=_route_of(scope),
            parameters=_parameter_names(scope["path"], scope.get("query_string", b"")),
            status=status,
            duration_s=duration_s,
        )
        self._log.info(
            "request",
            request_id=facts.request_id,
            method=facts.method,
            route=facts.route,
            parameters=",".join(facts.parameters),
            status=facts.status,
            duration_ms=round(facts.duration_s * 1000, 1),
        )
        if self._observe is not None:
            self._observe(facts)


def _where(error: BaseException) -> str:
    """The innermost place in the code, without the error's words (they may quote a message)."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    code = trace.tb_frame.f_code
    return f"{code.co_filename}:{trace.tb_lineno} {code.co_name}"


class KnownHost:
    """Refuses requests whose ``Host`` isn't one of ours, before anything looks at them."""

    def __init__(self, app: ASGIApp, options: WebOptions) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in options.allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] == "http" and not self._is_known(Headers(scope=scope)):
            problem = Problem(
                status=400, slug="unknown-host", detail="This server doesn't answer to that name."
            )
            await _answer(problem, scope)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_known(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return False
        host = hosts[0].strip().lower()
        name = host[: host.rfind("]") + 1] if host.startswith("[") else host.partition(":")[0]
        return name in self._hosts


TOO_LARGE = "The request body is larger than this server takes."


class BodyLimit:
    """Refuses bodies larger than allowed: at once when declared, else when the limit is passed."""

    def __init__(self, app: ASGIApp, options: WebOptions) -> None:
        self._app = app
        self._max_octets = options.max_body_octets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > self._max_octets:
            problem = Problem(status=413, slug="content-too-large", detail=TOO_LARGE)
            await _answer(problem, scope)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_octets:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)


class GivenUp:
    """Lets what answers a request know when its client has left, so that it may stop."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        has_left = scope.get("state", {}).get(LEFT_STATE)
        if scope["type"] == "http" and has_left is not None:
            LEFT.set(has_left)
        await self._app(scope, receive, send)


class RateHeaders:
    """Adds to the answer what the rate limiter left in the request's state."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""

        def add(headers: MutableHeaders) -> None:
            for name, value in scope.get("state", {}).get("rate_headers", {}).items():
                headers[name] = value

        await self._app(scope, receive, _sending(send, add))
