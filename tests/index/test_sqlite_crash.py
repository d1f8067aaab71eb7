"""kill -9 of the writer: what the position promises is there, and replay mends the rest."""

import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from audit.index.criteria import Everything, Exists, Not, Term
from audit.index.document import IndexedRecord
from audit.index.port import Total
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from tests.index.records import MONTH_START
from tests.waiting import until

BATCH = 40
WRITER = """
    import sys
    from pathlib import Path
    from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
    from tests.index.test_sqlite_crash import BATCH, record

    index = SqliteIndex(SqliteIndexOptions(directory=Path(sys.argv[1])))
    print("writing", flush=True)
    while True:
        start = index.position()
        index.put([record(n) for n in range(start, start + BATCH)], start + BATCH)
"""


def record(sequence: int) -> IndexedRecord:
    """Records of a batch go to two months."""
    time = MONTH_START + (sequence % 3 - 1) * 1_000_000_000 + sequence
    return IndexedRecord(
        id=f"k3f9-{sequence}",
        sequence=sequence,
        time=time,
        received=time,
        fields={"user": (f"u{sequence % 5}",), "category": ("query",)},
    )


@pytest.mark.slow
@pytest.mark.parametrize("batches", [1, 4, 9])
def test_killed_while_writing(tmp_path: Path, batches: int) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", dedent(WRITER), str(tmp_path)], stdout=subprocess.PIPE
    )
    reader = SqliteIndex(SqliteIndexOptions(directory=tmp_path))
    try:
        until(lambda: reader.position() >= batches * BATCH, within_s=90)
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        reader.close()
    index = SqliteIndex(SqliteIndexOptions(directory=tmp_path))
    position = index.position()
    there = [r.sequence for r in index.search(Everything(), limit=100_000).records]
    assert set(range(position)) <= set(there)
    index.put([record(n) for n in range(position, position + BATCH)], position + BATCH)
    whole = position + BATCH
    assert index.count(Everything()) == Total(whole)
    assert index.count(Not(Exists("repeat_of"))) == Total(whole)
    assert index.count(Term("user", "u1")) == Total(len(range(1, whole, 5)))
    assert index.get(f"k3f9-{whole - 1}") == record(whole - 1)
    index.close()
