"""Both verifiers on whole journals, altered ones, and ones that only one of them can read."""

import random
import shutil
import struct
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.journal.recovery import segment_files
from audit.journal.remove import RemovalOptions, Remover
from audit.journal.standalone import verify_evidence
from tests.journal import vectors
from tests.journal.journals import fill, open_writer, received, signer
from tests.journal.pace import Pace
from tests.journal.two_verifiers import (
    SEED,
    first,
    journal,
    plain,
    sealed_and_removed,
    second,
    whole,
)

__all__ = ["journal", "plain", "whole"]


def test_a_whole_journal_is_whole_to_both(whole: Path) -> None:
    assert first(whole) == second("journal", whole) == second("journal", whole.parent) == 0


def _files(journal: Path) -> list[Path]:
    return sorted(path for path in journal.rglob("*") if path.is_file())


def test_both_judge_every_flipped_octet_alike(journal: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chance that repeats
    for path in _files(journal):
        octets = path.read_bytes()
        for place in chance.sample(range(len(octets)), min(len(octets), 4)):
            changed = bytearray(octets)
            changed[place] ^= 1 << chance.randrange(8)
            path.chmod(0o600)
            path.write_bytes(changed)
            assert first(journal) == second("journal", journal), (path, place, SEED)
        path.write_bytes(octets)


def test_both_judge_every_cut_alike(journal: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chance that repeats
    for path in _files(journal):
        octets = path.read_bytes()
        for length in [0, *chance.sample(range(1, len(octets)), min(len(octets) - 1, 2))]:
            path.chmod(0o600)
            path.write_bytes(octets[:length])
            assert first(journal) == second("journal", journal), (path, length, SEED)
        path.unlink()
        assert first(journal) == second("journal", journal), (path, "gone")
        path.write_bytes(octets)


def _append(octets: bytes) -> Callable[[Path], None]:
    def change(journal: Path) -> None:
        with max((journal / "segments").iterdir()).open("ab") as end:
            end.write(octets)

    return change


def _swap(journal: Path) -> None:
    one, two, *_ = sorted((journal / "segments").iterdir())
    octets = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(octets)


def _no_middle(journal: Path) -> None:
    middle = sorted((journal / "segments").iterdir())[1]
    middle.unlink()
    (journal / "heads" / f"{middle.stem}.heads").unlink()


def _remove_every_file(journal: Path) -> None:
    for path in _files(journal):
        path.unlink()


def _repeat_an_entry(journal: Path) -> None:
    last = max((journal / "segments").iterdir())
    image = last.read_bytes()
    start = verify_evidence.Segment(last).start
    end = verify_evidence.read_entry(image, start, len(image)).end
    with last.open("ab") as segment:
        segment.write(image[start:end])


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (_append(b"ARRE torn"), 0),
        (_append(b"\0" * 4096), 0),
        (_swap, 4),
        (_no_middle, 4),
        (_repeat_an_entry, 4),
        (lambda journal: (journal / "note.txt").write_text("no part of it"), 0),
        (lambda journal: shutil.rmtree(journal / "tree"), 4),
        (lambda journal: shutil.rmtree(journal / "segments"), 4),
        (_remove_every_file, 4),
    ],
    ids=[
        "torn",
        "zeros",
        "swap",
        "no-middle",
        "repeat",
        "stray",
        "no-tree",
        "no-segments",
        "bare",
    ],
)
def test_both_judge_larger_changes_alike(
    journal: Path, change: Callable[[Path], object], outcome: int
) -> None:
    change(journal)
    assert (first(journal), second("journal", journal)) == (outcome, outcome)


def test_a_writer_at_work_is_no_violation(tmp_path: Path) -> None:
    pace = Pace(batches=12)
    outcomes = set()
    with open_writer(tmp_path, segment_max_entries=25) as writer:

        def write() -> None:
            number = 0
            while pace.goes_on():
                writer.append([received(number + n) for n in range(7)])
                number += 7
                writer.publish_head()

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(12):
                pace.look()
                outcomes.add(second("journal", tmp_path))
        finally:
            pace.end()
            thread.join()
    assert outcomes == {0}


def test_what_is_not_there_was_not_checked(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in ("none", "empty"):
        assert first(tmp_path / folder) == second("journal", tmp_path / folder) == 5


def test_both_find_a_journal_that_was_rolled_back(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        writer.append([received(n) for n in range(5)])
        writer.publish_head()
        rolled = Path(shutil.copytree(tmp_path / "journal", tmp_path / "rolled"))
        writer.append([received(5)])
    outside = tmp_path / "head.txt"
    note = (tmp_path / "journal" / "checkpoint").read_text()
    outside.write_text(note)
    assert first(rolled) == second("journal", rolled) == 0
    assert first(rolled, note) == second("journal", rolled, "--checkpoint", outside) == 4
    whole = tmp_path / "journal"
    assert first(whole, note) == second("journal", whole, "--checkpoint", outside) == 0


def test_both_find_a_forged_entry_whose_checksum_and_tree_were_forged_too(tmp_path: Path) -> None:
    fill(tmp_path, 20)
    journal = tmp_path / "journal"
    ((_, path),) = segment_files(journal)
    octets = bytearray(path.read_bytes())
    start = verify_evidence.Segment(path).start
    read = verify_evidence.read_entry(bytes(octets), start, len(octets))
    octets[read.end - 1] ^= 1
    content = octets[start : start + 16] + octets[start + 20 : read.end]
    octets[start + 16 : start + 20] = zlib.crc32(content).to_bytes(4)
    path.write_bytes(octets)
    forged = verify_evidence.read_entry(bytes(octets), start, len(octets))
    leaves = journal / "tree" / "0" / "000000000"
    leaves.write_bytes(forged.leaf + leaves.read_bytes()[32:])
    assert first(journal) == second("journal", journal) == 4


def test_a_key_that_is_not_trusted(whole: Path) -> None:
    assert second("journal", whole, "--key", vectors.SIGNER.verifier.text) == 4
    own = (whole / "identity").read_text().split("\n")[3].split(" ")[2]
    assert second("journal", whole, "--key", own) == 0


def _recode(path: Path, encoding: int) -> None:
    octets = bytearray(path.read_bytes())
    (length,) = struct.unpack_from(">I", octets, 12)
    octets[9] = encoding
    octets[length - 4 : length] = zlib.crc32(octets[: length - 4]).to_bytes(4)
    path.chmod(0o600)
    path.write_bytes(octets)


@pytest.mark.parametrize("number", [0, 1, -1])
def test_an_encoding_that_it_does_not_know_is_not_checked_and_all_else_is(
    plain: Path, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    path = sorted((plain / "segments").iterdir())[number]
    _recode(path, 0x7F)
    assert second("journal", plain) == 5
    said = capsys.readouterr().out
    assert f"{path.name}: encoding 127" in said
    assert "all else is intact: 293 entries in 3 segments" in said
    other = sorted((plain / "segments").iterdir())[number - 1]
    octets = bytearray(other.read_bytes())
    octets[-400] ^= 1
    other.write_bytes(octets)
    assert second("journal", plain) == 4


def test_without_its_package_a_compressed_segment_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = sealed_and_removed(tmp_path)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert second("journal", journal) == 5
    said = capsys.readouterr().out
    assert "00000000000000000000.segment is compressed; install the package zstandard" in said


def _without_a_statement(journal: Path) -> None:
    max((journal / "removals").iterdir()).unlink()


def _without_the_first_statement(journal: Path) -> None:
    min((journal / "removals").iterdir()).unlink()


def _statement_twice(journal: Path) -> None:
    last = max((journal / "removals").iterdir())
    shutil.copy(last, last.with_name("000000003.removal"))


def _statement_of_another(journal: Path) -> None:
    last = max((journal / "removals").iterdir())
    text = last.read_text().rpartition("\n\n")[0] + "\n"
    last.write_text(vectors.SIGNER.sign(text))


@pytest.mark.parametrize(
    "change",
    [
        _without_a_statement,
        _without_the_first_statement,
        _statement_twice,
        _statement_of_another,
    ],
)
def test_both_want_a_statement_for_each_body_that_is_gone(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    journal = sealed_and_removed(tmp_path)
    assert first(journal) == second("journal", journal) == 0
    change(journal)
    assert first(journal) == second("journal", journal) == 4


def test_a_statement_that_is_not_carried_out_yet_is_fine_to_both(
    tmp_path: Path, plain: Path
) -> None:
    start, path = segment_files(plain)[1]
    before = path.read_bytes()
    remover = Remover(plain, RemovalOptions(signer=signer(tmp_path)))
    remover.remove(start, (start + 1, start + 2), "the time of keeping is over")
    assert path.read_bytes() != before
    path.write_bytes(before)
    assert first(plain) == second("journal", plain) == 0
