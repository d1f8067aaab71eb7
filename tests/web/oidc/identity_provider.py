"""An identity provider over real HTTP: discovery, keys, authorization code with PKCE.

Written with joserfc, which is not what the product reads tokens with.
"""

import contextlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest as hmac_digest
from secrets import token_urlsafe
from time import time
from typing import Any
from urllib.parse import parse_qsl, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters, KeySet, OKPKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from audit.web.oidc.options import OidcOptions
from audit.web.options import WebOptions
from tests.web.servers import serving

CLIENT, SECRET, AUDIENCE = "arr", "the client's own secret", "https://arr.example/api"
MARA = {"sub": "u-17", "preferred_username": "mvoss", "name": "Mara Voss", "roles": ["reviewer"]}

Key = RSAKey | ECKey | OKPKey


def new_key(kid: str = "k1", kind: str = "EC") -> Key:
    """A signing key."""
    parameters: KeyParameters = {"kid": kid, "use": "sig"}
    if kind == "RSA":
        return RSAKey.generate_key(2048, parameters)
    if kind == "OKP":
        return OKPKey.generate_key("Ed25519", parameters)
    return ECKey.generate_key("P-256", parameters)


def _encoded(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _part(content: dict[str, Any]) -> str:
    return _encoded(json.dumps(content).encode())


@dataclass
class IdentityProvider:
    """What the provider knows; tests change it while it runs."""

    issuer: str = ""
    keys: list[Key] = field(default_factory=lambda: [new_key()])
    person: dict[str, Any] = field(default_factory=lambda: dict(MARA))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    metadata_changes: dict[str, Any] = field(default_factory=dict)
    signing: Key | None = None
    keys_asked: int = 0
    is_down: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def algorithm(self) -> str:
        """That of the first key."""
        return {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}[self.keys[0].key_type]

    def claims(self, audience: str | list[str], **changes: Any) -> dict[str, Any]:
        """What a token says; a change to None leaves a claim out."""
        now = int(time())
        given = {
            "iss": self.issuer,
            "aud": audience,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            **self.person,
            **self.changes,
            **changes,
        }
        return {name: value for name, value in given.items() if value is not None}

    def token(
        self, audience: str | list[str] = AUDIENCE, key: Key | None = None, **changes: Any
    ) -> str:
        """A signed token."""
        signing = key or self.signing or self.keys[0]
        header = {"alg": self.algorithm, "kid": signing.kid}
        return jwt.encode(header, self.claims(audience, **changes), signing, [self.algorithm])

    def shared_secret_token(self) -> str:
        """Signed by HS256 with the public key as secret: the classic confusion of algorithms."""
        public = self.keys[0].as_pem(private=False)
        signed = f"{_part({'alg': 'HS256', 'kid': 'k1'})}.{_part(self.claims(AUDIENCE))}"
        return f"{signed}.{_encoded(hmac_digest(public, signed.encode(), 'sha256'))}"

    def unsigned_token(self) -> str:
        """``alg`` none."""
        return f"{_part({'alg': 'none', 'kid': 'k1'})}.{_part(self.claims(AUDIENCE))}."

    # endpoints

    def metadata(self, _: Request) -> Response:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return JSONResponse(told | self.metadata_changes)

    def published(self, _: Request) -> Response:
        self.keys_asked += 1
        if self.is_down:
            return Response(status_code=503)
        return JSONResponse(KeySet([*self.keys]).as_dict(private=False))

    def authorize(self, request: Request) -> Response:
        """The person is signed in already: the browser is led back with a code."""
        asked = dict(request.query_params)
        self.asked.append(asked)
        assert asked["response_type"] == "code"
        assert (asked["client_id"], asked["code_challenge_method"]) == (CLIENT, "S256")
        code = token_urlsafe(16)
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", status_code=302)

    async def exchange(self, request: Request) -> Response:
        """A code becomes a token once, for its client, with the verifier of its challenge."""
        form = dict(parse_qsl((await request.body()).decode()))
        asked = self.codes.pop(form.get("code", ""), None)
        proof = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest())
        fits = (
            asked is not None
            and request.headers.get("authorization", "").startswith("Basic ")
            and form["redirect_uri"] == asked["redirect_uri"]
            and proof.rstrip(b"=").decode() == asked["code_challenge"]
        )
        if not fits or asked is None:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        token = self.token(**{"audience": CLIENT, "nonce": asked["nonce"], **self.changes})
        return JSONResponse({"id_token": token, "access_token": "x", "token_type": "Bearer"})

    def application(self) -> Starlette:
        """The whole provider."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.metadata),
                Route("/keys", self.published),
                Route("/authorize", self.authorize),
                Route("/token", self.exchange, methods=["POST"]),
            ]
        )


@contextlib.contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """A provider that listens on a free port."""
    made = IdentityProvider()
    with serving(made.application(), WebOptions(https=False)) as port:
        made.issuer = f"http://127.0.0.1:{port}"
        yield made


def options_of(provider: IdentityProvider, **changes: Any) -> OidcOptions:
    """How a repository is set up for it."""
    given: dict[str, Any] = {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "audience": AUDIENCE,
        "redirect_url": "http://testserver/sign-in/oidc/done",
    }
    return OidcOptions(**(given | changes))
