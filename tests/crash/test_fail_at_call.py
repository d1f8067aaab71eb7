"""Each system call of a scenario fails once, or from then on: no false durability, clean recovery.

The scenario appends 200 records in batches over several segments and publishes heads. Whatever
the writer reported durable must be in the journal after a restart; what it refused may be absent
or, when only its sync failed, present; never changed or reordered.
"""

import contextlib
import errno
from itertools import cycle, islice
from pathlib import Path

import pytest

from audit.errors import JournalUnavailable
from audit.journal.files import Files
from audit.journal.reader import JournalReader
from audit.journal.verify import verify
from audit.journal.writer import JournalWriter
from tests.crash.campaign import LONG, TIMEOUT, report, seeded
from tests.journal.faults import NAMES, FaultyCalls
from tests.journal.journals import encrypt, open_writer, received

pytestmark = TIMEOUT
RECORDS = 200
BATCHES = (4, 16)
"""Sizes in turn: a large batch has the disk begin before its sync."""
SEGMENT = 60
Acknowledged = dict[int, bytes]


def scenario(root: Path, calls: FaultyCalls) -> Acknowledged:
    """Run it as a collector does: refused batches are offered again, a dead writer is left."""
    durable: Acknowledged = {}
    try:
        writer = open_writer(root, Files(calls), segment_max_entries=SEGMENT)
    except JournalUnavailable:
        return durable
    start = 0
    for size in islice(cycle(BATCHES), RECORDS * len(BATCHES) // sum(BATCHES)):
        for _ in range(2):
            if _append(writer, start, size, durable):
                break
        start += size
        if start % 40 == 0:
            with contextlib.suppress(JournalUnavailable):
                writer.publish_head()
    with contextlib.suppress(JournalUnavailable):
        writer.close()
    return durable


def _append(writer: JournalWriter, start: int, size: int, durable: Acknowledged) -> bool:
    batch = [received(number) for number in range(start, start + size)]
    try:
        sequences = writer.append(batch)
    except JournalUnavailable:
        return False
    durable.update(zip(sequences, (record.raw for record in batch), strict=True))
    return True


def check(root: Path, durable: Acknowledged) -> None:
    """A restart keeps what was reported durable, and the journal verifies before and after."""
    if (root / "journal" / "identity").exists():
        assert verify(root / "journal").violations == ()
    with open_writer(root, segment_max_entries=SEGMENT) as writer:
        writer.append([received(RECORDS)])
    with JournalReader(root / "journal") as reader:
        kept = [entry.received.raw for entry in reader.iterate(0)]
    assert {n: kept[n] for n in durable} == durable
    known = {received(number).raw for number in range(RECORDS + 1)}
    assert set(kept) <= known
    order = [kept.index(raw) for raw in dict.fromkeys(kept)]
    assert order == sorted(order)
    final = verify(root / "journal")
    assert final.violations == ()
    assert final.covered == len(kept)


def call_counts(root: Path) -> dict[str, int]:
    calls = FaultyCalls()
    assert len(scenario(root, calls)) == RECORDS
    check(root, {n: received(n).raw for n in range(RECORDS)})
    return calls.counts


def cases(name: str, count: int) -> list[tuple[int, int, bool]]:
    """Every (N, errno, sticky) in the long form; some in the short one."""
    every = [
        (at, error, sticky)
        for at in range(1, count + 1)
        for error in (errno.EIO, errno.ENOSPC)
        for sticky in (False, True)
    ]
    return every if LONG else seeded(f"fail {name}").sample(every, min(6, len(every)))


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "unlink"])
def test_every_call_may_fail(
    tmp_path: Path,
    name: str,
    encrypted: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if encrypted:
        encrypt(monkeypatch)
    chosen = cases(name, call_counts(tmp_path / "clean")[name])
    for at, error, sticky in chosen:
        root = tmp_path / f"{at}-{error}-{sticky}"
        calls = FaultyCalls(name, at, error, sticky=sticky)
        durable = scenario(root, calls)
        assert calls.fired
        check(root, durable)
    report(capsys, f"fail at call N, {name}", states=len(chosen))


def test_a_full_disk_that_gets_room_again_loses_nothing(tmp_path: Path) -> None:
    for at in (4, 9, 23):
        root = tmp_path / str(at)
        durable = scenario(root, FaultyCalls("pwritev", at, errno.ENOSPC))
        if durable:
            assert sorted(durable.values()) == sorted(received(n).raw for n in range(RECORDS))
        check(root, durable)
