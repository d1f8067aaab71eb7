import os
from pathlib import Path
from zlib import crc32

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import IntegrityViolation, JournalBusy, NotFound
from audit.journal import layout
from audit.journal.entry import (
    HEADER_OCTETS,
    Entry,
    decode,
    decode_body,
    decode_header,
    encode,
    removed_form,
)
from audit.journal.files import Files
from audit.journal.identity import Identity
from audit.journal.initialise import read_identity
from audit.journal.locks import try_lock_directory
from audit.journal.merkle import inclusion_path, root_from_inclusion
from audit.journal.note import Signer
from audit.journal.reader import JournalReader
from audit.journal.recovery import segment_files
from audit.journal.removal import Removal
from audit.journal.remove import RemovalOptions, Remover, read_removals
from audit.journal.seal import seal_segment
from audit.journal.segment_file import SegmentFile
from audit.journal.tree_store import TreeReader
from audit.journal.verify import verify
from tests.journal.faults import Unsynced
from tests.journal.journals import (
    append_all,
    certificate,
    fill,
    open_writer,
    received,
    signer,
)

FILES = Files(Unsynced())


def remover(root: Path, **changes: float) -> Remover:
    options = RemovalOptions(signer=signer(root), **changes)  # type: ignore[arg-type]
    return Remover(root / "journal", options, FILES, lambda: 77)


def whole(number: int) -> bytes:
    encoded = encode(Entry(number, bytes(range(16)), received(number)))
    return encoded.head + encoded.body


# ---- the form that is left


def test_what_is_left_keeps_the_leaf_and_no_octet_of_body_or_salt() -> None:
    octets = whole(5)
    decoded = decode_body(octets, 0, decode_header(octets))
    left = removed_form(decoded)
    entry, end = decode(left)
    assert end == len(left)
    assert entry.is_removed
    assert entry.leaf_hash == decoded.leaf_hash == decoded.entry.leaf_hash
    assert entry.received.raw == b""
    assert entry.salt == bytes(16)
    before = decoded.entry.received
    after = entry.received
    assert (after.received_at, after.listener, after.peer, after.certificate_sha256) == (
        before.received_at,
        before.listener,
        before.peer,
        before.certificate_sha256,
    )
    assert after.sent_length == before.sent_length
    assert before.raw[:8] not in left
    assert decoded.entry.salt not in left
    with pytest.raises(NotFound, match="lawfully removed"):
        _ = entry.envelope
    with pytest.raises(ValueError, match="can't be written anew"):
        encode(entry)
    with pytest.raises(ValueError, match="nothing that may be removed"):
        removed_form(decode_body(left, 0, decode_header(left)))


def test_every_flipped_bit_of_what_is_left_is_found() -> None:
    octets = whole(4)
    left = removed_form(decode_body(octets, 0, decode_header(octets)))
    for bit in range(len(left) * 8):
        flipped = bytearray(left)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(IntegrityViolation):
            decode(flipped)


# ---- in a journal


@pytest.fixture(params=["plain", "sealed"])
def root(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    fill(tmp_path, 20, segment_max_entries=8)
    if request.param == "sealed":
        for _, path in segment_files(tmp_path / "journal")[:-1]:
            seal_segment(FILES, path)
    return tmp_path


def test_bodies_go_and_all_else_stays(root: Path) -> None:
    journal = root / "journal"
    before = verify(journal)
    with JournalReader(journal) as reader:
        leaves = [entry.leaf_hash for entry in reader.iterate(0)]
        assert reader.read(9).received == received(9)
        removal = remover(root).remove(8, [9, 10, 12], "ten years are over")
        entries = list(reader.iterate(0))
        assert [entry.leaf_hash for entry in entries] == leaves
        assert [entry.sequence for entry in entries if entry.is_removed] == [9, 10, 12]
        assert reader.read(9).is_removed
        assert reader.read(11).received == received(11)
    assert removal.spans == ((9, 10), (12, 12))
    assert (removal.number, removal.time, removal.size) == (0, 77, 20)
    found = verify(journal)
    assert (found.violations, found.notes, found.removed) == ((), (), 3)
    assert found.exit_code == 0
    assert (found.root, found.entries, found.heads) == (before.root, 20, before.heads)
    octets = b"".join(path.read_bytes() for path in journal.rglob("*") if path.is_file())
    assert received(9).raw not in octets


def test_proofs_of_what_is_left_still_verify(root: Path) -> None:
    remover(root).remove(8, range(8, 16), "ten years are over")
    tree = TreeReader(root / "journal")
    with JournalReader(root / "journal") as reader:
        for sequence in (3, 9, 17):
            path = inclusion_path(tree.node, sequence, 20)
            leaf = reader.read(sequence).leaf_hash
            head = verify(root / "journal").root
            assert root_from_inclusion(leaf, sequence, 20, path).hex() == head  # type: ignore[union-attr]


def test_it_goes_on_in_several_statements_and_a_writer_beside(root: Path) -> None:
    with open_writer(root, FILES, segment_max_entries=8) as writer:
        remover(root).remove(0, [0, 1], "first")
        append_all(writer, [received(n) for n in range(20, 30)])
        remover(root).remove(0, [3], "second")
        remover(root).remove(16, [17, 23], "third")
    seal_segment(FILES, segment_files(root / "journal")[0][1])
    found = verify(root / "journal")
    assert (found.violations, found.notes, found.removed) == ((), (), 5)
    numbers = [removal.number for removal in read_removals(root / "journal", identity_of(root))]
    assert numbers == [0, 1, 2]


def identity_of(root: Path) -> Identity:
    return read_identity(root / "journal")


def test_a_crash_between_statement_and_rewriting_is_finished(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = remover(root)
    monkeypatch.setattr(one, "_rewrite", lambda *_: None)
    removal = one.remove(0, [2, 3], "court order 7")
    found = verify(root / "journal")
    assert found.intact
    assert "not carried out yet" in found.notes[0]
    monkeypatch.undo()
    assert remover(root).finish() == [removal]
    assert remover(root).finish() == []
    assert verify(root / "journal").removed == 2


def test_only_whole_messages_of_a_closed_segment_can_go(tmp_path: Path) -> None:
    with open_writer(tmp_path, FILES, segment_max_entries=4) as writer:
        writer.append([certificate(1), *(received(n) for n in range(1, 4))])
        writer.append([received(4)])
    one = remover(tmp_path)
    with pytest.raises(ValueError, match="nothing that may be removed"):
        one.remove(0, [0, 1], "x")
    with pytest.raises(NotFound, match="no closed segment"):
        one.remove(4, [4], "x")
    for sequences in ([1, 4], []):
        with pytest.raises(NotFound, match="does not hold"):
            one.remove(0, sequences, "x")
    one.remove(0, [1], "x")
    with pytest.raises(ValueError, match="nothing that may be removed"):
        one.remove(0, [1], "x")
    with pytest.raises(ValueError, match="can't be written"):
        one.remove(0, [2], "two\nlines")
    assert verify(tmp_path / "journal").removed == 1


def test_another_key_may_not_sign(root: Path) -> None:
    stranger = Signer(signer(root).name, Ed25519PrivateKey.generate())
    with pytest.raises(IntegrityViolation, match="not this journal's"):
        Remover(root / "journal", RemovalOptions(signer=stranger))


def test_it_waits_for_whoever_rewrites_segments(root: Path) -> None:
    held = try_lock_directory(root / "journal" / "segments")
    assert held is not None
    with pytest.raises(JournalBusy), remover(root, lock_wait_s=0.0).locked():
        pass
    os.close(held)
    with remover(root).locked():
        pass


# ---- what verify makes of removal without right


def test_deletion_without_a_statement_is_a_violation(root: Path) -> None:
    """As an attacker would do it who has all files and not the key."""
    one = remover(root)
    one._rewrite(segment_files(root / "journal")[0][1], frozenset([3]))
    found = verify(root / "journal")
    assert found.exit_code == 4
    assert found.violations[0].sequence == 3
    assert "by what right" in found.violations[0].problem


@pytest.mark.parametrize(
    ("name", "problem"),
    [("stranger", "just the keys"), ("borrowed", "more than|not what|another log|stands here")],
)
def test_a_statement_that_the_log_did_not_make_does_not_help(
    root: Path, name: str, problem: str
) -> None:
    one = remover(root)
    removal = one.remove(0, [1], "ten years are over")
    path = root / "journal" / layout.removal_name(0)
    forged = Removal(
        **{field: getattr(removal, field) for field in ("log", "size", "time", "reason")},
        number=1,
        segment=0,
        spans=((3, 3),),
        digest=removal.digest,
    )
    forger = Signer(signer(root).name, Ed25519PrivateKey.generate())
    note = forged.signed(forger) if name == "stranger" else path.read_text()
    (root / "journal" / layout.removal_name(1)).write_text(note)
    one._rewrite(segment_files(root / "journal")[0][1], frozenset([3]))
    found = verify(root / "journal")
    assert found.exit_code == 4
    problems = " ".join(violation.problem for violation in found.violations)
    assert "by what right" in problems
    assert any(word in problems for word in problem.split("|"))


def test_altered_metadata_of_what_is_left_is_found(tmp_path: Path) -> None:
    """The leaf hash can't show it any more; the signed digest does."""
    fill(tmp_path, 20, segment_max_entries=8)
    remover(tmp_path).remove(0, [1, 2], "ten years are over")
    _, path = segment_files(tmp_path / "journal")[0]
    with SegmentFile(path) as octets:
        placed = octets.entry(octets.offset_of(1))
    whole_file = bytearray(path.read_bytes())
    start = placed.offset
    whole_file[start + HEADER_OCTETS + 15] ^= 1  # received-at
    checked = whole_file[start : start + 16] + whole_file[start + HEADER_OCTETS : placed.end]
    whole_file[start + 16 : start + HEADER_OCTETS] = crc32(checked).to_bytes(4)
    path.write_bytes(whole_file)
    problems = [violation.problem for violation in verify(tmp_path / "journal").violations]
    assert any("what is left of removed entries" in problem for problem in problems)


def test_missing_and_stray_statements_are_found(root: Path) -> None:
    one = remover(root)
    for sequence in (1, 2, 3):
        one.remove(0, [sequence], "ten years are over")
    path = root / "journal" / layout.removal_name(1)
    kept = path.read_bytes()
    path.unlink()
    problems = " ".join(v.problem for v in verify(root / "journal").violations)
    assert "statement 1 of removal is missing" in problems
    assert "by what right" in problems
    with pytest.raises(IntegrityViolation, match="missing"):
        read_removals(root / "journal", identity_of(root))
    path.write_bytes(b"\xff\xfe")
    assert not verify(root / "journal").intact
    with pytest.raises(IntegrityViolation, match="no text"):
        read_removals(root / "journal", identity_of(root))
    path.write_bytes(kept)
    assert verify(root / "journal").intact
