"""Named searches: queries that somebody keeps until they say otherwise."""

from dataclasses import asdict, dataclass

from sqlalchemy import delete, func, insert, select

from audit.errors import RequestError
from audit.state.database import Database
from audit.state.options import StateOptions
from audit.state.secrets import new_id
from audit.state.tables import TITLE_CHARS, named_searches


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSearch:
    """A query kept under a name.

    Attributes:
        id: 128 random bits in hexadecimal.
        title: the name it is kept under; one owner's differ.
        query: its text.
        exact_names: patients and users are asked for by these names only.
        created_at: UTC nanoseconds.
    """

    id: str
    title: str
    query: str
    exact_names: bool
    created_at: int


class NamedSearches:
    """Keeps queries under names, each for its owner alone."""

    def __init__(self, database: Database, options: StateOptions) -> None:
        self._database = database
        self._options = options

    def keep(
        self, owner: str, title: str, query: str, *, exact_names: bool = False
    ) -> NamedSearch:
        """Keep the query; one of the same name is replaced.

        Raises:
            RequestError: name or query is empty or too long, or the owner keeps too many.
        """
        self.check(title, query)
        kept = NamedSearch(
            id=new_id(),
            title=title,
            query=query,
            exact_names=exact_names,
            created_at=self._database.clock(),
        )
        own = named_searches.c.owner == owner
        same = own & (named_searches.c.title == title)
        with self._database.begin() as connection:
            connection.execute(delete(named_searches).where(same))
            counted = select(func.count()).select_from(named_searches).where(own)
            if (connection.execute(counted).scalar() or 0) >= self._options.max_named_searches:
                most = self._options.max_named_searches
                raise RequestError(f"at most {most} searches are kept; delete one first")
            connection.execute(insert(named_searches).values({"owner": owner} | asdict(kept)))
        return kept

    def check(self, title: str, query: str) -> None:
        """Pass when name and query can be kept; raises RequestError."""
        if not 1 <= len(title) <= TITLE_CHARS:
            raise RequestError(f"a search's name has 1 to {TITLE_CHARS} characters")
        if len(query) > self._options.max_saved_chars:
            raise RequestError(f"a search has at most {self._options.max_saved_chars} characters")

    def of(self, owner: str) -> tuple[NamedSearch, ...]:
        """All of one owner, by name."""
        query = (
            select(named_searches)
            .where(named_searches.c.owner == owner)
            .order_by(named_searches.c.title)
        )
        with self._database.begin() as connection:
            rows = connection.execute(query).all()
        return tuple(
            NamedSearch(
                id=row.id,
                title=row.title,
                query=row.query,
                exact_names=row.exact_names,
                created_at=row.created_at,
            )
            for row in rows
        )

    def drop(self, owner: str, search_id: str) -> bool:
        """Forget one; whether it was there and the owner's."""
        own = (named_searches.c.owner == owner) & (named_searches.c.id == search_id)
        with self._database.begin() as connection:
            return connection.execute(delete(named_searches).where(own)).rowcount > 0
