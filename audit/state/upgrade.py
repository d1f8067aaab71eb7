"""Stores of an older version, brought to this one when they are opened."""

from sqlalchemy import Column, Connection, Table, inspect, select, update
from sqlalchemy.schema import CreateColumn

from audit.state import tables

UPGRADABLE = frozenset({"1", "2"})
"""Versions that can be brought to this one."""
_READ, _ADDED = "events:read", {"audit:read", "patients:identify"}
"""In version 1 whoever read records saw patients, and the records of the repository's own use."""


def upgrade(connection: Connection, version: str) -> None:
    """From version 1 or 2."""
    if version == "1":
        _upgrade_from_1(connection)
    named = tables.named_searches
    if inspect(connection).has_table(named.name):
        _add_column(connection, named.c.exact_names)
    about = tables.about
    reached = update(about).where(about.c.name == "version").values(value=str(tables.VERSION))
    connection.execute(reached)


def _upgrade_from_1(connection: Connection) -> None:
    """Accounts and tokens keep what they may do; everybody signs in again."""
    new = ("roles", "sites", "sources")
    for table, names in ((tables.accounts, (*new, "emergency")), (tables.tokens, new)):
        for name in names:
            _add_column(connection, table.c[name])
        _keep_permissions(connection, table)
    connection.exec_driver_sql("DROP TABLE sessions")


def _add_column(connection: Connection, column: Column[object]) -> None:
    written = CreateColumn(column).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {column.table.name} ADD COLUMN {written}")


def _keep_permissions(connection: Connection, table: Table) -> None:
    key = next(iter(table.primary_key.columns))
    for named, scopes in connection.execute(select(key, table.c.scopes)).all():
        held = set(scopes.split())
        if _READ in held:
            more = " ".join(sorted(held | _ADDED))
            connection.execute(update(table).where(key == named).values(scopes=more))
