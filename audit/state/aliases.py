"""Aliases: which identifiers are of one patient or one person; every change is a new version.

Rows are never altered but closed, so that what was known at a version can be told later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from unicodedata import normalize

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    Row,
    String,
    Table,
    and_,
    func,
    insert,
    or_,
    select,
    update,
)

from audit.errors import RequestError
from audit.state.database import Database
from audit.state.options import StateOptions
from audit.state.secrets import new_id
from audit.state.tables import NAME_CHARS, metadata

IDENTIFIER_CHARS = 256
ASSIGNER_CHARS = 256
EVIDENCE_CHARS = 256

Kind = Literal["patient", "person"]
Source = Literal["csv", "api", "trail"]

names = Table(
    "identity_names",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("identifier", String(IDENTIFIER_CHARS), nullable=False),
    Column("assigner", String(ASSIGNER_CHARS), nullable=False),
    Column("shown", String(IDENTIFIER_CHARS), nullable=False),
    Column("shown_assigner", String(ASSIGNER_CHARS), nullable=False),
    Column("person", String(32), nullable=False),
    Column("source", String(16), nullable=False),
    Column("evidence", String(EVIDENCE_CHARS), nullable=False),
    Column("since", Integer, nullable=False),
    Column("until", Integer, nullable=True),
    Index("identity_names_by_name", "kind", "identifier", "assigner"),
    Index("identity_names_by_person", "person"),
)

versions = Table(
    "identity_versions",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_by", String(NAME_CHARS), nullable=False),
    Column("source", String(16), nullable=False),
    Column("names", Integer, nullable=False),
)

progress = Table(
    "identity_progress",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("position", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier and who assigned it; an empty assigner where none is known."""

    identifier: str
    assigner: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """By which names are compared: whatever the case, and however characters are composed."""
        return _plain(self.identifier), _plain(self.assigner)


@dataclass(frozen=True, slots=True)
class Link:
    """Names that are all of one patient or person, and where that is known from."""

    names: tuple[Name, ...]
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class KnownName:
    """A name of somebody, from where and since which version it is known."""

    name: Name
    source: str
    evidence: str
    since: int


@dataclass(frozen=True, slots=True)
class Somebody:
    """One patient or person: all names known at a version."""

    kind: Kind
    version: int
    names: tuple[KnownName, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """One change: when (UTC nanoseconds), by whom, how, and how many names it touched."""

    version: int
    changed_at: int
    changed_by: str
    source: str
    names: int


class Aliases:
    """The alias table. Every method may raise StorageError."""

    def __init__(self, database: Database, options: StateOptions) -> None:
        self._database = database
        self._options = options

    def version(self) -> int:
        """The newest version; 0 for an empty table."""
        with self._database.begin() as connection:
            return _newest(connection)

    def history(self, most: int = 100) -> tuple[Version, ...]:
        """The latest changes, newest first."""
        query = select(versions).order_by(versions.c.version.desc()).limit(most)
        with self._database.begin() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Version(row.version, row.changed_at, row.changed_by, row.source, row.names)
            for row in rows
        )

    def find(self, kind: Kind, name: Name, version: int | None = None) -> tuple[Somebody, ...]:
        """Whoever has this name; several when it is given without assigner and is of several.

        Args:
            kind: of a patient or of a person.
            name: without assigner, whoever assigned it.
            version: as it was known then; the newest by default.
        """
        identifier, assigner = name.key
        same = and_(names.c.kind == kind, names.c.identifier == identifier)
        if assigner:
            same = and_(same, names.c.assigner == assigner)
        with self._database.begin() as connection:
            at = _newest(connection) if version is None else version
            query = select(names.c.person).where(same, _known_at(at)).distinct()
            persons = sorted(connection.execute(query).scalars())
            return tuple(_somebody(connection, kind, person, at) for person in persons)

    def link(
        self, kind: Kind, links: Iterable[Link], *, by: str, source: Source
    ) -> tuple[int, int]:
        """Make the names of each link one: all of them or, when one is refused, none.

        Returns:
            The version from which on it holds, and how many names were added or moved.

        Raises:
            RequestError: a name is empty or too long, or somebody would have too many.
        """
        with self._database.begin() as connection:
            change = _Change(connection, kind, source, self._options)
            for link in links:
                change.link(link)
            return self._end(connection, change, by)

    def unlink(self, kind: Kind, name: Name, *, by: str) -> tuple[int, int]:
        """Forget a name; the others of the same person stay together.

        Returns:
            The version from which on it is no longer known, and how many names went.
        """
        with self._database.begin() as connection:
            change = _Change(connection, kind, "api", self._options)
            change.forget(name)
            return self._end(connection, change, by)

    def position(self, learner: str) -> int:
        """The first journal sequence that a learner hasn't looked at yet."""
        query = select(progress.c.position).where(progress.c.name == learner)
        with self._database.begin() as connection:
            return connection.execute(query).scalar() or 0

    def note_position(self, learner: str, position: int) -> None:
        """Remember how far a learner has looked."""
        changed = update(progress).where(progress.c.name == learner).values(position=position)
        with self._database.begin() as connection:
            if not connection.execute(changed).rowcount:
                connection.execute(insert(progress).values(name=learner, position=position))

    def _end(self, connection: Connection, change: "_Change", by: str) -> tuple[int, int]:
        if not change.touched:
            return change.version - 1, 0
        counted = select(func.count()).select_from(names).where(names.c.until.is_(None))
        if (connection.execute(counted).scalar() or 0) > self._options.max_identities:
            raise RequestError(f"at most {self._options.max_identities} identities are kept")
        added = insert(versions).values(
            version=change.version,
            changed_at=self._database.clock(),
            changed_by=by[:NAME_CHARS],
            source=change.source,
            names=change.touched,
        )
        connection.execute(added)
        return change.version, change.touched


class _Change:
    """One new version in the making."""

    def __init__(
        self, connection: Connection, kind: Kind, source: Source, options: StateOptions
    ) -> None:
        self._connection = connection
        self._kind = kind
        self._options = options
        self.source: Source = source
        self.version = _newest(connection) + 1
        self.touched = 0

    def link(self, link: Link) -> None:
        """Make the names one."""
        wanted = {name.key: name for name in link.names}
        for name in wanted.values():
            _check(name)
        known = self._rows(or_(*(_is(self._kind, name) for name in wanted.values())))
        persons = sorted({row.person for row in known})
        target = persons[0] if persons else new_id()
        members = self._rows(names.c.person.in_(persons)) if persons else []
        there = {(row.identifier, row.assigner) for row in members}
        self._check_size(len(there | wanted.keys()))
        for row in members:
            if row.person != target:
                self._move(row, target)
        for key, name in wanted.items():
            if key not in there:
                self._add(name, target, link.evidence)

    def forget(self, name: Name) -> None:
        """Close the name's row, where there is one."""
        for row in self._rows(_is(self._kind, name)):
            self._close(row)
            self.touched += 1

    def _check_size(self, size: int) -> None:
        most = self._options.max_names_of_one
        if size > most:
            raise RequestError(f"nobody may have more than {most} identities")

    def _rows(self, which: ColumnElement[bool]) -> Sequence[Row[Any]]:
        query = select(names).where(which, names.c.until.is_(None)).order_by(names.c.id)
        return self._connection.execute(query).all()

    def _close(self, row: Row[Any]) -> None:
        closed = update(names).where(names.c.id == row.id).values(until=self.version)
        self._connection.execute(closed)

    def _move(self, row: Row[Any], person: str) -> None:
        self._close(row)
        kept = Name(row.shown, row.shown_assigner)
        self._insert(kept, person, row.source, row.evidence)

    def _add(self, name: Name, person: str, evidence: str) -> None:
        self._insert(name, person, self.source, evidence[:EVIDENCE_CHARS])

    def _insert(self, name: Name, person: str, source: str, evidence: str) -> None:
        identifier, assigner = name.key
        row = {
            "kind": self._kind,
            "identifier": identifier,
            "assigner": assigner,
            "shown": name.identifier.strip(),
            "shown_assigner": name.assigner.strip(),
            "person": person,
            "source": source,
            "evidence": evidence,
            "since": self.version,
        }
        self._connection.execute(insert(names).values(row))
        self.touched += 1


def _plain(text: str) -> str:
    return normalize("NFKC", text).casefold().strip()


def _check(name: Name) -> None:
    if not name.key[0]:
        raise RequestError("an identity is empty")
    if len(name.identifier) > IDENTIFIER_CHARS or len(name.assigner) > ASSIGNER_CHARS:
        raise RequestError(f"an identity has at most {IDENTIFIER_CHARS} characters")


def _is(kind: Kind, name: Name) -> ColumnElement[bool]:
    identifier, assigner = name.key
    return and_(
        names.c.kind == kind, names.c.identifier == identifier, names.c.assigner == assigner
    )


def _newest(connection: Connection) -> int:
    return connection.execute(select(func.max(versions.c.version))).scalar() or 0


def _known_at(version: int) -> ColumnElement[bool]:
    return and_(names.c.since <= version, or_(names.c.until.is_(None), names.c.until > version))


def _somebody(connection: Connection, kind: Kind, person: str, version: int) -> Somebody:
    query = select(names).where(names.c.person == person, _known_at(version)).order_by(names.c.id)
    rows = connection.execute(query).all()
    return Somebody(
        kind,
        version,
        tuple(
            KnownName(Name(row.shown, row.shown_assigner), row.source, row.evidence, row.since)
            for row in rows
        ),
    )
