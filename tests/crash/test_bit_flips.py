"""Every bit of a journal of 64 KB is flipped, each alone, and each time it is found.

Sealed, encrypted ones and one with bodies removed by right are smaller, of about 16 KB.
"""

import os
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest

from audit.journal.verify import verify
from tests.crash.campaign import LONG, TIMEOUT, report, seeded, size
from tests.crash.remembering import found_by_all, remembered
from tests.crash.shares import Missed, spread
from tests.crash.tampered import KINDS, files_of, journal_of

pytestmark = TIMEOUT
SAMPLE = 150
"""Flips of the short form; in both forms these are also tried with everything checked anew."""

Bit = tuple[str, int]
"""A file below the journal, and which of its bits."""


@pytest.mark.parametrize("kind", KINDS)
def test_every_flipped_bit_is_found(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    random = seeded("bit flips")
    full, octets = (72, 640) if kind == "plain" else (36, 160)
    journal = journal_of(
        kind,
        tmp_path,
        monkeypatch,
        entries=size(12, full),
        segment=size(8, 6),
        octets=size(40, octets),
    )
    bits = [
        (path.relative_to(journal).as_posix(), bit)
        for path in files_of(journal)
        for bit in range(path.stat().st_size * 8)
    ]
    sample = sorted(random.sample(bits, SAMPLE))
    chosen = bits if LONG else sample
    clean = verify(journal)
    assert clean.intact
    missed = spread(flip_remembering, journal, chosen)
    missed += flip_each(journal, sample, lambda *_: found_by_all(journal))
    assert missed == []
    assert verify(journal) == clean
    report(
        capsys,
        f"bit flips, {kind}",
        bits=len(chosen),
        octets=len(bits) // 8,
        missed=len(missed),
    )


def flip_remembering(journal: Path, bits: Sequence[Bit]) -> Missed:
    with remembered(journal) as remembering:
        return flip_each(journal, bits, remembering.found)


def flip_each(journal: Path, bits: Sequence[Bit], found: Callable[[Path, int], bool]) -> Missed:
    """Those that were not found."""
    missed = []
    for name, group in groupby(bits, key=itemgetter(0)):
        path = journal / name
        whole = path.read_bytes()
        with path.open("r+b", buffering=0) as stream:
            for _, bit in group:
                place = bit // 8
                os.pwrite(stream.fileno(), bytes([whole[place] ^ 1 << bit % 8]), place)
                if not found(path, place):
                    missed.append((name, bit))
                os.pwrite(stream.fileno(), whole[place : place + 1], place)
    return missed
