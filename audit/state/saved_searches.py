"""Saved searches: a query's text behind 128 random bits, so that no URL names a patient."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select

from audit.errors import RequestError
from audit.state.database import Database
from audit.state.options import StateOptions
from audit.state.secrets import new_id
from audit.state.tables import saved_searches


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearch:
    """A saved search.

    Attributes:
        id: 128 random bits in hexadecimal.
        owner: the account that saved it.
        query: its text.
        created_at: UTC nanoseconds.
        expires_at: UTC nanoseconds.
    """

    id: str
    owner: str
    query: str
    created_at: int
    expires_at: int


class SavedSearches:
    """Keeps query texts for a while."""

    def __init__(self, database: Database, options: StateOptions) -> None:
        self._database = database
        self._options = options

    def save(self, owner: str, query: str) -> SavedSearch:
        """Keep the text. Beyond the owner's most, the oldest is forgotten.

        Raises:
            RequestError: the text is too long.
        """
        if len(query) > self._options.max_saved_chars:
            raise RequestError(f"a search has at most {self._options.max_saved_chars} characters")
        saved = SavedSearch(
            id=new_id(),
            owner=owner,
            query=query,
            created_at=self._database.clock(),
            expires_at=self._database.seconds_from_now(self._options.saved_search_lifetime_s),
        )
        others = (
            select(saved_searches.c.id)
            .where(saved_searches.c.owner == owner)
            .order_by(saved_searches.c.created_at.desc())
            .offset(self._options.max_saved_searches - 1)
        )
        with self._database.begin() as connection:
            oldest = connection.execute(others.limit(self._options.cleanup_rows)).scalars().all()
            if oldest:
                connection.execute(delete(saved_searches).where(saved_searches.c.id.in_(oldest)))
            connection.execute(
                insert(saved_searches).values(
                    id=saved.id,
                    owner=saved.owner,
                    query=saved.query,
                    created_at=saved.created_at,
                    expires_at=saved.expires_at,
                )
            )
        return saved

    def find(self, search_id: str) -> SavedSearch | None:
        """The saved search; None when it is unknown or expired.

        Knowing the id isn't a permission: whoever opens it is asked for theirs.
        """
        query = select(saved_searches).where(
            saved_searches.c.id == search_id,
            saved_searches.c.expires_at > self._database.clock(),
        )
        with self._database.begin() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return _saved(row)

    def recent(self, owner: str, most: int) -> tuple[SavedSearch, ...]:
        """The owner's latest, newest first, each text once."""
        query = (
            select(saved_searches)
            .where(
                saved_searches.c.owner == owner,
                saved_searches.c.expires_at > self._database.clock(),
            )
            .order_by(saved_searches.c.created_at.desc())
        )
        latest: dict[str, SavedSearch] = {}
        with self._database.begin() as connection:
            for row in connection.execute(query):
                latest.setdefault(row.query, _saved(row))
                if len(latest) >= most:
                    break
        return tuple(latest.values())

    def cleanup(self, most: int) -> int:
        """Forget what has expired; how many."""
        expired = saved_searches.c.expires_at <= self._database.clock()
        return self._database.delete_some(saved_searches.c.id, expired, most)


def _saved(row: Row[Any]) -> SavedSearch:
    return SavedSearch(
        id=row.id,
        owner=row.owner,
        query=row.query,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
