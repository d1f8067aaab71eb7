"""With a key configured no file of the embedded index holds anything in plain."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from audit.errors import IndexUnavailable
from audit.index import sqlite_schema
from audit.index.criteria import Everything, Prefix, Term, Text
from audit.index.document import IndexedRecord
from audit.index.port import Total
from audit.index.row_ids import SECOND
from audit.index.sqlite_generation import KEY
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from audit.index.sqlite_key import IndexKeys, OperatorKey, read_data_key
from audit.index.sqlite_sealed import build_sealed
from tests.index.records import MONTH_START

FIRST = OperatorKey(b"first..1", bytes(range(32)))
SECOND_KEY = OperatorKey(b"second.2", bytes(range(32, 64)))
MONTH = 32 * 86_400 * SECOND
SECRETS = ("kowalczykiewicz", "zx7qj4w9", "thoraxgrotesk", "198.51.100.77", "vq8rk2nhb5")


def record(sequence: int, month: int = 0) -> IndexedRecord:
    name, patient, word, address, event = SECRETS
    time = MONTH_START + month * MONTH + sequence
    return IndexedRecord(
        id=f"k3f9-{sequence}",
        sequence=sequence,
        time=time,
        received=time,
        fields={
            "user": (name,),
            "patient": (patient,),
            "text": (f"of {word} {sequence}",),
            "address": (address,),
            "event": (event,),
        },
        body={"note": f"{name} {sequence}"},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


def opened_at(folder: Path, *keys: OperatorKey) -> SqliteIndex:
    return SqliteIndex(SqliteIndexOptions(directory=folder, keys=IndexKeys(keys)))


@pytest.fixture
def index(folder: Path) -> Iterator[SqliteIndex]:
    with closing(opened_at(folder, FIRST)) as opened:
        yield opened


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def in_plain(found: dict[str, bytes]) -> set[str]:
    """The secrets that stand in these files, and ``SQLite`` where a file says that it is one."""
    words = (*SECRETS, "SQLite format", "CREATE TABLE", "k3f9-")
    return {word for word in words for octets in found.values() if word.encode() in octets}


def filled_and_sealed(index: SqliteIndex, folder: Path) -> list[dict[str, bytes]]:
    """The files while they grow, while a month is built, once it is sealed, and when closed."""
    seen: list[dict[str, bytes]] = []

    def build(sources: list[Path], target: Path, key: bytes | None) -> None:
        build_sealed(sources, target, key)
        seen.append(files(folder))

    index._sealer.build = build  # type: ignore[assignment]
    for month in (0, 1):
        index.put([record(n, month) for n in range(month * 50, month * 50 + 50)], 100)
    index.put([record(3, month=1)], 100)
    assert any(name.endswith("-wal") and octets for name, octets in files(folder).items())
    seen.append(files(folder))
    assert index.seal() == 1
    assert index.count(Text(SECRETS[2])) == Total(100)
    seen.append(files(folder))
    index.remove(["k3f9-7"])
    index.close()
    seen.append(files(folder))
    return seen


def test_no_file_holds_anything_in_plain_at_any_time(index: SqliteIndex, folder: Path) -> None:
    for found in filled_and_sealed(index, folder):
        assert in_plain(found) == set()


def test_without_a_key_they_do(folder: Path) -> None:
    """The test above looks in the right places."""
    index = opened_at(folder)
    assert index.describe()["encrypted"] is False
    for found in filled_and_sealed(index, folder):
        assert in_plain(found) >= {*SECRETS[:3], "SQLite format"}


def test_sorting_needs_no_temporary_file(index: SqliteIndex, folder: Path) -> None:
    index.put([record(1)], 2)
    part, key = folder / "current" / "2026-02.db", index._directory.key_of(index_path(folder))
    reader = sqlite_schema.open_for_reading(part, key)
    writer = sqlite_schema.open_for_writing(part, key)
    unsafe = sqlite_schema.open_unsafely(folder / "new.db", 8192, key)
    for connection in (reader, writer, unsafe):
        assert connection.execute("PRAGMA temp_store").get == 2
        connection.close()


def index_path(folder: Path) -> Path:
    return folder / (folder / "current").readlink()


def test_the_same_answers_and_a_sound_index(index: SqliteIndex) -> None:
    index.put([record(n) for n in range(20)], 20)
    assert index.describe()["encrypted"] is True
    assert index.count(Term("user", SECRETS[0])) == Total(20)
    assert index.count(Prefix("patient", "zx7")) == Total(20)
    assert index.facets(Everything(), ["event"])["event"] == ((SECRETS[4], 20),)
    assert index.check() == {"2026-02": ""}


def test_another_key_opens_nothing_and_says_which_is_missing(
    index: SqliteIndex, folder: Path
) -> None:
    index.put([record(1)], 2)
    index.close()
    for keys in ((), (SECOND_KEY,)):
        other = opened_at(folder, *keys)
        with pytest.raises(IndexUnavailable, match=f"key {FIRST.key_id.hex()}.*journal.key_file"):
            other.position()
        with pytest.raises(IndexUnavailable, match="does not hold"):
            other.search(Everything(), limit=1)
        with pytest.raises(IndexUnavailable, match="does not hold"):
            other.put([record(2)], 3)
        assert other.why_rebuild() == ""
        assert other.describe()["healthy"] is False
        other.close()
    with closing(opened_at(folder, FIRST)) as again:
        assert again.count(Everything()) == Total(1)


def test_a_new_key_wraps_the_index_key_and_the_old_one_may_go(
    index: SqliteIndex, folder: Path
) -> None:
    index.put([record(1)], 2)
    before = read_data_key(index_path(folder) / KEY, IndexKeys([FIRST]))
    index.close()
    with closing(opened_at(folder, SECOND_KEY, FIRST)) as rotated:
        assert rotated.count(Everything()) == Total(1)
        rotated.put([record(2)], 3)
    with closing(opened_at(folder, SECOND_KEY)) as alone:
        assert alone.count(Everything()) == Total(2)
    assert read_data_key(index_path(folder) / KEY, IndexKeys([SECOND_KEY])) == before
    with closing(opened_at(folder, FIRST)) as gone, pytest.raises(IndexUnavailable):
        gone.position()
    assert not (index_path(folder) / "key.new").exists()


def test_an_index_built_anew_has_another_key(index: SqliteIndex, folder: Path) -> None:
    index.put([record(1)], 2)
    before = index._directory.key_of(index_path(folder))
    built = index.successor()
    built.put([record(1)], 2)
    index.promote(built)
    assert index.count(Everything()) == Total(1)
    assert index._directory.key_of(index_path(folder)) not in {before, None}


def test_a_plain_index_answers_until_an_encrypted_one_takes_its_place(folder: Path) -> None:
    with closing(opened_at(folder)) as plain:
        plain.put([record(1)], 2)
        assert plain.why_rebuild() == ""
    index = opened_at(folder, FIRST)
    assert index.why_rebuild() == "a key is configured, and it lies in plain"
    assert index.count(Everything()) == Total(1)
    built = index.successor()
    index.put([record(2)], 3)
    built.put([record(1), record(2)], 3)
    index.promote(built)
    assert (index.count(Everything()), index.why_rebuild()) == (Total(2), "")
    index.close()
    assert in_plain(files(folder)) == set()


@pytest.mark.parametrize("content", [None, b"", b"x" * 76])
def test_without_its_wrapped_key_an_index_is_neither_read_nor_filled_in_plain(
    index: SqliteIndex, folder: Path, content: bytes | None
) -> None:
    index.put([record(1)], 2)
    index.close()
    file = index_path(folder) / KEY
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with closing(opened_at(folder, FIRST)) as again:
        with pytest.raises(IndexUnavailable, match=r"missing|damaged"):
            again.put([record(2)], 3)
        with pytest.raises(IndexUnavailable, match=r"missing|damaged"):
            again.count(Everything())
        again.clear()
        again.put([record(2)], 3)
        assert again.count(Everything()) == Total(1)
    assert in_plain(files(folder)) == set()


def test_an_altered_wrapped_key_is_told(index: SqliteIndex, folder: Path) -> None:
    index.put([record(1)], 2)
    index.close()
    file = index_path(folder) / KEY
    octets = bytearray(file.read_bytes())
    octets[-1] ^= 1
    file.write_bytes(octets)
    broken = pytest.raises(IndexUnavailable, match="can't be unwrapped")
    with closing(opened_at(folder, FIRST)) as again, broken:
        again.position()


def test_a_library_that_can_not_encrypt_is_told_before_anything_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(apsw, "mc_version")
    unable = pytest.raises(IndexUnavailable, match="apsw-sqlite3mc")
    with closing(opened_at(folder, FIRST)) as index, unable:
        index.put([record(1)], 2)
    assert in_plain(files(folder)) == set()
