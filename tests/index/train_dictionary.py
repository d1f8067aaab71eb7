"""Makes ``schemas/index/documents.zdict`` anew: ``python -m tests.index.train_dictionary``.

A new dictionary is for new month files only; each file keeps the one it was made with.
"""

from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path

import zstandard

from audit.index.document import IndexedRecord
from audit.index.sqlite_documents import plain
from audit.journal.entry import Entry, Received
from audit.projector.project import project
from audit.simulate.hospital import simulate

OCTETS = 65_536
RECORDS = 30_000
SAMPLES = 15_000
DELAY_NS = 50_000_000
TARGET = Path(__file__).parents[2] / "schemas" / "index" / "documents.zdict"


def simulated_records(seed: int, events: int) -> list[IndexedRecord]:
    """Records as the projector makes them, from a simulated hospital."""
    made = []
    messages = simulate(seed, datetime(2026, 1, 5, tzinfo=UTC), days=365, events=events)
    for sequence, message in enumerate(islice(messages, events)):
        received = Received(
            raw=message.syslog,
            received_at=message.time + DELAY_NS,
            listener="tls",
            peer="10.32.0.7:49152",
            certificate_sha256=sha256(message.node.encode()).digest(),
        )
        made.append(project(Entry(sequence, bytes(16), received), "k3f9x2ab"))
    return made


def main() -> None:
    records = simulated_records(seed=7, events=RECORDS)
    samples: list[bytes | bytearray | memoryview] = [
        plain(record) for record in records[:: RECORDS // SAMPLES]
    ]
    TARGET.write_bytes(zstandard.train_dictionary(OCTETS, samples, level=3).as_bytes())


if __name__ == "__main__":
    main()
