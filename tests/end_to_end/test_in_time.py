"""How soon ``arr demo`` is there, and how it ends; it has the machine to itself."""

import signal
import time
from pathlib import Path

import pytest

from audit.journal.reader import JournalReader
from audit.journal.verify import verify
from tests.end_to_end.demo_run import (
    CATEGORIES,
    kill_group,
    left_in_session,
    start_demo,
    stop_demo,
)
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(600)]


def test_every_category_is_there_in_time_and_it_ends_in_time(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    stale = tmp_path / "demo" / "access.json"
    stale.write_text("{}")
    run = start_demo(tmp_path, "--http-port", "0", "--syslog-port", "0", "--seed", "9")
    try:
        ready = time.monotonic()
        assert ready - run.started < 25
        assert stale.stat().st_mode & 0o777 == 0o600
        missing = set(CATEGORIES)
        while missing and time.monotonic() - ready < 12:
            missing -= {name for name in missing if run.count(f"category:{name}")}
        assert missing == set()
        assert time.monotonic() - ready < 10
        assert stop_demo(run, signal.SIGINT, group=True) < 6
        assert run.process.returncode == 0
        until(lambda: not left_in_session(run.process.pid), within_s=2)
    finally:
        kill_group(run.process)
    assert not stale.exists()
    report = verify(tmp_path / "journal")
    assert report.exit_code == 0
    with JournalReader(tmp_path / "journal") as reader:
        assert report.covered == reader.durable_count()


def test_it_ends_by_itself_when_its_time_is_over(tmp_path: Path) -> None:
    run = start_demo(tmp_path, "--http-port", "0", "--syslog-port", "0", "--for", "1")
    try:
        assert run.process.wait(20) == 0
    finally:
        kill_group(run.process)
