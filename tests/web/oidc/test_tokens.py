"""Bearer tokens of a real provider, good and bad."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import time
from typing import Any

import pytest

from audit.errors import ConfigurationError, ConnectionFailed
from audit.web.errors import Unauthenticated
from audit.web.oidc.options import OidcOptions
from audit.web.oidc.provider import Provider
from audit.web.oidc.tokens import verified
from tests.web.oidc.identity_provider import (
    AUDIENCE,
    CLIENT,
    IdentityProvider,
    new_key,
    options_of,
)


@contextmanager
def party(idp: IdentityProvider, **changes: Any) -> Iterator[Provider]:
    made = Provider(options_of(idp, **changes))
    try:
        yield made
    finally:
        made.close()


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # by RFC 9864, and used all the same
@pytest.mark.parametrize("kind", ["RSA", "EC", "OKP"])
def test_a_token_of_the_provider_is_accepted(idp: IdentityProvider, kind: str) -> None:
    idp.keys = [new_key("one", kind)]
    with party(idp) as provider:
        claims = verified(provider, idp.token(), AUDIENCE)
        assert (claims["sub"], claims["roles"]) == ("u-17", ["reviewer"])
        assert verified(provider, idp.token(audience=[AUDIENCE, "other"]), AUDIENCE)
    assert idp.keys_asked == 1


Bad = Callable[[IdentityProvider], str]

BAD: dict[str, Bad] = {
    "wrong audience": lambda idp: idp.token("https://else.example"),
    "meant for the pages": lambda idp: idp.token(CLIENT),
    "wrong issuer": lambda idp: idp.token(iss="https://evil.example"),
    "expired": lambda idp: idp.token(exp=int(time()) - 120),
    "from the future": lambda idp: idp.token(iat=int(time()) + 600),
    "not yet valid": lambda idp: idp.token(nbf=int(time()) + 600),
    "old though it lasts": lambda idp: idp.token(iat=int(time()) - 90_000),
    "no expiry": lambda idp: idp.token(exp=None),
    "no subject": lambda idp: idp.token(sub=None),
    "no audience": lambda idp: idp.token(audience="", aud=None),
    "signed by another": lambda idp: idp.token(key=new_key("k1")),
    "of an unknown key": lambda idp: idp.token(key=new_key("stranger")),
    "unsigned": IdentityProvider.unsigned_token,
    "public key as shared secret": IdentityProvider.shared_secret_token,
    "altered": lambda idp: idp.token()[:-4] + "AAAA",
    "no token": lambda _: "a.b.c",
    "empty": lambda _: "",
    "endless": lambda idp: idp.token(padding="x" * 9_000),
    "expiry is no number": lambda idp: idp.token(exp="soon"),
}


@pytest.mark.parametrize("name", BAD)
def test_no_other_token_is(idp: IdentityProvider, name: str) -> None:
    with party(idp) as provider:
        token = BAD[name](idp)
        with pytest.raises(Unauthenticated, match="not valid"):
            verified(provider, token, AUDIENCE)


def test_clocks_may_differ_a_little(idp: IdentityProvider) -> None:
    with party(idp, leeway_s=60) as provider:
        assert verified(provider, idp.token(exp=int(time()) - 30), AUDIENCE)
        assert verified(provider, idp.token(iat=int(time()) + 30), AUDIENCE)


def test_a_signature_that_is_not_wanted_is_refused(idp: IdentityProvider) -> None:
    with party(idp, algorithms=("RS256",)) as provider, pytest.raises(Unauthenticated):
        verified(provider, idp.token(), AUDIENCE)
    for wrong in (("HS256",), ("none",), ()):
        with pytest.raises(ConfigurationError):
            OidcOptions(issuer="https://idp", client_id="c", algorithms=wrong)


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time() + self.ahead


def test_a_new_key_is_found_and_a_withdrawn_one_refused(idp: IdentityProvider) -> None:
    clock = Clock()
    with party(idp, clock=clock, leeway_s=100_000) as provider:
        old = idp.token()
        assert verified(provider, old, AUDIENCE)
        idp.keys = [new_key("k2"), *idp.keys]
        clock.ahead = 31
        assert verified(provider, idp.token(), AUDIENCE)
        assert idp.keys_asked == 2
        idp.keys = idp.keys[:1]
        assert verified(provider, old, AUDIENCE)
        clock.ahead += 601
        with pytest.raises(Unauthenticated):
            verified(provider, old, AUDIENCE)
        assert verified(provider, idp.token(), AUDIENCE)


def test_unknown_keys_do_not_make_us_ask_again_and_again(idp: IdentityProvider) -> None:
    with party(idp) as provider:
        for number in range(20):
            with pytest.raises(Unauthenticated):
                verified(provider, idp.token(key=new_key(f"x{number}")), AUDIENCE)
    assert idp.keys_asked == 1


def test_keys_that_cannot_be_confirmed_are_trusted_no_longer(idp: IdentityProvider) -> None:
    clock = Clock()
    with party(idp, clock=clock, leeway_s=100_000) as provider:
        assert verified(provider, idp.token(), AUDIENCE)
        idp.is_down = True
        assert verified(provider, idp.token(), AUDIENCE)
        clock.ahead = 601
        for _ in range(2):
            with pytest.raises(ConnectionFailed):
                verified(provider, idp.token(), AUDIENCE)
        idp.is_down = False
        assert verified(provider, idp.token(), AUDIENCE)


def test_without_an_audience_no_bearer_is_accepted(idp: IdentityProvider) -> None:
    with party(idp) as provider, pytest.raises(Unauthenticated):
        verified(provider, idp.token(), "")


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://evil.example"},
        {"jwks_uri": "http://169.254.169.254/latest/meta-data"},
        {"jwks_uri": "file:///etc/passwd"},
        {"token_endpoint": ""},
    ],
)
def test_metadata_that_lead_elsewhere_are_refused(
    idp: IdentityProvider, changes: dict[str, str]
) -> None:
    idp.metadata_changes = changes
    with party(idp) as provider, pytest.raises(ConnectionFailed):
        provider.endpoints()


def test_answers_are_bounded_and_json(idp: IdentityProvider) -> None:
    with party(idp, max_answer_octets=20) as provider, pytest.raises(ConnectionFailed):
        provider.endpoints()
    with party(idp) as provider, pytest.raises(ConnectionFailed, match="404"):
        provider.post(f"{idp.issuer}/nowhere", {})
    idp.metadata_changes = {"jwks_uri": f"{idp.issuer}/authorize"}
    with party(idp) as provider, pytest.raises(ConnectionFailed):
        provider.key("k1")


def test_only_https_but_for_this_machine() -> None:
    for address in ("http://idp.example", "ftp://127.0.0.1", "idp.example", ""):
        with pytest.raises(ConfigurationError, match="HTTPS"):
            Provider(OidcOptions(issuer=address, client_id="c"))


def test_nobody_answers() -> None:
    provider = Provider(OidcOptions(issuer="http://127.0.0.1:9", client_id="c"))
    with pytest.raises(ConnectionFailed, match="does not answer"):
        provider.endpoints()
    provider.close()
