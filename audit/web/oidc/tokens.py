"""Tokens of an identity provider: signature, issuer, audience and times (RFC 7519, RFC 9068)."""

from typing import Any

import jwt
from jwt.exceptions import PyJWTError

from audit.web.errors import Unauthenticated
from audit.web.oidc.provider import Provider

LONGEST_TOKEN = 8_192
_NEEDED = ["exp", "iat", "iss", "aud", "sub"]
_INVALID = "the token is not valid"

Claims = dict[str, Any]


def verified(provider: Provider, token: str, audience: str) -> Claims:
    """The claims of a token that the provider signed for this audience and that holds now.

    Raises:
        Unauthenticated: it isn't such a token; the text doesn't tell why.
        ConnectionFailed: the provider's keys can't be read.
    """
    options = provider.options
    if not audience or len(token) > LONGEST_TOKEN:
        raise Unauthenticated(_INVALID)
    try:
        header = jwt.get_unverified_header(token)
        algorithm = str(header.get("alg"))
        if algorithm not in options.algorithms or "crit" in header:
            raise Unauthenticated(_INVALID)
        key = provider.key(str(header.get("kid", "")))
        if key is None or not _fits(str(key.key_type), algorithm):
            raise Unauthenticated(_INVALID)
        return _decoded(provider, token, key.key, algorithm, audience)
    except (PyJWTError, ValueError, TypeError) as error:
        raise Unauthenticated(_INVALID) from error


def _decoded(provider: Provider, token: str, key: Any, algorithm: str, audience: str) -> Claims:
    options = provider.options
    now = options.clock()
    claims: Claims = jwt.decode(
        token,
        key,
        algorithms=[algorithm],
        audience=audience,
        issuer=options.issuer,
        # Times are compared below, with the one clock that also counts the age of the keys.
        options={
            "require": _NEEDED,
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
        },
    )
    until, since = float(claims["exp"]), float(claims["iat"])
    begins = float(claims.get("nbf", since))
    leeway = options.leeway_s
    if now >= until + leeway or max(since, begins) > now + leeway:
        raise Unauthenticated(_INVALID)
    if now - since > options.longest_age_s + leeway:
        raise Unauthenticated(_INVALID)
    return claims


_FAMILIES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


def _fits(key_type: str, algorithm: str) -> bool:
    """Whether keys of this type make signatures of this kind."""
    return _FAMILIES.get(algorithm[:2]) == key_type
