"""Building the index anew while the repository runs."""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit.errors import IndexUnavailable, IntegrityViolation
from audit.index.criteria import Everything
from audit.index.port import SearchIndex, Total
from audit.index.sqlite_index import SqliteIndex
from audit.journal.master_keys import MasterKey, MasterKeys, _Process
from audit.projector.follow import FollowOptions
from audit.service.backends import Backend, open_index, open_reader
from audit.service.operator import appending
from audit.service.paths import DataPaths
from audit.service.reindex import UNASKED, Reindexer, ask_for, last_request, request_file
from audit.service.reindexing import check_index, progress_of
from audit.service.status import Status, write_status
from audit.transport.pki import CertificateAuthority
from tests.cli.running import arr_run, beside, fill_with_years, octets_below
from tests.service.places import Place, make_place
from tests.waiting import until


@pytest.fixture
def place(tmp_path: Path, authority: CertificateAuthority) -> Place:
    return make_place(tmp_path, authority)


@pytest.fixture
def index(place: Place) -> Iterator[SqliteIndex]:
    made = open_index(place.settings, place.paths)
    assert isinstance(made, SqliteIndex)
    yield made
    made.close()


def month_files(paths: DataPaths) -> list[Path]:
    return sorted((paths.index / "current").glob("2*.db"))


def state_of(place: Place) -> str:
    asked = last_request(place.paths)
    return "" if asked is None else asked.state


def generation(paths: DataPaths) -> str:
    return (paths.index / "current").readlink().name


def test_the_index_is_built_anew_while_the_old_one_answers(place: Place) -> None:
    fill_with_years(place, 30, years_ago=0.0)

    def act() -> None:
        before = generation(place.paths)
        result = arr_run(place, "reindex", "--json", "--no-wait")
        assert result.exit_code == 0, result.output
        request = json.loads(result.stdout)["id"]
        until(lambda: state_of(place) == "done")
        told = progress_of(place.settings, request)
        assert (told["state"], told["to"]) == ("done", "embedded")
        assert told["position"] == told["of"] >= 30
        assert generation(place.paths) != before
        assert not (place.paths.index / "next").exists()
        index = open_index(place.settings, place.paths)
        until(lambda: index.position() == open_reader(place.paths).durable_count())
        assert index.count(Everything()).value >= 30
        index.close()
        checked = arr_run(place, "reindex", "--check")
        assert (checked.exit_code, checked.stdout.count("ok")) == (0, 1)

    beside(place, act)


def test_a_damaged_index_is_built_anew_by_itself(place: Place) -> None:
    fill_with_years(place, 20, years_ago=0.0)
    beside(place, lambda: None)
    month_files(place.paths)[0].write_bytes(b"not a database" * 4000)
    assert arr_run(place, "reindex", "--check").exit_code == IntegrityViolation.exit_code

    def act() -> None:
        until(lambda: state_of(place) == "done")
        assert not any(check_index(place.settings).values())

    beside(place, act)
    asked = last_request(place.paths)
    assert asked is not None
    assert (asked.state, asked.id.partition("-")[0]) == ("done", UNASKED)


def everything(folder: Path) -> None:
    shutil.rmtree(folder)


def all_in_it(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)


def its_generation(folder: Path) -> None:
    shutil.rmtree(folder / (folder / "current").readlink())


@pytest.mark.parametrize("deleted", [everything, all_in_it, its_generation])
def test_an_index_that_is_deleted_while_it_serves_is_built_anew_to_the_same_answers(
    place: Place, deleted: Callable[[Path], None]
) -> None:
    fill_with_years(place, 30, years_ago=0.0)

    def act() -> None:
        index = open_index(place.settings, place.paths)
        with appending(place.paths) as appends:
            before = index.search(Everything(), limit=1_000).records
            deleted(place.paths.index)
            sequence = appends.append(b"<85>1 - - - - - - still taken in", "test")
            until(lambda: position_of(index) > sequence)
        after = {one.id: one for one in index.search(Everything(), limit=1_000).records}
        assert len(before) >= 30
        assert [after[one.id] for one in before] == list(before)
        assert len(after) > len(before)
        index.close()

    beside(place, act)


def position_of(index: SearchIndex) -> int:
    """Where it stands, -1 while it can't be told."""
    try:
        return index.position()
    except IndexUnavailable:
        return -1


def test_an_index_in_plain_is_replaced_once_a_key_is_configured(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_with_years(place, 20, years_ago=0.0)
    beside(place, lambda: None)
    assert not generation(place.paths).endswith("encrypted")
    monkeypatch.setattr(_Process, "keys", MasterKeys([MasterKey(bytes(range(32)))]))

    def act() -> None:
        until(lambda: generation(place.paths).endswith("encrypted"))
        index = open_index(place.settings, place.paths)
        until(lambda: index.position() == open_reader(place.paths).durable_count())
        assert index.count(Everything()).value >= 20
        index.close()

    beside(place, act)
    assert b"SQLite format" not in octets_below(place.paths.index)


def test_requests_need_a_running_repository(place: Place) -> None:
    result = arr_run(place, "reindex")
    assert result.exit_code == 9
    ask = ask_for(place.paths, "embedded")
    with pytest.raises(IndexUnavailable, match="doesn't run"):
        progress_of(place.settings, ask)
    with pytest.raises(IndexUnavailable, match="another request"):
        progress_of(place.settings, "other")
    running = {"id": ask, "to": "embedded", "state": "running", "position": 3, "of": 9}
    write_status(
        place.paths.status("project"),
        Status(
            role="project",
            ready=True,
            pid=1,
            updated=time.time_ns(),
            detail={"reindex": running},
        ),
    )
    assert progress_of(place.settings, ask) == running
    request_file(place.paths).write_text(
        json.dumps({"id": ask, "to": "embedded", "state": "failed", "reason": "no room"})
    )
    with pytest.raises(IndexUnavailable, match="no room"):
        progress_of(place.settings, ask)


def reindexer(place: Place, indices: dict[Backend, SqliteIndex]) -> Reindexer:
    return Reindexer(
        place.settings, place.paths, dict(indices), FollowOptions(), lambda _backend: None
    )


def test_an_index_that_nobody_follows_is_filled_at_once(place: Place, index: SqliteIndex) -> None:
    fill_with_years(place, 12, years_ago=0.0)
    stop = threading.Event()
    working = reindexer(place, {})
    ask_for(place.paths, "embedded")
    thread = threading.Thread(target=working.run, args=(stop,))
    thread.start()
    try:
        until(lambda: index.count(Everything()) == Total(12))
    finally:
        stop.set()
        thread.join()
    assert index.position() == 12


def test_what_is_broken_off_is_asked_for_still_and_leaves_nothing(
    place: Place, index: SqliteIndex
) -> None:
    fill_with_years(place, 12, years_ago=0.0)
    index.put([], 0)
    stop = threading.Event()
    working = reindexer(place, {"embedded": index})
    ask_for(place.paths, "embedded")
    thread = threading.Thread(target=working.run, args=(stop,))
    thread.start()  # nobody calls hand_over, so it waits for that
    until(lambda: working.state is not None and working.state.position == 12)
    stop.set()
    thread.join()
    asked = last_request(place.paths)
    assert asked is not None
    assert asked.state == "asked"
    assert not (place.paths.index / "next").exists()
    assert len([p for p in place.paths.index.iterdir() if p.is_dir() and not p.is_symlink()]) == 1


def test_without_a_journal_a_rebuild_fails_and_says_why(place: Place) -> None:
    stop = threading.Event()
    ask_for(place.paths, "embedded")
    working = reindexer(place, {})
    thread = threading.Thread(target=working.run, args=(stop,))
    thread.start()
    until(lambda: state_of(place) == "failed")
    stop.set()
    thread.join()
