import errno
import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from audit.errors import IntegrityViolation, NotFound
from audit.journal import segment_image
from audit.journal.entry import Received
from audit.journal.files import Files
from audit.journal.proof import prove
from audit.journal.reader import JournalReader
from audit.journal.recovery import segment_files
from audit.journal.seal import seal_segment
from audit.journal.sealed_index import BLOCK_OCTETS
from audit.journal.segment import ENCODING_SEALED
from audit.journal.segment_file import SegmentFile
from audit.journal.verify import verify
from audit.simulate.hospital import simulate
from tests.journal.faults import NAMES, FaultyCalls, Unsynced
from tests.journal.journals import append_all, fill, open_writer, options, received

FILES = Files(Unsynced())


def seal_all(root: Path, files: Files = FILES) -> int:
    closed = segment_files(root / "journal")[:-1]
    return sum(seal_segment(files, path) is not None for _, path in closed)


def _image(path: Path) -> tuple[bytes, list[int], int]:
    with SegmentFile(path) as octets:
        foot = octets.foot()
        offsets = [octets.offset_of(n) for n in range(len(foot.offsets))]
        return octets.octets(0, octets.size()), offsets, octets.foot_start()


def test_the_sealed_image_is_the_plain_segment(tmp_path: Path) -> None:
    fill(tmp_path, 700, segment_max_entries=600, batch=50)
    _, path = segment_files(tmp_path / "journal")[0]
    plain = path.read_bytes()
    before = _image(path)
    sealed = seal_segment(FILES, path)
    assert sealed is not None
    assert (sealed.plain_octets, sealed.sealed_octets) == (len(plain), path.stat().st_size)
    assert path.stat().st_mode & 0o777 == 0o400
    assert _image(path) == before
    assert before[0] == plain
    with SegmentFile(path) as octets:
        assert octets.head.encoding == ENCODING_SEALED
        assert octets.octets(octets.size() + 5, 10) == b""
        for number in (0, 255, 256, 599):
            assert octets.entry(octets.offset_of(number)).entry.sequence == number
        for number in (-1, 600):
            with pytest.raises(IntegrityViolation, match="no entry"):
                octets.offset_of(number)
    assert seal_segment(FILES, path) is None


def test_reader_verify_and_proofs_see_no_difference(tmp_path: Path) -> None:
    records = fill(tmp_path, 60, segment_max_entries=16)
    journal = tmp_path / "journal"
    before = verify(journal)
    with JournalReader(journal) as reader:
        proof = prove(journal, reader, 7)
        assert reader.read(7).received == records[7]
        assert seal_all(tmp_path) == 3
        assert [entry.received for entry in reader.iterate(0)] == records
        assert [entry.received for entry in reader.iterate(13, 40)] == records[13:40]
        assert [reader.read(n).received for n in range(60)] == records
        assert prove(journal, reader, 7) == proof
        with pytest.raises(NotFound):
            reader.read(60)
    assert verify(journal) == before
    assert seal_all(tmp_path) == 0


def test_a_writer_goes_on_after_sealed_segments(tmp_path: Path) -> None:
    records = fill(tmp_path, 20, segment_max_entries=8)
    seal_all(tmp_path)
    more = [received(n) for n in range(20, 40)]
    with open_writer(tmp_path, FILES, segment_max_entries=8) as writer:
        assert writer.durable_count == 20
        append_all(writer, more)
    seal_all(tmp_path)
    with JournalReader(tmp_path / "journal") as reader:
        assert [entry.received for entry in reader.iterate(0)] == records + more
    assert verify(tmp_path / "journal").intact


def test_large_entries_stand_alone_in_their_block(tmp_path: Path) -> None:
    big = [
        Received(bytes([n]) * (BLOCK_OCTETS // 2 + n), 1, "tls", "192.0.2.1:1") for n in range(5)
    ]
    with open_writer(tmp_path, FILES, segment_max_entries=5) as writer:
        writer.append([*big])
        writer.append([received(0)])
    assert seal_all(tmp_path) == 1
    with JournalReader(tmp_path / "journal") as reader:
        assert [reader.read(n).received for n in range(5)] == big


def test_one_entry_costs_one_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, 1100, segment_max_entries=1000, batch=100)
    seal_all(tmp_path)
    reads = []

    def counted(fd: int, offset: int, length: int) -> bytes:
        reads.append(length)
        return os.pread(fd, length, offset)

    with SegmentFile(segment_files(tmp_path / "journal")[0][1]) as octets:
        monkeypatch.setattr(segment_image, "read_at", counted)
        octets.entry(octets.offset_of(777))
    assert len(reads) == 1


def test_simulated_traffic_shrinks_to_an_eighth(tmp_path: Path) -> None:
    messages = simulate(5, datetime(2026, 1, 5, tzinfo=UTC), events=1500)
    chance = random.Random(5)  # noqa: S311 — repeatable
    records = [
        Received(
            message.syslog,
            1_770_000_000_000_000_000 + n * 80_000_000 + chance.randrange(80_000_000),
            "tls",
            f"192.0.2.{n % 40}:6514",
            bytes([n % 40]) * 32,
        )
        for n, message in enumerate(messages)
    ]
    with open_writer(tmp_path, FILES, segment_max_entries=1500) as writer:
        append_all(writer, records, batch=100)
        writer.append([received(0)])
    sealed = seal_segment(FILES, segment_files(tmp_path / "journal")[0][1])
    assert sealed is not None
    assert sealed.plain_octets / sealed.sealed_octets >= 8


def test_every_call_of_sealing_may_fail(tmp_path: Path) -> None:
    fill(tmp_path, 12, segment_max_entries=8)
    _, path = segment_files(tmp_path / "journal")[0]
    plain = path.read_bytes()
    counting = FaultyCalls()
    assert seal_segment(Files(counting), path) is not None
    for name in NAMES:
        for at in range(1, counting.counts[name] + 1):
            for error in (errno.EIO, errno.ENOSPC):
                path.unlink()
                path.write_bytes(plain)
                calls = FaultyCalls(name, at, error)
                with pytest.raises(OSError, match=os.strerror(error)):
                    seal_segment(Files(calls), path)
                assert calls.fired
                assert verify(tmp_path / "journal").violations == ()
                with JournalReader(tmp_path / "journal") as reader:
                    assert len(list(reader.iterate(0))) == 12
                assert not path.with_name(path.name + ".tmp").exists()


def test_what_reads_back_otherwise_is_not_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, 12, segment_max_entries=8)
    _, path = segment_files(tmp_path / "journal")[0]
    plain = path.read_bytes()
    true = zstandard.ZstdCompressor

    class Lying:
        def __init__(self, level: int) -> None:
            self._true = true(level=level)

        def compress(self, octets: bytes) -> bytes:
            return self._true.compress(octets[:-1] + b"?")

    monkeypatch.setattr("audit.journal.seal.zstandard.ZstdCompressor", Lying)
    with pytest.raises(IntegrityViolation, match="reads back otherwise"):
        seal_segment(FILES, path)
    assert path.read_bytes() == plain
    assert not path.with_name(path.name + ".tmp").exists()


def test_damage_in_a_block_is_a_violation_at_its_entry(tmp_path: Path) -> None:
    fill(tmp_path, 700, segment_max_entries=600, batch=50)
    seal_all(tmp_path)
    _, path = segment_files(tmp_path / "journal")[0]
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(octets)
    found = verify(tmp_path / "journal")
    assert found.exit_code == 4
    assert found.violations[0].sequence in {256, 512}
    with JournalReader(tmp_path / "journal") as reader:
        assert reader.read(3).sequence == 3
        with pytest.raises(IntegrityViolation, match="block"):
            reader.read(found.violations[0].sequence)


def test_a_reader_crosses_into_a_segment_it_has_not_seen(tmp_path: Path) -> None:
    given = options(tmp_path, segment_max_entries=8)
    with open_writer(tmp_path, FILES, segment_max_entries=8) as writer:
        writer.append([received(n) for n in range(4)])
        with JournalReader(tmp_path / "journal", given.position_file) as reader:
            assert reader.read(3).sequence == 3
            writer.append([received(n) for n in range(4, 8)])
            writer.append([received(n) for n in range(8, 12)])
            assert [entry.sequence for entry in reader.iterate(2)] == list(range(2, 12))
