"""Durable appending beside the bare writing of the same octets in the same batches.

Both sides take some batches in turn, each batch durable before the next is written, and in turn
one of them is first: the second finds the octets in the processor's cache and the disk awake. How
a turn begins counts on neither side: a processor that has waited for the disk is slow at first.
Ours makes a batch while the disk is at work on the one before, as the receiver does under load.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import Any, TypeAlias

from audit.bench.clocks import timed
from audit.bench.traffic import batches, received
from audit.journal.entry import SALT_OCTETS, Received
from audit.journal.entry_batch import EncodedBatch
from audit.journal.writer import JournalOptions, JournalWriter

NATURAL_BATCHES = (32, 100, 256, 1024)
"""What a group commit gathers, from a trickle to a flood."""
_BATCHES_IN_TURN = 64
"""A turn ends with a wait for the disk with nothing to make meanwhile, as a flood doesn't."""
_UNCOUNTED_PART = 4
"""So small a part of a turn, its first, is not counted."""
_SYNCS = 128
"""Batches of each of these sizes."""
_SEGMENTS = 4
"""The last one is never sealed; so three of four quarters are."""
_MOST_BUFFERS = os.sysconf("SC_IOV_MAX")

Turn: TypeAlias = Sequence[Sequence[Received]]


@dataclass(slots=True)
class Sides:
    """What both sides took for the same records, in seconds."""

    records: int = 0
    octets: int = 0
    ours_s: float = 0.0
    ours_cpu_s: float = 0.0
    bare_s: float = 0.0

    @property
    def ratio(self) -> float:
        """Our rate to the bare one."""
        return self.bare_s / self.ours_s if self.ours_s else 0.0


class Appending:
    """A journal and a bare file beside it.

    Args:
        folder: where both are made.
        writer: the journal's.
        close_request: asks that writer to begin a segment.
        write_bare: writes and syncs.
    """

    def __init__(
        self,
        writer: JournalWriter,
        close_request: Path,
        write_bare: Callable[[Sequence[bytes]], None],
    ) -> None:
        self._writer = writer
        self._close_request = close_request
        self._write_bare = write_bare
        self._ours_first = False
        self.changes_s: list[float] = []

    def measure(self, arrived: Iterable[Received], size: int) -> Sides:
        """Both sides take all records in batches of that size."""
        sides = Sides()
        for turn in batches(batches(arrived, size), _BATCHES_IN_TURN):
            self._ours_first = not self._ours_first
            buffers = self._buffers(turn)
            uncounted = len(turn) // _UNCOUNTED_PART
            if self._ours_first:
                self._ours(sides, turn, uncounted)
            self._bare(buffers[:uncounted])
            sides.bare_s += timed(partial(self._bare, buffers[uncounted:])).wall_s
            if not self._ours_first:
                self._ours(sides, turn, uncounted)
            counted = turn[uncounted:]
            sides.records += sum(map(len, counted))
            sides.octets += sum(len(one.raw) for batch in counted for one in batch)
        return sides

    def change_segment(self, arrived: Iterable[Received]) -> None:
        """Append with the closing of a segment, its head, and a new one before it."""
        batch = list(arrived)
        if batch:
            self._close_request.touch()
            self.changes_s.append(timed(lambda: self._writer.append(batch)).wall_s)

    def _ours(self, sides: Sides, turn: Turn, uncounted: int) -> None:
        self._append(turn[:uncounted])
        spent = timed(partial(self._append, turn[uncounted:]))
        sides.ours_s, sides.ours_cpu_s = (
            sides.ours_s + spent.wall_s,
            sides.ours_cpu_s + spent.cpu_s,
        )

    def _append(self, turn: Turn) -> None:
        for batch in turn:
            self._writer.begin(batch)
        self._writer.finish()

    def _bare(self, turn: Sequence[Sequence[bytes]]) -> None:
        for buffers in turn:
            self._write_bare(buffers)

    def _buffers(self, turn: Turn) -> list[list[bytes]]:
        first = self._writer.durable_count
        return [_entries(EncodedBatch(first, bytes(SALT_OCTETS * len(one)), one)) for one in turn]


def _entries(batch: EncodedBatch) -> list[bytes]:
    bounds = pairwise(accumulate(batch.lengths, initial=0))
    return [batch.octets[begin:end] for begin, end in bounds]


def measure_appends(folder: Path, records: int, batch: int) -> dict[str, Any]:
    """Append to a new ``folder/journal``, with segments of the usual size.

    Its records lie in four segments; what a change of segment takes is measured apart, and
    counted in the rates once for each 65,536 records, as often as it happens by default.
    """
    options = JournalOptions(
        key_file=folder / "keys" / "log-signing.key",
        position_file=folder / "run" / "journal.position",
        close_request_file=folder / "close",
    )
    arrived = received(records, days=1)
    with (
        JournalWriter.open(folder / "journal", options) as writer,
        _bare_file(folder / "bare") as write,
    ):
        appending = Appending(writer, folder / "close", write)
        whole = Sides()
        for quarter in range(_SEGMENTS):
            if quarter:
                appending.change_segment(islice(arrived, 1))
            part = islice(arrived, records // _SEGMENTS if quarter < _SEGMENTS - 1 else None)
            _add(whole, appending.measure(part, batch))
        ratios = _natural(appending, records)
    change_s = sum(appending.changes_s) / max(1, len(appending.changes_s))
    whole.ours_s += change_s * whole.records / options.segment_max_entries
    return {**_figures(whole), "segment_change_ms": round(change_s * 1000, 2), **ratios}


def _natural(appending: Appending, records: int) -> dict[str, Any]:
    ratios = {}
    for size in NATURAL_BATCHES:
        arrived = received(min(records, size * _SYNCS), days=1)
        ratios[str(size)] = round(appending.measure(arrived, size).ratio, 3)
    return {"ratio_by_batch": ratios}


def _figures(sides: Sides) -> dict[str, Any]:
    return {
        "octets_per_message": round(sides.octets / sides.records, 1),
        "appended_per_s": round(sides.records / sides.ours_s),
        "appended_per_cpu_s": round(sides.records / sides.ours_cpu_s),
        "bare_per_s": round(sides.records / sides.bare_s),
        "ratio_to_bare": round(sides.ratio, 3),
    }


def _add(whole: Sides, part: Sides) -> None:
    whole.records += part.records
    whole.octets += part.octets
    whole.ours_s += part.ours_s
    whole.ours_cpu_s += part.ours_cpu_s
    whole.bare_s += part.bare_s


@contextmanager
def _bare_file(path: Path) -> Iterator[Callable[[Sequence[bytes]], None]]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def write(buffers: Sequence[bytes]) -> None:
        for start in range(0, len(buffers), _MOST_BUFFERS):
            os.writev(descriptor, buffers[start : start + _MOST_BUFFERS])
        os.fdatasync(descriptor)

    try:
        yield write
    finally:
        os.close(descriptor)
