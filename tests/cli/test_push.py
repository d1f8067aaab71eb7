import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audit.cli import arr
from audit.service.paths import DataPaths
from audit.service.status import Status, write_status
from audit.siem.kept_place import DeadLetter, DeadLetters

SETTINGS = (
    '[siem.destinations.soc]\nhost = "siem.example"\n[siem.destinations.lab]\nhost = "lab"\n'
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "arr.toml").write_text(SETTINGS)
    paths = DataPaths(tmp_path / "data")
    paths.prepare()
    letters = DeadLetters(paths.push / "soc.dead.ndjson")
    letters.add(DeadLetter(id="log-7", sequence=7, received="then", reason="too long\x1b[2J"))
    return tmp_path


def say_running(place: Path, detail: dict[str, object]) -> None:
    status = Status(role="push", ready=True, pid=1, updated=time.time_ns(), detail=detail)
    write_status(DataPaths(place / "data").status("push"), status)


def report(place: Path, *arguments: str) -> Result:
    where = ("--data", str(place / "data"), "--config", str(place / "arr.toml"))
    return CliRunner().invoke(arr, ["report", "push", *where, *arguments])


def test_what_runs_and_what_is_dead(place: Path) -> None:
    state = {"lag": 3, "connected": True, "reason": "refused"}
    say_running(place, {"soc": state})
    told = report(place)
    assert told.exit_code == 0
    assert "soc  ecs to siem.example:6514: lag 3, connected" in told.output
    assert "refused" in told.output
    assert "dead letters: 1" in told.output
    assert "\x1b" not in told.output
    assert "lab  ecs to lab:6514: not begun yet" in told.output
    (one,) = json.loads(report(place, "--destination", "soc", "--json").output)["destinations"]
    assert one["state"] == state
    assert one["dead_letters"][0]["sequence"] == 7


def test_nothing_runs(place: Path) -> None:
    assert "its process does not run" in report(place).output


def test_names_must_be_known(place: Path) -> None:
    assert report(place, "--destination", "none").exit_code == 2


def test_none_are_configured(tmp_path: Path) -> None:
    told = CliRunner().invoke(arr, ["report", "push", "--data", str(tmp_path)])
    assert told.exit_code == 0
    assert "no destinations" in told.output
