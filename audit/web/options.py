"""WebOptions: every limit of the HTTP server in one place, each with its unit and its reason."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic

from audit.query.admission import StepUp
from audit.state.sessions import Guest


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """Limits and identity of one HTTP listener.

    Attributes:
        allowed_hosts: host names a request may carry in ``Host``, lower case, without port; IPv6
            in brackets. Anything else is answered 400, so no answer is ever built from a foreign
            name (DNS rebinding, cache poisoning).
        https: True when clients reach this listener over TLS: adds HSTS and makes cookies Secure.
        hsts_max_age_s: how long a browser insists on TLS.
        header_timeout_s: from the first octet of a request (or the connection) to the end of its
            header; a client slower than that is cut.
        body_timeout_s: from the end of the header to the end of the body.
        write_timeout_s: how long a client may leave an answer unread before it is cut.
        idle_timeout_s: how long an idle kept-alive connection stays.
        max_header_octets: request line and all header fields together; more is 431.
        max_header_fields: number of header fields; more is 431.
        max_body_octets: request body; more is 413.
        max_connections: open connections and running requests; beyond that 503.
        requests_per_s: sustained rate of one principal; scripts may read at least 50 a second.
        request_burst: how many requests one principal may make at once.
        max_rate_keys: how many principals and addresses the rate limiter remembers.
        max_exports: exports that run at once.
        max_exports_per_principal: of these, those of one principal.
        max_tails: live tails that are open at once; each holds a connection.
        max_tails_per_principal: of these, those of one principal.
        tail_poll_s: how often a live tail looks for new records.
        tail_heartbeat_s: a live tail that has nothing to tell says so this often, and looks
            whether its token still holds.
        tail_longest_s: a live tail ends after this; its client may come again.
        tail_session_s: a live tail taken up again within this after a break is the same use, with
            one record of it.
        clock: seconds that only grow, by which tails and uses are timed.
        sleep: lets seconds pass by that clock.
        bearer: who shows a bearer token that isn't one of this repository's own; raises
            Unauthenticated. Without it there are no others.
        certificate: name of the account of a client certificate, by the SHA-256 of it in
            lower-case hexadecimal; None for one that isn't known.
        step_up: what a person with such a token needs a fresh proof of identity for.
        shutdown_timeout_s: how long running requests may take to end at a stop.
    """

    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    https: bool = True
    hsts_max_age_s: int = 63_072_000
    header_timeout_s: float = 10.0
    body_timeout_s: float = 30.0
    write_timeout_s: float = 30.0
    idle_timeout_s: int = 30
    max_header_octets: int = 32_768
    max_header_fields: int = 100
    max_body_octets: int = 1_048_576
    max_connections: int = 512
    requests_per_s: float = 100.0
    request_burst: int = 200
    max_rate_keys: int = 10_000
    max_exports: int = 4
    max_exports_per_principal: int = 2
    max_tails: int = 32
    max_tails_per_principal: int = 4
    tail_poll_s: float = 0.5
    tail_heartbeat_s: float = 10.0
    tail_longest_s: float = 28_800.0
    tail_session_s: float = 900.0
    clock: Callable[[], float] = monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    bearer: Callable[[str], Guest] | None = None
    certificate: Callable[[str], str | None] | None = None
    step_up: StepUp = field(default_factory=StepUp)
    shutdown_timeout_s: int = 4
