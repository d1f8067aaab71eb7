"""audit.journal.group_commit: whatever fails, each record is told so."""

import contextlib
import errno
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from audit.errors import AuditError, JournalUnavailable
from audit.journal.entry import Received
from audit.journal.files import Files
from audit.journal.group_commit import CommitOptions, GroupCommit
from audit.journal.reader import JournalReader
from audit.journal.verify import verify
from audit.journal.writer import JournalWriter
from tests.journal.faults import FaultyCalls, LittleRoom
from tests.journal.journals import open_writer, received, wait_until
from tests.journal.outcomes import QUICK, Outcomes


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
    wait_until(lambda: len(reported) > 0)
    assert [str(args.exc_value) for args in reported] == ["unforeseen"]
    assert len(outcomes.errors) + len(outcomes.sequences) == 300
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
