"""Removing bodies is cut at every system call, by failure and by power loss.

Whatever is left verifies, holds every body that was not to go, and is brought to its end.
"""

import errno
import random
import shutil
from pathlib import Path

import pytest
from typing_extensions import override

from audit.journal.files import Files
from audit.journal.reader import JournalReader
from audit.journal.recovery import segment_files
from audit.journal.remove import RemovalOptions, Remover, removal_files
from audit.journal.seal import seal_segment
from audit.journal.verify import verify
from tests.crash.campaign import TIMEOUT, report, seeded, size
from tests.crash.simulated_disk import Disk
from tests.journal.faults import NAMES, FaultyCalls, Unsynced
from tests.journal.journals import append_all, fill, open_writer, received, signer

pytestmark = TIMEOUT
RECORDS = 20
CHOSEN = {8: [8, 9, 13], 0: [2]}


def remover(root: Path, files: Files) -> Remover:
    return Remover(root / "journal", RemovalOptions(signer=signer(root)), files)


def remove_all(root: Path, files: Files) -> None:
    for first, sequences in CHOSEN.items():
        remover(root, files).remove(first, sequences, "ten years are over")


def check(root: Path) -> None:
    """What is left is lawful, and all else is there; then nothing is half done."""
    files = Files(Unsynced())
    assert verify(root / "journal").violations == ()
    with open_writer(root, files, segment_max_entries=8) as writer:
        assert writer.durable_count == RECORDS
    remover(root, files).finish()
    found = verify(root / "journal")
    assert (found.violations, found.notes) == ((), ())
    stated = len(removal_files(root / "journal"))
    gone = {n for sequences in list(CHOSEN.values())[:stated] for n in sequences}
    with JournalReader(root / "journal") as reader:
        for entry in reader.iterate(0):
            assert entry.is_removed == (entry.sequence in gone)
            if not entry.is_removed:
                assert entry.received == received(entry.sequence)


@pytest.mark.parametrize("sealed", [False, True])
def test_every_call_may_fail(tmp_path: Path, sealed: bool) -> None:
    whole = tmp_path / "whole"
    fill(whole, RECORDS, segment_max_entries=8)
    if sealed:
        for _, path in segment_files(whole / "journal")[:-1]:
            seal_segment(Files(Unsynced()), path)
    counting = FaultyCalls()
    shutil.copytree(whole, tmp_path / "clean")
    remove_all(tmp_path / "clean", Files(counting))
    check(tmp_path / "clean")
    cases = [
        (name, at, error)
        for name in NAMES
        for at in range(1, counting.counts[name] + 1)
        for error in (errno.EIO, errno.ENOSPC)
    ]
    assert len(cases) > 20
    for name, at, error in cases:
        root = tmp_path / f"{name}-{at}-{error}"
        shutil.copytree(whole, root)
        with pytest.raises(OSError, match=r"error|space"):
            remove_all(root, Files(FaultyCalls(name, at, error)))
        check(root)


class CrashingDisk(Disk):
    """Around each sync it leaves states behind and has them checked, once it is armed."""

    def __init__(self, root: Path, chance: random.Random, states_per_sync: int) -> None:
        super().__init__(root)
        self.armed = False
        self.states = 0
        self._chance = chance
        self._count = states_per_sync
        self._left = root.with_name("left")

    @override
    def _sync(self, fd: int) -> None:
        self._crash()
        super()._sync(fd)
        self._crash()

    def _crash(self) -> None:
        for _ in range(self._count if self.armed else 0):
            self.states += 1
            self.left(self._left, self._chance)
            check(self._left)
            shutil.rmtree(self._left)


def test_every_state_that_power_loss_leaves_is_lawful(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "disk"
    root.mkdir()
    disk = CrashingDisk(root, seeded("removal states"), size(4, 400))
    with open_writer(root, Files(disk), segment_max_entries=8) as writer:
        append_all(writer, [received(n) for n in range(RECORDS)])
    disk.armed = True
    remove_all(root, Files(disk))
    check(root)
    report(capsys, "removal states", states=disk.states)
