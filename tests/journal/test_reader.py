"""audit.journal.reader"""

import threading
from pathlib import Path

import pytest

from audit.errors import IntegrityViolation, JournalUnavailable, NotFound
from audit.journal.reader import JournalReader
from audit.journal.recovery import segment_files
from audit.journal.segment import SegmentFoot, encode_foot
from tests.journal.journals import (
    append_all,
    certificate,
    fill,
    open_writer,
    received,
)


@pytest.fixture
def position(tmp_path: Path) -> Path:
    return tmp_path / "run" / "journal.position"


def test_every_entry_by_sequence_and_in_order(tmp_path: Path, position: Path) -> None:
    records = fill(tmp_path, 50, segment_max_entries=8)
    with JournalReader(tmp_path / "journal", position) as reader:
        assert reader.durable_count() == 50
        for sequence in (49, 0, 25, 7, 8, 9):
            assert reader.read(sequence).received == records[sequence]
        assert [entry.received for entry in reader.iterate(13, 31)] == records[13:31]
        assert list(reader.iterate(50)) == []
        assert len(list(reader.iterate(0, 1000))) == 50


@pytest.mark.parametrize("sequence", [-1, 3, 10**30])
def test_no_such_entry(tmp_path: Path, position: Path, sequence: int) -> None:
    fill(tmp_path, 3)
    with (
        JournalReader(tmp_path / "journal", position) as reader,
        pytest.raises(NotFound, match="no entry"),
    ):
        reader.read(sequence)


def test_it_follows_a_writer_over_segments(tmp_path: Path, position: Path) -> None:
    records = [received(n) for n in range(40)]
    with (
        open_writer(tmp_path, segment_max_entries=5) as writer,
        JournalReader(tmp_path / "journal", position) as shown,
        JournalReader(tmp_path / "journal") as whole,
    ):
        assert shown.durable_count() == whole.durable_count() == 0
        for number, record in enumerate(records):
            writer.append([record])
            for reader in (shown, whole):
                assert reader.durable_count() == number + 1
                assert reader.read(number).received == record
                assert reader.read(number // 2).received == records[number // 2]
        assert [entry.received for entry in shown.iterate(0)] == records


def test_only_durable_entries_are_seen(tmp_path: Path, position: Path) -> None:
    fill(tmp_path, 10)
    position.write_bytes((4).to_bytes(8))
    with JournalReader(tmp_path / "journal", position) as reader:
        assert reader.durable_count() == 4
        assert len(list(reader.iterate(0))) == 4
        with pytest.raises(NotFound):
            reader.read(4)
        position.write_bytes(b"")
        assert reader.durable_count() == 0
        position.unlink()
        assert reader.durable_count() == 0


def test_without_a_position_a_torn_tail_is_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, 10)
    path = segment_files(tmp_path / "journal")[-1][1]
    with path.open("ab") as stream:
        stream.write(path.read_bytes()[-60:-3])
    with JournalReader(tmp_path / "journal") as reader:
        assert reader.durable_count() == 10


def test_a_message_that_looks_like_a_foot_does_not_close_its_segment(tmp_path: Path) -> None:
    record = received(0)
    foot = encode_foot(SegmentFoot(offsets=(0,), earliest=0, latest=0, root=b"r" * 32))
    with open_writer(tmp_path) as writer:
        imitation = type(record)(foot, record.received_at, record.listener, record.peer)
        writer.append([record, imitation])
    with open_writer(tmp_path) as writer:
        assert writer.recovery.cut_octets == 0
        writer.append([record])
    with JournalReader(tmp_path / "journal") as reader:
        assert [entry.received for entry in reader.iterate(0)] == [record, imitation, record]


def test_certificates_are_found_by_fingerprint(tmp_path: Path, position: Path) -> None:
    with open_writer(tmp_path, segment_max_entries=2) as writer:
        append_all(writer, [certificate(1), received(0), received(1), certificate(2)], batch=1)
    with JournalReader(tmp_path / "journal", position) as reader:
        assert reader.certificate(b"\1" * 32) == b"DER\1"
        assert reader.certificate(b"\2" * 32) == b"DER\2"
        assert reader.certificate(b"\3" * 32) is None


def test_damage_is_an_error(tmp_path: Path, position: Path) -> None:
    fill(tmp_path, 20, segment_max_entries=8)
    for number in (0, -1):
        path = segment_files(tmp_path / "journal")[number][1]
        octets = bytearray(path.read_bytes())
        octets[octets.index(b"<85>1 record") + 3] ^= 1
        path.write_bytes(octets)
    with JournalReader(tmp_path / "journal", position) as reader:
        assert reader.read(1).sequence == 1
        for sequence in (0, 16):
            with pytest.raises(IntegrityViolation, match="checksum"):
                reader.read(sequence)
        with pytest.raises(IntegrityViolation, match="checksum"):
            list(reader.iterate(0))


def test_entries_at_anothers_place_are_an_error(tmp_path: Path, position: Path) -> None:
    fill(tmp_path, 12, segment_max_entries=4)
    first, second, third = (path for _, path in segment_files(tmp_path / "journal"))
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    with (
        JournalReader(tmp_path / "journal", position) as reader,
        pytest.raises(IntegrityViolation, match="not the segment at its place"),
    ):
        reader.read(0)
    first.write_bytes(kept)
    octets = bytearray(third.read_bytes())
    third.write_bytes(octets[: len(octets) // 2])
    with JournalReader(tmp_path / "journal", position) as reader:
        with pytest.raises(IntegrityViolation, match="can't be found"):
            reader.read(11)
        second.unlink()
    with (
        JournalReader(tmp_path / "journal", position) as reader,
        pytest.raises(IntegrityViolation, match="has no entry 5"),
    ):
        reader.read(5)


def test_what_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalUnavailable, match="no journal"):
        JournalReader(tmp_path / "nothing")
    fill(tmp_path, 1)
    reader = JournalReader(tmp_path / "journal")
    (tmp_path / "journal" / "identity").write_bytes(b"\xff")
    with pytest.raises(IntegrityViolation):
        JournalReader(tmp_path / "journal")
    path = segment_files(tmp_path / "journal")[0][1]
    path.rename(tmp_path / "away")
    with pytest.raises(IntegrityViolation, match="no segments"):
        reader.durable_count()
    path.parent.rename(tmp_path / "gone")
    with pytest.raises(JournalUnavailable):
        reader.durable_count()


def test_several_threads_read_beside_the_writer(tmp_path: Path, position: Path) -> None:
    problems: list[int] = []
    done = threading.Event()

    def read(reader: JournalReader) -> None:
        while not done.is_set():
            count = reader.durable_count()
            newest = range(max(0, count - 3), count)
            problems.extend(n for n in newest if reader.read(n).received != received(n))

    with (
        open_writer(tmp_path, segment_max_entries=16) as writer,
        JournalReader(tmp_path / "journal", position) as reader,
    ):
        threads = [threading.Thread(target=read, args=(reader,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(150):
            writer.append([received(number)])
        done.set()
        for thread in threads:
            thread.join()
    assert problems == []


def test_an_unreadable_position_is_unavailable(tmp_path: Path, position: Path) -> None:
    fill(tmp_path, 1)
    position.unlink()
    position.mkdir()
    with (
        JournalReader(tmp_path / "journal", position) as reader,
        pytest.raises(JournalUnavailable, match="position"),
    ):
        reader.durable_count()


def test_a_segment_that_can_not_be_opened_is_unavailable(tmp_path: Path, position: Path) -> None:
    fill(tmp_path, 9, segment_max_entries=3)
    with JournalReader(tmp_path / "journal", position) as reader:
        assert reader.read(8).sequence == 8
        for _, path in segment_files(tmp_path / "journal"):
            path.unlink()
        with pytest.raises(JournalUnavailable):
            reader.read(0)
        with pytest.raises(JournalUnavailable):
            list(reader.iterate(0))


def test_only_so_many_segments_stay_open(
    tmp_path: Path, position: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.journal.reader._OPEN_SEGMENTS", 2)
    fill(tmp_path, 20, batch=1, segment_max_entries=2)
    with JournalReader(tmp_path / "journal", position) as reader:
        assert [reader.read(n).sequence for n in range(20)] == list(range(20))
        assert len(reader._open) == 2
