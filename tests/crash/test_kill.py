"""``kill -9`` of a writer under load: what it reported durable is there, and verifies.

The child tells each durable sequence with its record's number through a pipe; the parent kills it
after a random moment, restarts it, and compares at the end.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from audit.journal.reader import JournalReader
from audit.journal.verify import verify
from tests.crash.campaign import TIMEOUT, report, seeded, size

pytestmark = TIMEOUT
CHILD = Path(__file__).with_name("loaded_writer.py")


def run_until_killed(root: Path, start: int, load_s: float) -> tuple[list[tuple[int, int]], float]:
    """Start a writer, kill it under load; what it told, and how long its start took."""
    began = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, str(CHILD), str(root), str(start)],
        stdout=subprocess.PIPE,
        cwd=CHILD.parents[2],
    )
    assert child.stdout is not None
    with child:
        ready = child.stdout.readline().split()
        assert ready[0] == b"ready"
        restart_s = float(ready[1])
        try:
            child.wait(load_s)
        except subprocess.TimeoutExpired:
            child.kill()
        told = child.stdout.read().split(b"\n")[:-1]
    assert child.returncode == -9
    assert time.monotonic() - began < 30
    return [_pair(line) for line in told], restart_s


def _pair(line: bytes) -> tuple[int, int]:
    sequence, _, number = line.partition(b" ")
    return int(sequence), int(number)


def test_nothing_durable_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = seeded("kill -9")
    kills = size(4, 1000)
    durable: dict[int, int] = {}
    restarts: list[float] = []
    number = reported = 0
    load_s = 0.0
    for _ in range(kills):
        loaded_s = random.uniform(0.05, 0.6)
        pairs, restart_s = run_until_killed(tmp_path, number, loaded_s)
        restarts.append(restart_s)
        reported, load_s = reported + len(pairs), load_s + loaded_s
        durable.update(pairs)
        number += 1_000_000
    found = verify(tmp_path / "journal")
    assert found.violations == ()
    with JournalReader(tmp_path / "journal") as reader:
        for entry in reader.iterate(0):
            expected = durable.pop(entry.sequence, None)
            told = int(entry.received.raw.partition(b" ")[0])
            assert expected in {None, told}
    assert durable == {}
    restarts.sort()
    slowest = restarts[min(len(restarts) - 1, int(len(restarts) * 0.99))]
    assert slowest <= 2.0
    report(
        capsys,
        "kill -9",
        kills=kills,
        missing=len(durable),
        senders=4,
        durable_per_s=round(reported / load_s),
        entries=found.entries,
        segments=found.segments,
        restart_p99_s=round(slowest, 3),
    )
