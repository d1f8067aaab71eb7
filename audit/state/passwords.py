"""Passwords: argon2id, a bounded number at a time."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from audit.errors import RequestError
from audit.state.options import PasswordOptions
from audit.state.throttle import TryLater


class Passwords:
    """Hashes and verifies passwords (RFC 9106); safe to use from several threads."""

    def __init__(self, options: PasswordOptions) -> None:
        self._options = options
        self._turns = BoundedSemaphore(options.max_at_once)
        self._hasher = PasswordHasher(
            time_cost=options.passes,
            memory_cost=options.memory_kib,
            parallelism=options.lanes,
            type=Type.ID,
        )
        self._nobodys_hash = ""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One of the few computations at a time.

        Raises:
            TryLater: too many people wait for theirs.
        """
        if not self._turns.acquire(timeout=self._options.wait_s):
            raise TryLater("too many people are signing in; try again", 1.0)
        try:
            yield
        finally:
            self._turns.release()

    def check(self, password: str, account: str) -> None:
        """Refuse a password that is too easy.

        Raises:
            RequestError: too short, too long, or little more than the account's name.
        """
        options = self._options
        if not options.min_chars <= len(password) <= options.max_chars:
            raise RequestError(
                f"a password has {options.min_chars} to {options.max_chars} characters"
            )
        if account.casefold() in password.casefold() and len(account) * 2 > len(password):
            raise RequestError("the password is little more than the account's name")

    def hash(self, password: str) -> str:
        """The argon2id hash to store; to be called in a ``turn``."""
        return self._hasher.hash(_octets(password))

    def is_right(self, stored: str | None, password: str) -> bool:
        """Whether the password is the stored one; to be called in a ``turn``.

        Takes the same time when ``stored`` is None, so that nobody learns which accounts exist.
        """
        octets = _octets(password[: self._options.max_chars + 1])
        if not self._nobodys_hash:
            self._nobodys_hash = self._hasher.hash(b"nobody's password")
        try:
            self._hasher.verify(stored or self._nobodys_hash, octets)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether a stored hash was made with other parameters than are set now."""
        return self._hasher.check_needs_rehash(stored)


def _octets(password: str) -> bytes:
    """The same octets however the keyboard composes accents."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
