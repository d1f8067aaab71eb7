"""audit.journal.heads"""

from pathlib import Path

from audit.journal.heads import encode_record, latest_record, parse_history
from tests.journal.test_note import SIGNER, TEXT

NOTE = SIGNER.sign(TEXT)


def test_records_come_back() -> None:
    octets = encode_record(0, NOTE) + encode_record(1, NOTE)
    records, end = parse_history(octets)
    assert [(record.number, record.note) for record in records] == [(0, NOTE), (1, NOTE)]
    assert end == len(octets)
    assert records[0].checkpoint(SIGNER.verifier) == records[0].unchecked()


def test_every_cut_keeps_the_whole_records() -> None:
    first, second = encode_record(8, NOTE), encode_record(9, NOTE)
    for length in range(len(first), len(first + second)):
        records, end = parse_history((first + second)[:length])
        assert [record.number for record in records] == [8]
        assert end == len(first)


def test_what_is_no_record_ends_the_history() -> None:
    for octets in (
        b"head 01\n",
        b"head x\n",
        b"",
        encode_record(1, NOTE).replace(b"example", b"\xff"),
    ):
        assert parse_history(octets) == ([], 0)


def test_the_latest_record_may_stand_in_an_earlier_file(tmp_path: Path) -> None:
    folder = tmp_path / "heads"
    folder.mkdir()
    assert latest_record(tmp_path) is None
    (folder / "00000000000000000000.heads").write_bytes(encode_record(0, NOTE))
    (folder / "00000000000000000009.heads").write_bytes(b"head 1\nunfin")
    (folder / "other").write_bytes(b"")
    record = latest_record(tmp_path)
    assert record is not None
    assert record.number == 0
