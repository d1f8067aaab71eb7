"""audit.journal.key_rotation: from one key to the next, and nobody goes back behind a seal."""

import errno
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from audit.errors import (
    ConfigurationError,
    IntegrityViolation,
    JournalUnavailable,
    RequestError,
)
from audit.journal import layout
from audit.journal.copy import copy_journal
from audit.journal.entry import Received
from audit.journal.epoch_seal import check_chain, parse_seal
from audit.journal.files import Files
from audit.journal.heads import encode_record, history_files, parse_history, read_checkpoint
from audit.journal.identity import Identity, LogKey
from audit.journal.initialise import read_identity
from audit.journal.key_rotation import next_key_file, previous_key_file, read_seals
from audit.journal.note import Signer, open_note, sign_by_all
from audit.journal.remove import RemovalOptions, Remover
from audit.journal.signing_key import load_signing_key
from audit.journal.standalone import verify_evidence
from audit.journal.verify import VerifyOptions, verify
from audit.journal.writer import JournalWriter
from tests.journal.faults import NAMES, FaultyCalls, Unsynced
from tests.journal.journals import fill, open_writer, options, received, signer

DAY_S = 86_400
DAY_NS = DAY_S * 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now = 1_770_000_000_000_000_000

    def __call__(self) -> int:
        return self.now


def opened(root: Path, clock: Clock) -> JournalWriter:
    return JournalWriter.open(
        root / "journal",
        options(root, segment_max_entries=4),
        files=Files(Unsynced()),
        clock=clock,
    )


def rotated(root: Path, clock: Clock, times: int = 1) -> Path:
    """Six entries for each key, one day of overlap."""
    with opened(root, clock) as writer:
        for number in range(times + 1):
            if number:
                writer.rotate_key(DAY_S)
            for n in range(6):
                writer.append([received(number * 6 + n)])
    return root / "journal"


def second(journal: Path, *arguments: str) -> int:
    return verify_evidence.main(["journal", str(journal), *arguments])


def test_the_end_of_the_overlap_needs_no_key_s_file(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path, clock) as writer:
        writer.append([received(0)])
        writer.rotate_key(DAY_S)
        key_file = options(tmp_path).key_file
        assert previous_key_file(key_file).exists()
        key_file.chmod(0o644)
        clock.now += DAY_NS
        writer.append([received(1)])
        assert writer.publish_head().size == 2
        assert not previous_key_file(key_file).exists()
        key_file.chmod(0o600)
    assert read_checkpoint(tmp_path / "journal").count("\n— ") == 1


def test_both_keys_sign_for_the_overlap_and_then_the_new_one_alone(tmp_path: Path) -> None:
    clock = Clock()
    journal = rotated(tmp_path, clock)
    identity = read_identity(journal)
    (seal,) = read_seals(journal)
    old, new = (key.verifier for key in identity.keys)
    assert (seal.first, seal.size, seal.time) == (0, 6, clock.now)
    assert seal.overlap == clock.now + DAY_NS
    assert [key.since for key in identity.keys] == [0, 7]
    for key in (old, new):
        open_note(read_checkpoint(journal), [key])
    key_file = options(tmp_path).key_file
    assert Signer(identity.name, load_signing_key(key_file)).verifier == new
    assert previous_key_file(key_file).exists()
    with opened(tmp_path, clock) as writer:
        writer.append([received(12)])
        open_note(read_checkpoint(journal), [old])
        clock.now = seal.overlap
        writer.append([received(13)])
        writer.publish_head()
        with pytest.raises(IntegrityViolation, match="no known key"):
            open_note(read_checkpoint(journal), [old])
        assert not previous_key_file(key_file).exists()
    for trusted in ((), (old,), (new,)):
        assert verify(journal, VerifyOptions(trusted_keys=trusted)).violations == ()
    assert second(journal, "--key", old.text) == second(journal) == 0
    other = replace(old, public=bytes(32))
    assert verify(journal, VerifyOptions(trusted_keys=(other,))).exit_code == 4
    assert second(journal, "--key", other.text) == 4


def test_a_signature_line_taken_from_the_checkpoint_alone_is_found(tmp_path: Path) -> None:
    journal = rotated(tmp_path, Clock())
    path = journal / "checkpoint"
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 6, "three lines of text, an empty one, one by each key"
    for dropped in range(len(lines)):
        path.write_bytes(b"".join(lines[:dropped] + lines[dropped + 1 :]))
        assert verify(journal).exit_code == 4, lines[dropped]
        assert second(journal) == 4, lines[dropped]
    path.write_bytes(whole)
    assert verify(journal).intact
    assert second(journal) == 0


def test_an_old_key_that_is_left_over_does_not_sign_after_its_time(tmp_path: Path) -> None:
    clock = Clock()
    rotated(tmp_path, clock)
    clock.now += DAY_NS
    with opened(tmp_path, clock):
        assert not previous_key_file(options(tmp_path).key_file).exists()


def test_many_changes_and_a_copy_and_a_removal(tmp_path: Path) -> None:
    clock = Clock()
    journal = rotated(tmp_path, clock, times=3)
    Remover(journal, RemovalOptions(signer=signer(tmp_path))).remove(4, [5], "its time is over")
    found = verify(journal)
    assert (found.violations, found.notes, found.removed) == ((), (), 1)
    copy_journal(journal, tmp_path / "copy")
    assert verify(tmp_path / "copy").violations == ()
    assert second(journal) == second(tmp_path / "copy") == 0


def test_a_log_that_has_not_grown_keeps_its_key(tmp_path: Path) -> None:
    with open_writer(tmp_path) as writer:
        with pytest.raises(RequestError, match="not grown"):
            writer.rotate_key(DAY_S)
        writer.append([received(1)])
        writer.rotate_key(0)
        with pytest.raises(RequestError, match="not grown"):
            writer.rotate_key(0)
        writer.append([received(2)])
    assert verify(tmp_path / "journal").violations == ()
    assert len(read_identity(tmp_path / "journal").keys) == 2


def test_a_removal_waits_for_a_head_of_the_new_key(tmp_path: Path) -> None:
    with open_writer(tmp_path, segment_max_entries=2) as writer:
        for n in range(4):
            writer.append([received(n)])
        writer.rotate_key(0)
        remover = Remover(tmp_path / "journal", RemovalOptions(signer=signer(tmp_path)))
        with pytest.raises(JournalUnavailable, match="new key"):
            remover.remove(0, [0], "its time is over")


def test_a_change_may_be_cut_short_at_every_call(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    fill(whole, 6, segment_max_entries=4)
    shutil.copytree(whole, tmp_path / "clean")
    counting = FaultyCalls()
    with open_writer(tmp_path / "clean", Files(counting)) as writer:
        counting.fail("", 0, 0)
        writer.rotate_key(DAY_S)
        counts = dict(counting.counts)
    cases = [(name, at) for name in NAMES for at in range(1, counts[name] + 1)]
    assert len(cases) > 20
    keys = set()
    for name, at in cases:
        root = tmp_path / f"{name}-{at}"
        shutil.copytree(whole, root)
        calls = FaultyCalls()
        with open_writer(root, Files(calls)) as writer:
            calls.fail(name, at, errno.ENOSPC)
            with pytest.raises(JournalUnavailable, match="restart"):
                writer.rotate_key(DAY_S)
            with pytest.raises(JournalUnavailable):
                writer.append([received(6)])
        with open_writer(root, Files(Unsynced())) as writer:
            writer.append([received(6)])
        found = verify(root / "journal")
        assert (found.violations, found.notes) == ((), ()), (name, at)
        assert second(root / "journal") == 0
        keys.add(len(read_identity(root / "journal").keys))
        assert not next_key_file(options(root).key_file).exists()
    assert keys == {1, 2}


# -------- Whoever has the new key, and all the files


def resealed(root: Path) -> tuple[Path, Signer]:
    """An epoch of the old key with another message, all hashes right, signed by the new key."""
    clock = Clock()
    original = rotated(root / "original", clock)
    new = signer(root / "original")
    identity = read_identity(original)
    forged = root / "forged"
    with opened(forged, clock) as writer:
        for n in range(12):
            writer.append([altered(n) if n == 2 else received(n)])
            writer.publish_head()
    journal = forged / "journal"
    for _, path in history_files(journal):
        records, _ = parse_history(path.read_bytes())
        path.write_bytes(
            b"".join(
                encode_record(one.number, note_by(new, one.note, identity)) for one in records
            )
        )
    checkpoint = journal / layout.CHECKPOINT
    checkpoint.write_text(note_by(new, checkpoint.read_text(), identity))
    return journal, new


def altered(number: int) -> Received:
    return replace(received(number), raw=b"<85>1 nothing happened")


def note_by(key: Signer, note: str, identity: Identity) -> str:
    """The head of a note under the log's name, signed by this key."""
    _, size, root, *_ = note.split("\n")
    return sign_by_all(f"{identity.name}\n{size}\n{root}\n", (key,))


def test_an_epoch_that_is_sealed_again_with_a_newer_key_is_found(tmp_path: Path) -> None:
    journal, new = resealed(tmp_path)
    real = tmp_path / "original" / "journal"
    identity = read_identity(real)
    old_head = head_of(real, 6)
    forged_origin = read_identity(journal).origin
    names = [LogKey(0, new.verifier)]
    alone = Identity(forged_origin, identity.name, tuple(names))
    (journal / layout.IDENTITY).write_text(alone.text)
    assert verify(journal).exit_code == second(journal) == 0  # all of it says so, and lies
    first_key = identity.keys[0].verifier
    assert verify(journal, VerifyOptions(trusted_keys=(first_key,))).exit_code == 4
    assert second(journal, "--key", first_key.text) == 4
    assert verify(journal, VerifyOptions(known_heads=(old_head,))).exit_code == 4
    kept = tmp_path / "head.txt"
    kept.write_text(old_head)
    assert second(journal, "--checkpoint", str(kept)) == 4
    shutil.copytree(real / layout.SEALS, journal / layout.SEALS)
    assert verify(journal).exit_code == second(journal) == 4
    both = Identity(forged_origin, identity.name, identity.keys)
    (journal / layout.IDENTITY).write_text(both.text)
    assert verify(journal).exit_code == second(journal) == 4


def head_of(journal: Path, size: int) -> str:
    for _, path in history_files(journal):
        for record in parse_history(path.read_bytes())[0]:
            if record.unchecked().size == size:
                return record.note
    raise AssertionError(size)


@pytest.mark.parametrize(
    "change",
    ["missing", "another root", "another size", "signed by the new key alone", "renamed", "text"],
)
def test_an_altered_seal_is_found(tmp_path: Path, change: str) -> None:
    clock = Clock()
    journal = rotated(tmp_path, clock, times=2)
    path = journal / layout.seal_name(1)
    seal = parse_seal(path.read_text())
    old = Signer(seal.log, load_signing_key(previous_key_file(options(tmp_path).key_file)))
    new = signer(tmp_path)
    if change == "missing":
        path.unlink()
    elif change == "another root":
        path.write_text(replace(seal, root=bytes(32)).signed(old, new))
    elif change == "another size":
        path.write_text(replace(seal, size=9).signed(old, new))
    elif change == "signed by the new key alone":
        path.write_text(new.sign(seal.text))
    elif change == "renamed":
        path.rename(journal / layout.seal_name(2))
    else:
        path.write_bytes(b"\xff")
    assert verify(journal).exit_code == second(journal) == 4
    if change != "another root":  # a change of the tree, which a start does not read again
        with pytest.raises(IntegrityViolation):
            opened(tmp_path, clock)


def test_a_seal_has_one_form(tmp_path: Path) -> None:
    journal = rotated(tmp_path, Clock())
    note = (journal / layout.seal_name(0)).read_text()
    identity, seal = read_identity(journal), parse_seal(note)
    check_chain(identity, [seal])
    for wrong in ("", note.replace("size 6", "size 06"), note.replace("old ", "old x")):
        with pytest.raises(IntegrityViolation):
            parse_seal(wrong)
    same = replace(seal, new=seal.old)
    with pytest.raises(IntegrityViolation, match="two keys"):
        parse_seal(sign_by_all(same.text, (signer(tmp_path),)))
    with pytest.raises(IntegrityViolation, match="does not follow"):
        check_chain(identity, [replace(seal, previous=bytes(32))])


def test_a_foreign_key_opens_no_journal(tmp_path: Path) -> None:
    clock = Clock()
    rotated(tmp_path, clock)
    key_file = options(tmp_path).key_file
    previous_key_file(key_file).replace(key_file)
    with pytest.raises(ConfigurationError, match="not the key of this journal"):
        opened(tmp_path, clock)
