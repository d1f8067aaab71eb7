import os
import threading
from pathlib import Path

import pytest

from audit.errors import IntegrityViolation, JournalBusy
from audit.journal.copy import copy_journal
from audit.journal.files import Files
from audit.journal.heads import read_checkpoint
from audit.journal.locks import try_lock_directory
from audit.journal.reader import JournalReader
from audit.journal.recovery import segment_files
from audit.journal.remove import RemovalOptions, Remover
from audit.journal.seal import seal_segment
from audit.journal.verify import VerifyOptions, verify
from audit.journal.writer import JournalWriter
from tests.journal.faults import Unsynced
from tests.journal.journals import append_all, fill, open_writer, options, received, signer
from tests.journal.pace import Pace

FILES = Files(Unsynced())


def check(root: Path, copied: Path, entries: int) -> None:
    kept = VerifyOptions(known_heads=(read_checkpoint(copied),))
    found = verify(copied, kept)
    assert (found.violations, found.notes, found.entries) == ((), (), entries)
    assert found.covered == entries
    with JournalReader(root / "journal") as whole, JournalReader(copied) as part:
        assert list(part.iterate(0)) == list(whole.iterate(0, entries))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 30])
def test_a_journal_at_rest_is_copied_whole(tmp_path: Path, count: int) -> None:
    fill(tmp_path, count, segment_max_entries=8)
    head = copy_journal(tmp_path / "journal", tmp_path / "copy", FILES)
    assert head.size == count
    check(tmp_path, tmp_path / "copy", count)


def test_the_copy_ends_at_the_newest_head(tmp_path: Path) -> None:
    with open_writer(tmp_path, FILES, segment_max_entries=8) as writer:
        for count in range(0, 40, 3):
            copied = tmp_path / f"copy-{count}"
            head = copy_journal(tmp_path / "journal", copied, FILES)
            assert head == writer.head
            check(tmp_path, copied, head.size)
            writer.append([received(n) for n in range(count, count + 3)])
            if count % 2:
                writer.publish_head()


def test_sealed_and_removed_entries_are_copied_and_a_writer_goes_on(tmp_path: Path) -> None:
    fill(tmp_path, 30, segment_max_entries=8)
    seal_segment(FILES, segment_files(tmp_path / "journal")[1][1])
    remover = Remover(tmp_path / "journal", RemovalOptions(signer=signer(tmp_path)), FILES)
    remover.remove(0, [1, 2], "ten years are over")
    remover.remove(8, [9], "ten years are over")
    copy_journal(tmp_path / "journal", tmp_path / "other" / "journal", FILES)
    check(tmp_path, tmp_path / "other" / "journal", 30)
    given = options(tmp_path / "other", key_file=options(tmp_path).key_file)
    with JournalWriter.open(tmp_path / "other" / "journal", given, files=FILES) as writer:
        append_all(writer, [received(n) for n in range(30, 50)])
    found = verify(tmp_path / "other" / "journal")
    assert (found.violations, found.notes, found.removed) == ((), (), 3)


def test_it_copies_beside_a_busy_writer(tmp_path: Path) -> None:
    pace = Pace(batches=200)
    with open_writer(tmp_path, FILES, segment_max_entries=16) as writer:

        def write() -> None:
            number = 0
            while pace.goes_on():
                writer.append([received(n) for n in range(number, number + 5)])
                writer.publish_head()
                number += 5

        thread = threading.Thread(target=write)
        thread.start()
        try:
            sizes = []
            for number in range(6):
                pace.look()
                copied = tmp_path / f"copy-{number}"
                sizes.append(copy_journal(tmp_path / "journal", copied, FILES).size)
                check(tmp_path, copied, sizes[-1])
        finally:
            pace.end()
            thread.join()
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]


def test_it_waits_for_whoever_rewrites_segments(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    held = try_lock_directory(tmp_path / "journal" / "segments")
    assert held is not None
    with pytest.raises(JournalBusy):
        copy_journal(tmp_path / "journal", tmp_path / "copy", FILES, lock_wait_s=0)
    os.close(held)


def test_a_journal_that_lost_its_end_is_not_copied(tmp_path: Path) -> None:
    fill(tmp_path, 12, segment_max_entries=8)
    last = segment_files(tmp_path / "journal")[-1][1]
    whole = last.read_bytes()
    last.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IntegrityViolation):
        copy_journal(tmp_path / "journal", tmp_path / "copy", FILES)
    for _, path in segment_files(tmp_path / "journal"):
        path.unlink()
    with pytest.raises(IntegrityViolation, match="no segments"):
        copy_journal(tmp_path / "journal", tmp_path / "copy2", FILES)
