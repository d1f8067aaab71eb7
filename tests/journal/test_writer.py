"""audit.journal.writer: appending, segments, heads, room, the one-writer lock."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typing_extensions import override

from audit.errors import (
    ConfigurationError,
    IntegrityViolation,
    JournalBusy,
    JournalUnavailable,
)
from audit.journal.background_disk import BackgroundWrite
from audit.journal.files import Files
from audit.journal.heads import read_checkpoint
from audit.journal.merkle import EMPTY_ROOT
from audit.journal.note import open_note, parse_checkpoint
from audit.journal.position import read_position
from audit.journal.reader import JournalReader
from audit.journal.recovery import segment_files
from audit.journal.verify import verify
from audit.journal.writer import JournalOptions, JournalWriter
from tests.journal.faults import FaultyCalls, LittleRoom
from tests.journal.journals import (
    MANY,
    RECEIVED_AT,
    append_all,
    certificate,
    fill,
    open_writer,
    options,
    received,
)


def test_sequences_are_handed_out_in_order_and_shown(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        assert writer.append([received(0), received(1)]) == range(2)
        assert writer.append([received(2)]) == range(2, 3)
        assert writer.append([]) == range(3, 3)
        assert writer.durable_count == 3
        assert read_position(tmp_path / "run" / "journal.position") == 3


def test_a_new_journal_has_a_signed_empty_head_and_private_files(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        assert writer.head.size == 0
        assert writer.head.root == EMPTY_ROOT
        assert writer.head.origin == f"audit-record-repository/{writer.origin}"
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert not (tmp_path / "journal" / "keys").exists()


def test_a_restart_goes_on_where_it_ended(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    with open_writer(tmp_path) as writer:
        origin = writer.origin
        assert writer.recovery.durable_count == 5
        assert writer.recovery.recovered == writer.recovery.cut_octets == 0
        assert writer.append([received(5)]) == range(5, 6)
    with open_writer(tmp_path) as writer:
        assert writer.origin == origin
        assert writer.durable_count == 6


@pytest.mark.parametrize(
    "changes", [{"segment_max_entries": 10}, {"segment_max_octets": 2000}], ids=str
)
def test_segments_are_closed_by_entries_and_size(tmp_path: Path, changes: dict[str, int]) -> None:
    records = fill(tmp_path, 100, **changes)
    segments = segment_files(tmp_path / "journal")
    assert len(segments) > 5
    if "segment_max_octets" in changes:
        sizes = [path.stat().st_size for _, path in segments]
        assert max(sizes) < 2000 + 1000
    with JournalReader(tmp_path / "journal") as reader:
        assert [entry.received for entry in reader.iterate(0)] == records
    assert verify(tmp_path / "journal").violations == ()


def test_segments_are_closed_by_age_but_never_empty(tmp_path: Path) -> None:
    now = [RECEIVED_AT]
    writer = JournalWriter.open(
        tmp_path / "journal", options(tmp_path, segment_max_age_s=60), clock=lambda: now[0]
    )
    with writer:
        now[0] += 100 * 10**9
        writer.append([received(0)])
        now[0] += 59 * 10**9
        writer.append([received(1)])
        assert len(segment_files(tmp_path / "journal")) == 2
        now[0] += 60 * 10**9
        writer.append([received(2)])
    assert [first for first, _ in segment_files(tmp_path / "journal")] == [0, 1, 2]


def test_heads_are_signed_and_cover_the_last_entry_at_the_end(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        writer.append([received(0)])
        head = writer.publish_head()
        assert writer.publish_head() is head
        key = writer.identity.current_key
        writer.append([received(1)])
    note = read_checkpoint(tmp_path / "journal")
    assert parse_checkpoint(open_note(note, [key])).size == 2


def test_a_second_writer_is_told_who_has_the_journal(tmp_path: Path) -> None:
    with (
        open_writer(tmp_path),
        pytest.raises(JournalBusy, match=f"process {os.getpid()} is writing"),
    ):
        open_writer(tmp_path)


def test_a_dying_predecessor_is_waited_for(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    code = (
        "import fcntl,os,sys\n"
        f"fd=os.open({str(tmp_path / 'journal')!r},os.O_RDONLY)\n"
        "fcntl.flock(fd,fcntl.LOCK_EX)\n"
        "print('held',flush=True)\n"
        "sys.stdin.read(1)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(JournalBusy, match=f"process {child.pid}"):
            open_writer(tmp_path)
        child.stdin.write(b"x")
        child.stdin.flush()
        open_writer(tmp_path, lock_wait_s=10.0).close()


def test_no_room_refuses_and_recovers_by_itself(tmp_path: Path) -> None:
    calls = LittleRoom(10_000)
    with open_writer(tmp_path, Files(calls), reserve_octets=1000) as writer:
        assert writer.has_room()
        calls.free = 900
        assert not writer.has_room()
        assert writer.append([received(0)]) == range(1)
        calls.free = 510
        with pytest.raises(JournalUnavailable, match="free some space"):
            writer.append([received(1)])
        calls.free = -1
        assert not writer.has_room()
        with pytest.raises(JournalUnavailable, match="can't be asked"):
            writer.append([received(1)])
        assert not writer.failure
        calls.free = 10_000
        assert writer.append([received(1)]) == range(1, 2)


@pytest.mark.parametrize("count", [2, MANY])
def test_a_full_disk_in_the_middle_of_a_write_is_undone(tmp_path: Path, count: int) -> None:
    calls = FaultyCalls()
    with open_writer(tmp_path, Files(calls)) as writer:
        writer.append([received(0)])
        size = segment_files(tmp_path / "journal")[-1][1].stat().st_size
        calls.fail("pwrite", 1, errno.ENOSPC)
        with pytest.raises(JournalUnavailable, match="No space"):
            writer.append([received(n) for n in range(1, 1 + count)])
        assert segment_files(tmp_path / "journal")[-1][1].stat().st_size == size
        assert not writer.failure
        assert writer.append([received(1)]) == range(1, 2)
    assert verify(tmp_path / "journal").entries == 2


class _FullWrite(BackgroundWrite):
    @override
    def written(self) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FullThenUncuttable(FaultyCalls):
    """Once told to fail, neither writes nor cuts."""

    @override
    def background_write(self, fd: int, octets: bytes, offset: int) -> BackgroundWrite:
        write = _FullWrite if self._name else BackgroundWrite
        return write(fd, octets, offset)


@pytest.mark.parametrize(
    ("calls", "name"),
    [(FaultyCalls(), "fdatasync"), (FullThenUncuttable(), "ftruncate")],
    ids=["sync", "undo"],
)
def test_after_a_failed_sync_or_undo_the_writer_is_dead(
    tmp_path: Path, calls: FaultyCalls, name: str
) -> None:
    calls.heal()
    writer = open_writer(tmp_path, Files(calls))
    with writer:
        writer.append([received(0)])
        calls.fail(name, 1, errno.ENOSPC)
        with pytest.raises(JournalUnavailable, match="sync failed"):
            writer.append([received(n) for n in range(1, 1 + MANY)])
        assert "restart" in writer.failure
        calls.heal()
        syncs = calls.counts["fdatasync"]
        for again in (lambda: writer.append([received(1)]), writer.publish_head):
            with pytest.raises(JournalUnavailable, match="no more data"):
                again()
        assert calls.counts["fdatasync"] == syncs
    with open_writer(tmp_path) as writer:
        assert writer.durable_count in {1, 1 + MANY}


def test_without_memory_for_a_batch_the_writer_is_dead_and_a_restart_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError

    fill(tmp_path, 3)
    with open_writer(tmp_path) as writer, monkeypatch.context() as patched:
        patched.setattr("audit.journal.merkle.Tree.extend", no_memory)
        for why in ("no memory for a batch", "takes no more data: there was no memory"):
            with pytest.raises(JournalUnavailable, match=why):
                writer.append([received(3)])
    with open_writer(tmp_path) as writer:
        assert writer.durable_count >= 3, "what was promised, and what had been written beyond"
        writer.append([received(4)])
    assert verify(tmp_path / "journal").intact


def test_a_closed_writer_takes_nothing(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    writer.close()
    writer.close()
    with pytest.raises(JournalUnavailable, match="closed"):
        writer.append([received(0)])


def test_certificates_in_the_log_are_known_after_a_restart(tmp_path: Path) -> None:
    with open_writer(tmp_path, segment_max_entries=3) as writer:
        append_all(writer, [certificate(1), received(1), certificate(2), received(3)], batch=1)
    with open_writer(tmp_path, segment_max_entries=3) as writer:
        assert writer.certificates.pairs() == ((b"\1" * 32, 0), (b"\2" * 32, 2))
        writer.append([certificate(1)])
        assert writer.certificates.sequence(b"\1" * 32) == 4


def test_the_key_is_the_journals(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    key_file = tmp_path / "keys" / "log-signing.key"
    kept = key_file.read_bytes()
    key_file.unlink()
    with pytest.raises(ConfigurationError, match="restore it"):
        open_writer(tmp_path)
    fill(tmp_path / "other", 1)
    key_file.write_bytes((tmp_path / "other" / "keys" / "log-signing.key").read_bytes())
    key_file.chmod(0o600)
    with pytest.raises(ConfigurationError, match="not the key of this journal"):
        open_writer(tmp_path)
    key_file.write_bytes(kept)
    key_file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        open_writer(tmp_path)
    key_file.chmod(0o600)
    open_writer(tmp_path).close()


@pytest.mark.parametrize("content", [b"", b"no pem", "ec"])
def test_a_key_file_must_hold_an_ed25519_key(tmp_path: Path, content: bytes | str) -> None:
    if content == "ec":
        key = ec.generate_private_key(ec.SECP256R1())
        content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert isinstance(content, bytes)
    (tmp_path / "keys").mkdir()
    key_file = tmp_path / "keys" / "log-signing.key"
    key_file.write_bytes(content)
    key_file.chmod(0o600)
    with pytest.raises(ConfigurationError):
        open_writer(tmp_path)


def test_records_without_identity_are_left_alone(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    (tmp_path / "journal" / "identity").unlink()
    with pytest.raises(IntegrityViolation, match="identity is missing"):
        open_writer(tmp_path)


def test_a_name_prefix_must_fit(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="log_name_prefix"):
        open_writer(tmp_path, log_name_prefix="has space")
    with open_writer(tmp_path, log_name_prefix="hospital.example/arr") as writer:
        assert writer.identity.name == f"hospital.example/arr/{writer.origin}"


@pytest.mark.parametrize(
    "changes",
    [{"segment_max_octets": 0}, {"segment_max_age_s": -1}, {"reserve_octets": -1}],
    ids=str,
)
def test_options_are_checked(changes: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        JournalOptions(key_file=Path("k"), position_file=Path("p"), **changes)  # type: ignore[arg-type]


def test_a_journal_that_can_not_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b"a file")
    with pytest.raises(JournalUnavailable, match="can't be opened"):
        open_writer(tmp_path)


def test_another_process_may_ask_to_close_the_segment(tmp_path: Path) -> None:
    request = tmp_path / "close-segment"
    with open_writer(tmp_path, close_request_file=request) as writer:
        request.touch()
        writer.append([received(0)])
        assert not request.exists()
        assert [first for first, _ in segment_files(tmp_path / "journal")] == [0]
        request.touch()
        writer.append([received(1)])
        assert not request.exists()
        writer.append([received(2)])
    assert [first for first, _ in segment_files(tmp_path / "journal")] == [0, 1]
    assert verify(tmp_path / "journal").notes == ()
