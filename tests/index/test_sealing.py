"""Sealing: past months in their small form, beside a writer and readers."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from textwrap import dedent
from threading import Event

import pytest

from audit.errors import IndexUnavailable
from audit.index.criteria import Everything, Prefix, Range, Term, Text
from audit.index.document import IndexedRecord
from audit.index.port import Total
from audit.index.row_ids import SECOND
from audit.index.sqlite_blocks import PER_BLOCK
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from audit.index.sqlite_sealed import build_sealed
from tests.index.records import MONTH_START

MONTH = 32 * 86_400 * SECOND


def record(sequence: int, *, month: int = 0, **fields: str) -> IndexedRecord:
    values: dict[str, tuple[str, ...]] = {name: (value,) for name, value in fields.items()}
    time = MONTH_START + month * MONTH + sequence * SECOND
    return IndexedRecord(
        id=f"k3f9-{sequence}",
        sequence=sequence,
        time=time,
        received=time,
        fields={"category": ("query",), **values},
        body={"n": sequence},
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
    index = SqliteIndex(SqliteIndexOptions(directory=folder))
    index._sealer.build = build_sealed
    return index


def files_in(folder: Path) -> list[str]:
    """The month files, and what is not finished of them."""
    ours = (".db", ".new", ".building")
    return sorted(p.name for p in (folder / "current").glob("2*") if p.suffix in ours)


def sequences(index: SqliteIndex) -> list[int]:
    page = index.search(Everything(), limit=1000)
    assert not page.partial
    assert index.count(Range("time", MONTH_START)) == Total(len(page.records))
    return [r.sequence for r in page.records]


def test_past_months_are_sealed_in_another_process_and_smaller(folder: Path) -> None:
    index = SqliteIndex(SqliteIndexOptions(directory=folder))
    held = [record(n, user=f"user{n % 7}", text=f"words of {n}") for n in range(2000)]
    index.put([*held, record(2000, month=1)], 2001)
    before = index.describe()
    assert index.seal(idle_s=3600) == 0
    assert index.seal() == 1
    after = index.describe()
    assert (before["sealed"], after["sealed"], after["records"]) == (0, 1, 2001)
    assert (after["months"], after["position"]) == (2, 2001)
    assert int(after["octets"]) < int(before["octets"])
    assert index.search(Term("user", "user3"), limit=1).records == (held[1998],)
    assert index.get("k3f9-0") == held[0]
    assert index.seal() == 0
    index.close()


def test_readers_go_over_without_a_gap(index: SqliteIndex, folder: Path) -> None:
    index.put([*(record(n) for n in range(50)), record(50, month=1)], 51)
    reader = opened_at(folder)
    sealed = Event()

    def look(_: int) -> bool:
        return sequences(reader) == list(range(50, -1, -1))

    def looks() -> list[bool]:
        found = [look(0)]
        while not sealed.is_set():
            found.append(look(0))
        return [*found, look(0)]

    with ThreadPoolExecutor(2) as pool:
        several = [pool.submit(looks) for _ in range(2)]
        assert index.seal() == 1
        sealed.set()
        assert all(all(one.result()) for one in several)
    reader.close()


def test_records_for_a_sealed_month_stand_beside_until_it_is_sealed_again(
    index: SqliteIndex, folder: Path
) -> None:
    reader = opened_at(folder)
    index.put([*(record(n, user="a") for n in range(0, 40, 2)), record(99, month=1)], 100)
    assert sequences(reader)[1] == 38
    assert index.seal() == 1
    index.put([record(n, user="b") for n in range(1, 40, 2)], 100)
    index.put([record(4, user="c")], 100)
    assert len(files_in(folder)) == 3
    assert sequences(reader) == sequences(index) == [99, *range(39, -1, -1)]
    assert index.seal() == 1
    assert len(files_in(folder)) == 2
    assert sequences(reader) == sequences(index) == [99, *range(39, -1, -1)]
    assert index.facets(Prefix("user", ""), ["user"])["user"] == (("b", 20), ("a", 19), ("c", 1))
    reader.close()


def test_what_is_removed_leaves_a_sealed_file(index: SqliteIndex, folder: Path) -> None:
    names = [os.urandom(12).hex() for _ in range(40)]
    held = [record(n, user=names[n], text=f"x {names[n]}") for n in range(40)]
    index.put([*held, record(99, month=1)], 100)
    index.seal()
    keep = set(range(PER_BLOCK - 1, PER_BLOCK + 1))
    gone = [n for n in range(40) if n not in keep]
    assert index.remove([f"k3f9-{n}" for n in gone]) == 38
    assert sequences(index) == [99, *sorted(keep, reverse=True)]
    assert index.search(Text(names[PER_BLOCK]), limit=2).records == (held[PER_BLOCK],)
    assert index.facets(Everything(), ["user"])["user"] == tuple(
        sorted((names[n], 1) for n in keep)
    )
    left = b"".join(path.read_bytes() for path in folder.rglob("*.db*"))
    assert not any(names[n][4:].encode() in left for n in gone)
    assert all(names[n][4:].encode() in left for n in keep)
    index.remove([f"k3f9-{n}" for n in keep])
    assert sequences(index) == [99]


@pytest.mark.parametrize(
    "gone",
    [range(7), range(33, 40), [*range(3), *range(15, 20), *range(38, 40)], range(39), range(40)],
    ids=["first", "last", "both ends", "all but one", "all"],
)
def test_times_are_found_when_a_reader_knew_the_ends_before_they_were_removed(
    index: SqliteIndex, folder: Path, gone: Sequence[int]
) -> None:
    index.put([*(record(n) for n in range(40)), record(99, month=1)], 100)
    index.seal()
    reader = opened_at(folder)
    assert len(sequences(reader)) == 41
    index.remove([f"k3f9-{n}" for n in gone])
    left = [n for n in range(40) if n not in gone]
    for start in range(-1, 42, 3):
        for end in range(start, 43, 5):
            times = Range("time", MONTH_START + start * SECOND, MONTH_START + end * SECOND)
            expected = [n for n in reversed(left) if start <= n < end]
            found = reader.search(times, limit=50)
            assert [one.sequence for one in found.records] == expected, (start, end)
            assert reader.count(times) == Total(len(expected)), (start, end)
    reader.close()


def test_a_month_that_is_written_to_meanwhile_stays_as_it_is(
    index: SqliteIndex, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.put([record(1), record(9, month=1)], 10)

    def build(sources: list[Path], target: Path, key: bytes | None) -> None:
        build_sealed(sources, target, key)
        index.put([record(2)], 10)

    monkeypatch.setattr(index._sealer, "build", build)
    assert index.seal() == 0
    assert files_in(folder) == ["2026-02.db", "2026-03.db"]
    assert sequences(index) == [9, 2, 1]


@pytest.mark.parametrize("whole", [False, True])
def test_what_a_crash_leaves_is_cleared_and_nothing_stands_twice(
    index: SqliteIndex, folder: Path, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.put([record(1), record(9, month=1)], 10)
    name = "2026-02.sealed-1.db" if whole else "2026-02.sealed-1.new"
    current = folder / "current"
    build_sealed([current / "2026-02.db"], current / "2026-02.sealed-1.new", None)
    (current / "2026-02.sealed-1.new").replace(current / name)
    reader = opened_at(folder)
    assert sequences(reader) == [9, 1]
    reader.close()
    index.close()
    again = opened_at(folder)
    again.put([], 10)
    monkeypatch.undo()
    assert sequences(again) == [9, 1]
    again.close()
    assert files_in(folder) == [name if whole else "2026-02.db", "2026-03.db"]


def test_a_build_that_fails_is_told_and_changes_nothing(folder: Path) -> None:
    index = SqliteIndex(SqliteIndexOptions(directory=folder))
    index.put([record(1), record(9, month=1)], 10)
    index._sealer.close()
    with pytest.raises(IndexUnavailable, match="closed"):
        index.seal()
    assert sequences(index) == [9, 1]
    index.close()


def test_a_log_that_a_crash_left_of_a_sealed_month_is_not_taken_for_a_new_ones(
    index: SqliteIndex, folder: Path
) -> None:
    index.put([record(n, user=f"u{n}") for n in range(50)], 50)
    stale = (folder / "current" / "2026-02.db-wal").read_bytes()
    assert stale
    index.put([record(99, month=1)], 100)
    assert index.seal() == 1
    (folder / "current" / "2026-02.db-wal").write_bytes(stale)
    index.put([record(60)], 100)
    index.close()
    again = opened_at(folder)
    assert again.check() == dict.fromkeys(again.check(), "")
    assert sequences(again) == [99, 60, *range(49, -1, -1)]
    again.close()


def test_everything_that_a_crash_leaves_of_a_build_is_cleared(
    index: SqliteIndex, folder: Path
) -> None:
    index.put([record(1), record(9, month=1)], 10)
    index.close()
    current = folder / "current"
    left = ("x.new", "x.new-wal", "x.new-shm", "x.building", "2025-01.db-wal", "2025-01.db-shm")
    for name in left:
        (current / name).write_bytes(b"left")
    with closing(opened_at(folder)) as again:
        again.put([], 10)
        assert not [name for name in left if (current / name).exists()]
        assert sequences(again) == [9, 1]


def test_a_build_ends_with_the_process_that_wanted_it(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(
        dedent(
            """
            import os, signal, time
            from multiprocessing import get_context
            from audit.index.sqlite_sealed import end_with_parent

            def work(ready):
                end_with_parent()
                ready.set()
                time.sleep(600)

            if __name__ == "__main__":
                context = get_context("spawn")
                ready = context.Event()
                context.Process(target=work, args=(ready,)).start()
                ready.wait()
                os.kill(os.getpid(), signal.SIGKILL)
            """
        )
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE)
    assert process.communicate(timeout=120)[0] == b""  # its child holds the pipe too
