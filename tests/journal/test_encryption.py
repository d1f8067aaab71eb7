import random
from pathlib import Path

import pytest

from audit.errors import ConfigurationError, IntegrityViolation
from audit.journal import master_keys
from audit.journal.copy import copy_journal
from audit.journal.entry import Received
from audit.journal.files import Files
from audit.journal.master_keys import KeyMissing, MasterKey, MasterKeys
from audit.journal.reader import JournalReader
from audit.journal.recovery import segment_files
from audit.journal.remove import RemovalOptions, Remover
from audit.journal.seal import seal_segment
from audit.journal.sealer import Sealer
from audit.journal.segment_cipher import FRAME_OCTETS, KEY_BLOCK_OCTETS, SegmentCipher
from audit.journal.segment_file import SegmentFile
from audit.journal.verify import verify
from tests.journal.faults import Unsynced
from tests.journal.journals import (
    KEY,
    append_all,
    encrypt,
    fill,
    open_writer,
    options,
    received,
    signer,
)

FILES = Files(Unsynced())
OTHER = MasterKey(bytes(range(100, 132)))


@pytest.fixture(autouse=True)
def encrypting(monkeypatch: pytest.MonkeyPatch) -> None:
    encrypt(monkeypatch)


def encodings(root: Path) -> list[int]:
    found = []
    for _, path in segment_files(root / "journal"):
        with SegmentFile(path) as octets:
            found.append(octets.head.encoding)
    return found


def octets_of(root: Path) -> bytes:
    return b"".join(path.read_bytes() for _, path in segment_files(root / "journal"))


def test_nothing_of_a_message_is_in_the_files_and_all_is_read(tmp_path: Path) -> None:
    records = fill(tmp_path, 60, segment_max_entries=16)
    assert encodings(tmp_path) == [2, 2, 2, 2]
    assert b"record" not in octets_of(tmp_path)
    with JournalReader(tmp_path / "journal") as reader:
        assert [entry.received for entry in reader.iterate(0)] == records
        assert [reader.read(n).received for n in range(60)] == records
    found = verify(tmp_path / "journal")
    assert (found.violations, found.notes, found.entries) == ((), (), 60)
    for _, path in segment_files(tmp_path / "journal")[:-1]:
        seal_segment(FILES, path)
    assert encodings(tmp_path) == [3, 3, 3, 2]
    assert b"record" not in octets_of(tmp_path)
    with JournalReader(tmp_path / "journal") as reader:
        assert [entry.received for entry in reader.iterate(0)] == records
        assert [reader.read(n).received for n in range(60)] == records
    assert verify(tmp_path / "journal").intact


def test_a_reader_follows_the_writer(tmp_path: Path) -> None:
    given = options(tmp_path)
    with (
        open_writer(tmp_path, FILES, segment_max_entries=8) as writer,
        JournalReader(tmp_path / "journal", given.position_file) as reader,
    ):
        for n in range(0, 30, 2):
            writer.append([received(n), received(n + 1)])
            assert reader.read(n + 1).received == received(n + 1)
            assert len(list(reader.iterate(0))) == n + 2


def test_large_and_many_entries_in_one_batch_are_cut_into_frames(tmp_path: Path) -> None:
    sizes = [10, FRAME_OCTETS, 10, FRAME_OCTETS // 2, FRAME_OCTETS // 2, 3 * FRAME_OCTETS, 0]
    records = [Received(random.randbytes(n), 1, "tls", "192.0.2.1:1") for n in sizes]  # noqa: S311
    imitation = Received(b"ARRE" + bytes(FRAME_OCTETS), 1, "tls", "192.0.2.1:1")
    with open_writer(tmp_path, FILES) as writer:
        writer.append([*records, imitation])
    with JournalReader(tmp_path / "journal") as reader:
        assert [entry.received for entry in reader.iterate(0)] == [*records, imitation]
    with open_writer(tmp_path, FILES) as writer:
        assert writer.durable_count == 8


def test_a_key_that_comes_or_goes_begins_a_new_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encrypt(monkeypatch, KEY)
    master_keys.use(MasterKeys())
    records = fill(tmp_path, 6)
    assert encodings(tmp_path) == [0]
    master_keys.use(MasterKeys([KEY]))
    fill(tmp_path, 6)
    assert encodings(tmp_path) == [0, 2]
    master_keys.use(MasterKeys([OTHER, KEY]))
    with open_writer(tmp_path, FILES, segment_max_entries=7) as writer:
        append_all(writer, records)
    assert seal_segment(FILES, segment_files(tmp_path / "journal")[0][1]) is not None
    assert encodings(tmp_path)[:2] == [3, 2]
    with JournalReader(tmp_path / "journal") as reader:
        assert [entry.received for entry in reader.iterate(0)] == [*records, *records, *records]
    assert verify(tmp_path / "journal").intact


def test_without_the_key_verify_names_what_it_could_not_check(tmp_path: Path) -> None:
    master_keys.use(MasterKeys())
    fill(tmp_path, 9, segment_max_entries=5)
    master_keys.use(MasterKeys([KEY]))
    fill(tmp_path, 9, segment_max_entries=5)
    journal = tmp_path / "journal"
    whole = verify(journal)
    assert whole.exit_code == 0
    for keys in (MasterKeys(), MasterKeys([OTHER])):
        master_keys.use(keys)
        found = verify(journal)
        assert (found.exit_code, found.violations) == (5, ())
        assert 0 < len(found.unchecked) < whole.segments
        assert KEY.key_id.hex() in found.unchecked[0]
        assert "00000000000000000009.segment" in found.unchecked[0]
        assert found.entries == 9
        with JournalReader(journal, options(tmp_path).position_file) as reader:
            assert reader.read(3).received == received(3)
            with pytest.raises(KeyMissing):
                reader.read(12)
        with pytest.raises(ConfigurationError, match="last segment can't be read"):
            open_writer(tmp_path)
        told: list[str] = []
        sealer = Sealer(journal, on_failure=told.append, files=FILES)
        while sealer.step() is not None:
            pass
        assert "key" in told[0] or keys.current


def test_damage_counts_more_than_what_was_not_checked(tmp_path: Path) -> None:
    fill(tmp_path, 9, segment_max_entries=5)
    master_keys.use(MasterKeys())
    checkpoint = tmp_path / "journal" / "checkpoint"
    checkpoint.write_bytes(checkpoint.read_bytes().replace(b"9", b"8"))
    assert verify(tmp_path / "journal").exit_code == 4


def test_frames_fit_only_where_they_were_written() -> None:
    head = b"a head"
    cipher = SegmentCipher.create(KEY, head)
    stored = cipher.encrypt(b"ARRe", 100, b"octets")
    assert cipher.decrypt(b"ARRe", 100, stored) == b"octets"
    keys = MasterKeys([KEY])
    again = SegmentCipher.open(keys, head, cipher.key_block)
    assert again.decrypt(b"ARRe", 100, stored) == b"octets"
    for purpose, offset, octets in (
        (b"ARRb", 100, stored),
        (b"ARRe", 101, stored),
        (b"ARRe", 100, stored[:-1]),
        (b"ARRe", 100, b"short"),
    ):
        with pytest.raises(IntegrityViolation):
            cipher.decrypt(purpose, offset, octets)
    with pytest.raises(IntegrityViolation):
        SegmentCipher.create(KEY, head).decrypt(b"ARRe", 100, stored)
    with pytest.raises(IntegrityViolation, match="belongs to another segment"):
        SegmentCipher.open(keys, b"another head", cipher.key_block)
    for length in (0, KEY_BLOCK_OCTETS - 1):
        with pytest.raises(IntegrityViolation, match="cut short"):
            SegmentCipher.open(keys, head, cipher.key_block[:length])
    for bit in range(8 * KEY_BLOCK_OCTETS):
        flipped = bytearray(cipher.key_block)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(IntegrityViolation):
            SegmentCipher.open(keys, head, bytes(flipped))


def test_exchanged_frames_and_keys_are_violations(tmp_path: Path) -> None:
    fill(tmp_path, 20, segment_max_entries=8, batch=1)
    (_, one), (_, two), _ = segment_files(tmp_path / "journal")
    kept = one.read_bytes(), two.read_bytes()
    with SegmentFile(one) as octets:
        start = octets.entries_start + KEY_BLOCK_OCTETS
        second = octets.stored_offset(octets.offset_of(1))
        third = octets.stored_offset(octets.offset_of(2))
    swapped = kept[0][:start] + kept[0][second:third] + kept[0][start:second] + kept[0][third:]
    one.write_bytes(swapped)
    found = verify(tmp_path / "journal")
    assert found.exit_code == 4
    assert found.violations[0].sequence == 0
    one.write_bytes(kept[0][:third] + kept[0][third:-1])
    assert verify(tmp_path / "journal").exit_code == 4
    one.write_bytes(kept[0] + b"more")
    assert verify(tmp_path / "journal").exit_code == 4
    one.write_bytes(kept[0])
    assert verify(tmp_path / "journal").intact


def test_a_torn_end_is_noted_and_cut(tmp_path: Path) -> None:
    with open_writer(tmp_path, FILES) as writer:
        writer.append([received(0)])
    _, path = segment_files(tmp_path / "journal")[0]
    whole = path.read_bytes()
    with SegmentFile(path) as octets:
        frame = whole[octets.entries_start + KEY_BLOCK_OCTETS :]
    for tail in (b"\x00", frame[:30], frame[:-1], b"\x00\x00\x00\x05" + bytes(40)):
        path.write_bytes(whole + tail)
        found = verify(tmp_path / "journal")
        assert found.intact
        assert "unfinished write" in found.notes[0]
        with open_writer(tmp_path, FILES) as writer:
            assert writer.recovery.cut_octets == len(tail)
            assert writer.durable_count == 1
        assert path.read_bytes() == whole


def test_removal_and_copies_stay_encrypted(tmp_path: Path) -> None:
    fill(tmp_path, 30, segment_max_entries=8)
    seal_segment(FILES, segment_files(tmp_path / "journal")[0][1])
    remover = Remover(tmp_path / "journal", RemovalOptions(signer=signer(tmp_path)), FILES)
    remover.remove(0, [1, 2], "ten years are over")
    remover.remove(8, [9], "ten years are over")
    assert encodings(tmp_path) == [3, 3, 2, 2]
    found = verify(tmp_path / "journal")
    assert (found.violations, found.notes, found.removed) == ((), (), 3)
    copy_journal(tmp_path / "journal", tmp_path / "copy" / "journal", FILES)
    assert encodings(tmp_path / "copy") == [3, 3, 2, 2]
    copied = verify(tmp_path / "copy" / "journal")
    assert (copied.violations, copied.notes, copied.entries) == ((), (), 30)
    assert b"record" not in octets_of(tmp_path / "copy")
