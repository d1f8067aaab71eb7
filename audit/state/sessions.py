"""Sessions: who is signed in. The client holds 256 random bits; we keep their SHA-256."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select, update

from audit.errors import NotFound
from audit.state.accounts import Account, Accounts
from audit.state.database import NS_PER_S, Database
from audit.state.grants import Grants, columns_of, grants_of
from audit.state.options import StateOptions
from audit.state.secrets import digest_of, new_id, new_secret
from audit.state.tables import (
    ADDRESS_CHARS,
    DISPLAY_NAME_CHARS,
    NAME_CHARS,
    REASON_CHARS,
    sessions,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Somebody whom an identity provider vouches for.

    Attributes:
        name: how the audit trail names them.
        display_name: a person's name.
        grants: what they may do in this session.
        issuer: who vouches for them.
        is_person: False for a program that asks in its own name.
        proved_at: when they last showed their provider who they are, UTC nanoseconds; None when
            it doesn't say.
    """

    name: str
    display_name: str
    grants: Grants
    issuer: str
    is_person: bool = True
    proved_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody signed in.

    Attributes:
        id: names it to operators; opens nothing.
        name: who, as the audit trail names them.
        display_name: a person's name.
        grants: what they may do now.
        issuer: who vouches for them; empty for a local account.
        emergency: the glass was broken.
        reason: why they look, as they last gave it; may be empty.
        address: from where the session was begun.
        created_at: UTC nanoseconds.
        confirmed_at: when they last showed that it is them, UTC nanoseconds.
        used_at: UTC nanoseconds, to within ``session_touch_s``.
        ends_at: when it ends however much it is used, UTC nanoseconds.
    """

    id: str
    name: str
    display_name: str
    grants: Grants
    issuer: str
    emergency: bool
    reason: str
    address: str
    created_at: int
    confirmed_at: int
    used_at: int
    ends_at: int


class Sessions:
    """Begins, finds, lists and ends sessions."""

    def __init__(self, database: Database, accounts: Accounts, options: StateOptions) -> None:
        self._database = database
        self._accounts = accounts
        self._options = options

    def begin(
        self,
        who: Account | Guest,
        address: str = "",
        *,
        reason: str = "",
        emergency: bool = False,
    ) -> str:
        """Sign somebody in; the secret that the client keeps. Beyond the most, the oldest end.

        Raises:
            NotFound: the account is gone or disabled.
        """
        if isinstance(who, Account):
            current = self._accounts.find(who.name)
            if current is None or not current.enabled:
                raise NotFound(f"there is no account {who.name} that may sign in")
        secret, now = new_secret(), self._database.clock()
        row = {
            "digest": digest_of(secret),
            "id": new_id(),
            "account": who.name[:NAME_CHARS],
            "issuer": who.issuer if isinstance(who, Guest) else "",
            "display_name": who.display_name[:DISPLAY_NAME_CHARS],
            **columns_of(who.grants),
            "emergency": emergency,
            "reason": reason[:REASON_CHARS],
            "address": address[:ADDRESS_CHARS],
            "created_at": now,
            "confirmed_at": now,
            "used_at": now,
            "ends_at": self._database.seconds_from_now(self._options.session_absolute_s),
        }
        self._add(row)
        return secret

    def _add(self, row: dict[str, Any]) -> None:
        others = (
            select(sessions.c.digest)
            .where(sessions.c.account == row["account"], sessions.c.issuer == row["issuer"])
            .order_by(sessions.c.created_at.desc())
        )
        with self._database.begin() as connection:
            oldest = connection.execute(others).scalars().all()[self._options.max_sessions - 1 :]
            if oldest:
                connection.execute(delete(sessions).where(sessions.c.digest.in_(oldest)))
            connection.execute(insert(sessions).values(row))

    def find(self, secret: str) -> Session | None:
        """The session that the secret opens, its use noted; None when there is none any more."""
        digest = digest_of(secret)
        now = self._database.clock()
        with self._database.begin() as connection:
            row = connection.execute(select(sessions).where(sessions.c.digest == digest)).first()
            if row is None or not self._is_alive(row, now):
                return None
            if now - row.used_at >= self._options.session_touch_s * NS_PER_S:
                where = sessions.c.digest == digest
                connection.execute(update(sessions).where(where).values(used_at=now))
        return next(iter(self._sessions([row])), None)

    def all(self, name: str | None = None) -> tuple[Session, ...]:
        """The sessions that are alive, those of one name or everybody's, newest first."""
        query = select(sessions).order_by(sessions.c.created_at.desc())
        if name is not None:
            query = query.where(sessions.c.account == name)
        now = self._database.clock()
        with self._database.begin() as connection:
            rows = connection.execute(query).all()
        return tuple(self._sessions([row for row in rows if self._is_alive(row, now)]))

    def get(self, session_id: str) -> Session:
        """The session of that id; raises NotFound when none alive has it."""
        for session in self.all():
            if session.id == session_id:
                return session
        raise NotFound(f"there is no session {session_id} that is alive")

    def confirm(self, secret: str, reason: str = "") -> None:
        """Note that whoever holds the session has just shown again that it is them, and why.

        An empty reason leaves the one given before.
        """
        values: dict[str, object] = {"confirmed_at": self._database.clock()}
        if reason:
            values["reason"] = reason[:REASON_CHARS]
        with self._database.begin() as connection:
            where = sessions.c.digest == digest_of(secret)
            connection.execute(update(sessions).where(where).values(**values))

    def end(self, secret: str) -> None:
        """Sign out; no such session is fine too."""
        with self._database.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == digest_of(secret)))

    def revoke(self, session_id: str) -> None:
        """End a session at once; raises NotFound when none alive has that id."""
        self.get(session_id)
        with self._database.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.id == session_id))

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

    def _is_alive(self, row: Row[tuple[Any, ...]], now: int) -> bool:
        return bool(now < row.ends_at and now < row.used_at + self._idle_ns)

    def _sessions(self, rows: Iterable[Row[tuple[Any, ...]]]) -> Iterable[Session]:
        """Those that still stand, with what their holders may do now."""
        for row in rows:
            grants, display_name = grants_of(row), row.display_name
            if not row.issuer:
                account = self._accounts.find(row.account)
                if account is None or not account.enabled:
                    continue
                grants, display_name = account.grants, account.display_name
            yield Session(
                id=row.id,
                name=row.account,
                display_name=display_name,
                grants=grants,
                issuer=row.issuer,
                emergency=row.emergency,
                reason=row.reason,
                address=row.address,
                created_at=row.created_at,
                confirmed_at=row.confirmed_at,
                used_at=row.used_at,
                ends_at=row.ends_at,
            )

    @property
    def _idle_ns(self) -> int:
        return int(self._options.session_idle_s * NS_PER_S)
