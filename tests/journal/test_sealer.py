import errno
import os
from pathlib import Path

import pytest

from audit.errors import ConfigurationError
from audit.journal.files import Files
from audit.journal.locks import try_lock_directory
from audit.journal.recovery import segment_files
from audit.journal.sealer import Sealer, SealOptions
from audit.journal.segment import ENCODING_SEALED
from audit.journal.segment_file import SegmentFile
from audit.journal.verify import verify
from tests.journal.faults import FaultyCalls, LittleRoom, Unsynced
from tests.journal.journals import fill, wait_until


def encodings(root: Path) -> list[int]:
    found = []
    for _, path in segment_files(root / "journal"):
        with SegmentFile(path) as octets:
            found.append(octets.head.encoding)
    return found


def test_it_seals_every_closed_segment_in_the_background(tmp_path: Path) -> None:
    fill(tmp_path, 30, segment_max_entries=8)
    sealer = Sealer(tmp_path / "journal", SealOptions(poll_s=0.01), files=Files(Unsynced()))
    sealer.start()
    wait_until(lambda: sealer.sealed_segments == 3)
    sealer.stop(5)
    assert encodings(tmp_path) == [ENCODING_SEALED] * 3 + [0]
    assert sealer.plain_octets > sealer.sealed_octets > 0
    assert verify(tmp_path / "journal").notes == ()
    assert Sealer(tmp_path / "journal").step() is None


def test_it_waits_while_another_rewrites_segments(tmp_path: Path) -> None:
    fill(tmp_path, 10, segment_max_entries=8)
    sealer = Sealer(tmp_path / "journal")
    held = try_lock_directory(tmp_path / "journal" / "segments")
    assert held is not None
    assert sealer.step() is None
    os.close(held)
    assert sealer.step() is not None
    assert sealer.step() is None


def test_it_waits_for_room(tmp_path: Path) -> None:
    fill(tmp_path, 10, segment_max_entries=8)
    room = LittleRoom(100)
    sealer = Sealer(tmp_path / "journal", SealOptions(reserve_octets=100), files=Files(room))
    assert sealer.step() is None
    room.free = 101
    assert sealer.step() is not None


def test_a_refusing_disk_is_asked_again_and_a_damaged_segment_is_not(tmp_path: Path) -> None:
    fill(tmp_path, 20, segment_max_entries=8)
    told: list[str] = []
    calls = FaultyCalls("pwritev", 1, errno.ENOSPC)
    sealer = Sealer(tmp_path / "journal", on_failure=told.append, files=Files(calls))
    first = segment_files(tmp_path / "journal")[0][1]
    sealed = sealer.step()
    assert sealed is not None
    assert sealed.first_sequence == 8
    assert len(told) == 1
    first.write_bytes(first.read_bytes()[:-1])
    assert sealer.step() is None
    assert sealer.step() is None
    assert len(told) == 2
    assert "stays plain" in told[1]


def test_after_a_failed_sync_it_stops(tmp_path: Path) -> None:
    fill(tmp_path, 20, segment_max_entries=8)
    told: list[str] = []
    calls = FaultyCalls("fsync", 1, errno.EIO)
    sealer = Sealer(tmp_path / "journal", on_failure=told.append, files=Files(calls))
    assert sealer.step() is None
    assert len(told) == 1
    assert sealer.step() is None
    assert encodings(tmp_path) == [0, 0, 0]


def test_a_journal_that_can_not_be_read_is_told_of(tmp_path: Path) -> None:
    told: list[str] = []
    sealer = Sealer(tmp_path / "none", SealOptions(poll_s=0.01), told.append)
    sealer.start()
    wait_until(lambda: len(told) > 1)
    sealer.stop(5)
    assert "nothing can be sealed now" in told[0]


@pytest.mark.parametrize("wrong", [{"level": 0}, {"level": 23}, {"poll_s": 0}])
def test_options_have_bounds(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        SealOptions(**wrong)
