"""Checks one month file: pages, inverted index, and that its parts tell of the same records."""

from contextlib import closing
from pathlib import Path
from typing import Any

import apsw

from audit.index.sqlite_schema import open_for_writing

_COUNTS = """
SELECT (SELECT count(*) FROM documents), (SELECT value FROM about WHERE name = 'records'),
       (SELECT coalesce(sum(records), 0) FROM chunks)
"""


def fault_of(path: Path, key: bytes | None) -> str:
    """What is wrong with a month file, in words; empty when nothing is."""
    try:
        with closing(open_for_writing(path, key)) as connection:
            return _fault_in(connection)
    except apsw.Error as error:
        return str(error)


def _fault_in(connection: apsw.Connection) -> str:
    found = str(connection.execute("PRAGMA quick_check(1)").get)
    if found != "ok":
        return found
    connection.execute("INSERT INTO inverted(inverted) VALUES('integrity-check')")
    row: Any = connection.execute(_COUNTS).fetchone()
    documents, noted, in_columns = row
    if documents == noted == in_columns:
        return ""
    return f"{documents} documents, {noted} noted, {in_columns} in columns"
