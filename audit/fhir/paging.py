"""Paging links: a whole search and its place, encrypted, so that a link tells nobody anything.

A link is good for the principal that got it, and for as long as the key lives.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.fhir.question import Pairs
from audit.index.port import Place
from audit.query.access import Principal
from audit.query.cursor import InvalidCursor

_VERSION = 1
_NONCE_OCTETS = 12
_LONGEST = 32_768
_REFUSED = "the page link isn't valid; search again"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """A search, and where in its answer a page begins.

    Attributes:
        pairs: the parameters that count.
        snapshot: records at or beyond this sequence came later and don't belong to the answer.
        asked_at: when the first page was asked for (UTC nanoseconds).
        place: after which the page begins; None for the first.
        total: how many match, when known.
    """

    pairs: Pairs
    snapshot: int
    asked_at: int
    place: Place | None = None
    total: int | None = None


class PageLinks:
    """Makes and reads links under one key.

    Args:
        key: 32 octets.
        interface: what the links belong to; those of another are refused.
    """

    def __init__(self, key: bytes, interface: str) -> None:
        derived = blake2b(interface.encode(), key=key, digest_size=32, person=b"arr page links")
        self._cipher = AESGCM(derived.digest())

    def seal(self, state: PageState, principal: Principal) -> str:
        """The state as URL-safe text."""
        place = [state.place.time, state.place.sequence] if state.place else None
        content = orjson.dumps(
            [_VERSION, state.pairs, state.snapshot, state.asked_at, place, state.total]
        )
        nonce = secrets.token_bytes(_NONCE_OCTETS)
        sealed = nonce + self._cipher.encrypt(nonce, content, _bound_to(principal))
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def unseal(self, text: str, principal: Principal) -> PageState:
        """The state of a link.

        Raises:
            InvalidCursor: forged, damaged, of another principal, interface or key.
        """
        try:
            sealed = urlsafe_b64decode(text[:_LONGEST] + "=" * (-len(text) % 4))
            nonce, content = sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:]
            told = orjson.loads(self._cipher.decrypt(nonce, content, _bound_to(principal)))
        except (ValueError, Base64Error, InvalidTag) as error:
            raise InvalidCursor(_REFUSED) from error
        return _state(told)


def _state(told: Any) -> PageState:
    version, pairs, snapshot, asked_at, place, total = told
    if version != _VERSION:
        raise InvalidCursor(_REFUSED)
    return PageState(
        pairs=tuple((name, value) for name, value in pairs),
        snapshot=snapshot,
        asked_at=asked_at,
        place=Place(*place) if place else None,
        total=total,
    )


def _bound_to(principal: Principal) -> bytes:
    return f"{principal.kind} {principal.name}".encode()
