"""What is killed in the campaign: ``killed_projector.py collect|project ROOT``.

``collect`` appends simulated messages to a journal until killed, 1,500 of them received a month;
``project`` follows it into an embedded index, and seals months that are past. Each prints a line
with a full stop whenever something is durable.
"""

import itertools
import os
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from audit.errors import IndexUnavailable, JournalUnavailable
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from audit.journal.entry import Received
from audit.journal.reader import JournalReader
from audit.journal.writer import JournalOptions, JournalWriter
from audit.projector.follow import Follower, FollowOptions
from audit.simulate.hospital import simulate

BATCH = 20
MESSAGES = 1_000
START = datetime(2026, 1, 5, tzinfo=UTC)
SPACING_NS = 30 * 86_400 * 1_000_000_000 // 1_500
PACE_S = 0.1


def open_writer(root: Path) -> JournalWriter:
    """The journal, its tail mended."""
    options = JournalOptions(
        key_file=root / "keys" / "key",
        position_file=root / "run" / "position",
        segment_max_entries=500,
        reserve_octets=0,
    )
    return JournalWriter.open(root / "journal", options)


def open_reader(root: Path) -> JournalReader:
    """What is durable of it."""
    return JournalReader(root / "journal", root / "run" / "position")


def open_index(root: Path) -> SqliteIndex:
    """The index of that journal."""
    return SqliteIndex(SqliteIndexOptions(directory=root / "index"))


def collect(root: Path) -> None:
    """Go on with the first message that isn't there, over and over through all of them."""
    writer = open_writer(root)
    messages = list(simulate(7, START, events=MESSAGES))
    began = int(START.timestamp()) * 1_000_000_000
    while True:
        count = writer.durable_count
        writer.append(
            [
                Received(messages[n % MESSAGES].syslog, began + n * SPACING_NS, "tls", "a")
                for n in range(count, count + BATCH)
            ]
        )
        os.write(1, b".\n")
        threading.Event().wait(PACE_S)


def project(root: Path) -> None:
    """Follow; seal beside."""
    index = open_index(root)
    reader = _waited_for(root)
    follower = Follower(reader, index, FollowOptions(batch_records=BATCH))
    threading.Thread(target=_seal, args=(index,), daemon=True).start()
    while True:
        if follower.step():
            os.write(1, b".\n")


def _waited_for(root: Path) -> JournalReader:
    for _ in itertools.count():
        with suppress(JournalUnavailable):
            return open_reader(root)
        threading.Event().wait(0.01)
    raise AssertionError


def _seal(index: SqliteIndex) -> None:
    while True:
        with suppress(IndexUnavailable):
            index.seal()
        threading.Event().wait(0.05)


if __name__ == "__main__":
    {"collect": collect, "project": project}[sys.argv[1]](Path(sys.argv[2]))
