"""Authorization code with PKCE (RFC 6749 4.1, RFC 7636, RFC 9207; OpenID Connect Core 3.1)."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from urllib.parse import urlencode

from audit.query.admission import NS_PER_S
from audit.state.sessions import Guest
from audit.web.errors import Unauthenticated
from audit.web.oidc.claims import guest_of
from audit.web.oidc.provider import Provider
from audit.web.oidc.tokens import Claims, verified

_LONGEST_CODE = 4_096
_FAILED = "the identity provider did not vouch for you; sign in again"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in on its way: what must come back with it.

    Attributes:
        state: binds the provider's answer to the browser that asked.
        nonce: binds the token to the attempt.
        verifier: proves that whoever brings the code asked for it.
    """

    state: str
    nonce: str
    verifier: str

    @classmethod
    def begin(cls) -> "Attempt":
        """A new one of 256 random bits each."""
        return cls(token_urlsafe(32), token_urlsafe(32), token_urlsafe(48))


@dataclass(frozen=True, slots=True)
class CodeFlow:
    """Leads browsers to the provider, and makes of what they bring back who they are."""

    provider: Provider

    def address(self, attempt: Attempt, *, again: bool = False) -> str:
        """Where to lead the browser; ``again`` has the person prove themselves anew.

        Raises:
            ConnectionFailed: the provider doesn't answer.
        """
        options = self.provider.options
        challenge = urlsafe_b64encode(sha256(attempt.verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": options.client_id,
            "redirect_uri": options.redirect_url,
            "scope": " ".join(("openid", *options.scopes)),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
            **({"prompt": "login", "max_age": "0"} if again else {}),
        }
        endpoint = self.provider.endpoints().authorization
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def vouched(
        self, attempt: Attempt, brought: dict[str, str], *, since_s: float | None = None
    ) -> Guest:
        """Who brings this answer of the provider.

        Args:
            attempt: what the browser set out with; to be used once.
            brought: the parameters that it comes back with.
            since_s: the person must have proved themselves after this, seconds since 1970.

        Raises:
            Unauthenticated: the answer isn't that to the attempt.
            ConnectionFailed: the provider doesn't answer, or refuses the code.
        """
        options = self.provider.options
        state, code = brought.get("state", ""), brought.get("code", "")
        if not compare_digest(state.encode(), attempt.state.encode()):
            raise Unauthenticated(_FAILED)
        if brought.get("iss", options.issuer) != options.issuer:
            raise Unauthenticated(_FAILED)
        if not 0 < len(code) <= _LONGEST_CODE or "error" in brought:
            raise Unauthenticated(_FAILED)
        guest = guest_of(self._claims(attempt, code), options)
        proved_s = (guest.proved_at or 0) / NS_PER_S
        if since_s is not None and proved_s + options.leeway_s < since_s:
            raise Unauthenticated(_FAILED)
        return guest

    def _claims(self, attempt: Attempt, code: str) -> Claims:
        provider, options = self.provider, self.provider.options
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": options.redirect_url,
            "code_verifier": attempt.verifier,
        }
        told = provider.post(provider.endpoints().token, form)
        claims = verified(provider, str(told.get("id_token", "")), options.client_id)
        nonce, party = str(claims.get("nonce", "")), claims.get("azp", options.client_id)
        if not compare_digest(nonce.encode(), attempt.nonce.encode()):
            raise Unauthenticated(_FAILED)
        if party != options.client_id:
            raise Unauthenticated(_FAILED)
        return claims
