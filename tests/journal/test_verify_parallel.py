"""audit.journal.verify_parallel: several processes find what one finds, in the same order."""

import os
from pathlib import Path

import pytest

from audit.errors import IncompleteCheck
from audit.journal import layout, verify_parallel
from audit.journal.recovery import segment_files
from audit.journal.verify import VerifyOptions, verify
from audit.journal.verify_segment import SegmentOutcome, SegmentTask
from tests.journal.journals import encrypt, fill

TWO = VerifyOptions(workers=2, parallel_from_octets=0)


def test_a_whole_encrypted_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encrypt(monkeypatch)
    fill(tmp_path, 40, segment_max_entries=8)
    told: list[tuple[int, int]] = []
    options = VerifyOptions(
        workers=2, parallel_from_octets=0, on_progress=lambda *both: told.append(both)
    )
    assert verify(tmp_path / "journal", options) == verify(tmp_path / "journal")
    octets = [path.stat().st_size for _, path in segment_files(tmp_path / "journal")]
    assert told == [(sum(octets[: n + 1]), sum(octets)) for n in range(len(octets))]


def test_damage_all_over(tmp_path: Path) -> None:
    fill(tmp_path, 60, segment_max_entries=8)
    journal = tmp_path / "journal"
    for _, path in segment_files(journal)[1::2]:
        whole = bytearray(path.read_bytes())
        whole[len(whole) // 2] ^= 4
        path.write_bytes(whole)
    (journal / layout.HEADS / layout.heads_name(16)).unlink()
    (journal / layout.SEGMENTS / layout.segment_name(48)).unlink()
    found = verify(journal, TWO)
    assert found.violation_count > 4
    assert found == verify(journal)
    first = found.first_bad
    assert first is not None
    assert first.sequence is not None
    assert 8 <= first.sequence < 16
    assert first.file == "segments/00000000000000000008.segment"
    assert first.offset
    assert found.as_dict()["first_bad"]["offset"] == first.offset


def test_a_worker_that_dies_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, 40, segment_max_entries=8)
    monkeypatch.setattr(verify_parallel, "check_segment", die)
    with pytest.raises(IncompleteCheck, match="died"):
        verify(tmp_path / "journal", TWO)


def die(_: SegmentTask) -> SegmentOutcome:
    os._exit(3)


def test_small_journals_need_no_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, 40, segment_max_entries=8)
    monkeypatch.delattr(verify_parallel, "ProcessPoolExecutor")
    assert verify(tmp_path / "journal", VerifyOptions(workers=8)).intact
