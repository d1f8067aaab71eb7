"""Random secrets, and what is stored of them."""

from hashlib import sha256
from secrets import token_hex, token_urlsafe

SECRET_OCTETS = 32
"""256 random bits: guessing is hopeless, so a plain SHA-256 is a safe thing to store."""
ID_OCTETS = 16

TOKEN_PREFIX = "arr_"  # noqa: S105 - what every API token begins with, so that scanners find leaks
_LONGEST_SECRET = 256


def new_secret() -> str:
    """256 random bits as URL-safe text."""
    return token_urlsafe(SECRET_OCTETS)


def new_id() -> str:
    """128 random bits in hexadecimal."""
    return token_hex(ID_OCTETS)


def digest_of(secret: str) -> bytes:
    """What is stored of a secret. Anything too long to be one has a digest that none has."""
    return sha256(secret[:_LONGEST_SECRET].encode("utf-8", "surrogatepass")).digest()
