"""Sessions: who is signed in. The client holds 256 random bits; we keep their SHA-256."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, or_, select, update

from audit.errors import NotFound
from audit.state.accounts import Account, Accounts
from audit.state.database import NS_PER_S, Database
from audit.state.options import StateOptions
from audit.state.secrets import digest_of, new_secret
from audit.state.tables import ADDRESS_CHARS, sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody signed in.

    Attributes:
        account: who, with the scopes that hold now.
        address: from where the session was begun.
        created_at: UTC nanoseconds.
        used_at: UTC nanoseconds, to within ``session_touch_s``.
        ends_at: when it ends however much it is used, UTC nanoseconds.
    """

    account: Account
    address: str
    created_at: int
    used_at: int
    ends_at: int


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, database: Database, accounts: Accounts, options: StateOptions) -> None:
        self._database = database
        self._accounts = accounts
        self._options = options

    def begin(self, account: Account, address: str = "") -> str:
        """Sign the account in; the secret that its client keeps. Beyond the most, the oldest end.

        Raises:
            NotFound: the account is gone or disabled.
        """
        current = self._accounts.find(account.name)
        if current is None or not current.enabled:
            raise NotFound(f"there is no account {account.name} that may sign in")
        secret = new_secret()
        now = self._database.clock()
        row = {
            "digest": digest_of(secret),
            "account": account.name,
            "address": address[:ADDRESS_CHARS],
            "created_at": now,
            "used_at": now,
            "ends_at": self._database.seconds_from_now(self._options.session_absolute_s),
        }
        others = (
            select(sessions.c.digest)
            .where(sessions.c.account == account.name)
            .order_by(sessions.c.created_at.desc())
        )
        with self._database.begin() as connection:
            oldest = connection.execute(others).scalars().all()[self._options.max_sessions - 1 :]
            if oldest:
                connection.execute(delete(sessions).where(sessions.c.digest.in_(oldest)))
            connection.execute(insert(sessions).values(row))
        return secret

    def find(self, secret: str) -> Session | None:
        """The session that the secret opens, its use noted; None when there is none any more."""
        digest = digest_of(secret)
        now = self._database.clock()
        with self._database.begin() as connection:
            row = connection.execute(select(sessions).where(sessions.c.digest == digest)).first()
            if row is None or now >= row.ends_at or now >= row.used_at + self._idle_ns:
                return None
            if now - row.used_at >= self._options.session_touch_s * NS_PER_S:
                where = sessions.c.digest == digest
                connection.execute(update(sessions).where(where).values(used_at=now))
        account = self._accounts.find(row.account)
        if account is None or not account.enabled:
            return None
        return Session(
            account=account,
            address=row.address,
            created_at=row.created_at,
            used_at=row.used_at,
            ends_at=row.ends_at,
        )

    def end(self, secret: str) -> None:
        """Sign out; no such session is fine too."""
        with self._database.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == digest_of(secret)))

    def end_all(self, account: str) -> int:
        """Sign the account out everywhere; from how many sessions."""
        with self._database.begin() as connection:
            return connection.execute(
                delete(sessions).where(sessions.c.account == account)
            ).rowcount

    def cleanup(self, most: int) -> int:
        """Forget sessions that have ended; how many."""
        now = self._database.clock()
        ended = or_(sessions.c.ends_at <= now, sessions.c.used_at <= now - self._idle_ns)
        return self._database.delete_some(sessions.c.digest, ended, most)

    @property
    def _idle_ns(self) -> int:
        return int(self._options.session_idle_s * NS_PER_S)
