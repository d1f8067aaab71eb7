"""Projects simulated traffic and everything that breaks a rule; prints a digest of all records.

Run in a process of its own, once with interpreted and once with compiled modules.
"""

import hashlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson

from audit.bench.machine import is_compiled
from audit.journal.entry import Entry, Received
from audit.projector.project import project
from audit.simulate.hospital import simulate
from tests.conformance.test_rules import CASES

HEADER = b"<85>1 - ws app - IHE+RFC-3881 - "
START = datetime(2026, 3, 1, tzinfo=UTC)


def arrived(events: int) -> Iterator[Received]:
    """Twice each, for what is remembered must make no difference."""
    for one in simulate(7, START, days=1.0, events=events):
        for later in range(2):
            yield Received(
                raw=one.syslog, received_at=one.time + later, listener="tls", peer="10.0.0.1:1"
            )
    for case in CASES:
        for msg in (case.whole, case.broken):
            yield Received(raw=HEADER + msg, received_at=0, listener="udp", peer="")


def digest(events: int) -> str:
    """SHA-256 of all that searches and pages see."""
    made = hashlib.sha256()
    for sequence, received in enumerate(arrived(events)):
        record = project(Entry(sequence, bytes(16), received), "log")
        made.update(orjson.dumps((record.time, record.fields, record.body)))
    return made.hexdigest()


if __name__ == "__main__":
    print("compiled" if is_compiled() else "interpreted", digest(int(sys.argv[1])))  # noqa: T201
