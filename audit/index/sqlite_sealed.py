"""Builds the sealed form of a month: row ids one by one, documents in blocks, no room wasted.

It runs in a process of its own, at low priority, and only reads the files that it replaces.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any, Final

import apsw
import numpy as np

from audit.garbage import spare_collections
from audit.index.column_cache import ColumnCache
from audit.index.document import IndexedRecord
from audit.index.sqlite_blocks import PER_BLOCK, Documents, block_of
from audit.index.sqlite_columns import ColumnWriter
from audit.index.sqlite_documents import DocumentCodec, dictionary
from audit.index.sqlite_reader import PartReader
from audit.index.sqlite_ready import sets_of
from audit.index.sqlite_schema import (
    SEALED_PAGE,
    discard,
    fill_new,
    open_for_reading,
    open_unsafely,
    prepare_for_many,
)
from audit.index.tokens import token_text

BUILDING: Final = ".building"
UNFINISHED: Final = ".new"

_BATCH: Final = 256 * PER_BLOCK
_PRIORITY: Final = 10


def build_sealed_gently(sources: Sequence[Path], target: Path, key: bytes | None) -> None:
    """`build_sealed` for a process of its own, that takes only what others leave."""
    os.nice(_PRIORITY)
    end_with_parent()
    spare_collections()
    build_sealed(sources, target, key)


def end_with_parent() -> None:
    """End this process when the one that spawned it ends, however it does."""
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def build_sealed(sources: Sequence[Path], target: Path, key: bytes | None) -> None:
    """Write everything that the sources hold to ``target``, whole and on disk at return."""
    building = target.with_suffix(BUILDING)
    for path in (building, target):
        discard(path)
    with ExitStack() as undo:
        readers = [
            undo.enter_context(
                closing(PartReader(path, open_for_reading(path, key), ColumnCache(0)))
            )
            for path in sources
        ]
        for reader in readers:
            reader.begin()
        with closing(open_unsafely(building, SEALED_PAGE, key)) as connection:
            _fill(connection, readers)
            connection.execute("VACUUM INTO ?", (str(target),))
    discard(building)
    prepare_for_many(target, key)


def _fill(connection: apsw.Connection, readers: Sequence[PartReader]) -> None:
    replaced = " ".join(sorted({reader.file for reader in readers}))
    written = 0
    with connection:
        fill_new(connection, dictionary(), sealed=True, replaces=replaced)
        columns = ColumnWriter(connection)
        documents = Documents(connection, DocumentCodec(dictionary()))
        for batch in _batches(readers):
            rows = list(enumerate(batch, written + 1))
            _write(connection, rows)
            _write_blocks(documents, rows)
            columns.add([(row, r.time, sets_of(r)) for row, r in rows])
            written += len(batch)
        columns.merge_all()
        connection.execute("UPDATE about SET value = ? WHERE name = 'records'", (written,))
        connection.execute("INSERT INTO inverted(inverted) VALUES('optimize')")


def _batches(readers: Sequence[PartReader]) -> Iterator[list[IndexedRecord]]:
    """All records in the order of (time, sequence), so many at once."""
    places = np.concatenate([_places(number, reader) for number, reader in enumerate(readers)])
    order = np.lexsort((places[:, 1], places[:, 0]))
    for start in range(0, order.size, _BATCH):
        chosen = places[order[start : start + _BATCH], 2:].tolist()
        yield [readers[number].load(row_id) for row_id, number in chosen]


def _places(number: int, reader: PartReader) -> Any:
    rows = reader.connection.execute("SELECT time, sequence, rowid, ? FROM documents", (number,))
    flat = np.fromiter((value for row in rows for value in row), dtype=np.int64)
    return flat.reshape(-1, 4)


def _write(connection: apsw.Connection, rows: Sequence[tuple[int, IndexedRecord]]) -> None:
    connection.executemany(
        "INSERT INTO documents VALUES(?, ?, ?, ?, x'')",
        ((row, r.time, r.sequence, r.received) for row, r in rows),
    )
    connection.executemany(
        "INSERT INTO inverted(rowid, tokens) VALUES(?, ?)",
        ((row, token_text(r)) for row, r in rows),
    )


def _write_blocks(documents: Documents, rows: Sequence[tuple[int, IndexedRecord]]) -> None:
    """A batch begins with a block."""
    for start in range(0, len(rows), PER_BLOCK):
        some = rows[start : start + PER_BLOCK]
        documents.put_block(block_of(some[0][0])[0], [record for _, record in some])
