"""audit.journal.writer: a batch is made while the disk is at work on the one before."""

import errno
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest
from typing_extensions import override

from audit.errors import JournalUnavailable
from audit.journal import background_disk
from audit.journal.background_disk import BackgroundWrite
from audit.journal.files import Files, SystemCalls
from audit.journal.heads import read_checkpoint
from audit.journal.position import read_position
from audit.journal.recovery import segment_files
from audit.journal.verify import verify
from tests.journal.faults import FaultyCalls, LittleRoom
from tests.journal.journals import MANY, certificate, open_writer, received


class _OrderedWrite(BackgroundWrite):
    def __init__(self, seen: list[str], fd: int, octets: bytes, offset: int) -> None:
        super().__init__(fd, octets, offset)
        self._seen = seen

    @override
    def begin(self) -> None:
        self._seen.append("begin")
        super().begin()

    @override
    def written(self) -> int:
        done = super().written()
        self._seen.append("written")
        return done

    @override
    def synced(self) -> None:
        super().synced()
        self._seen.append("synced")


class Order(SystemCalls):
    """Keeps the order of writes to segments and their syncs."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @override
    def pwritev(self, fd: int, buffers: Sequence[bytes | memoryview], offset: int) -> int:
        if sum(map(len, buffers)) > len("position"):
            self.seen.append("write")
        return super().pwritev(fd, buffers, offset)

    @override
    def background_write(self, fd: int, octets: bytes, offset: int) -> BackgroundWrite:
        return _OrderedWrite(self.seen, fd, octets, offset)

    @override
    def fdatasync(self, fd: int) -> None:
        super().fdatasync(fd)
        self.seen.append("synced")


def test_nothing_is_written_while_the_disk_is_at_work(tmp_path: Path) -> None:
    calls = Order()
    with open_writer(tmp_path, Files(calls)) as writer:
        writer.append([received(0)])
        calls.seen.clear()
        for start in (1, 1 + MANY):
            assert writer.begin([received(n) for n in range(start, start + MANY)])[0] == start
            assert writer.durable_count == start
        writer.begin([received(1 + 2 * MANY)])
        assert calls.seen == ["begin", "written", "synced"] * 2
        assert writer.durable_count == 1 + 2 * MANY
        writer.finish()
        assert calls.seen[6:] == ["written", "synced"]
        assert writer.durable_count == 2 + 2 * MANY
        calls.seen.clear()
        writer.finish()
        assert calls.seen == []


def test_what_was_begun_is_unseen_until_it_is_durable(tmp_path: Path) -> None:
    shown = tmp_path / "run" / "journal.position"
    with open_writer(tmp_path) as writer:
        assert writer.begin([received(n) for n in range(MANY)]) == range(MANY)
        assert read_position(shown) == writer.durable_count == 0
        writer.finish()
        assert read_position(shown) == MANY


@pytest.mark.parametrize("count", [1, MANY])
def test_a_head_a_new_segment_and_the_end_wait_for_what_was_begun(
    tmp_path: Path, count: int
) -> None:
    with open_writer(tmp_path, segment_max_entries=count) as writer:
        writer.begin([received(n) for n in range(count)])
        assert writer.publish_head().size == count
        writer.begin([received(n) for n in range(count)])
        writer.rotate_key(0)
        assert writer.durable_count == 2 * count
        writer.begin([certificate(1)])
        writer.begin([received(1)])
        assert (b"\1" * 32, 2 * count) in writer.certificates.pairs()
    assert read_checkpoint(tmp_path / "journal") is not None
    assert len(segment_files(tmp_path / "journal")) > 2
    found = verify(tmp_path / "journal")
    assert (found.exit_code, found.entries, found.covered) == (0, 2 * count + 2, 2 * count + 2)


@pytest.mark.parametrize(("count", "writes"), [(1, 1), (MANY, 0)])
def test_a_failed_sync_is_told_to_the_next_batch_of_which_nothing_is_written(
    tmp_path: Path, count: int, writes: int
) -> None:
    """A small batch is itself only written when it is waited for."""
    calls = FaultyCalls()
    with open_writer(tmp_path, Files(calls)) as writer:
        writer.append([received(0)])
        writer.begin([received(n) for n in range(1, 1 + count)])
        calls.fail("fdatasync", 1, errno.EIO)
        with pytest.raises(JournalUnavailable, match="sync failed"):
            writer.begin([received(n) for n in range(1 + count, 1 + 2 * count)])
        assert (writer.durable_count, calls.counts["pwrite"]) == (1, writes)
        assert calls.counts["pwritev"] == 0
        assert "restart" in writer.failure
    with open_writer(tmp_path) as writer:
        assert writer.durable_count == 1 + count


@pytest.mark.parametrize("next_count", [1, MANY])
def test_without_room_for_what_was_begun_neither_it_nor_the_next_is_durable(
    tmp_path: Path, next_count: int
) -> None:
    calls = FaultyCalls()
    with open_writer(tmp_path, Files(calls)) as writer:
        writer.append([received(0)])
        records = [received(n) for n in range(1, 1 + MANY + next_count)]
        calls.fail("pwrite", 1, errno.ENOSPC)
        writer.begin(records[:MANY])
        with pytest.raises(JournalUnavailable, match="No space left"):
            writer.begin(records[MANY:])
        assert (writer.durable_count, writer.failure) == (1, "")
        writer.finish()
        assert writer.append(records) == range(1, 1 + len(records))
    found = verify(tmp_path / "journal")
    assert (found.intact, found.entries) == (True, 1 + len(records))


def test_without_room_in_the_reserve_the_batch_before_is_durable(tmp_path: Path) -> None:
    calls = LittleRoom(10_000_000)
    with open_writer(tmp_path, Files(calls), reserve_octets=1000) as writer:
        writer.begin([received(n) for n in range(MANY)])
        calls.free = 400
        with pytest.raises(JournalUnavailable, match="free some space"):
            writer.begin([received(n) for n in range(MANY, 2 * MANY)])
        assert (writer.durable_count, writer.failure) == (MANY, "")
        calls.free = 10_000_000
        assert writer.append([received(n) for n in range(MANY, 2 * MANY)])[-1] == 2 * MANY - 1
    assert verify(tmp_path / "journal").intact


@pytest.mark.parametrize("count", [1, MANY])
def test_who_began_what_was_refused_meanwhile_is_told_before_anything_takes_its_place(
    tmp_path: Path, count: int
) -> None:
    calls = FaultyCalls()
    with open_writer(tmp_path, Files(calls)) as writer:
        writer.append([received(0)])
        for told in (lambda: writer.begin([received(99)]), writer.finish):
            calls.fail("pwrite", 1, errno.ENOSPC)
            writer.begin([received(n) for n in range(count)])
            with pytest.raises(JournalUnavailable, match="No space left"):
                writer.publish_head()  # as another thread does that replaces the key
            assert writer.publish_head().size == 1
            with pytest.raises(JournalUnavailable, match="No space left"):
                told()
            assert (writer.durable_count, writer.failure) == (1, "")
            writer.finish()
        assert writer.append([received(1)]) == range(1, 2)
    assert verify(tmp_path / "journal").intact


def test_a_dead_writer_writes_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = FaultyCalls()
    with open_writer(tmp_path, Files(calls)) as writer, monkeypatch.context() as patched:
        writer.begin([received(0)])
        patched.setattr("audit.journal.merkle.Tree.extend", Mock(side_effect=MemoryError))
        with pytest.raises(JournalUnavailable, match="no memory"):
            writer.begin([received(1)])
    assert calls.counts["pwrite"] == 0
    with open_writer(tmp_path) as writer:
        assert writer.durable_count == 0


def test_without_memory_once_a_batch_was_begun_the_disk_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = BackgroundWrite.begin

    def beginning(write: BackgroundWrite) -> None:
        begin(write)
        raise MemoryError

    before = set(background_disk._underway)
    with open_writer(tmp_path) as writer:
        monkeypatch.setattr(BackgroundWrite, "begin", beginning)
        with pytest.raises(JournalUnavailable, match="no memory"):
            writer.begin([received(n) for n in range(MANY)])
        assert background_disk._underway != before
    assert background_disk._underway == before


@pytest.mark.parametrize("fails", [False, True])
def test_what_was_refused_is_durably_cut_off_again(tmp_path: Path, fails: bool) -> None:
    calls = FaultyCalls()
    with open_writer(tmp_path, Files(calls)) as writer:
        writer.append([received(0)])
        calls.fail("pwrite", 1, errno.ENOSPC)
        writer.begin([received(n) for n in range(MANY)])
        calls.fail("fsync", 1 if fails else 0, errno.EIO)
        with pytest.raises(JournalUnavailable):
            writer.finish()
        assert (calls.counts["ftruncate"], calls.counts["fsync"]) == (1, 1)
        assert ("sync failed" in writer.failure) == fails
    assert verify(tmp_path / "journal").entries == 1


@pytest.mark.parametrize("count", [1, MANY])
def test_a_writer_may_be_closed_on_what_finds_no_room(tmp_path: Path, count: int) -> None:
    calls = FaultyCalls()
    writer = open_writer(tmp_path, Files(calls))
    writer.begin([received(n) for n in range(count)])
    writer.finish()
    calls.fail("pwrite", 1, errno.ENOSPC)
    writer.begin([received(n) for n in range(count)])
    with pytest.raises(JournalUnavailable, match="No space left"):
        writer.close()
    with open_writer(tmp_path) as again:
        assert again.durable_count == count
    assert verify(tmp_path / "journal").intact
