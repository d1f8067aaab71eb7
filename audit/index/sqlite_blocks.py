"""Documents as a month file keeps them: each on its own while it grows, in blocks when sealed.

A block holds the documents of consecutive row ids, two lines each, compressed together; what was
removed leaves two empty lines.
"""

from collections.abc import Sequence
from typing import Final

import apsw

from audit.index.document import IndexedRecord
from audit.index.sqlite_documents import DocumentCodec, plain

BLOCK_BITS: Final = 4
PER_BLOCK: Final = 1 << BLOCK_BITS

_LINES: Final = 2

Row = tuple[int, int, int, int, bytes]
"""row id, time, sequence, received, document (empty when it stands in a block)"""


def block_of(row_id: int) -> tuple[int, int]:
    """The block that holds a row's document, and its place there."""
    return (row_id - 1) >> BLOCK_BITS, (row_id - 1) & (PER_BLOCK - 1)


class Documents:
    """Reads and removes documents of one file, whatever its form. Remembers the last block."""

    def __init__(self, connection: apsw.Connection, codec: DocumentCodec) -> None:
        self._connection = connection
        self._codec = codec
        self._block: int | None = None
        self._lines: list[bytes] = []

    def forget(self) -> None:
        """Read anew: the file may have changed."""
        self._block = None

    def record(self, row: Row) -> IndexedRecord:
        """The record of a row."""
        row_id, time, sequence, received, document = row
        first, second = self._document(row_id, document)
        return self._codec.record((time, sequence, received), first, second)

    def facts(self, row_id: int, document: bytes) -> dict[str, list[str]]:
        """The values of the keyword fields of a row."""
        return self._codec.facts(self._document(row_id, document)[0])

    def _document(self, row_id: int, document: bytes) -> tuple[bytes, bytes]:
        if document:
            first, _, second = self._codec.plain(document).partition(b"\n")
            return first, second
        block, place = block_of(row_id)
        if block != self._block:
            self._lines, self._block = self._read(block), block
        return self._lines[_LINES * place], self._lines[_LINES * place + 1]

    def _read(self, block: int) -> list[bytes]:
        octets: bytes | None = self._connection.execute(
            "SELECT data FROM blocks WHERE block = ?", (block,)
        ).get
        if octets is None:
            raise apsw.CorruptError(f"block {block} of documents is missing")
        return self._codec.plain(octets).split(b"\n")

    def put_block(self, block: int, records: Sequence[IndexedRecord]) -> None:
        """Write the documents of a block."""
        self._write(block, b"\n".join(plain(record) for record in records))

    def _write(self, block: int, lines: bytes) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO blocks VALUES(?, ?)", (block, self._codec.encode_block(lines))
        )

    def remove(self, row: Row) -> None:
        """Take a row's document out of its block."""
        row_id, *_, document = row
        if document:
            return
        block, place = block_of(row_id)
        lines = self._read(block)
        lines[_LINES * place : _LINES * (place + 1)] = [b""] * _LINES
        self._write(block, b"\n".join(lines))
        self.forget()
