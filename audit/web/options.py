"""WebOptions: every limit of the HTTP server in one place, each with its unit and its reason."""

from dataclasses import dataclass


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
    shutdown_timeout_s: int = 4
