"""One month file, written: put, replace and really remove records."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import apsw

from audit.index import row_ids, sqlite_documents
from audit.index.sqlite_blocks import Documents
from audit.index.sqlite_columns import ColumnWriter
from audit.index.sqlite_documents import DocumentCodec
from audit.index.sqlite_ready import ReadyRecord
from audit.index.sqlite_schema import create, open_for_writing
from audit.index.tokens import token_text

_REMOVE: Final = """
DELETE FROM documents WHERE sequence = ? RETURNING rowid, time, sequence, received, document
"""
_MERGE: Final = "INSERT INTO inverted(inverted, rank) VALUES('merge', ?)"
_PAGES_MERGED: Final = 64
"""Pages of postings written in one step: some milliseconds, which puts may have to wait."""

_CHANGES_OF_A_MERGE: Final = 2
"""Rows that a merge changes at least; one that finds nothing to do changes fewer."""

_REMOVE_TOKENS: Final = "INSERT INTO inverted(inverted, rowid, tokens) VALUES('delete', ?, ?)"


class PartWriter:
    """The one writer of a month file. Each call is one transaction, on disk when it returns."""

    def __init__(self, path: Path, dictionary: bytes, key: bytes | None) -> None:
        self.path = path
        if not path.exists():
            create(path, dictionary, key)
        self._connection = open_for_writing(path, key)
        about = dict(self._connection.execute("SELECT name, value FROM about"))
        self._codec = DocumentCodec(about["dictionary"])
        self._usual = None
        if about["dictionary"] != sqlite_documents.dictionary():
            self._usual = DocumentCodec(sqlite_documents.dictionary())
        self._documents = Documents(self._connection, self._codec)
        self._columns = ColumnWriter(self._connection)

    def close(self) -> None:
        """Close the file; the last one to do so folds the write-ahead log in."""
        self._connection.close()

    def held_among(self, sequences: Iterable[int]) -> list[int]:
        """Those of the sequences that are in this file."""
        wanted = set(sequences)
        rows = self._connection.execute(
            "SELECT sequence FROM documents WHERE sequence BETWEEN ? AND ?",
            (min(wanted, default=0), max(wanted, default=-1)),
        )
        return [sequence for (sequence,) in rows if sequence in wanted]

    def last_sequence(self) -> int:
        """The highest sequence in this file, -1 when it is empty."""
        last: int | None = self._connection.execute("SELECT max(sequence) FROM documents").get
        return -1 if last is None else last

    def put(self, records: Sequence[ReadyRecord], *, may_be_there: bool) -> None:
        """Add records of different sequences; those that are there already are replaced."""
        with self._connection:
            if may_be_there:
                self._remove(self.held_among(r.sequence for r in records))
            self._add(records)

    def remove(self, sequences: Sequence[int]) -> int:
        """Remove records; the number that were there."""
        removed = 0
        with self._connection:
            removed += self._remove(self.held_among(sequences))
        return removed

    def optimise(self) -> bool:
        """Merge a little of the inverted index; whether there was anything to merge.

        Puts leave many short runs of postings, each of which a question has to look into.
        """
        before = self._connection.total_changes()
        self._connection.execute(_MERGE, (_PAGES_MERGED,))
        return self._connection.total_changes() - before >= _CHANGES_OF_A_MERGE

    def forget_old_pages(self) -> None:
        """Fold the write-ahead log in and empty it: what was removed is no longer in it."""
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _add(self, records: Sequence[ReadyRecord]) -> None:
        rows = sorted(self._row_ids(records), key=lambda row: row[0])
        self._connection.executemany(
            "INSERT INTO documents VALUES(?, ?, ?, ?, ?)",
            ((row, r.time, r.sequence, r.received, self._document(r)) for row, r in rows),
        )
        self._connection.executemany(
            "INSERT INTO inverted(rowid, tokens) VALUES(?, ?)",
            ((row, r.tokens) for row, r in rows),
        )
        self._columns.add([(row, r.time, r.sets) for row, r in rows])
        self._count(len(records))

    def _document(self, record: ReadyRecord) -> bytes:
        """Compressed with the dictionary of this file, which an earlier version may have made."""
        if self._usual is None:
            return record.document
        return self._codec.compress(self._usual.plain(record.document))

    def _row_ids(self, records: Sequence[ReadyRecord]) -> list[tuple[int, ReadyRecord]]:
        in_order = sorted(records, key=attrgetter("time", "sequence"))
        highest = self._highest(in_order) if in_order else None
        free: dict[int, int] = {}
        taken = []
        for record in in_order:
            second = record.time // row_ids.SECOND
            row = free.get(second)
            if row is None:
                row = row_ids.first_row(0, second)
                if highest is not None and row <= highest:
                    row = self._free_row(second, 0)
            taken.append((row, record))
            lane = row_ids.lane_of(row)
            full = row == row_ids.last_row(lane, second)
            free[second] = self._free_row(second, lane + 1) if full else row + 1
        return taken

    def _highest(self, in_order: Sequence[ReadyRecord]) -> int | None:
        """The highest row id of the first lane in the stretch of these records' seconds."""
        first, last = (record.time // row_ids.SECOND for record in (in_order[0], in_order[-1]))
        found: int | None = self._connection.execute(
            "SELECT max(rowid) FROM documents WHERE rowid BETWEEN ? AND ?",
            (row_ids.first_row(0, first), row_ids.last_row(0, last)),
        ).get
        return found

    def _free_row(self, second: int, first_lane: int) -> int:
        """The first row id of the second that is free, in this lane or a later one."""
        for lane in range(first_lane, row_ids.LANES):
            last = row_ids.last_row(lane, second)
            taken = self._connection.execute(
                "SELECT max(rowid) FROM documents WHERE rowid BETWEEN ? AND ?",
                (row_ids.first_row(lane, second), last),
            ).get
            if taken is None:
                return row_ids.first_row(lane, second)
            if taken < last:
                return int(taken) + 1
        raise apsw.FullError(f"no row is left for second {second}")

    def _remove(self, sequences: Sequence[int]) -> int:
        gone: list[int] = []
        for sequence in sequences:
            rows: list[Any] = self._connection.execute(_REMOVE, (sequence,)).fetchall()
            for row_id, *row in rows:
                record = self._documents.record((row_id, *row))
                self._documents.remove((row_id, *row))
                gone.append(row_id)
                self._connection.execute(_REMOVE_TOKENS, (row_id, token_text(record)))
        if gone:
            self._columns.remove(gone)
            self._count(-len(gone))
        return len(gone)

    def _count(self, more: int) -> None:
        self._connection.execute(
            "UPDATE about SET value = value + ? WHERE name = 'records'", (more,)
        )
