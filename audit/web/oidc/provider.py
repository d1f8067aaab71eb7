"""Provider: an identity provider's metadata and keys, kept for a while.

Only the configured issuer and the endpoints that its own metadata names are ever asked; a token
can't make us ask anybody (``jku``, ``x5u`` and ``jwk`` in its header are not looked at).
"""

import ssl
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from audit.errors import ConfigurationError, ConnectionFailed
from audit.web.oidc.options import OidcOptions

_METADATA = "/.well-known/openid-configuration"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MOST_KEYS = 100


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the provider is asked.

    Attributes:
        authorization: where browsers are led to.
        token: where codes become tokens.
        keys: where its public keys lie.
    """

    authorization: str
    token: str
    keys: str


class Provider:
    """One identity provider. Safe to use from several threads.

    Every method may raise ConnectionFailed: the provider doesn't answer, or not as it should.
    """

    def __init__(self, options: OidcOptions) -> None:
        self.options = options
        require_secure(options.issuer)
        self._lock = Lock()
        self._endpoints: Endpoints | None = None
        self._keys: dict[str, PyJWK] = {}
        self._read_at: float | None = None
        verify = ssl.create_default_context(
            cafile=str(options.ca_file) if options.ca_file is not None else None
        )
        self._http = httpx2.Client(
            verify=verify, timeout=options.timeout_s, follow_redirects=False, trust_env=False
        )

    def endpoints(self) -> Endpoints:
        """Where it is asked, read once."""
        with self._lock:
            return self._endpoints_read()

    def key(self, key_id: str) -> PyJWK | None:
        """The public key of that id, which the provider published a short time ago; else None."""
        options = self.options
        with self._lock:
            now = options.clock()
            age = None if self._read_at is None else now - self._read_at
            is_old = age is None or age >= options.keys_max_age_s
            is_new = key_id not in self._keys and (age is None or age >= options.keys_min_age_s)
            if is_old or is_new:
                # First forgotten: keys that can't be confirmed any more are not trusted any more.
                self._keys = {} if is_old else self._keys
                self._keys = self._keys_read()
                self._read_at = now
            return self._keys.get(key_id)

    def post(self, url: str, form: dict[str, str]) -> dict[str, Any]:
        """What an endpoint answers to a form, as JSON; the client's secret goes along."""
        options = self.options
        secret = (options.client_id, options.client_secret) if options.client_secret else None
        fields = form if secret else form | {"client_id": options.client_id}
        return self._answer("POST", url, data=fields, auth=secret)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _endpoints_read(self) -> Endpoints:
        if self._endpoints is None:
            issuer = self.options.issuer
            told = self._answer("GET", issuer.rstrip("/") + _METADATA)
            if told.get("issuer") != issuer:
                raise ConnectionFailed("the identity provider's metadata name another issuer")
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            urls = [str(told.get(name, "")) for name in names]
            for url in urls:
                require_secure(url, ConnectionFailed)
            self._endpoints = Endpoints(*urls)
        return self._endpoints

    def _keys_read(self) -> dict[str, PyJWK]:
        found: dict[str, PyJWK] = {}
        published = self._answer("GET", self._endpoints_read().keys).get("keys")
        for one in published[:_MOST_KEYS] if isinstance(published, list) else ():
            if isinstance(one, dict) and one.get("use", "sig") == "sig":
                key = _asymmetric(one)
                if key is not None:
                    found[str(one.get("kid", ""))] = key
        return found

    def _answer(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        try:
            with self._http.stream(method, url, headers=headers, **more) as answer:
                octets = bytearray()
                for piece in answer.iter_bytes():
                    octets += piece
                    if len(octets) > self.options.max_answer_octets:
                        raise ConnectionFailed("the identity provider's answer is too long")
                status = answer.status_code
        except httpx2.HTTPError as error:
            raise ConnectionFailed(
                f"the identity provider does not answer: {type(error).__name__}"
            ) from error
        told = _json_object(bytes(octets))
        if status != httpx2.codes.OK or told is None:
            raise ConnectionFailed(f"the identity provider answered {status}, not as it should")
        return told


def require_secure(url: str, error: type[Exception] = ConfigurationError) -> None:
    """Refuse an address that isn't HTTPS, but for this machine itself."""
    parts = urlsplit(url)
    is_own = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not parts.hostname or (parts.scheme != "https" and not is_own):
        raise error("an identity provider is asked over HTTPS only")


def _asymmetric(published: dict[str, Any]) -> PyJWK | None:
    """A public key of an accepted kind; None for a shared secret, and for what can't be read."""
    if published.get("kty") not in {"RSA", "EC", "OKP"}:
        return None
    try:
        return PyJWK(published)
    except PyJWTError:
        return None


def _json_object(octets: bytes) -> dict[str, Any] | None:
    try:
        told = orjson.loads(octets)
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) else None
