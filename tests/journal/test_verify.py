"""audit.journal.verify: what it finds, how it names it, and that it is silent otherwise."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.errors import IncompleteCheck
from audit.journal import layout
from audit.journal import verify as verify_module
from audit.journal.entry import Entry, encode
from audit.journal.heads import history_files, read_checkpoint
from audit.journal.initialise import read_identity
from audit.journal.note import VerifierKey
from audit.journal.position import read_position
from audit.journal.recovery import segment_files
from audit.journal.remove import RemovalOptions, Remover
from audit.journal.segment import decode_foot, encode_foot
from audit.journal.segment_file import SegmentFile
from audit.journal.verify import VerifyOptions, verify
from audit.journal.verify_report import MAX_VIOLATIONS, Findings
from audit.journal.verify_segment import OnOctets, SegmentOutcome, SegmentTask, check_segment
from tests.journal.journals import certificate, fill, open_writer, received, signer, wait_until
from tests.journal.pace import Pace

COUNT = 30


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Thirty entries in four segments, closed properly."""
    fill(tmp_path, COUNT, segment_max_entries=8, batch=2)
    return tmp_path / "journal"


def replace_entry(journal: Path, number: int, sequence: int) -> None:
    """Put another message, with a right checksum, at the place of an entry; foot mended too."""
    path = segment_files(journal)[number][1]
    with SegmentFile(path) as octets:
        foot_start = octets.foot_start()
        placed = octets.scan(octets.entries_start, foot_start)
        target = next(p for p in placed if p.entry.sequence == sequence)
    forged = received(sequence)
    forged = type(forged)(forged.raw[:-1] + b"X", *[getattr(forged, n) for n in FIELDS])
    encoded = encode(Entry(sequence, target.entry.salt, forged))
    whole = path.read_bytes()
    path.write_bytes(whole[: target.offset] + encoded.head + encoded.body + whole[target.end :])


FIELDS = ("received_at", "listener", "peer", "certificate_sha256", "kind")


def test_an_untouched_journal_is_intact(journal: Path) -> None:
    before = {path: path.read_bytes() for path in journal.rglob("*") if path.is_file()}
    report = verify(journal)
    assert report.intact
    assert report.exit_code == 0
    assert report.notes == ()
    assert (report.segments, report.entries, report.covered) == (4, COUNT, COUNT)
    assert report.octets == sum(path.stat().st_size for _, path in segment_files(journal))
    assert report.heads >= 5
    assert report.origin == read_identity(journal).origin
    assert report.as_dict()["intact"] is True
    assert before == {path: path.read_bytes() for path in journal.rglob("*") if path.is_file()}


def test_an_empty_journal_is_intact(tmp_path: Path) -> None:
    open_writer(tmp_path).close()
    report = verify(tmp_path / "journal")
    assert not report.violations
    assert not report.notes
    assert (report.entries, report.heads) == (0, 1)


def test_certificates_and_many_segments_are_intact(tmp_path: Path) -> None:
    with open_writer(tmp_path, segment_max_entries=1) as writer:
        for number in range(12):
            writer.append([certificate(number % 5), received(number)])
    assert verify(tmp_path / "journal").violations == ()


def test_a_changed_entry_is_named(journal: Path) -> None:
    replace_entry(journal, 1, 11)
    first = verify(journal).violations[0]
    path = segment_files(journal)[1][1]
    with SegmentFile(path) as octets:
        offset = octets.offset_of(3)
    assert (first.sequence, first.offset) == (11, offset)
    assert first.file == f"segments/{path.name}"
    assert "leaf hash" in first.problem


def test_a_changed_entry_with_a_changed_leaf_is_found_by_the_signed_head(journal: Path) -> None:
    replace_entry(journal, 1, 11)
    with SegmentFile(segment_files(journal)[1][1]) as octets:
        leaf = octets.entry(octets.offset_of(3)).entry.leaf_hash
    leaves = journal / layout.chunk_name(0, 0)
    kept = bytearray(leaves.read_bytes())
    kept[11 * 32 : 12 * 32] = leaf
    leaves.write_bytes(kept)
    first = verify(journal).violations[0]
    assert "signed head covers" in first.problem
    assert first.sequence is not None
    assert first.sequence <= 11


def test_a_changed_foot_is_found(journal: Path) -> None:
    path = segment_files(journal)[0][1]
    with SegmentFile(path) as octets:
        start = octets.foot_start()
    whole = path.read_bytes()
    foot = decode_foot(whole[start:])
    forged = type(foot)(offsets=foot.offsets, earliest=1, latest=foot.latest, root=foot.root)
    path.write_bytes(whole[:start] + encode_foot(forged))
    assert verify(journal).exit_code == 4


Act = Callable[[Path], object]


def _first(journal: Path) -> Path:
    return segment_files(journal)[0][1]


def _last(journal: Path) -> Path:
    return segment_files(journal)[-1][1]


def _cut(path: Path, octets: int) -> None:
    path.write_bytes(path.read_bytes()[:-octets])


def _heads(journal: Path, number: int) -> Path:
    return history_files(journal)[number][1]


def _without_head(journal: Path) -> None:
    octets = _heads(journal, 1).read_bytes()
    start = octets.index(b"head ")
    _heads(journal, 1).write_bytes(octets[octets.index(b"head ", start + 1) :])


def _unlink_all(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def _swap(journal: Path) -> None:
    first, second = (path for _, path in segment_files(journal)[:2])
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda j: _first(j).unlink(), "missing"),
        (lambda j: segment_files(j)[1][1].unlink(), "missing"),
        (lambda j: _last(j).unlink(), "the journal ends at"),
        (lambda j: _unlink_all(j / "segments"), "no segments"),
        (lambda j: shutil.rmtree(j / "segments"), "no segments"),
        (lambda j: _cut(_first(j), 10), "cut short|no entry begins|missing"),
        (lambda j: _cut(_last(j), 1), "cut short"),
        (lambda j: _cut(_last(j), 10_000), "head is cut short"),
        (_swap, "belongs to another place"),
        (lambda j: (j / "identity").unlink(), "identity is missing"),
        (lambda j: (j / "identity").write_bytes(b"\xff"), "identity"),
        (lambda j: (j / "checkpoint").unlink(), "checkpoint can't be read"),
        (lambda j: (j / "checkpoint").write_text("x\n"), "signed note|checkpoint"),
        (lambda j: _heads(j, 0).unlink(), "is missing"),
        (lambda j: _heads(j, -1).unlink(), "missing from the history"),
        (lambda j: _cut(_heads(j, 1), 5), "no signed head"),
        (lambda j: _cut(_heads(j, -1), 5), "missing from the history"),
        (_without_head, "is missing, head"),
        (lambda j: shutil.rmtree(j / "heads"), "can't be read"),
        (lambda j: shutil.rmtree(j / "tree"), "are missing"),
        (lambda j: _cut(j / layout.chunk_name(0, 0), 1), "are missing"),
        (lambda j: (j / "heads" / layout.heads_name(3)).write_bytes(b""), "segment that is"),
    ],
)
def test_what_is_missing_or_cut_is_found(journal: Path, act: Act, words: str) -> None:
    act(journal)
    report = verify(journal)
    assert report.exit_code == 4
    assert any(
        word in violation.problem for violation in report.violations for word in words.split("|")
    ), report.violations


def test_the_tree_above_level_zero_is_checked(tmp_path: Path) -> None:
    fill(tmp_path, 600, batch=100)
    journal = tmp_path / "journal"
    assert verify(journal).intact
    path = journal / layout.chunk_name(1, 0)
    kept = path.read_bytes()
    path.write_bytes(kept[:32] + bytes(32))
    assert "hashes of the tree" in verify(journal).violations[0].problem
    path.write_bytes(kept[:32])
    assert "missing" in verify(journal).violations[0].problem


def test_a_journal_sealed_anew_with_another_key_is_found_by_the_trusted_one(
    journal: Path, tmp_path: Path
) -> None:
    trusted = read_identity(journal).current_key
    assert verify(journal, VerifyOptions(trusted_keys=(trusted,))).intact
    fill(tmp_path / "other", COUNT)
    report = verify(tmp_path / "other" / "journal", VerifyOptions(trusted_keys=(trusted,)))
    assert "not trusted" in report.violations[0].problem
    shutil.copy(tmp_path / "other" / "journal" / "checkpoint", journal / "checkpoint")
    assert not verify(journal).intact


def test_a_rollback_is_found_by_a_head_kept_elsewhere(tmp_path: Path) -> None:
    fill(tmp_path, 10)
    journal = tmp_path / "journal"
    shutil.copytree(journal, tmp_path / "earlier")
    with open_writer(tmp_path) as writer:
        writer.append([received(10)])
    kept = VerifyOptions(known_heads=(read_checkpoint(journal),))
    assert verify(journal, kept).intact
    assert verify(tmp_path / "earlier").intact
    report = verify(tmp_path / "earlier", kept)
    assert "ends at 10, but a signed head covers 11" in report.violations[0].problem


def test_heads_kept_elsewhere_are_compared_at_their_size(journal: Path, tmp_path: Path) -> None:
    octets = _heads(journal, 0).read_bytes().decode()
    early = octets[octets.index("head 1\n") + 7 :].split("\n\nhead")[0].removesuffix("\n") + "\n"
    report = verify(journal, VerifyOptions(known_heads=(early,)))
    assert report.intact, report.violations
    fill(tmp_path / "other", 3)
    foreign = read_checkpoint(tmp_path / "other" / "journal")
    assert not verify(journal, VerifyOptions(known_heads=(foreign,))).intact
    key: VerifierKey = read_identity(tmp_path / "other" / "journal").current_key
    both = VerifyOptions(
        known_heads=(foreign,), trusted_keys=(read_identity(journal).current_key, key)
    )
    assert "another log" in verify(journal, both).violations[0].problem


def test_strange_files_are_noted(journal: Path) -> None:
    (journal / "segments" / "README").write_bytes(b"")
    (journal / "tree" / "x").mkdir()
    report = verify(journal)
    assert report.intact
    assert report.notes == ("segments/README is no part of the journal",)


def test_progress_is_told(journal: Path) -> None:
    told: list[tuple[int, int]] = []
    verify(journal, VerifyOptions(on_progress=lambda done, total: told.append((done, total))))
    assert told[-1][0] == told[-1][1] > 0
    assert told == sorted(told)


def test_there_must_be_a_journal(tmp_path: Path) -> None:
    with pytest.raises(IncompleteCheck, match="empty"):
        verify(tmp_path)
    with pytest.raises(IncompleteCheck, match="could be read"):
        verify(tmp_path / "nothing")


def test_violations_are_bounded_but_counted() -> None:
    findings = Findings()
    for number in range(MAX_VIOLATIONS + 5):
        findings.violation("x", "file", number)
    assert len(findings.violations) == MAX_VIOLATIONS
    assert findings.violation_count == MAX_VIOLATIONS + 5


def test_it_may_run_beside_the_writer(tmp_path: Path) -> None:
    pace = Pace()

    def write() -> None:
        with open_writer(tmp_path, segment_max_entries=7) as writer:
            number = 0
            while pace.goes_on():
                writer.append([received(number + n) for n in range(3)])
                number += 3
                if number % 2:
                    writer.publish_head()

    fill(tmp_path, 1)
    thread = threading.Thread(target=write)
    thread.start()
    reports = []
    try:
        for _ in range(15):
            pace.look()
            reports.append(verify(tmp_path / "journal"))
        position = tmp_path / "run" / "journal.position"
        wait_until(lambda: read_position(position) > reports[0].entries)
        reports.append(verify(tmp_path / "journal"))
    finally:
        pace.end()
        thread.join()
    assert [violation for report in reports for violation in report.violations] == []
    assert reports[-1].entries > reports[0].entries


def test_what_is_lawfully_changed_meanwhile_is_no_violation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bodies are removed, and then the key is replaced, after the verifier read the statements."""
    fill(tmp_path, COUNT, segment_max_entries=8)
    changes: list[Callable[[], None]] = [lambda: remove(tmp_path), lambda: replace_key(tmp_path)]

    def change_then_check(task: SegmentTask, on_octets: OnOctets | None = None) -> SegmentOutcome:
        if changes and task.first == 8:
            changes.pop(0)()
        return check_segment(task, on_octets)

    monkeypatch.setattr(verify_module, "check_segment", change_then_check)
    report = verify(tmp_path / "journal")
    assert report.violations == ()
    assert report.removed == 1
    assert changes == []


def remove(root: Path) -> None:
    Remover(root / "journal", RemovalOptions(signer=signer(root))).remove(16, [17], "over")


def replace_key(root: Path) -> None:
    with open_writer(root) as writer:
        writer.rotate_key(0)
        writer.append([received(COUNT)])
