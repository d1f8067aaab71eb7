"""audit.journal.group_commit"""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from audit.errors import ConfigurationError, JournalBusy, JournalUnavailable
from audit.journal.entry import Received
from audit.journal.group_commit import CommitOptions, GroupCommit
from audit.journal.reader import JournalReader
from audit.journal.writer import JournalWriter
from tests.journal.faults import FaultyCalls
from tests.journal.journals import certificate, received, wait_until
from tests.journal.outcomes import QUICK, Outcomes


def test_records_of_many_threads_become_durable_together(
    tmp_path: Path, writer: JournalWriter, calls: FaultyCalls, outcomes: Outcomes
) -> None:
    commit = GroupCommit(writer, CommitOptions(gather_delay_s=0.02))
    commit.start()
    calls.fail("", 0, 0)

    def send(start: int) -> None:
        for number in range(start, start + 100):
            commit.submit(received(number), outcomes.done)

    threads = [threading.Thread(target=send, args=(n * 100,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert commit.stop() == 0
    assert sorted(outcomes.sequences) == list(range(400))
    assert outcomes.errors == []
    assert calls.counts["fdatasync"] < 100
    assert writer.head.size == 400
    assert commit.queued_octets == 0
    with JournalReader(tmp_path / "journal") as reader:
        assert len({entry.received.raw for entry in reader.iterate(0)}) == 400


def test_a_head_follows_while_records_arrive_and_after_the_last(writer: JournalWriter) -> None:
    commit = GroupCommit(writer, QUICK)
    commit.start()
    commit.submit(received(0))
    wait_until(lambda: writer.head.size == 1)
    commit.submit(received(1))
    wait_until(lambda: writer.head.size == 2)
    commit.stop()


def test_a_full_queue_refuses_and_tells_pressure(writer: JournalWriter) -> None:
    told: list[bool] = []
    commit = GroupCommit(writer, CommitOptions(queue_max_octets=10_000), told.append)
    one = len(received(0).raw) + 256
    accepted = 10_000 // (one + 4)
    for _ in range(accepted):
        commit.submit(received(0))
    with pytest.raises(JournalBusy, match="wait for the journal"):
        commit.submit(received(0, octets=one))
    assert told == [True]
    assert commit.queued_octets <= 10_000
    commit.start()
    wait_until(lambda: writer.durable_count == accepted)
    wait_until(lambda: told == [True, False])
    commit.stop()


def test_a_certificate_is_introduced_once(writer: JournalWriter) -> None:
    commit = GroupCommit(writer, QUICK)
    assert commit.introduce(certificate(1))
    assert not commit.introduce(certificate(1))
    commit.start()
    wait_until(lambda: writer.durable_count == 1)
    assert not commit.introduce(certificate(1))
    assert commit.introduce(certificate(2))
    with pytest.raises(ValueError, match="only a certificate"):
        commit.introduce(received(1))
    commit.stop()
    with pytest.raises(JournalUnavailable):
        commit.introduce(certificate(3))
    assert writer.certificates.pairs() == ((b"\1" * 32, 0), (b"\2" * 32, 1))


def test_large_records_go_in_several_batches(writer: JournalWriter, calls: FaultyCalls) -> None:
    commit = GroupCommit(writer, CommitOptions(batch_max_octets=1000, batch_max_entries=3))
    for number in range(9):
        commit.submit(received(number, octets=10 if number < 6 else 900))
    calls.fail("", 0, 0)
    commit.start()
    commit.stop()
    assert writer.durable_count == 9
    assert calls.counts["fdatasync"] >= 5


def test_a_large_batch_is_made_while_the_disk_is_at_work_a_small_one_after(
    writer: JournalWriter, outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable_before: list[int] = []
    begin = writer.begin

    def noting(batch: Sequence[Received]) -> range:
        durable_before.append(writer.durable_count)
        return begin(batch)

    monkeypatch.setattr(writer, "begin", noting)
    commit = GroupCommit(writer, CommitOptions(batch_max_entries=70, head_interval_s=1000))
    for number in range(200):
        commit.submit(received(number), outcomes.done)
    commit.start()
    wait_until(lambda: len(outcomes.sequences) == 200)
    commit.submit(received(200), outcomes.done)
    wait_until(lambda: len(outcomes.sequences) == 201)
    assert durable_before == [0, 0, 140, 200]
    assert commit.queued_octets == 0
    commit.stop()


@pytest.mark.parametrize("changes", [{"queue_max_octets": 0}, {"head_interval_s": 0}], ids=str)
def test_options_are_checked(changes: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        CommitOptions(**changes)
