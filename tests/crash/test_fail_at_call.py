"""Each system call of a scenario fails once, or from then on: no false durability, clean recovery.

The scenario appends 200 records in batches over several segments and publishes heads. Whatever
the writer reported durable must be in the journal after a restart; what it refused may be absent
or, when only its sync failed, present; never changed or reordered.
"""

import contextlib
import errno
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from audit.errors import JournalUnavailable
from audit.journal.entry import Received
from audit.journal.files import Files, SystemCalls
from audit.journal.position import POSITION_OCTETS
from audit.journal.reader import JournalReader
from audit.journal.verify import verify
from audit.journal.writer import JournalWriter
from tests.crash.campaign import LONG, TIMEOUT, report, seeded
from tests.journal.faults import NAMES, FaultyCalls
from tests.journal.journals import encrypt, open_writer, received

pytestmark = TIMEOUT
BATCHES = (*(4,) * 10, 64, *(4,) * 8, 64)
"""With a large one the disk begins before its sync."""
RECORDS = sum(BATCHES)
SEGMENT = 60
Acknowledged = dict[int, bytes]


class Collector:
    """Offers batches as the group commit does: the next while the disk is at work on the last."""

    def __init__(self, writer: JournalWriter) -> None:
        self.durable: Acknowledged = {}
        self.refused: list[Received] = []
        self._writer = writer
        self._underway: list[Received] = []
        self._first = 0

    def offer(self, batch: Sequence[Received]) -> None:
        """It is underway or, with what was underway before, refused; else that is settled."""
        try:
            sequences = self._writer.begin(batch)
        except JournalUnavailable:
            self._settle()
            self.refused += batch
        else:
            self._settle()
            self._underway, self._first = list(batch), sequences[0]

    def finish(self, how: Callable[[], object]) -> None:
        """What is underway is settled by that."""
        with contextlib.suppress(JournalUnavailable):
            how()
        self._settle()

    def _settle(self) -> None:
        if self._writer.durable_count >= self._first + len(self._underway):
            self.durable.update(enumerate((one.raw for one in self._underway), self._first))
        else:
            self.refused += self._underway
        self._underway = []


def scenario(root: Path, calls: FaultyCalls) -> Acknowledged:
    """Run it as a collector does: refused batches are offered again, a dead writer is left."""
    try:
        writer = open_writer(root, Files(calls), segment_max_entries=SEGMENT)
    except JournalUnavailable:
        return {}
    collector = Collector(writer)
    start = 0
    for size in (*BATCHES, 0):
        batch = [received(number) for number in range(start, start + size)]
        start += size
        if batch:
            collector.offer(batch)
        if start % 40 == 0:
            collector.finish(writer.publish_head)
        elif not batch:
            collector.finish(writer.finish)
        if collector.refused:
            again, collector.refused = collector.refused, []
            collector.offer(again)
    collector.finish(writer.finish)
    collector.finish(writer.close)
    return collector.durable


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


class NoRoomForData(FaultyCalls):
    """Fails no write of the position, which takes no room."""

    @override
    def pwritev(self, fd: int, buffers: Sequence[bytes | memoryview], offset: int) -> int:
        if sum(map(len, buffers)) == POSITION_OCTETS:
            return SystemCalls.pwritev(self, fd, buffers, offset)
        return super().pwritev(fd, buffers, offset)


@pytest.mark.parametrize(
    ("name", "after"),
    [*(("pwrite", after) for after in (1, 6, 11, 12, 18, 20)), ("pwritev", 1), ("pwritev", 4)],
)
def test_a_full_disk_that_gets_room_again_loses_nothing(
    tmp_path: Path, name: str, after: int
) -> None:
    opening = NoRoomForData()
    open_writer(tmp_path / "opened", Files(opening), segment_max_entries=SEGMENT).close()
    root = tmp_path / "full"
    calls = NoRoomForData(name, opening.counts[name] + after, errno.ENOSPC)
    durable = scenario(root, calls)
    assert calls.fired
    assert sorted(durable.values()) == sorted(received(n).raw for n in range(RECORDS))
    check(root, durable)
