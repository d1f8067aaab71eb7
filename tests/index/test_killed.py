"""``kill -9`` of projector and collector in mid-batch: the index equals the journal afterwards."""

import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from audit.index.criteria import Everything
from audit.journal.entry import EntryKind
from audit.projector.follow import Follower, FollowOptions
from audit.projector.options import ProjectionOptions
from audit.service.verify_index import IndexCheck
from tests.crash.campaign import TIMEOUT, report, seeded, size
from tests.index.killed_projector import BATCH, open_index, open_reader, open_writer

pytestmark = [TIMEOUT, pytest.mark.slow]
CHILD = Path(__file__).with_name("killed_projector.py")


class Victim:
    """A process that works until it is killed."""

    def __init__(self, role: str, root: Path) -> None:
        self.role, self._root = role, root
        self.process = self._started()

    def _started(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, str(CHILD), self.role, str(self._root)], stdout=subprocess.PIPE
        )

    def work(self, steps: int) -> None:
        """Wait until so many batches are durable."""
        assert self.process.stdout is not None
        while steps:
            line = self.process.stdout.readline()
            assert line, f"{self.role} ended by itself"
            steps -= line == b".\n"  # other lines are its log

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def kill_and_start(self) -> None:
        self.kill()
        self.process = self._started()


def compare(root: Path) -> int:
    """Bring the index up to the journal, then hold them against each other both ways."""
    with open_writer(root), open_reader(root) as reader, closing(open_index(root)) as index:
        follower = Follower(reader, index, FollowOptions())
        while follower.step():
            pass
        follower.close()
        found = IndexCheck(index, reader, ProjectionOptions()).run()
        assert found.named[:3] == [], found.disagreements
        messages = sum(
            entry.received.kind is not EntryKind.CERTIFICATE for entry in reader.iterate(0)
        )
        assert index.count(Everything()).value == messages == found.documents
        assert not any(index.check().values())
        assert index.position() == reader.durable_count()
        return messages


def test_after_any_number_of_kills_the_index_equals_the_journal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = seeded("kill -9 of the projector")
    kills = size(3, 100)
    collector, projector = Victim("collect", tmp_path), Victim("project", tmp_path)
    try:
        for _ in range(kills):
            projector.work(random.randint(1, 6))
            threading.Event().wait(random.uniform(0, 0.05))
            victims = random.choice(([projector], [collector], [projector, collector]))
            for victim in victims:
                victim.kill_and_start()
            collector.work(1)
    finally:
        for victim in (projector, collector):
            victim.kill()
    messages = compare(tmp_path)
    assert messages > kills * BATCH
    report(capsys, "kills of projector and collector", kills=kills, records=messages)
