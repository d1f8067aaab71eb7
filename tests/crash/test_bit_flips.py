"""Every bit of a journal of 64 KB is flipped, each alone, and each time it is found.

Sealed, encrypted ones and one with bodies removed by right are smaller, of about 16 KB.

A flip can change only the outcome of the segment whose file, heads or leaf hashes it lies in. So
for each flip that segment is checked anew, with all that joins the segments, and the others'
outcomes are taken from the whole journal; a sample of the flips is verified without that, too.
"""

import os
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest

from audit.journal import layout, verify_segment
from audit.journal import verify as verify_module
from audit.journal.recovery import segment_files
from audit.journal.verify import verify
from audit.journal.verify_segment import OnOctets, SegmentOutcome, SegmentTask
from tests.crash.campaign import LONG, TIMEOUT, report, seeded, size
from tests.crash.tampered import KINDS, files_of, journal_of

pytestmark = TIMEOUT
SAMPLE = 150
"""Flips of the short form; in both forms these are also tried with everything checked anew."""


class Remembering:
    """Stands for the check of a segment: gives what it found before, unless told otherwise."""

    def __init__(self, journal: Path) -> None:
        self._firsts = [first for first, _ in segment_files(journal)]
        self._outcomes: dict[int, tuple[SegmentTask, SegmentOutcome]] = {}
        self.concerned: Callable[[int], bool] = lambda _: True

    def __call__(self, task: SegmentTask, on_octets: OnOctets | None = None) -> SegmentOutcome:
        known = self._outcomes.get(task.first)
        if known is not None and known[0] == task and not self.concerned(task.first):
            return known[1]
        outcome = verify_segment.check_segment(task, on_octets)
        if known is None:
            self._outcomes[task.first] = (task, outcome)
        return outcome

    def touch(self, path: Path, bit: int) -> None:
        """Which segments a flip there may concern: one, or all when in doubt."""
        first = layout.first_sequence(path.name)
        if path.name == "000000000" and path.parent.name == "0":
            leaf = bit // 8 // 32
            first = max(one for one in self._firsts if one <= leaf)
        self.concerned = lambda _: True
        if first is not None:
            self.concerned = lambda other: other == first


@pytest.mark.parametrize("kind", KINDS)
def test_every_flipped_bit_is_found(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    random = seeded("bit flips")
    full = 240 if kind == "plain" else 60
    journal = journal_of(kind, tmp_path, monkeypatch, entries=size(12, full), segment=size(8, 20))
    bits = [(path, bit) for path in files_of(journal) for bit in range(path.stat().st_size * 8)]
    sample = sorted(random.sample(bits, SAMPLE))
    chosen = bits if LONG else sample
    clean = verify(journal)
    assert clean.intact
    with monkeypatch.context() as patched:
        remembering = Remembering(journal)
        patched.setattr(verify_module, "check_segment", remembering)
        assert verify(journal) == clean
        missed = flip_each(journal, chosen, remembering.touch)
    missed += flip_each(journal, sample, lambda *_: None)
    assert missed == []
    assert verify(journal) == clean
    octets = len(bits) // 8
    report(capsys, f"bit flips, {kind}", bits=len(chosen), octets=octets, missed=len(missed))


def flip_each(
    journal: Path, bits: list[tuple[Path, int]], touch: Callable[[Path, int], None]
) -> list[tuple[str, int]]:
    """Those that were not found."""
    missed = []
    for path, group in groupby(bits, key=itemgetter(0)):
        whole = path.read_bytes()
        with path.open("r+b", buffering=0) as stream:
            for _, bit in group:
                flipped = whole[bit // 8] ^ 1 << bit % 8
                os.pwrite(stream.fileno(), bytes([flipped]), bit // 8)
                touch(path, bit)
                if verify(journal).exit_code != 4:
                    missed.append((path.name, bit))
                os.pwrite(stream.fileno(), whole[bit // 8 :][:1], bit // 8)
    return missed
