"""The shape of one month file and how it is opened (docs/index-format.md)."""

import os
from pathlib import Path
from secrets import token_hex
from typing import Final
from urllib.parse import quote

import apsw

from audit.errors import IndexUnavailable
from audit.index.giving_up import STEPS_BETWEEN_LOOKS, has_left
from audit.index.sqlite_columns import create_columns

FORMAT: Final = 4
"""Raised with every change to tables, tokens or row ids: an index of another one is rebuilt."""

ANSWERING: Final = frozenset({3, FORMAT})
"""Formats that this version reads and writes: an index of one that isn't ``FORMAT`` goes on
answering, and following the journal, while its successor is built. 3 has fewer columns."""

_TOKEN_CHARACTERS: Final = "".join(chr(c) for c in range(2, 128) if not chr(c).isalnum())


def _tokenizer() -> str:
    characters = _TOKEN_CHARACTERS.replace("'", "''")
    return f"ascii tokenchars '{characters}'".replace('"', '""')


SEALED_PAGE: Final = 8192
"""Octets of a page of a sealed file: holds some blocks of documents without much waste."""

BESIDE: Final = ("-wal", "-shm")
"""What the names of the files end in that SQLite keeps beside one."""

# The tables hold: documents by row id, in blocks when sealed; the inverted index, which keeps no
# text; chunks of columns and the sets of values that their numbers stand for; what is known of the
# file.
_TABLES: Final = f"""
CREATE TABLE documents(
  rowid INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  received INTEGER NOT NULL,
  document BLOB NOT NULL
);
CREATE TABLE blocks(
  block INTEGER PRIMARY KEY,
  data BLOB NOT NULL
);
CREATE UNIQUE INDEX documents_by_sequence ON documents(sequence);
CREATE VIRTUAL TABLE inverted USING fts5(
  tokens, content='', columnsize=0, detail=none, tokenize="{_tokenizer()}"
);
INSERT INTO inverted(inverted, rank) VALUES('secure-delete', 1);
INSERT INTO inverted(inverted, rank) VALUES('usermerge', 2);
CREATE TABLE chunks(
  chunk INTEGER PRIMARY KEY AUTOINCREMENT,
  records INTEGER NOT NULL
);
CREATE TABLE columns(
  place INTEGER PRIMARY KEY,
  data BLOB NOT NULL
);
CREATE TABLE counted(
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  usable INTEGER NOT NULL
);
CREATE TABLE value_sets(
  number INTEGER NOT NULL,
  id INTEGER NOT NULL,
  value_set TEXT,
  PRIMARY KEY(number, id)
) WITHOUT ROWID;
CREATE TABLE about(
  name TEXT PRIMARY KEY,
  value NOT NULL
) WITHOUT ROWID;
"""

_EVERY_CONNECTION: Final = """
CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, inverted, row);
"""


def create(path: Path, dictionary: bytes, key: bytes | None) -> None:
    """Make an empty month file; ``dictionary`` is what its documents compress with.

    It appears under its name only when it is complete: readers look for names.
    """
    unfinished = path.with_suffix(".new")
    discard(unfinished)
    connection = connect(unfinished, key, new=True)
    _prepare_writer(connection)
    with connection:
        fill_new(connection, dictionary)
    connection.close()
    _discard_beside(path)  # a log that a crash left would be taken for the new file's
    unfinished.replace(path)


def fill_new(
    connection: apsw.Connection, dictionary: bytes, *, sealed: bool = False, replaces: str = ""
) -> None:
    """Make the tables of a month file; ``replaces`` names the files whose records it holds."""
    connection.execute(_TABLES)
    connection.executemany(
        "INSERT INTO about VALUES(?, ?)",
        [
            ("format", FORMAT),
            ("file", token_hex(8)),
            ("dictionary", dictionary),
            ("records", 0),
            ("sealed", int(sealed)),
            ("replaces", replaces),
        ],
    )
    create_columns(connection)


def discard(path: Path) -> None:
    """Delete a file and what SQLite keeps beside it, where there is any; the file goes last."""
    _discard_beside(path)
    path.unlink(missing_ok=True)


def _discard_beside(path: Path) -> None:
    for ending in BESIDE:
        Path(f"{path}{ending}").unlink(missing_ok=True)


def open_unsafely(path: Path, page: int, key: bytes | None) -> apsw.Connection:
    """A new file that nobody else knows and that a crash may ruin; ``page`` is its page size."""
    connection = connect(path, key, new=True)
    connection.execute(
        f"PRAGMA page_size = {page:d}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
        " PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536"
    ).fetchall()
    return connection


def prepare_for_many(path: Path, key: bytes | None) -> None:
    """Bring a file to the form that one writes and many read, and to disk."""
    connection = connect(path, key)
    _prepare_writer(connection)
    connection.close()
    _sync(path, os.O_RDONLY)


def sync_directory(path: Path) -> None:
    """Bring the names in a folder to disk."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    opened = os.open(path, flags)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def open_for_writing(path: Path, key: bytes | None) -> apsw.Connection:
    """An existing month file, open for writing."""
    connection = connect(path, key)
    _prepare_writer(connection)
    connection.execute(_EVERY_CONNECTION)
    return connection


def open_for_reading(path: Path, key: bytes | None) -> apsw.Connection:
    """An existing month file, open beside a writer in this or another process.

    Opened read-write, because a reader of a WAL file may have to make its shared memory, but
    nothing can be written through it.
    """
    connection = connect(path, key)
    connection.execute("PRAGMA mmap_size = 0")  # mapped pages would count as this process's memory
    connection.execute(_EVERY_CONNECTION)
    connection.execute("PRAGMA query_only = 1")
    connection.set_progress_handler(has_left, STEPS_BETWEEN_LOOKS)
    return connection


def connect(path: Path, key: bytes | None, *, new: bool = False) -> apsw.Connection:
    """A file of the index; with a key, all of it and of its write-ahead log is encrypted.

    SQLite keeps what it sorts in memory, so that there are no temporary files.

    Raises:
        IndexUnavailable: there is a key, and the library at hand can't encrypt.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI
    uri = f"file:{quote(str(path.absolute()))}"
    connection = apsw.Connection(uri, flags=flags | (apsw.SQLITE_OPEN_CREATE if new else 0))
    connection.set_busy_timeout(10_000)
    if key is not None:
        _encrypt(connection, key)
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _encrypt(connection: apsw.Connection, key: bytes) -> None:
    """Read and write with ChaCha20-Poly1305 under this key, which nothing is derived from."""
    if not hasattr(apsw, "mc_version"):
        raise IndexUnavailable("an encrypted index needs the package apsw-sqlite3mc, not apsw")
    connection.execute("PRAGMA cipher = 'chacha20'").fetchall()
    connection.execute(f"PRAGMA key = 'raw:{key.hex()}'").fetchall()


def _prepare_writer(connection: apsw.Connection) -> None:
    # Some of these answer with a row, and what follows it runs only when the row is taken.
    connection.execute(
        """
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA secure_delete = ON;
        PRAGMA journal_size_limit = 67108864;
        PRAGMA cache_size = -32768;
        """
    ).fetchall()
