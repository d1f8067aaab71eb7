"""Jobs and what becomes of them go between processes whole."""

import pickle

from audit.index.document import IndexedRecord
from audit.journal.entry import Entry, EntryKind, Received
from audit.projector.jobs import Job, Projected

RECEIVED = Received(
    raw=b"<85>1 x",
    received_at=5,
    listener="tls",
    peer="10.1.2.3:4000",
    certificate_sha256=bytes(range(32)),
    kind=EntryKind.TRUNCATED,
    original_length=4711,
    flags=3,
    attributes=((7, b"a"), (9, b"b")),
)


def test_a_job_goes_to_another_process_whole() -> None:
    job = Job(Entry(42, bytes(16), RECEIVED, b"leaf" * 8), "CN=ct-01", "arr-41")
    gone: Job = pickle.loads(pickle.dumps(job))  # noqa: S301 - our own octets
    assert gone == job
    assert isinstance(gone.entry.received.kind, EntryKind)


def test_what_became_of_it_comes_back_whole() -> None:
    record = IndexedRecord(
        id="arr-42", sequence=42, time=7, received=5, fields={"user": ("jdoe",)}, body={"size": 7}
    )
    done = Projected(record, "ValueError")
    assert pickle.loads(pickle.dumps(done)) == done  # noqa: S301 - our own octets
