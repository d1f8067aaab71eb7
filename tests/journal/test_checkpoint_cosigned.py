"""audit.journal.checkpoint_cosigned"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.errors import StorageError
from audit.journal.checkpoint_cosigned import CosignedHeads
from audit.journal.heads import parse_history
from audit.journal.note import Checkpoint
from tests.journal.vectors import SIGNER

DAY = datetime(2026, 2, 3, 23, 59, tzinfo=UTC)
KEYS = (SIGNER.verifier,)


def note(size: int) -> str:
    return SIGNER.sign(Checkpoint(SIGNER.name, size, bytes([size]) * 32).text)


def test_cosigned_heads_are_kept_for_good_and_all_are_shown(tmp_path: Path) -> None:
    kept = CosignedHeads(tmp_path / "c")
    assert kept.shown(KEYS) is kept.witnessed(KEYS) is None
    kept.keep(note(3), 3, cosigned=True, now=DAY)
    kept.keep(note(5), 5, cosigned=False, now=DAY)
    kept.keep(note(7), 7, cosigned=True, now=DAY)
    kept.keep(note(9), 9, cosigned=False, now=DAY)
    shown, witnessed = kept.shown(KEYS), kept.witnessed(KEYS)
    assert shown is not None
    assert witnessed is not None
    assert (shown[1].size, witnessed[1].size) == (9, 7)
    records, _ = parse_history((tmp_path / "c" / "2026-02-03.heads").read_bytes())
    assert [record.number for record in records] == [3, 7]


def test_a_record_cut_by_a_crash_is_replaced(tmp_path: Path) -> None:
    kept = CosignedHeads(tmp_path)
    kept.keep(note(3), 3, cosigned=True, now=DAY)
    file = tmp_path / "2026-02-03.heads"
    with file.open("ab") as end:
        end.write(b"head 5\nexample.org")
    kept.keep(note(7), 7, cosigned=True, now=DAY)
    records, end_of_records = parse_history(file.read_bytes())
    assert [record.number for record in records] == [3, 7]
    assert end_of_records == file.stat().st_size


def test_a_head_of_another_log_is_not_shown(tmp_path: Path) -> None:
    kept = CosignedHeads(tmp_path)
    kept.keep("nonsense", 3, cosigned=False)
    assert kept.shown(KEYS) is None


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("a file")
    with pytest.raises(StorageError):
        CosignedHeads(tmp_path / "c").keep(note(3), 3, cosigned=False)
