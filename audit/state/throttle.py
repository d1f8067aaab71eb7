"""Throttle: how often a password may be tried, for one account and from one address."""

from hashlib import sha256

from sqlalchemy import delete, insert, select, update

from audit.errors import RequestError
from audit.state.database import NS_PER_S, Database
from audit.state.options import ThrottleOptions
from audit.state.tables import attempts

_MOST_DOUBLINGS = 40


class TryLater(RequestError):
    """Too many attempts.

    Attributes:
        retry_after_s: when to try again.
    """

    def __init__(self, text: str, retry_after_s: float) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class Throttle:
    """Counts failed sign-ins. What was typed is kept as a digest: it may be a password."""

    def __init__(self, database: Database, options: ThrottleOptions) -> None:
        self._database = database
        self._options = options

    def check(self, account: str, address: str) -> None:
        """Pass unless account or address must pause.

        Raises:
            TryLater: there were too many failures; the pause isn't over.
        """
        digests = [digest for digest, _ in self._keys(account, address)]
        query = select(attempts.c.blocked_until).where(attempts.c.digest.in_(digests))
        with self._database.begin() as connection:
            until = max(connection.execute(query).scalars(), default=0)
        left_s = (until - self._database.clock()) / NS_PER_S
        if left_s > 0:
            raise TryLater("too many failed attempts; try again later", left_s)

    def failed(self, account: str, address: str) -> None:
        """Count a failure."""
        for digest, free in self._keys(account, address):
            self._count(digest, free)

    def succeeded(self, account: str) -> None:
        """Forget the account's failures; the address's stay, it may be guessing others."""
        digest = _digest("account", account)
        with self._database.begin() as connection:
            connection.execute(delete(attempts).where(attempts.c.digest == digest))

    def cleanup(self, most: int) -> int:
        """Forget what counts no more; how many rows."""
        horizon = self._database.seconds_from_now(-self._options.forget_after_s)
        return self._database.delete_some(attempts.c.digest, attempts.c.last_at < horizon, most)

    def _keys(self, account: str, address: str) -> tuple[tuple[bytes, int], ...]:
        options = self._options
        return (
            (_digest("account", account), options.free_attempts),
            (_digest("address", address), options.free_attempts_per_address),
        )

    def _count(self, digest: bytes, free: int) -> None:
        now = self._database.clock()
        with self._database.begin() as connection:
            found = connection.execute(select(attempts).where(attempts.c.digest == digest)).first()
            counts = found is not None and found.last_at >= self._horizon()
            failures = (found.failures if found is not None and counts else 0) + 1
            values = {
                "failures": failures,
                "last_at": now,
                "blocked_until": now + int(self._pause_s(failures - free) * NS_PER_S),
            }
            if found is None:
                connection.execute(insert(attempts).values(digest=digest, **values))
            else:
                where = attempts.c.digest == digest
                connection.execute(update(attempts).where(where).values(**values))

    def _horizon(self) -> int:
        return self._database.seconds_from_now(-self._options.forget_after_s)

    def _pause_s(self, failures_beyond: int) -> float:
        if failures_beyond < 0:
            return 0.0
        doubled = self._options.first_pause_s * 2.0 ** min(failures_beyond, _MOST_DOUBLINGS)
        return min(doubled, self._options.longest_pause_s)


def _digest(kind: str, typed: str) -> bytes:
    return sha256(f"{kind}\x00{typed}".encode("utf-8", "surrogatepass")).digest()
