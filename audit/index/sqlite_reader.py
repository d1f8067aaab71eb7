"""One month file, read: hits in order, counts, single records."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

import apsw

from audit.index import row_ids, tokens
from audit.index.column_cache import ColumnCache
from audit.index.criteria import Criteria, fold
from audit.index.document import IndexedRecord
from audit.index.part_columns import PartColumns
from audit.index.port import Place
from audit.index.row_order import BySecond, Hit, OneByOne, RowOrder
from audit.index.sqlite_blocks import Documents
from audit.index.sqlite_documents import DocumentCodec
from audit.index.sqlite_statement import Statement, quoted

_BY_SEQUENCE: Final = """
SELECT rowid, time, sequence, received, document FROM documents WHERE sequence = ?
"""
_SPAN: Final = """
SELECT (SELECT min(rowid) FROM documents WHERE rowid BETWEEN ?1 AND ?2),
       (SELECT max(rowid) FROM documents WHERE rowid BETWEEN ?1 AND ?2)
"""
_BY_ROW: Final = """
SELECT rowid, time, sequence, received, document FROM documents WHERE rowid = ?
"""
_TOKENS_AND_DOCUMENTS: Final = """
inverted f CROSS JOIN documents d ON d.rowid = f.rowid
WHERE f.inverted MATCH ? AND f.rowid BETWEEN ? AND ?
"""


@dataclass(frozen=True, slots=True)
class Question:
    """Criteria and what they are as a statement."""

    criteria: Criteria
    statement: Statement


@dataclass(frozen=True, slots=True)
class Order:
    """Which way to go through the hits and where to go on."""

    newest_first: bool = True
    after: Place | None = None

    def bounds(self, statement: Statement) -> tuple[int | None, int | None]:
        """The times that hits can still have: at least, below."""
        at_least, below = statement.at_least, statement.below
        if self.after is not None:
            if self.newest_first:
                below = min(self.after.time + 1, below or self.after.time + 1)
            else:
                at_least = max(self.after.time, at_least or self.after.time)
        return at_least, below

    def holds(self, hit: Hit) -> bool:
        """Whether a hit lies beyond the place."""
        if self.after is None:
            return True
        place = (self.after.time, self.after.sequence)
        return hit[:2] < place if self.newest_first else hit[:2] > place


def _source_of(statement: Statement, *, documents: bool) -> tuple[str, list[int | str]]:
    """FROM and WHERE for rows between two row ids, with the parameters before those two."""
    if statement.match is None:
        return "documents d WHERE d.rowid BETWEEN ? AND ?", []
    if documents:
        return _TOKENS_AND_DOCUMENTS, [statement.match]
    return "inverted d WHERE d.inverted MATCH ? AND d.rowid BETWEEN ? AND ?", [statement.match]


def _exact_times(statement: Statement) -> tuple[str, list[int]]:
    """Conditions for bounds of time that don't fall on whole seconds."""
    sql, values = "", []
    if statement.at_least is not None and statement.at_least % row_ids.SECOND:
        sql += " AND d.time >= ?"
        values.append(statement.at_least)
    if statement.below is not None and statement.below % row_ids.SECOND:
        sql += " AND d.time < ?"
        values.append(statement.below)
    return sql, values


class PartReader:
    """One open month file. Not for two threads at once."""

    def __init__(self, path: Path, connection: apsw.Connection, cache: ColumnCache) -> None:
        self.path = path
        self.name = path.stem
        self.inode = path.stat().st_ino
        self.connection = connection
        self._cursors: WeakSet[apsw.Cursor] = WeakSet()
        connection.cursor_factory = self._cursor
        self._cache = cache
        about = dict(connection.execute("SELECT name, value FROM about"))
        self._file = str(about["file"])
        codec = DocumentCodec(bytes(about["dictionary"]))
        self._documents = Documents(connection, codec)
        self.replaces: frozenset[str] = frozenset(str(about["replaces"]).split())
        self.is_sealed = bool(about["sealed"])
        self.order: RowOrder = OneByOne(connection) if self.is_sealed else BySecond()
        self._spans = self._spans_now() if self.is_sealed else None

    @property
    def file(self) -> str:
        """The identity of the file."""
        return self._file

    def begin(self) -> None:
        """Start to see one state of the file until `end`."""
        self.connection.execute("BEGIN")
        self._documents.forget()

    def end(self) -> None:
        """Let go of that state; a question that was not asked to its end would hold on to it."""
        for cursor in list(self._cursors):
            cursor.close(force=True)
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def _cursor(self, connection: apsw.Connection) -> apsw.Cursor:
        cursor = apsw.Cursor(connection)
        self._cursors.add(cursor)
        return cursor

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def about(self, name: str) -> int:
        """A number known of the file."""
        value: int = self.connection.execute("SELECT value FROM about WHERE name = ?", (name,)).get
        return value

    def spans(self) -> list[tuple[int, int, int]]:
        """Lane, first and last row id of each lane that holds something.

        A sealed file loses rows and gains none: what was found at first holds all there are.
        """
        return self._spans_now() if self._spans is None else self._spans

    def _spans_now(self) -> list[tuple[int, int, int]]:
        first, last = self._span(row_ids.FIRST, row_ids.LAST)
        if first is None or last is None:
            return []
        if row_ids.lane_of(first) == row_ids.lane_of(last):
            return [(row_ids.lane_of(first), first, last)]
        return list(self._spans_of_lanes(row_ids.lane_of(last)))

    def _spans_of_lanes(self, last_lane: int) -> Iterator[tuple[int, int, int]]:
        for lane in range(last_lane + 1):
            first, last = self._span(*row_ids.lane_bounds(lane))
            if first is not None and last is not None:
                yield lane, first, last

    def _span(self, low: int, high: int) -> tuple[int | None, int | None]:
        row: Any = self.connection.execute(_SPAN, (low, high)).fetchone()
        return row[0], row[1]

    def lanes(self) -> list[int]:
        """The lanes that hold something."""
        return [lane for lane, _, _ in self.spans()]

    def get(self, sequence: int) -> IndexedRecord | None:
        """The record with this journal sequence."""
        row = self.connection.execute(_BY_SEQUENCE, (sequence,)).fetchone()
        return None if row is None else self._documents.record(row)

    def load(self, row_id: int) -> IndexedRecord:
        """The record of a row."""
        row = self.connection.execute(_BY_ROW, (row_id,)).fetchone()
        if row is None:
            raise apsw.CorruptError(f"row {row_id} has tokens and no document")
        return self._documents.record(row)

    def hits(self, statement: Statement, lane: int, order: Order) -> Iterator[Hit]:
        """The rows of a lane that the statement tells, in the order of (time, sequence)."""
        rows = self._rows(statement, lane, order)
        return self.order.sorted(rows, newest_first=order.newest_first)

    def _rows(self, statement: Statement, lane: int, order: Order) -> Iterator[Hit]:
        at_least, below = order.bounds(statement)
        row = "d" if statement.match is None else "f"
        rows = self._select(
            "d.time, d.sequence, d.rowid",
            replace(statement, at_least=at_least, below=below),
            lane,
            documents=True,
            ending=f"ORDER BY {row}.rowid {'DESC' if order.newest_first else 'ASC'}",
        )
        return filter(order.holds, rows)

    def _select(
        self, columns: str, statement: Statement, lane: int, *, documents: bool, ending: str = ""
    ) -> Iterator[Any]:
        source, parameters = _source_of(statement, documents=documents)
        times, time_parameters = _exact_times(statement)
        conditions = (f"AND {sql}" for sql in statement.conditions)
        clauses = ["SELECT", columns, "FROM", source, times, *conditions, ending]
        low, high = self.order.bounds(lane, statement.at_least, statement.below)
        return self.connection.execute(
            " ".join(clauses),
            (*parameters, low, high, *time_parameters, *statement.parameters),
        )

    def matching(self, question: Question) -> Iterator[IndexedRecord]:
        """Every record that meets the criteria, oldest first within each lane."""
        for lane in self.lanes():
            for hit in self._rows(question.statement, lane, Order(newest_first=False)):
                record = self.load(hit[2])
                if question.statement.holds(record):
                    yield record

    def count(self, question: Question, at_most: int | None) -> int:
        """How many meet the criteria; stops at ``at_most``."""
        if not question.statement.exact:
            return sum(
                1 for _, _ in zip(range(at_most or 1 << 62), self.matching(question), strict=False)
            )
        if question.statement.asks_everything:
            return self.about("records")
        return sum(self._count_lane(question.statement, lane, at_most) for lane in self.lanes())

    def _count_lane(self, statement: Statement, lane: int, at_most: int | None) -> int:
        limit = -1 if at_most is None else at_most
        rows = self._select(
            "1", statement, lane, documents=statement.reads_documents, ending=f"LIMIT {limit:d}"
        )
        return sum(1 for _ in rows)

    def facts_rows(
        self, statement: Statement, lane: int
    ) -> Iterator[tuple[int, dict[str, list[str]]]]:
        """Time and keyword values of every row of a lane that the statement tells."""
        columns = "d.time, d.rowid, d.document"
        for time, row_id, document in self._select(columns, statement, lane, documents=True):
            yield time, self._documents.facts(row_id, document)

    def row_ids(self, statement: Statement, lane: int) -> str | None:
        """The row ids of a lane that the statement tells, in no order, parted by commas."""
        rows = self._select(
            "group_concat(d.rowid)", statement, lane, documents=statement.reads_documents
        )
        text: str | None = next(rows)[0]
        return text

    def columns(self) -> PartColumns:
        """What this file counts by, in the state that is seen now."""
        return PartColumns(self.connection, self._file, self._cache, sealed=self.is_sealed)

    def value_of(self, token: str, name: str) -> str:
        """The folded value that a token of a keyword field stands for."""
        value = token[len(tokens.field_prefix(name)) :]
        if tokens.HASHED not in value:
            return tokens.unescaped(value)
        row_id = self.connection.execute(
            "SELECT rowid FROM inverted WHERE inverted MATCH ? LIMIT 1", (quoted(token),)
        ).get
        values = self.load(row_id).values(name)
        return next(fold(v) for v in values if tokens.key_token(name, v) == token)
