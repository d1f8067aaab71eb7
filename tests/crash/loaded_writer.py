"""A writer under load from four threads, to be killed: ``loaded_writer.py ROOT FIRST_NUMBER``.

Prints ``ready SECONDS`` and then ``SEQUENCE NUMBER`` for each record that is durable.
"""

import itertools
import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from audit.errors import AuditError, JournalBusy
from audit.journal.entry import Received
from audit.journal.group_commit import CommitOptions, GroupCommit
from audit.journal.writer import JournalOptions, JournalWriter

BODY = b" " + b"x" * 700


def main(root: Path, first: int) -> None:
    """Write until killed."""
    began = time.monotonic()
    writer = JournalWriter.open(
        root / "journal",
        JournalOptions(
            key_file=root / "keys" / "key",
            position_file=root / "run" / "position",
            segment_max_entries=3000,
            reserve_octets=0,
        ),
    )
    commit = GroupCommit(
        writer, CommitOptions(gather_delay_s=0.002, head_interval_s=0.05, queue_max_octets=1 << 20)
    )
    commit.start()
    os.write(1, b"ready %.4f\n" % (time.monotonic() - began))
    numbers = itertools.count(first)
    threads = [threading.Thread(target=send, args=(commit, numbers)) for _ in range(4)]
    for thread in threads:
        thread.start()


def send(commit: GroupCommit, numbers: "itertools.count[int]") -> None:
    """Submit without end, waiting while the queue is full."""
    pause = threading.Event()
    for number in numbers:
        record = Received(b"%d" % number + BODY, time.time_ns(), "tls", "192.0.2.1:6514")
        while not submit(commit, record, number):
            pause.wait(0.001)


def submit(commit: GroupCommit, record: Received, number: int) -> bool:
    """Whether the queue had room."""

    def done(sequence: int | None, error: AuditError | None) -> None:
        if error is not None or sequence is None:
            os._exit(3)
        os.write(1, b"%d %d\n" % (sequence, number))

    try:
        commit.submit(record, done)
    except JournalBusy:
        return False
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
