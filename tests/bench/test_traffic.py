import time
from itertools import islice

from audit.bench.senders import told_apart
from audit.bench.traffic import batches, entries, msg_of, received, recent
from audit.frame.syslog import read_header
from audit.projector.project import project


def test_recent_messages_keep_their_own_time() -> None:
    now = time.time_ns()
    for entry in entries(received(20, days=1)):
        record = project(entry, "bench")
        assert record.time == entry.received.received_at
        assert now - 86_400 * 10**9 - 10**9 <= record.time <= now


def test_exactly_so_many_and_each_in_a_batch() -> None:
    assert [len(batch) for batch in batches(recent(25), 10)] == [10, 10, 5]
    assert [entry.sequence for entry in entries(received(3, days=1), 7)] == [7, 8, 9]


def test_msg_is_bare_xml() -> None:
    assert all(msg_of(raw).startswith(b"<?xml") for raw in recent(5))


def test_repeated_messages_differ_in_the_header_time_alone() -> None:
    first = list(recent(3))
    sent = list(islice(told_apart(first), 9))
    assert len(set(sent)) == 9
    for number, raw in enumerate(sent):
        header = read_header(raw)
        assert not header.remarks
        assert header.timestamp.startswith(read_header(first[number % 3]).timestamp[:-1])
        assert msg_of(raw) == msg_of(first[number % 3])
