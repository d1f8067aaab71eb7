"""Power loss after each system call, with unsynced writes dropped or torn at 512 octets.

From every state a restart recovers a beginning of what was appended that holds every record
reported durable until then.
"""

import random
import shutil
from pathlib import Path

import pytest
from typing_extensions import override

from audit.journal import open_segment
from audit.journal.files import Files
from audit.journal.reader import JournalReader
from audit.journal.recovery import segment_files
from audit.journal.seal import seal_segment
from audit.journal.verify import verify
from tests.crash.campaign import TIMEOUT, report, seeded, size
from tests.crash.simulated_disk import Disk
from tests.journal.faults import Unsynced
from tests.journal.journals import certificate, encrypt, open_writer, received

pytestmark = TIMEOUT
RECORDS = [certificate(1), *(received(n, octets=(n * 97) % 1500) for n in range(1, 30))]
SEGMENT = 11


class CrashingDisk(Disk):
    """Before some of the calls it leaves a state behind and has it checked."""

    def __init__(self, root: Path, chance: random.Random, states_per_call: float) -> None:
        super().__init__(root)
        self.durable = 0
        self.states = 0
        self._chance = chance
        self._rate = states_per_call
        self._left = root.with_name("left")

    def crash(self) -> None:
        """Check some of the states that power loss could leave at this moment."""
        count = int(self._rate) + (self._chance.random() < self._rate % 1)
        for _ in range(count):
            self.states += 1
            self.left(self._left, self._chance)
            check(self._left, self.durable)
            shutil.rmtree(self._left)

    @override
    def _sync(self, fd: int) -> None:
        self.crash()
        super()._sync(fd)
        self.crash()


def check(root: Path, durable: int) -> None:
    """What a restart makes of a state."""
    if (root / "journal" / "identity").exists():
        found = verify(root / "journal")
        assert found.violations == ()
        assert found.entries >= durable
    else:
        assert durable == 0
    with open_writer(root, Files(Unsynced()), segment_max_entries=SEGMENT) as writer:
        count = writer.durable_count
        assert durable <= count <= len(RECORDS)
        writer.append([received(99)])
    with JournalReader(root / "journal") as reader:
        kept = [entry.received for entry in reader.iterate(0)]
    assert kept == [*RECORDS[:count], received(99)]
    final = verify(root / "journal")
    assert (final.violations, final.notes) == ((), ())


def scenario(disk: CrashingDisk, root: Path) -> None:
    """Append in batches, with heads, a roll of sealed segments, and one restart in the middle."""
    for stop in (len(RECORDS) // 2, len(RECORDS)):
        with open_writer(root, Files(disk), segment_max_entries=SEGMENT) as writer:
            for start in range(writer.durable_count, stop, 3):
                writer.begin(RECORDS[start : min(start + 3, stop)])
                disk.durable = writer.durable_count
                if start % 2:
                    writer.publish_head()
                for _, path in segment_files(root / "journal")[:-1]:
                    seal_segment(Files(disk), path)
            writer.finish()
            disk.durable = writer.durable_count


@pytest.mark.parametrize("encrypted", [False, True])
def test_every_state_recovers(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    encrypted: bool,
) -> None:
    if encrypted:
        encrypt(monkeypatch)
    monkeypatch.setattr(open_segment, "_WORTH_A_BEGINNING", 2)
    chance = seeded("crash states")
    root = tmp_path / "disk"
    root.mkdir()
    counting = CrashingDisk(root, chance, 0)
    scenario(counting, root)
    shutil.rmtree(root)
    root.mkdir()
    wanted = size(200, 16_000)
    disk = CrashingDisk(root, chance, wanted / counting.calls)
    scenario(disk, root)
    assert disk.states > wanted // 3
    assert disk.durable == len(RECORDS)
    report(capsys, "crash states", states=disk.states, calls=disk.calls)
