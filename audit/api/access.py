"""Bearer token or client certificate → principal, within the rate that one principal may ask."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Security
from fastapi.security import HTTPBearer
from starlette.requests import Request

from audit.query.access import Kind, Principal
from audit.query.admission import StepUp, principal_of
from audit.state.accounts import Account
from audit.state.sessions import Guest
from audit.state.store import StateStore
from audit.state.tokens import ApiToken
from audit.web.errors import BadRequest, TooManyRequests, Unauthenticated
from audit.web.options import WebOptions
from audit.web.protocol import CERTIFICATE_EXTENSION
from audit.web.rate_limit import TokenBuckets

REASON_HEADER = "ARR-Reason"
"""Why somebody looks, where policy wants to know; kept in the record of the look."""

LONGEST_REASON = 1_024
_LONGEST_TOKEN = 8_192
_NEEDED = "this needs a valid token: Authorization: Bearer arr_…, or one of the identity provider"


bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    bearerFormat="arr_…",
    description="An API token; its scopes decide what it may do.",
)


@dataclass(frozen=True, slots=True)
class _Caller:
    """Whoever asks: what is granted, under which name its use is counted, and of which kind."""

    holder: ApiToken | Guest | Account
    key: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Lets principals in and holds them to their rate, over all interfaces that share it."""

    state: StateStore
    requests: TokenBuckets
    bearer: Callable[[str], Guest] | None = None
    certificate: Callable[[str], str | None] | None = None
    step_up: StepUp = field(default_factory=StepUp)

    @classmethod
    def of(cls, state: StateStore, options: WebOptions) -> "Doorkeeper":
        """A doorkeeper with the listener's limits."""
        buckets = TokenBuckets(
            options.requests_per_s, options.request_burst, max_keys=options.max_rate_keys
        )
        return cls(state, buckets, options.bearer, options.certificate, options.step_up)

    @property
    def admitted(self) -> Callable[..., Principal]:
        """``admit`` as what a route depends on; it puts the token into the OpenAPI document."""

        def admitted(request: Request, _token: Annotated[object, Security(bearer)]) -> Principal:
            return self.admit(request)

        return admitted

    def admit(self, request: Request) -> Principal:
        """The principal of the request's bearer token, else of its client certificate.

        Raises:
            Unauthenticated: there is neither, or it isn't valid.
            TooManyRequests: too many requests of this principal, or without one from here.
            BadRequest: the reason given is too long or not text.
        """
        address = request.client.host if request.client else ""
        caller = self._caller(request)
        allowance = self.requests.spend(f"address {address}" if caller is None else caller.key)
        request.state.rate_headers = allowance.headers()
        if not allowance.allowed:
            raise TooManyRequests("too many requests", allowance.retry_after_s)
        if caller is None:
            raise Unauthenticated(_NEEDED)
        request.state.token_id = caller.key
        admitted = principal_of(
            caller.holder, kind=caller.kind, address=address, reason=reason_of(request)
        )
        request.state.admitted = admitted
        return self._stepped_up(admitted, caller.holder)

    def _stepped_up(self, admitted: Principal, holder: ApiToken | Guest | Account) -> Principal:
        """The person without what their proof of identity is too old for (RFC 9470)."""
        if not isinstance(holder, Guest) or not holder.is_person:
            return admitted
        return self.step_up.held(admitted, holder.proved_at, self.state.clock())

    def still_admits(self, request: Request, scope: str) -> bool:
        """Whether a request that was let in would be now, for answers that go on long.

        It would not be by somebody who has come to see less meanwhile, nor in another way.
        """
        caller, before = self._caller(request), request.state.admitted
        if caller is None:
            return False
        now = principal_of(caller.holder, kind=caller.kind)
        return now.may(scope) and now.scopes >= before.scopes and now.rows == before.rows

    def _caller(self, request: Request) -> _Caller | None:
        if "authorization" in request.headers:
            return self._of_bearer(request.headers["authorization"])
        return self._of_certificate(request)

    def _of_bearer(self, authorization: str) -> _Caller | None:
        scheme, _, secret = authorization.partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not 0 < len(secret) <= _LONGEST_TOKEN:
            return None
        token = self.state.tokens.find(secret)
        if token is not None:
            return _Caller(token, token.id, "token")
        if self.bearer is None or secret.count(".") != 2:  # noqa: PLR2004 - RFC 7515 3.1
            return None
        try:
            guest = self.bearer(secret)
        except Unauthenticated:
            return None
        kind: Kind = "account" if guest.is_person else "process"
        return _Caller(guest, _key(guest.issuer, guest.name), kind)

    def _of_certificate(self, request: Request) -> _Caller | None:
        shown = certificate_shown(request.scope.get("extensions", {}))
        name = self.certificate(shown) if self.certificate is not None and shown else None
        account = None if name is None else self.state.accounts.find(name)
        if account is None or not account.enabled:
            return None
        return _Caller(account, _key("certificate", shown), "process")


def _key(*names: str) -> str:
    """A short name for the use of whoever has no token of ours."""
    return sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def certificate_shown(extensions: dict[str, Any]) -> str:
    """SHA-256 of the client certificate that TLS verified, in hexadecimal; empty without one."""
    return str(extensions.get(CERTIFICATE_EXTENSION, {}).get("sha256", ""))


def reason_of(request: Request) -> str:
    """The reason that the request gives; empty when it gives none.

    Raises:
        BadRequest: it is too long, or not printable UTF-8.
    """
    given = request.headers.get(REASON_HEADER, "")
    try:
        reason = given.encode("latin-1").decode("utf-8").strip()
    except UnicodeError as error:
        raise BadRequest(f"{REASON_HEADER} is not UTF-8") from error
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise BadRequest(f"{REASON_HEADER} has at most {LONGEST_REASON} printable characters")
    return reason
