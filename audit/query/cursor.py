"""Cursors: where a page ended, opaque and authenticated, bound to the query they came from."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct

from audit.errors import RequestError
from audit.index.port import Place

_VERSION = 2
_FORM = Struct(">BqQQqQ16s")
_TAG_OCTETS = 12
"""96 bits of HMAC-SHA256."""
_LONGEST = 128


class InvalidCursor(RequestError):
    """The cursor isn't one of ours, or belongs to another query; begin at the first page."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place after which to go on, in the trail as it was when the first page was made.

    Attributes:
        place: sort key of the last record shown; None before the first page.
        snapshot: records at or beyond this sequence came later and don't belong to the answer.
        asked_at: when the first page was asked for (UTC nanoseconds); ``after:-24h`` means the
            same on every page.
        names_at: version of the alias table by which the first page was asked for.
    """

    place: Place | None
    snapshot: int
    asked_at: int
    names_at: int = 0


def query_digest(query: str) -> bytes:
    """What binds a cursor to its query: 16 octets of the SHA-256 of its canonical form."""
    return sha256(query.encode("utf-8", "surrogatepass")).digest()[:16]


def _tag(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")[:_TAG_OCTETS]


def seal(cursor: Cursor, digest: bytes, key: bytes) -> str:
    """The cursor as text for a client: URL-safe, and nothing in it names anybody."""
    place = cursor.place or Place(0, 0)
    payload = _FORM.pack(
        _VERSION,
        place.time,
        place.sequence,
        cursor.snapshot,
        cursor.asked_at,
        cursor.names_at,
        digest,
    )
    return urlsafe_b64encode(payload + _tag(key, payload)).rstrip(b"=").decode()


def unseal(text: str, digest: bytes, key: bytes) -> Cursor:
    """The cursor that ``seal`` made for the same query.

    Raises:
        InvalidCursor: forged, damaged, of another query or of another key.
    """
    payload, tag = _parts(text)
    if not hmac.compare_digest(tag, _tag(key, payload)):
        raise InvalidCursor("the cursor isn't valid; begin again at the first page")
    _, time, sequence, snapshot, asked_at, names_at, bound_to = _FORM.unpack(payload)
    if not hmac.compare_digest(bound_to, digest):
        raise InvalidCursor("the cursor belongs to another query; begin again at the first page")
    return Cursor(Place(time, sequence), snapshot, asked_at, names_at)


def _parts(text: str) -> tuple[bytes, bytes]:
    try:
        octets = urlsafe_b64decode(text[:_LONGEST] + "=" * (-len(text) % 4))
    except (ValueError, Base64Error):
        octets = b""
    if len(octets) != _FORM.size + _TAG_OCTETS or octets[0] != _VERSION:
        raise InvalidCursor("the cursor isn't valid; begin again at the first page")
    return octets[: _FORM.size], octets[_FORM.size :]
