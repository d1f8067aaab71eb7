"""The SIEM feed over every index: each record once, in the order of the journal."""

from pathlib import Path

import pytest

from audit.index.document import IndexedRecord
from audit.index.port import SearchIndex
from audit.journal.reader import JournalReader
from audit.query.access import Principal, Scope
from audit.query.audited_trail import AuditedTrail
from audit.query.search_options import SearchOptions
from audit.siem.feed import Feed
from tests.index.records import MONTH_START, SECOND
from tests.journal.journals import open_writer
from tests.projector.messages import received
from tests.query.trail import IDENTITY

SIEM = Principal("siem", scopes=frozenset({Scope.SIEM_READ, Scope.AUDIT_READ}))
MONTH = 31 * 86_400


def record(sequence: int, origin: str) -> IndexedRecord:
    """Events of several months, out of order; every fifth repeats one, every ninth is absent."""
    time = MONTH_START + (sequence * 7 % 11) * MONTH // 4 * SECOND
    fields: dict[str, tuple[str, ...]] = {"category": ("query",), "listener": ("tls",)}
    if sequence % 5 == 4:
        fields["repeat_of"] = (f"{origin}-{sequence - 1}",)
    return IndexedRecord(
        id=f"{origin}-{sequence}", sequence=sequence, time=time, received=time, fields=fields
    )


@pytest.mark.parametrize("limit", [1, 7, 200])
def test_each_record_once_from_any_place(index: SearchIndex, tmp_path: Path, limit: int) -> None:
    with open_writer(tmp_path) as writer:
        writer.append([received(b"<85>1 x") for _ in range(120)])
        place = tmp_path / "run" / "journal.position"
        with JournalReader(tmp_path / "journal", place) as reader:
            trail = AuditedTrail(index, reader, lambda _: 0, SearchOptions(identity=IDENTITY))
            there = [n for n in range(100) if n % 9]
            for start in (0, 50):
                new = [record(n, reader.origin) for n in there if start <= n < start + 50]
                index.put(new, start + 50)
            wanted = [n for n in there if n % 5 != 4]
            for begin in (0, 33, 99, 120):
                found, position = [], begin
                while not (piece := Feed(trail, SIEM).read(position, limit)).caught_up:
                    found += [one.sequence for one in piece.records]
                    position = piece.position
                found += [one.sequence for one in piece.records]
                assert found == [n for n in wanted if n >= begin]
