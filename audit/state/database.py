"""Database: one connection pool, the clock, and errors in our own words."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time_ns

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Table,
    create_engine,
    delete,
    insert,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from audit.errors import ConfigurationError, StorageError
from audit.state import tables
from audit.state.upgrade import UPGRADABLE, upgrade

NS_PER_S = 1_000_000_000
_VERSION = tables.about.select().where(tables.about.c.name == "version").subquery().c.value
_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700


class Database:
    """The store's database, its tables made when they are missing.

    Args:
        url: an SQLAlchemy URL; ``sqlite:///FILE`` makes a file that only this user can read.
        busy_timeout_s: how long to wait for another process's write.
        clock: UTC nanoseconds.

    Raises:
        ConfigurationError: the URL can't be used, or the store is of a newer version.
        StorageError: the database can't be reached.
    """

    def __init__(
        self, url: str, busy_timeout_s: float = 5.0, clock: Callable[[], int] = time_ns
    ) -> None:
        self.clock = clock
        self._engine = _engine(url, busy_timeout_s)
        try:
            self._make_tables()
        except BaseException:
            self.close()
            raise

    def _make_tables(self) -> None:
        with self.begin() as connection:
            tables.about.create(connection, checkfirst=True)
            version = connection.execute(select(_VERSION)).scalar()
            if version in UPGRADABLE:
                upgrade(connection, version)
            elif version not in {None, str(tables.VERSION)}:
                raise ConfigurationError(
                    f"the state store is of version {version}, this program knows "
                    f"{tables.VERSION}; use the program that wrote it, or a newer one"
                )
            tables.metadata.create_all(connection)
            if version is None:
                row = {"name": "version", "value": str(tables.VERSION)}
                connection.execute(insert(tables.about).values(row))

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: all of it or nothing.

        Raises:
            StorageError: the database failed; nothing was changed.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            # The statement's parameters may hold names; only the driver's words are told.
            cause = getattr(error, "orig", None) or type(error).__name__
            raise StorageError(f"the state store failed: {cause}") from error

    def seconds_from_now(self, seconds: float) -> int:
        """A time, in UTC nanoseconds."""
        return self.clock() + int(seconds * NS_PER_S)

    def delete_some(
        self, key: Column[bytes] | Column[str], which: ColumnElement[bool], most: int
    ) -> int:
        """Delete at most so many rows for which ``which`` holds; how many they were."""
        table = key.table
        if not isinstance(table, Table):
            raise TypeError("the key must be a column of a table")
        with self.begin() as connection:
            keys = connection.execute(select(key).where(which).limit(most)).scalars().all()
            if keys:
                connection.execute(delete(table).where(key.in_(keys)))
        return len(keys)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def _engine(url: str, busy_timeout_s: float) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return create_engine(parsed, pool_pre_ping=True)
        _make_private(parsed)
        return create_engine(parsed, connect_args={"timeout": busy_timeout_s})
    except (ArgumentError, ImportError) as error:
        raise ConfigurationError(f"the state store's address can't be used: {error}") from error
    except OSError as error:
        raise StorageError(f"the state store can't be made: {error}") from error


def _make_private(url: URL) -> None:
    """Make the file before SQLite does, so that nobody else can ever read it."""
    if not url.database or url.database == ":memory:":
        raise ConfigurationError("the state store needs a file or a database server")
    file = Path(url.database)
    file.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, _PRIVATE_FILE))
    file.chmod(_PRIVATE_FILE)
