"""Bearer token → principal, within the rate that one principal may ask."""

from dataclasses import dataclass

from starlette.requests import Request

from audit.query.access import Principal
from audit.query.admission import principal_of, scopes_granted
from audit.state.store import StateStore
from audit.state.tokens import ApiToken
from audit.web.errors import TooManyRequests, Unauthenticated
from audit.web.options import WebOptions
from audit.web.rate_limit import TokenBuckets

_LONGEST_TOKEN = 256


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Lets principals in and holds them to their rate."""

    state: StateStore
    requests: TokenBuckets

    @classmethod
    def of(cls, state: StateStore, options: WebOptions) -> "Doorkeeper":
        """A doorkeeper with the listener's limits."""
        buckets = TokenBuckets(
            options.requests_per_s, options.request_burst, max_keys=options.max_rate_keys
        )
        return cls(state, buckets)

    def admit(self, request: Request) -> Principal:
        """The principal of the request's bearer token.

        Raises:
            Unauthenticated: there is no token, or it isn't valid.
            TooManyRequests: too many requests of this principal, or without one from here.
        """
        address = request.client.host if request.client else ""
        token = self._token(request)
        allowance = self.requests.spend(f"address {address}" if token is None else token.id)
        request.state.rate_headers = allowance.headers()
        if not allowance.allowed:
            raise TooManyRequests("too many requests", allowance.retry_after_s)
        if token is None:
            raise Unauthenticated("this needs a valid API token: Authorization: Bearer arr_…")
        request.state.token_id = token.id
        return principal_of(token, kind="token", address=address)

    def still_admits(self, request: Request, scope: str) -> bool:
        """Whether a request that was let in would be let in now, for answers that go on long."""
        token = self._token(request)
        return token is not None and scope in scopes_granted(token.grants)

    def _token(self, request: Request) -> ApiToken | None:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not 0 < len(secret) <= _LONGEST_TOKEN:
            return None
        return self.state.tokens.find(secret)
