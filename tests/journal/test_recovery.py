"""audit.journal.recovery and audit.journal.initialise: what a start makes of a crash."""

import contextlib
import errno
import shutil
from pathlib import Path

import pytest

from audit.errors import IntegrityViolation, JournalUnavailable
from audit.journal.files import Files
from audit.journal.heads import history_files
from audit.journal.recovery import segment_files
from audit.journal.verify import verify
from audit.journal.writer import JournalWriter
from tests.journal.faults import FaultyCalls
from tests.journal.journals import fill, open_writer, options, received


def crashed(root: Path, count: int, covered: int) -> Path:
    """A journal of so many entries as a killed writer leaves it; the path of its last segment."""
    writer = open_writer(root)
    for number in range(count):
        writer.append([received(number)])
        if number + 1 == covered:
            writer.publish_head()
    shutil.copytree(root, root / "copy", symlinks=True)
    writer.close()
    for name in ("journal", "run"):
        shutil.rmtree(root / name)
        shutil.move(root / "copy" / name, root / name)
    return segment_files(root / "journal")[-1][1]


def test_entries_above_the_last_head_are_recovered(tmp_path: Path) -> None:
    crashed(tmp_path, 9, 4)
    report = verify(tmp_path / "journal")
    assert (report.covered, report.entries, report.violations) == (4, 9, ())
    with open_writer(tmp_path) as writer:
        assert writer.recovery.recovered == 5
        assert writer.recovery.lost == 0
        assert writer.head.size == 9
        assert writer.append([received(9)]) == range(9, 10)
    assert verify(tmp_path / "journal").covered == 10


def test_a_tail_torn_at_every_octet_is_cut_and_reported(tmp_path: Path) -> None:
    path = crashed(tmp_path / "whole", 4, 2)
    octets = path.read_bytes()
    start = octets.rindex(b"ARRE")
    for length in range(start, len(octets), 7):
        root = tmp_path / str(length)
        shutil.copytree(tmp_path / "whole", root)
        torn = segment_files(root / "journal")[-1][1]
        torn.write_bytes(octets[:length])
        report = verify(root / "journal")
        assert report.violations == ()
        assert len(report.notes) == (0 if length == start else 1)
        with open_writer(root) as writer:
            recovery = writer.recovery
            assert recovery.durable_count == 3
            assert recovery.cut_octets == length - start
            assert recovery.cut_offset == (start if length > start else 0)
            assert recovery.lost == 1
            writer.append([received(3)])
        assert verify(root / "journal").entries == 4


@pytest.mark.parametrize("tail", [bytes(600), b"ARRE", b"\xff" * 100], ids=["zeros", "magic", "x"])
def test_garbage_after_the_end_is_cut(tmp_path: Path, tail: bytes) -> None:
    path = crashed(tmp_path, 3, 3)
    with path.open("ab") as stream:
        stream.write(tail)
    with open_writer(tmp_path) as writer:
        assert writer.recovery.cut_octets == len(tail)
        assert writer.durable_count == 3


def test_an_entry_out_of_sequence_is_no_part_of_the_journal(tmp_path: Path) -> None:
    path = crashed(tmp_path, 3, 3)
    octets = path.read_bytes()
    path.write_bytes(octets + octets[octets.rindex(b"ARRE") :])
    assert "entry 2 stands here" in verify(tmp_path / "journal").violations[0].problem
    with open_writer(tmp_path) as writer:
        assert writer.durable_count == 3


@pytest.mark.parametrize("at", [0.2, 0.5])
def test_damage_below_a_signed_head_stops_the_start_and_changes_nothing(
    tmp_path: Path, at: float
) -> None:
    path = crashed(tmp_path, 8, 8)
    open_writer(tmp_path).close()
    octets = bytearray(path.read_bytes())
    octets[int(len(octets) * at)] ^= 1
    path.write_bytes(octets)
    with pytest.raises(IntegrityViolation, match="run: arr verify"):
        open_writer(tmp_path)
    assert path.read_bytes() == octets
    assert verify(tmp_path / "journal").exit_code == 4


def test_another_history_below_a_signed_head_stops_the_start(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    path = segment_files(tmp_path / "journal")[0][1]
    octets = path.read_bytes()
    head_length = octets.index(b"ARRE")
    fill(tmp_path / "other", 3)
    other = segment_files(tmp_path / "other" / "journal")[0][1].read_bytes()
    path.write_bytes(octets[:head_length] + other[other.index(b"ARRE") :])
    with pytest.raises(IntegrityViolation, match="not those that the signed head covers"):
        open_writer(tmp_path)


def test_a_foreign_segment_stops_the_start(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    fill(tmp_path / "other", 3)
    path = segment_files(tmp_path / "journal")[0][1]
    shutil.copy(segment_files(tmp_path / "other" / "journal")[0][1], path)
    with pytest.raises(IntegrityViolation, match="not a segment of this journal"):
        open_writer(tmp_path)
    path.unlink()
    with pytest.raises(IntegrityViolation, match="no segments"):
        open_writer(tmp_path)


def test_a_cut_history_of_heads_stops_the_start(tmp_path: Path) -> None:
    fill(tmp_path, 8, batch=1)
    path = history_files(tmp_path / "journal")[-1][1]
    octets = path.read_bytes()
    path.write_bytes(octets[: octets.rindex(b"head ")])
    with pytest.raises(IntegrityViolation, match="history of signed heads is cut"):
        open_writer(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(IntegrityViolation, match="history of signed heads is cut"):
        open_writer(tmp_path)


def test_an_unfinished_head_is_cut_and_an_unshown_one_shown(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    journal = tmp_path / "journal"
    older = (journal / "checkpoint").read_bytes()
    fill_more(tmp_path, 2)
    newer = (journal / "checkpoint").read_bytes()
    (journal / "checkpoint").write_bytes(older)
    path = history_files(journal)[-1][1]
    with path.open("ab") as stream:
        stream.write(b"head 7\nunfinished")
    (journal / "checkpoint.tmp").write_bytes(b"left over")
    report = verify(journal)
    assert report.intact
    assert [note.partition(" ")[0] for note in report.notes] == [
        "checkpoint",
        "17",
        "checkpoint.tmp",
    ]
    assert report.notes[0] == "checkpoint shows a head of size 2; the newest is of 3"
    open_writer(tmp_path).close()
    assert (journal / "checkpoint").read_bytes() == newer
    assert not (journal / "checkpoint.tmp").exists()
    assert verify(journal).notes == ()


def fill_more(root: Path, start: int) -> None:
    with open_writer(root) as writer:
        writer.append([received(start)])


def test_a_crash_between_foot_and_next_segment(tmp_path: Path) -> None:
    calls = FaultyCalls()
    writer = open_writer(tmp_path, Files(calls), segment_max_entries=3)
    writer.append([received(n) for n in range(3)])
    calls.fail("open", 1, errno.EIO)
    with pytest.raises(JournalUnavailable):
        writer.append([received(3)])
    calls.fail("rename", 2, errno.EIO)
    with pytest.raises(JournalUnavailable):
        writer.append([received(3)])
    writer.close()
    assert verify(tmp_path / "journal").intact
    with open_writer(tmp_path, segment_max_entries=3) as writer:
        assert writer.recovery.durable_count == 3
        assert writer.append([received(3)]) == range(3, 4)
    report = verify(tmp_path / "journal")
    assert (report.segments, report.entries, report.violations) == (2, 4, ())


def test_tree_hashes_of_a_lost_tail_are_cut(tmp_path: Path) -> None:
    path = crashed(tmp_path, 5, 5)
    leaves = tmp_path / "journal" / "tree" / "0" / "000000000"
    with leaves.open("ab") as stream:
        stream.write(b"l" * 100)
    report = verify(tmp_path / "journal")
    assert report.intact
    assert len(report.notes) == 2
    open_writer(tmp_path).close()
    assert leaves.stat().st_size == 5 * 32
    assert path.exists()


@pytest.mark.parametrize("name", ["open", "pwritev", "fsync", "fdatasync", "rename", "mkdir"])
def test_a_first_start_cut_anywhere_is_begun_again(tmp_path: Path, name: str) -> None:
    at = 0
    fired = True
    while fired:
        at += 1
        root = tmp_path / str(at)
        calls = FaultyCalls(name, at, errno.EIO, sticky=True)
        with contextlib.suppress(JournalUnavailable):
            JournalWriter.open(root / "journal", options(root), files=Files(calls)).close()
        fired = calls.fired
        with open_writer(root) as writer:
            writer.append([received(0)])
        assert verify(root / "journal").as_dict()["intact"]
        assert verify(root / "journal").notes == ()
    assert at > 2
