"""audit.journal.group_commit"""

import contextlib
import errno
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from audit.errors import AuditError, ConfigurationError, JournalBusy, JournalUnavailable
from audit.journal.entry import Received
from audit.journal.files import Files
from audit.journal.group_commit import CommitOptions, GroupCommit
from audit.journal.reader import JournalReader
from audit.journal.verify import verify
from audit.journal.writer import JournalWriter
from tests.journal.faults import FaultyCalls, LittleRoom
from tests.journal.journals import certificate, open_writer, received, wait_until

QUICK = CommitOptions(gather_delay_s=0.001, head_interval_s=0.02, room_poll_s=0.01)


class Outcomes:
    """Collects what callbacks were told."""

    def __init__(self) -> None:
        self.sequences: list[int] = []
        self.errors: list[AuditError] = []
        self.told = threading.Event()

    def done(self, sequence: int | None, error: AuditError | None) -> None:
        if sequence is not None:
            self.sequences.append(sequence)
        if error is not None:
            self.errors.append(error)
        self.told.set()


@pytest.fixture
def outcomes() -> Outcomes:
    return Outcomes()


@pytest.fixture
def calls() -> FaultyCalls:
    return FaultyCalls()


@pytest.fixture
def writer(tmp_path: Path, calls: FaultyCalls) -> Iterator[JournalWriter]:
    with open_writer(tmp_path, Files(calls)) as opened:
        yield opened


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


def test_a_dead_writer_fails_all_and_takes_no_more(
    tmp_path: Path, writer: JournalWriter, calls: FaultyCalls, outcomes: Outcomes
) -> None:
    told: list[bool] = []
    commit = GroupCommit(writer, QUICK, told.append)
    commit.submit(received(0), outcomes.done)
    commit.submit(received(1), outcomes.done, waits_for_room=True)
    calls.fail("fdatasync", 1, errno.EIO)
    commit.start()
    wait_until(lambda: len(outcomes.errors) == 2)
    assert outcomes.sequences == []
    assert all(isinstance(error, JournalUnavailable) for error in outcomes.errors)
    with pytest.raises(JournalUnavailable, match="no more data"):
        commit.submit(received(2))
    wait_until(lambda: told == [True])
    assert commit.stop() == 0
    assert verify(tmp_path / "journal").intact


def test_without_room_patient_records_wait_and_others_fail_at_once(
    tmp_path: Path, outcomes: Outcomes
) -> None:
    room = LittleRoom(0)
    told: list[bool] = []
    patient = Outcomes()
    with open_writer(tmp_path, Files(room), reserve_octets=1000) as writer:
        commit = GroupCommit(writer, QUICK, told.append)
        commit.start()
        commit.submit(received(0), patient.done, waits_for_room=True)
        wait_until(lambda: told == [True])
        wait_until(lambda: not commit.has_room)
        commit.submit(received(1), outcomes.done)
        wait_until(lambda: len(outcomes.errors) == 1)
        assert not patient.told.is_set()
        room.free = 100_000
        wait_until(lambda: patient.sequences == [0])
        wait_until(lambda: told == [True, False])
        wait_until(lambda: commit.has_room)
        commit.stop()


def test_room_is_looked_for_without_records_too(tmp_path: Path) -> None:
    room = LittleRoom(900)
    told: list[bool] = []
    with open_writer(tmp_path, Files(room), reserve_octets=1000) as writer:
        commit = GroupCommit(writer, QUICK, told.append)
        commit.start()
        commit.submit(received(0))
        wait_until(lambda: told == [True])
        room.free = 5000
        wait_until(lambda: told == [True, False])
        commit.stop()
        assert writer.durable_count == 1


def test_records_that_found_no_room_are_given_up_at_the_end(
    tmp_path: Path, outcomes: Outcomes
) -> None:
    with open_writer(tmp_path, Files(LittleRoom(0)), reserve_octets=1000) as writer:
        commit = GroupCommit(writer, QUICK)
        commit.start()
        commit.submit(received(0), outcomes.done, waits_for_room=True)
        assert commit.stop(timeout_s=0.05) == 1
        assert isinstance(outcomes.errors[0], JournalUnavailable)


def test_a_head_that_found_no_room_is_signed_later(
    tmp_path: Path, calls: FaultyCalls, writer: JournalWriter
) -> None:
    commit = GroupCommit(writer, QUICK)
    commit.start()
    calls.fail("rename", 1, errno.ENOSPC)
    commit.submit(received(0))
    wait_until(lambda: calls.fired)
    wait_until(lambda: (tmp_path / "journal" / "checkpoint").read_text().split("\n")[1] == "1")
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


def test_a_failing_callback_is_reported_and_holds_nobody_up(
    writer: JournalWriter, outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)

    def fails(*_: object) -> None:
        raise RuntimeError("loop is closed")

    commit = GroupCommit(writer, QUICK)
    commit.submit(received(0), fails)
    commit.submit(received(1), outcomes.done)
    commit.start()
    wait_until(lambda: outcomes.sequences == [1])
    commit.stop()
    assert [str(args.exc_value) for args in reported] == ["loop is closed"]


def test_a_failing_callback_that_can_not_be_reported_holds_nobody_up(
    writer: JournalWriter, outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", Mock(side_effect=BrokenPipeError))
    commit = GroupCommit(writer, QUICK)
    commit.submit(received(0), Mock(side_effect=RuntimeError))
    commit.submit(received(1), outcomes.done)
    commit.start()
    wait_until(lambda: outcomes.sequences == [1])
    commit.stop()
    assert writer.failure == ""


def test_without_memory_while_a_batch_is_taken_every_record_is_told(
    writer: JournalWriter, outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", Mock())
    commit = GroupCommit(writer, CommitOptions(batch_max_entries=70))
    for number in range(100):
        commit.submit(received(number), outcomes.done, waits_for_room=True)
    octets = vars(type(commit._queue[0]))["octets"]
    looked = iter(range(30))

    def of(waiting: Any) -> int:
        if next(looked, None) is None and threading.current_thread() is commit._thread:
            monkeypatch.undo()
            monkeypatch.setattr(threading, "excepthook", Mock())
            raise MemoryError
        return int(octets.fget(waiting))

    monkeypatch.setattr(type(commit._queue[0]), "octets", property(of))
    commit.start()
    wait_until(lambda: len(outcomes.errors) == 100)
    assert "MemoryError" in writer.failure
    assert commit.queued_octets == 0
    commit.stop()


@pytest.mark.parametrize("changes", [{"queue_max_octets": 0}, {"head_interval_s": 0}], ids=str)
def test_options_are_checked(changes: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        CommitOptions(**changes)


def test_senders_are_not_told_to_go_on_before_a_batch_found_room(
    writer: JournalWriter, calls: FaultyCalls
) -> None:
    told: list[bool] = []
    commit = GroupCommit(
        writer, CommitOptions(batch_max_entries=70, room_poll_s=0.001), told.append
    )
    for number in range(450):
        commit.submit(received(number), waits_for_room=True)
    calls.fail("pwrite", 1, errno.ENOSPC, sticky=True)
    commit.start()
    wait_until(lambda: calls.counts["pwrite"] > 20)
    assert (told, commit.has_room) == ([True], False)
    calls.heal()
    wait_until(lambda: writer.durable_count == 450)
    wait_until(lambda: (told, commit.has_room) == ([True, False], True))
    commit.stop()


def test_a_refusal_that_another_thread_met_first_is_told_all_the_same(
    tmp_path: Path, writer: JournalWriter, calls: FaultyCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int | None]] = []
    begin = writer.begin
    met: list[JournalUnavailable] = []

    def beginning(batch: Sequence[Received]) -> range:
        sequences = begin(batch)
        if not met:
            with pytest.raises(JournalUnavailable) as caught:
                writer.rotate_key(0)
            met.append(caught.value)
        return sequences

    monkeypatch.setattr(writer, "begin", beginning)
    commit = GroupCommit(writer, CommitOptions(batch_max_entries=70, room_poll_s=0.001))
    for number in range(200):
        waits = number != 5

        def done(sequence: int | None, _: object, number: int = number) -> None:
            told.append((number, sequence))

        commit.submit(received(number), done, waits_for_room=waits)
    calls.fail("pwrite", 1, errno.ENOSPC)
    commit.start()
    wait_until(lambda: len(told) == 200)
    commit.stop()
    assert told[0] == (5, None)
    kept = [number for number in range(200) if number != 5]
    assert told[1:] == list(zip(kept, range(199), strict=True))
    with JournalReader(tmp_path / "journal") as reader:
        assert [one.received.raw for one in reader.iterate(0)] == [
            received(number).raw for number in kept
        ]


class Panic(BaseException):
    """As extension modules raise it."""


@pytest.mark.parametrize("kind", [RuntimeError, Panic])
def test_an_error_that_nobody_expected_leaves_no_record_without_an_answer(
    writer: JournalWriter,
    outcomes: Outcomes,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[BaseException],
) -> None:
    reported: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)
    begin = writer.begin

    def failing(batch: Sequence[Received]) -> range:
        if writer.durable_count or begun:
            raise kind("unforeseen")
        begun.append(len(batch))
        return begin(batch)

    begun: list[int] = []
    monkeypatch.setattr(writer, "begin", failing)
    pressed: list[bool] = []
    commit = GroupCommit(writer, CommitOptions(batch_max_entries=70), pressed.append)
    for number in range(300):
        commit.submit(received(number), outcomes.done, waits_for_room=number % 2 > 0)
    commit.start()
    wait_until(lambda: len(outcomes.errors) + len(outcomes.sequences) == 300)
    assert [str(args.exc_value) for args in reported] == ["unforeseen"]
    assert "unforeseen" in writer.failure
    assert pressed == [True]
    assert len(outcomes.sequences) == writer.durable_count
    assert commit.queued_octets == 0
    with pytest.raises(JournalUnavailable, match="unforeseen"):
        commit.submit(received(0))
    commit.stop()


def test_a_stop_that_takes_too_long_gives_up_what_is_refused_afterwards(
    writer: JournalWriter, calls: FaultyCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[AuditError | None] = []
    begun, go_on = threading.Event(), threading.Event()
    begin = writer.begin

    def slow(batch: Sequence[Received]) -> range:
        begun.set()
        go_on.wait()
        return begin(batch)

    monkeypatch.setattr(writer, "begin", slow)
    commit = GroupCommit(writer, CommitOptions(batch_max_entries=70))
    for number in range(100):
        commit.submit(received(number), lambda _, why: told.append(why), waits_for_room=True)
    calls.fail("pwrite", 1, errno.ENOSPC, sticky=True)
    commit.start()
    begun.wait()
    assert commit.stop(timeout_s=0.01) == 30
    go_on.set()
    wait_until(lambda: len(told) == 100)
    assert None not in told
    assert commit.queued_octets == 0


@pytest.mark.parametrize("at", range(1, 9))
@pytest.mark.parametrize(
    ("call", "error"),
    [
        *(("pwritev", errno.ENOSPC), ("pwritev", errno.EIO)),
        *(("pwrite", errno.ENOSPC), ("pwrite", errno.EIO), ("fdatasync", errno.EIO)),
    ],
)
def test_whatever_fails_each_record_is_told_once_and_in_order(
    tmp_path: Path, writer: JournalWriter, calls: FaultyCalls, call: str, error: int, at: int
) -> None:
    told: list[tuple[int, int | None]] = []
    commit = GroupCommit(writer, CommitOptions(batch_max_entries=70, room_poll_s=0.001))

    def settled(number: int) -> Callable[[int | None, AuditError | None], None]:
        return lambda sequence, _: told.append((number, sequence))

    for number in range(450):
        commit.submit(received(number), settled(number), waits_for_room=number % 3 > 0)
    calls.fail(call, at, error)
    commit.start()
    wait_until(lambda: len(told) == 450)
    assert commit.queued_octets == 0
    with contextlib.suppress(JournalUnavailable):  # of a writer that died, no head can be signed
        commit.stop()
    assert sorted(number for number, _ in told) == list(range(450))
    durable = [(number, sequence) for number, sequence in told if sequence is not None]
    assert durable == sorted(durable)
    assert [sequence for _, sequence in durable] == list(range(len(durable)))
    assert verify(tmp_path / "journal").intact
    with JournalReader(tmp_path / "journal") as reader:
        raws = [entry.received.raw for entry in reader.iterate(0)][: len(durable)]
    assert raws == [received(number).raw for number, _ in durable]
