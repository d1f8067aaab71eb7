"""API tokens: ``arr_`` and 256 random bits, shown once; we keep their SHA-256."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, or_, select, update

from audit.errors import NotFound, RequestError
from audit.state.database import NS_PER_S, Database
from audit.state.grants import Grants, columns_of, grants_of
from audit.state.options import StateOptions
from audit.state.secrets import TOKEN_PREFIX, digest_of, new_id, new_secret
from audit.state.tables import NAME_CHARS, tokens

_KEPT_AFTER_EXPIRY_S = 90 * 86_400
"""So that an operator can still see what a token was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """What is known of a token; the token itself isn't.

    Attributes:
        id: names it to operators; opens nothing.
        name: what it is for, as the audit trail will name its user.
        owner: the account or process that made it.
        grants: what it may do, and of which records.
        created_at: UTC nanoseconds.
        expires_at: UTC nanoseconds.
        revoked_at: UTC nanoseconds, None while it isn't revoked.
    """

    id: str
    name: str
    owner: str
    grants: Grants
    created_at: int
    expires_at: int
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token and its secret, which is shown this once."""

    secret: str
    token: ApiToken


class ApiTokens:
    """Makes, finds and revokes tokens."""

    def __init__(self, database: Database, options: StateOptions) -> None:
        self._database = database
        self._options = options

    def create(
        self,
        name: str,
        owner: str,
        grants: Grants | Iterable[str],
        lifetime_s: float,
        ends_by: int | None = None,
    ) -> NewToken:
        """A new token; ``grants`` may be scopes alone. Raises as ``check`` does.

        ``ends_by`` is the latest time at which it ends, UTC nanoseconds.
        """
        held = grants if isinstance(grants, Grants) else Grants(scopes=frozenset(grants))
        name = name.strip()
        self.check(name, owner, held, lifetime_s)
        now = self._database.clock()
        ends = now + int(lifetime_s * NS_PER_S)
        token = ApiToken(
            id=new_id(),
            name=name,
            owner=owner,
            grants=held,
            created_at=now,
            expires_at=ends if ends_by is None else min(ends, ends_by),
        )
        secret = TOKEN_PREFIX + new_secret()
        with self._database.begin() as connection:
            connection.execute(insert(tokens).values(_row(token, secret)))
        return NewToken(secret, token)

    def check(self, name: str, owner: str, grants: Grants, lifetime_s: float) -> None:
        """Pass when such a token could be made.

        Raises:
            RequestError: no name or scope, too long a life, or the owner has too many.
        """
        name = name.strip()
        if grants.is_empty or not 0 < len(name) <= NAME_CHARS or not name.isprintable():
            raise RequestError(
                f"a token needs a scope or role, and a name of 1 to {NAME_CHARS} characters"
            )
        longest_s = self._options.token_max_lifetime_s
        if not 0 < lifetime_s <= longest_s:
            raise RequestError(f"a token lives at most {longest_s / 86_400:.0f} days")
        if self._alive(owner) >= self._options.max_tokens:
            raise RequestError(f"{owner} has {self._options.max_tokens} tokens; revoke one first")
        columns_of(grants)

    def find(self, secret: str) -> ApiToken | None:
        """The token of that secret; None when it is unknown, expired or revoked."""
        if not secret.startswith(TOKEN_PREFIX):
            return None
        query = select(tokens).where(tokens.c.digest == digest_of(secret), self._is_alive())
        with self._database.begin() as connection:
            row = connection.execute(query).first()
        return None if row is None else _token(row)

    def all(self) -> tuple[ApiToken, ...]:
        """Every token still on record, newest first."""
        with self._database.begin() as connection:
            rows = connection.execute(select(tokens).order_by(tokens.c.created_at.desc())).all()
        return tuple(map(_token, rows))

    def get(self, token_id: str) -> ApiToken:
        """The token of that id; raises NotFound when none alive has it."""
        query = select(tokens).where(tokens.c.id == token_id, self._is_alive())
        with self._database.begin() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound(f"there is no token {token_id} that is alive")
        return _token(row)

    def revoke(self, token_id: str) -> None:
        """End a token at once; raises NotFound when none alive has that id."""
        now = self._database.clock()
        which = and_(tokens.c.id == token_id, self._is_alive())
        with self._database.begin() as connection:
            changed = connection.execute(update(tokens).where(which).values(revoked_at=now))
        if changed.rowcount == 0:
            raise NotFound(f"there is no token {token_id} that is alive")

    def cleanup(self, most: int) -> int:
        """Forget tokens that ended long ago; how many."""
        horizon = self._database.seconds_from_now(-_KEPT_AFTER_EXPIRY_S)
        ended = or_(tokens.c.expires_at < horizon, tokens.c.revoked_at < horizon)
        return self._database.delete_some(tokens.c.digest, ended, most)

    def _is_alive(self) -> ColumnElement[bool]:
        return and_(tokens.c.revoked_at.is_(None), tokens.c.expires_at > self._database.clock())

    def _alive(self, owner: str) -> int:
        query = select(func.count()).where(tokens.c.owner == owner, self._is_alive())
        with self._database.begin() as connection:
            return connection.execute(query).scalar_one()


def _row(token: ApiToken, secret: str) -> dict[str, object]:
    return {
        "digest": digest_of(secret),
        "id": token.id,
        "name": token.name,
        "owner": token.owner,
        **columns_of(token.grants),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": None,
    }


def _token(row: Row[tuple[Any, ...]]) -> ApiToken:
    return ApiToken(
        id=row.id,
        name=row.name,
        owner=row.owner,
        grants=grants_of(row),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
