"""A journal is altered in every way a short hand can think of, and each time it is found."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest

from audit.errors import IntegrityViolation
from audit.journal.files import Files
from audit.journal.heads import read_checkpoint
from audit.journal.recovery import segment_files
from audit.journal.seal import SealedParts, write_sealed
from audit.journal.segment_cipher import KEY_BLOCK_OCTETS
from audit.journal.segment_file import SegmentFile
from audit.journal.verify import VerifyOptions, verify
from tests.crash.campaign import TIMEOUT, report, seeded, size
from tests.crash.remembering import found_by_all, remembered
from tests.crash.shares import Missed, spread
from tests.crash.tampered import KINDS, files_of, journal_of
from tests.journal.faults import Unsynced
from tests.journal.journals import fill

pytestmark = TIMEOUT


@pytest.fixture(params=KINDS)
def journal(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A few segments and heads, about four kilobytes (64 in the long form)."""
    return journal_of(
        request.param,
        tmp_path,
        monkeypatch,
        entries=size(12, 72),
        segment=size(8, 12),
        octets=size(40, 640),
    )


def test_every_truncation_is_found(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each file cut at every octet; in the short form at every 19th; some with all anew."""
    cuts = [
        (path.relative_to(journal).as_posix(), length)
        for path in files_of(journal)
        for length in range(0, path.stat().st_size, size(19, 1))
    ]
    octets = sum(path.stat().st_size for path in files_of(journal))
    missed = spread(cut_remembering, journal, cuts)
    missed += cut_each(journal, cuts[:: size(10, 500)], lambda *_: found_by_all(journal))
    assert missed == []
    assert verify(journal).intact
    report(capsys, "truncations", cuts=len(cuts), octets=octets, missed=len(missed))


def cut_remembering(journal: Path, cuts: Sequence[tuple[str, int]]) -> Missed:
    with remembered(journal) as remembering:
        return cut_each(journal, cuts, remembering.found)


def cut_each(
    journal: Path, cuts: Sequence[tuple[str, int]], found: Callable[[Path, int], bool]
) -> Missed:
    """Those that were not found."""
    missed = []
    for name, group in groupby(cuts, key=itemgetter(0)):
        path = journal / name
        whole = path.read_bytes()
        for _, length in sorted(group, reverse=True):
            os.truncate(path, length)
            if not found(path, length):
                missed.append((name, length))
        path.write_bytes(whole)
    return missed


def _entries(path: Path) -> tuple[bytes, list[bytes], bytes]:
    with SegmentFile(path) as octets:
        whole = octets.octets(0, octets.size())
        try:
            end = octets.foot_start()
        except IntegrityViolation:
            end = len(whole)
        placed = list(octets.scan(octets.entries_start, end))
        parts = [whole[one.offset : one.end] for one in placed]
        return whole[: octets.entries_start], parts, whole[end:]


def _write(path: Path, parts: tuple[bytes, list[bytes], bytes]) -> None:
    """Put a segment of these parts in the place of another one, in the same encoding."""
    with SegmentFile(path) as octets:
        sealed = octets.head if octets.head.is_sealed else None
        cipher = octets.cipher
    head, entries, foot = parts
    if sealed is None and cipher is not None:
        octets_after = b"".join([*entries, foot])
        frame = cipher.frame(len(head), octets_after)
        path.write_bytes(path.read_bytes()[: len(head) + KEY_BLOCK_OCTETS] + frame)
    elif sealed is None:
        path.write_bytes(head + b"".join(entries) + foot)
    else:
        parts_of = SealedParts(sealed, entries, lambda: foot)
        write_sealed(Files(Unsynced()), path, parts_of).replace(path)
        path.chmod(0o600)


def _edits(parts: list[bytes], other: bytes) -> Iterator[tuple[str, list[bytes]]]:
    for n in range(len(parts)):
        yield f"delete {n}", parts[:n] + parts[n + 1 :]
        yield f"duplicate {n}", [*parts[: n + 1], *parts[n:]]
        yield f"insert at {n}", [*parts[:n], other, *parts[n:]]
        for m in range(n + 1, len(parts)):
            swapped = list(parts)
            swapped[n], swapped[m] = swapped[m], swapped[n]
            yield f"swap {n} and {m}", swapped
    yield "reverse", parts[::-1]


def test_deleted_inserted_swapped_and_duplicated_entries_are_found(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path / "other", 1)
    other = _entries(segment_files(tmp_path / "other" / "journal")[0][1])[1][0]
    edits = 0
    for _, path in segment_files(journal):
        whole = path.read_bytes()
        head, parts, foot = _entries(path)
        for name, edited in _edits(parts[: size(8, 40)], other):
            _write(path, (head, [*edited, *parts[size(8, 40) :]], foot))
            found = verify(journal)
            assert found.exit_code == 4, name
            assert found.violations[0].sequence is not None
            edits += 1
        path.write_bytes(whole)
    assert verify(journal).intact
    report(capsys, "edited entries", edits=edits)


def test_every_missing_file_and_every_exchange_of_two_is_found(journal: Path) -> None:
    files = files_of(journal)
    for path in files:
        whole = path.read_bytes()
        path.unlink()
        assert verify(journal).exit_code == 4, path.name
        path.write_bytes(whole)
    for one in files:
        for other in files:
            if one >= other:
                continue
            kept = one.read_bytes(), other.read_bytes()
            one.write_bytes(kept[1])
            other.write_bytes(kept[0])
            assert verify(journal).exit_code == 4, (one.name, other.name)
            one.write_bytes(kept[0])
            other.write_bytes(kept[1])
    assert verify(journal).intact


def test_a_whole_directory_rolled_back_is_found_with_a_head_kept_outside(tmp_path: Path) -> None:
    fill(tmp_path, 6)
    earlier = tmp_path / "earlier"
    shutil.copytree(tmp_path / "journal", earlier)
    fill(tmp_path, 3)
    kept = VerifyOptions(known_heads=(read_checkpoint(tmp_path / "journal"),))
    assert verify(tmp_path / "journal", kept).intact
    assert verify(earlier, kept).exit_code == 4


def test_clean_runs_raise_no_alarm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = seeded("clean runs")
    runs = size(12, 1000)
    shapes = random.randint
    for run in range(runs):
        root = tmp_path / str(run)
        for _ in range(shapes(1, 3)):
            fill(
                root,
                shapes(0, 40),
                batch=shapes(1, 9),
                head_every=shapes(1, 5),
                segment_max_entries=shapes(1, 20),
            )
        found = verify(root / "journal")
        assert found.violations == ()
        assert found.notes == ()
        shutil.rmtree(root)
    report(capsys, "clean runs", runs=runs)
