"""Bearer token → principal, within the rate that one principal may ask."""

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from audit.query.access import Principal
from audit.web.errors import TooManyRequests, Unauthenticated
from audit.web.options import WebOptions
from audit.web.rate_limit import TokenBuckets

_LONGEST_TOKEN = 256


class TokenAuthority(Protocol):
    """What knows the API tokens."""

    def principal_of_token(self, token: str, address: str) -> Principal | None:
        """The token's principal; None when it is unknown, expired or revoked."""


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Lets principals in and holds them to their rate."""

    authority: TokenAuthority
    requests: TokenBuckets

    @classmethod
    def of(cls, authority: TokenAuthority, options: WebOptions) -> "Doorkeeper":
        """A doorkeeper with the listener's limits."""
        buckets = TokenBuckets(
            options.requests_per_s, options.request_burst, max_keys=options.max_rate_keys
        )
        return cls(authority, buckets)

    def admit(self, request: Request) -> Principal:
        """The principal of the request's bearer token.

        Raises:
            Unauthenticated: there is no token, or it isn't valid.
            TooManyRequests: too many requests of this principal, or without one from here.
        """
        address = request.client.host if request.client else ""
        principal = self._principal(request, address)
        named = address if principal is None else f"{principal.kind} {principal.name}"
        allowance = self.requests.spend(named)
        request.state.rate_headers = allowance.headers()
        if not allowance.allowed:
            raise TooManyRequests("too many requests", allowance.retry_after_s)
        if principal is None:
            raise Unauthenticated("this needs a valid API token: Authorization: Bearer arr_…")
        return principal

    def _principal(self, request: Request, address: str) -> Principal | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not 0 < len(token) <= _LONGEST_TOKEN:
            return None
        return self.authority.principal_of_token(token, address)
