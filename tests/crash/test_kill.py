"""``kill -9`` of a writer under load: what it reported durable is there, and verifies.

The child tells each durable sequence with its record's number through a pipe; the parent kills it
after a random moment, restarts it, and compares at the end. ``ARR_KILLS`` tells how often: 200 are
to be tried before a release, 1,000 in the long form.
"""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from audit.journal.reader import JournalReader
from audit.journal.verify import verify
from tests.crash.campaign import LONG, TIMEOUT, count, report, seeded

pytestmark = TIMEOUT
CHILD = Path(__file__).with_name("loaded_writer.py")


def run_until_killed(root: Path, start: int, load_s: float) -> tuple[list[tuple[int, int]], float]:
    """Start a writer, kill it under load; what it told, and how long its start took."""
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
        told = [child.stdout.readline()]  # under load from here on: a first record is durable
        reading = threading.Thread(target=lambda: told.extend(child.stdout or ()))
        reading.start()
        try:
            child.wait(load_s)
        except subprocess.TimeoutExpired:
            child.kill()
        reading.join()
    assert child.returncode == -9
    whole = [line for line in told if line.endswith(b"\n")]
    return [_pair(line) for line in whole], restart_s


def _pair(line: bytes) -> tuple[int, int]:
    sequence, _, number = line.partition(b" ")
    return int(sequence), int(number)


def test_nothing_durable_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = seeded("kill -9")
    kills = count("ARR_KILLS", 4, 1000)
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
    assert slowest <= (2.0 if LONG else 30.0)  # a busy machine may hold up one of four starts
    assert reported >= kills
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
