"""Keyed pseudonyms: equal values give equal pseudonyms; nobody without the key undoes one."""

from base64 import b32encode
from hashlib import blake2b

_LETTERS = 16
"""80 bits: among ten million values two alike are less likely than one in twenty billion."""


class Pseudonyms:
    """Pseudonyms under one key.

    Args:
        key: 32 octets, kept apart from what carries the pseudonyms.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, kind: str, value: str) -> str:
        """The pseudonym of a value, ``KIND-`` and 16 letters and digits.

        Args:
            kind: what it names (``patient``, ``user``, ``study``): equal values of different
                kinds don't give equal letters. It stands in the pseudonym.
            value: what is hidden; compared octet for octet, so folded by the caller.
        """
        keyed = blake2b(key=self._key, digest_size=10)
        for part in (kind, value):
            octets = part.encode("utf-8", "surrogatepass")
            keyed.update(len(octets).to_bytes(8, "big") + octets)
        return f"{kind}-{b32encode(keyed.digest()).decode().lower()[:_LETTERS]}"
