"""Accounts: local accounts, for the first start and for breaking the glass."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from audit.errors import Denied, NotFound, RequestError
from audit.state.database import Database
from audit.state.grants import Grants, columns_of, grants_of
from audit.state.passwords import Passwords
from audit.state.tables import DISPLAY_NAME_CHARS, NAME_CHARS, accounts, sessions
from audit.state.throttle import Throttle


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A local account.

    Attributes:
        name: what is typed to sign in, folded.
        display_name: the person's name.
        grants: what it may do, and of which records.
        enabled: whether it may sign in.
        created_at: UTC nanoseconds.
        password_changed_at: UTC nanoseconds.
        emergency: it is for breaking the glass: signing in takes a reason and raises an alert.
    """

    name: str
    display_name: str
    grants: Grants
    enabled: bool
    created_at: int
    password_changed_at: int
    emergency: bool = False


def account_name(typed: str) -> str:
    """The form in which account names are compared and kept."""
    return unicodedata.normalize("NFKC", typed).strip().casefold()


class Accounts:
    """Creates, changes and checks accounts."""

    def __init__(self, database: Database, passwords: Passwords, throttle: Throttle) -> None:
        self._database = database
        self._passwords = passwords
        self._throttle = throttle

    def create(
        self,
        name: str,
        password: str,
        *,
        display_name: str = "",
        scopes: Iterable[str] = (),
        grants: Grants | None = None,
        emergency: bool = False,
    ) -> Account:
        """A new account, with ``grants`` or, without them, ``scopes`` alone.

        Raises:
            RequestError: the name is taken or can't be one, or the password is too weak.
            TryLater: too many passwords are being computed.
        """
        kept = account_name(name)
        if not kept.isprintable() or not 0 < len(kept) <= NAME_CHARS or " " in kept:
            raise RequestError(
                f"an account's name has 1 to {NAME_CHARS} printable characters and no space"
            )
        if self.find(kept) is not None:
            raise RequestError(f"there is an account {kept} already")
        password_hash = self._hash(password, kept)
        now = self._database.clock()
        account = Account(
            name=kept,
            display_name=display_name.strip()[:DISPLAY_NAME_CHARS],
            grants=grants or Grants(scopes=frozenset(scopes)),
            enabled=True,
            created_at=now,
            password_changed_at=now,
            emergency=emergency,
        )
        with self._database.begin() as connection:
            connection.execute(insert(accounts).values(_row(account, password_hash)))
        return account

    def find(self, name: str) -> Account | None:
        """The account of that name; None when there is none."""
        found = self._row(name)
        return None if found is None else _account(found)

    def all(self) -> tuple[Account, ...]:
        """Every account, by name."""
        with self._database.begin() as connection:
            rows = connection.execute(select(accounts).order_by(accounts.c.name)).all()
        return tuple(map(_account, rows))

    def check(self, name: str, password: str, address: str) -> Account:
        """The account, when the password is right.

        Raises:
            Denied: wrong, unknown or disabled; the text doesn't tell which.
            TryLater: too many failures, or too many people at once.
        """
        kept = account_name(name)
        # Checked and counted within the turn, so that many guesses at once are counted too.
        with self._passwords.turn():
            self._throttle.check(kept, address)
            found = self._row(kept)
            is_right = self._passwords.is_right(found.password_hash if found else None, password)
            if found is None or not is_right or not found.enabled:
                self._throttle.failed(kept, address)
                raise Denied("the name or the password is wrong")
            self._throttle.succeeded(kept)
            if self._passwords.is_outdated(found.password_hash):
                self._update(kept, password_hash=self._passwords.hash(password))
        return _account(found)

    def set_password(self, name: str, password: str) -> None:
        """Change the password and end the account's sessions.

        Raises:
            NotFound: there is no such account.
            RequestError: the password is too weak.
        """
        kept = self._existing(name)
        password_hash = self._hash(password, kept)
        self._update(kept, password_hash=password_hash, password_changed_at=self._database.clock())
        self._end_sessions(kept)

    def set_grants(self, name: str, grants: Grants) -> None:
        """Change what the account may do, from now on in its sessions too; raises NotFound."""
        kept = self._existing(name)
        self._update(kept, **columns_of(grants))

    def set_enabled(self, name: str, *, enabled: bool) -> None:
        """Let the account sign in, or not, which ends its sessions; raises NotFound."""
        kept = self._existing(name)
        self._update(kept, enabled=enabled)
        if not enabled:
            self._end_sessions(kept)

    def remove(self, name: str) -> None:
        """Forget the account and end its sessions; raises NotFound."""
        kept = self._existing(name)
        with self._database.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.account == kept))
            connection.execute(delete(accounts).where(accounts.c.name == kept))

    def _existing(self, name: str) -> str:
        kept = account_name(name)
        if self._row(kept) is None:
            raise NotFound(f"there is no account {kept}")
        return kept

    def _row(self, name: str) -> Row[tuple[Any, ...]] | None:
        query = select(accounts).where(accounts.c.name == account_name(name))
        with self._database.begin() as connection:
            return connection.execute(query).first()

    def _update(self, name: str, **values: object) -> None:
        with self._database.begin() as connection:
            connection.execute(update(accounts).where(accounts.c.name == name).values(**values))

    def _hash(self, password: str, account: str) -> str:
        self._passwords.check(password, account)
        with self._passwords.turn():
            return self._passwords.hash(password)

    def _end_sessions(self, name: str) -> None:
        with self._database.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.account == name))


def _row(account: Account, password_hash: str) -> dict[str, object]:
    return {
        "name": account.name,
        "display_name": account.display_name,
        "password_hash": password_hash,
        **columns_of(account.grants),
        "enabled": account.enabled,
        "created_at": account.created_at,
        "password_changed_at": account.password_changed_at,
        "emergency": account.emergency,
    }


def _account(row: Row[tuple[Any, ...]]) -> Account:
    return Account(
        name=row.name,
        display_name=row.display_name,
        grants=grants_of(row),
        enabled=row.enabled,
        created_at=row.created_at,
        password_changed_at=row.password_changed_at,
        emergency=row.emergency,
    )
