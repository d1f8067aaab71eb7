import time
from pathlib import Path

from audit.service.status import Status, StatusWriter, read_all, read_status, write_status
from tests.waiting import until


def status(role: str = "receive", *, updated: int | None = None) -> Status:
    return Status(role=role, ready=True, pid=1, updated=updated or time.time_ns())


def test_a_status_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_status(tmp_path / "status-receive.json", status(updated=7))
    assert read_all(tmp_path) == (status(updated=7),)


def test_what_is_not_a_status_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "status-web.json").write_text("{")
    (tmp_path / "status-project.json").write_text('{"other": 1}')
    assert read_all(tmp_path) == ()
    assert read_status(tmp_path / "absent.json") is None


def test_an_old_status_is_not_fresh() -> None:
    assert status().fresh
    assert not status(updated=time.time_ns() - 6_000_000_000).fresh


def test_a_writer_goes_on_and_removes_its_file_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "status-receive.json"
    writer = StatusWriter(path, status)
    writer.start()
    first = read_status(path)
    assert first is not None
    until(lambda: (now := read_status(path)) and now.updated > first.updated)
    writer.stop()
    assert not path.exists()
