"""A reader that was asked for one page sees what is put afterwards."""

from pathlib import Path

from audit.index.criteria import Everything
from audit.index.document import IndexedRecord
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from tests.index.records import MONTH_START


def _record(sequence: int) -> IndexedRecord:
    at = MONTH_START + sequence * 1_000_000_000
    return IndexedRecord(
        id=f"k3f9-{sequence}", sequence=sequence, time=at, received=at, fields={"node": ("n",)}
    )


def test_a_page_that_was_not_the_last_holds_no_state_back(tmp_path: Path) -> None:
    index = SqliteIndex(SqliteIndexOptions(directory=tmp_path / "index"))
    try:
        index.put([_record(n) for n in range(40)], 40)
        for sequence in range(40, 43):
            assert len(index.search(Everything(), limit=2).records) == 2
            index.put([_record(sequence)], sequence + 1)
            assert index.count(Everything()).value == sequence + 1
            (newest,) = index.search(Everything(), limit=1).records
            assert newest.sequence == sequence
    finally:
        index.close()
