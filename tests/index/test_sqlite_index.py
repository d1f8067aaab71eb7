"""The embedded index: what only it promises."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import apsw
import pytest

from audit.errors import IndexUnavailable
from audit.index import sqlite_columns, sqlite_generation, sqlite_schema, value_sets
from audit.index.criteria import And, Everything, Exists, Not, Range, Term, Text
from audit.index.document import IndexedRecord
from audit.index.port import Span, Total
from audit.index.row_ids import PER_SECOND, SECOND
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from tests.index.records import MONTH_START

MONTH = 32 * 86_400 * SECOND


def record(sequence: int, *, received: int = MONTH_START, **fields: str) -> IndexedRecord:
    values: dict[str, tuple[str, ...]] = {name: (value,) for name, value in fields.items()}
    return IndexedRecord(
        id=f"k3f9-{sequence}", sequence=sequence, time=received, received=received, fields=values
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def index(folder: Path) -> Iterator[SqliteIndex]:
    opened = opened_at(folder)
    yield opened
    opened.close()


def opened_at(folder: Path) -> SqliteIndex:
    return SqliteIndex(SqliteIndexOptions(directory=folder))


def octets_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def documents_in(folder: Path) -> list[bytes]:
    """The compressed documents, oldest first."""
    connection = apsw.Connection(str(folder / "current" / "2026-02.db"))
    rows: Any = connection.execute("SELECT document FROM documents ORDER BY rowid")
    documents = [bytes(document) for (document,) in rows]
    connection.close()
    return documents


def test_one_file_per_month_of_receipt(index: SqliteIndex, folder: Path) -> None:
    index.put([record(n, received=MONTH_START + n * MONTH) for n in range(5)], 5)
    files = sorted(path.name for path in (folder / "current").glob("2*.db"))
    assert files == [f"2026-0{month}.db" for month in (2, 3, 4, 5, 6)]
    assert index.describe()["months"] == 5
    assert index.remove(["k3f9-0", "k3f9-4"]) == 2
    assert [r.sequence for r in index.search(Everything(), limit=9).records] == [3, 2, 1]


def test_folders_are_for_the_owner_alone(index: SqliteIndex, folder: Path) -> None:
    index.put([record(1)], 2)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "current").stat().st_mode & 0o777 == 0o700


def test_what_was_put_is_there_after_reopening(index: SqliteIndex, folder: Path) -> None:
    index.put([record(1, user="anna")], 2)
    index.close()
    again = opened_at(folder)
    assert again.position() == 2
    again.put([record(1, user="bert"), record(2, user="carla")], 3)
    assert again.count(Everything()) == Total(2)
    assert again.count(Term("user", "anna")) == Total(0)
    again.close()


def test_removed_values_leave_the_disk(index: SqliteIndex, folder: Path) -> None:
    names = [os.urandom(12).hex() for _ in range(500)]
    index.put([record(n, user=names[n], text=f"x {names[n]}") for n in range(400)], 400)
    index.put([record(n, user=names[n]) for n in range(400, 500)], 500)
    tails = [name[4:].encode() for name in names]  # of terms only what differs is stored
    frames = documents_in(folder)
    there = octets_in(folder)
    assert all(piece in there for piece in (*tails, *frames))
    assert index.remove([f"k3f9-{n}" for n in range(400)]) == 400
    left = octets_in(folder)
    assert not any(piece in left for piece in (*tails[:400], *frames[:400]))
    assert all(piece in left for piece in (*tails[400:], *frames[400:]))
    index.close()
    again = opened_at(folder)
    assert again.count(Text(names[7])) == Total(0)
    assert again.count(Everything()) == Total(100)
    assert again.count(Term("user", names[450])) == Total(1)
    again.close()


def test_only_one_writes(index: SqliteIndex, folder: Path) -> None:
    index.put([record(1)], 2)
    second = opened_at(folder)
    with pytest.raises(IndexUnavailable, match="another process"):
        second.put([record(2)], 3)
    assert second.count(Everything()) == Total(1)
    index.close()
    second.put([record(2)], 3)
    second.close()


def test_readers_follow_the_writer_and_its_new_generations(
    index: SqliteIndex, folder: Path
) -> None:
    reader = opened_at(folder)
    assert reader.position() == 0
    assert reader.count(Everything()) == Total(0)
    index.put([record(1)], 2)
    assert reader.count(Everything()) == Total(1)
    index.put([record(2)], 3)
    assert (reader.count(Everything()), reader.position()) == (Total(2), 3)
    index.clear()
    assert (reader.count(Everything()), reader.position()) == (Total(0), 0)
    index.put([record(3)], 4)
    assert [r.sequence for r in reader.search(Everything(), limit=5).records] == [3]
    reader.close()


def test_many_threads_read_while_one_writes(index: SqliteIndex) -> None:
    index.put([record(0, user="a")], 1)

    def look(_: int) -> bool:
        page = index.search(Term("user", "a"), limit=1000)
        sequences = [r.sequence for r in page.records]
        return sequences == sorted(sequences, reverse=True) and not page.partial

    with ThreadPoolExecutor(6) as pool:
        looks = pool.map(look, range(60))
        for n in range(1, 20):
            index.put([record(n, user="a")], n + 1)
        assert all(looks)
    assert index.count(Term("user", "a")) == Total(20)


@pytest.mark.slow
def test_any_number_of_records_in_one_second(index: SqliteIndex) -> None:
    many = 2 * PER_SECOND + 10
    index.put([record(n, user="a" if n % 1000 == 0 else "b") for n in range(many - 5)], many - 5)
    index.put([record(n, user="b") for n in range(many - 5, many)], many)
    assert index.count(Everything()) == Total(many)
    newest = index.search(Everything(), limit=3)
    assert [r.sequence for r in newest.records] == [many - 1, many - 2, many - 3]
    some = index.search(Term("user", "a"), limit=100, newest_first=False)
    assert [r.sequence for r in some.records] == list(range(0, many, 1000))
    span = Span(start=MONTH_START, end=MONTH_START + 2 * SECOND, interval=SECOND)
    told = index.histogram(And((Not(Exists("repeat_of")), Exists("user"))), span)
    assert [bucket.total for bucket in told] == [many, 0]
    assert index.count(Range("time", MONTH_START, MONTH_START + 1)) == Total(many)


def segments(folder: Path) -> int:
    """Runs of postings that a question has to look into."""
    connection = apsw.Connection(str(folder / "current" / "2026-02.db"))
    found: int = connection.execute("SELECT count(DISTINCT segid) FROM inverted_idx").get
    connection.close()
    return found


def test_the_month_that_grows_is_brought_into_order(index: SqliteIndex, folder: Path) -> None:
    for n in range(30):
        index.put([record(n, user=f"u{n}", category="query", text=f"t{n}")], n + 1)
    before = segments(folder)
    assert index.optimise(0.0) == 0
    assert index.optimise(60.0) > 0
    assert segments(folder) < before
    assert index.optimise(60.0) == 0
    assert index.count(Term("category", "query")) == Total(30)
    assert index.count(Term("user", "u7")) == Total(1)
    assert index.check() == {"2026-02": ""}
    assert index.remove(["k3f9-7"]) == 1
    assert b"u7\x01" not in octets_in(folder)


def test_an_empty_index_has_nothing_to_bring_into_order(index: SqliteIndex) -> None:
    assert index.optimise(60.0) == 0


def test_columns_are_given_up_when_coded_fields_hold_nonsense(
    index: SqliteIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(value_sets, "MOST_SETS", 5)
    for start in (0, 4, 8):
        index.put([record(n, event=f"code{n}") for n in range(start, start + 4)], start + 4)
    assert index.count(Term("event", "code7")) == Total(1)
    assert index.count(Not(Term("event", "code7"))) == Total(11)
    assert len(index.facets(Everything(), ["event"], 20)["event"]) == 12
    assert index.remove(["k3f9-7"]) == 1
    assert index.count(Not(Exists("repeat_of"))) == Total(11)


def test_a_damaged_month_is_told_and_the_others_answer(index: SqliteIndex, folder: Path) -> None:
    index.put([record(n, received=MONTH_START + n * MONTH) for n in range(3)], 3)
    index.close()
    (folder / "current" / "2026-03.db").write_bytes(b"not a database" * 1000)
    again = opened_at(folder)
    page = again.search(Everything(), limit=9)
    assert [r.sequence for r in page.records] == [2, 0]
    assert page.partial
    assert "2026-03" in page.warnings[0]
    with pytest.raises(IndexUnavailable, match="2026-03"):
        again.count(Everything())
    assert again.describe()["healthy"] is False
    again.close()


def test_damage_found_on_the_way_is_told(index: SqliteIndex, folder: Path) -> None:
    for month in range(2):
        there = MONTH_START + month * MONTH
        held = [
            record(n, received=there, text=os.urandom(900).hex()) for n in range(month, 400, 2)
        ]
        index.put(held, 400)
    index.close()
    path = folder / "current" / "2026-02.db"
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 3 :] = bytes(len(octets) - len(octets) // 3)
    path.write_bytes(octets)
    again = opened_at(folder)
    page = again.search(Everything(), limit=1000)
    assert page.partial
    assert {r.received for r in page.records} >= {MONTH_START + MONTH}
    assert any("2026-02" in warning for warning in page.warnings)
    again.close()


def test_an_index_of_another_format_is_empty_and_is_replaced(
    index: SqliteIndex, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.put([record(1)], 2)
    index.close()
    monkeypatch.setattr(sqlite_generation, "FORMAT", 99)
    monkeypatch.setattr(sqlite_generation, "ANSWERING", frozenset({99}))
    newer = opened_at(folder)
    assert newer.position() == 0
    assert newer.describe()["needs_rebuild"] is True
    assert newer.search(Everything(), limit=1).records == ()
    newer.put([record(0)], 1)
    assert newer.describe()["needs_rebuild"] is False
    assert newer.position() == 1
    assert len([path for path in folder.iterdir() if path.is_dir()]) == 2
    newer.close()


def test_an_index_of_an_earlier_format_answers_and_follows_until_its_successor_is_there(
    index: SqliteIndex, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = value_sets.columns_to_keep()[:-8]
    with monkeypatch.context() as before:
        before.setattr(sqlite_generation, "FORMAT", 3)
        before.setattr(sqlite_columns, "columns_to_keep", lambda: earlier)
        index.put([record(1, study="1.2")], 2)
        index.close()
    newer, beside = opened_at(folder), opened_at(folder)
    assert newer.why_rebuild() == f"its files have format 3, new ones {sqlite_schema.FORMAT}"
    assert newer.describe()["needs_rebuild"] is True
    built = newer.successor()
    newer.put([record(2, study="1.2")], 3)
    studies = {"study": (("1.2", 2),)}
    assert (beside.facets(Not(Text("a")), ["study"]), beside.position()) == (studies, 3)
    built.put([record(1, study="1.2"), record(2, study="1.2")], 3)
    newer.promote(built)
    assert newer.why_rebuild() == ""
    assert (folder / "current").readlink().name.startswith(f"{sqlite_schema.FORMAT}-")
    assert (beside.facets(Not(Text("a")), ["study"]), beside.position()) == (studies, 3)
    newer.close()
    beside.close()


def test_a_failed_put_leaves_nothing_and_the_next_one_works(index: SqliteIndex) -> None:
    index.put([record(1, user="a")], 2)
    broken = IndexedRecord(id="k3f9-3", sequence=3, time=1 << 70, received=MONTH_START)
    with pytest.raises((IndexUnavailable, OverflowError)):
        index.put([record(2, user="a", category="new"), broken], 4)
    assert index.count(Everything()) == Total(1)
    assert index.position() == 2
    index.put([record(2, user="a", category="new")], 3)
    assert index.facets(Everything(), ["category"])["category"] == (("new", 1),)


def test_documents_that_json_can_not_hold_plainly(index: SqliteIndex) -> None:
    odd = IndexedRecord(
        id="k3f9-1",
        sequence=1,
        time=MONTH_START,
        received=MONTH_START,
        fields={"user": ("a\ud800",)},
        body={"huge": 1 << 80},
    )
    index.put([odd], 2)
    assert index.get("k3f9-1") == odd
    assert index.count(Term("user", "a\ud800")) == Total(1)
    assert index.count(Term("user", "a")) == Total(0)


def test_an_unreadable_folder_is_told(index: SqliteIndex, folder: Path) -> None:
    index.put([record(1)], 2)
    index.close()
    (folder / "current" / "head.db").write_bytes(b"x" * 5000)
    again = opened_at(folder)
    with pytest.raises(IndexUnavailable, match="built anew"):
        again.position()
    assert again.describe()["healthy"] is False
    again.close()


def test_every_setting_of_the_writer_is_in_force(tmp_path: Path) -> None:
    path = tmp_path / "2026-02.db"
    sqlite_schema.create(path, b"", None)
    connection = sqlite_schema.open_for_writing(path, None)
    told = {
        name: connection.execute(f"PRAGMA {name}").get
        for name in ("journal_mode", "synchronous", "secure_delete", "cache_size")
    }
    connection.close()
    assert told == {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "cache_size": -32768,
    }
