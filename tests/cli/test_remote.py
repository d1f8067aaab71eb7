"""search, show, export and tail, near and far."""

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest
import structlog
from click.testing import CliRunner, Result

from audit.cli import arr
from audit.errors import (
    AuditError,
    ConfigurationError,
    Denied,
    IncompleteCheck,
    QuerySyntaxError,
)
from audit.query.search import SearchService
from audit.settings import Settings
from audit.web.options import WebOptions
from tests.web.servers import serving, until
from tests.web.stack import Stack, application, stack

WEB = WebOptions(
    https=False, allowed_hosts=("127.0.0.1",), tail_poll_s=0.01, tail_heartbeat_s=0.05
)
LIVE_TAIL = b'value="' + b64encode(b"live tail")
"""What the record of a tail says it looks at."""


@dataclass
class Place:
    """A repository and how to reach it."""

    stack: Stack
    url: str
    token_file: Path
    data: Path

    @property
    def remote(self) -> tuple[str, ...]:
        """The options that reach it from afar."""
        return ("--url", self.url, "--token-file", str(self.token_file))

    def demo(self) -> None:
        """Make it look as a demonstration on the data folder does."""
        file = self.data / "demo" / "access.json"
        file.parent.mkdir(parents=True)
        access = {"url": self.url, "ca": None, "token": self.token_file.read_text()}
        file.write_text(json.dumps(access))


@pytest.fixture
def silence() -> Iterator[None]:
    """No log: the server runs in this process, and it would be taken for a command's output."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()


@pytest.fixture
def place(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    silence: None,  # noqa: ARG001 - asked for what it does
) -> Iterator[Place]:
    """A repository with three records, served on a loopback port."""
    monkeypatch.delenv("ARR_TOKEN", raising=False)
    (tmp_path / "arr").mkdir()
    with stack(tmp_path / "arr") as made:
        made.add(f"<85>1 - host app - - - number {n}".encode() for n in range(3))
        with serving(application(made, WEB), WEB) as port:
            file = tmp_path / "token"
            file.touch(0o600)
            file.write_text(made.token())
            yield Place(made, f"http://127.0.0.1:{port}", file, tmp_path / "data")


@pytest.fixture
def near(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The same, as this machine's own."""

    @contextmanager
    def searching(_settings: Settings) -> Iterator[SearchService]:
        yield place.stack.search

    monkeypatch.setattr("audit.service.operator.searching", searching)
    return place


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(arr, list(arguments), input=text, catch_exceptions=False)


class TestSearchAndShow:
    def test_near_and_far_print_the_same(self, near: Place) -> None:
        for arguments in (
            ("search", "number"),
            ("search", "--json", "--limit", "2", "number"),
            ("search", "--oldest-first", "number"),
            ("show", "1"),
            ("show", "1", "--json"),
            ("show", "1", "--raw"),
        ):
            here, there = run(*arguments), run(*arguments, *near.remote)
            assert here.exit_code == there.exit_code == 0, there.output
            assert _without_lag(here.stdout) == _without_lag(there.stdout) != ""
        assert run("show", "1", "--raw", *near.remote).stdout_bytes.endswith(b"number 1")

    def test_order_and_remarks(self, place: Place) -> None:
        result = run("search", "--limit", "2", "--oldest-first", "--json", *place.remote)
        assert [json.loads(line)["sequence"] for line in result.stdout.splitlines()] == [0, 1]
        assert "2 of 3 records" in result.stderr

    @pytest.mark.parametrize("source", ["file", "stdin", "environment"])
    def test_where_the_token_comes_from(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, source: str
    ) -> None:
        token = place.token_file.read_text()
        given = {
            "file": ("--token-file", str(place.token_file)),
            "stdin": ("--token-file", "-"),
            "environment": (),
        }[source]
        if source == "environment":
            monkeypatch.setenv("ARR_TOKEN", token)
        result = run("search", "--url", place.url, *given, text=f"{token}\n")
        assert result.exit_code == 0, result.output

    def test_a_readable_token_file_is_warned_of(self, place: Place) -> None:
        place.token_file.chmod(0o644)
        assert "chmod 600" in run("search", *place.remote).stderr

    def test_without_a_token(self, place: Place, tmp_path: Path) -> None:
        assert run("search", "--url", place.url).exit_code == 2
        with pytest.raises(ConfigurationError, match="can't be read"):
            run("search", "--url", place.url, "--token-file", str(tmp_path / "none"))

    def test_a_wrong_token(self, place: Place) -> None:
        place.token_file.write_text("arr_wrong")
        with pytest.raises(Denied):
            run("search", *place.remote)


class TestExport:
    def test_to_standard_output(self, near: Place) -> None:
        for options in ((), near.remote):
            result = run("export", "--oldest-first", "number", *options)
            *lines, last = result.stdout_bytes.splitlines(keepends=True)
            assert [json.loads(line)["sequence"] for line in lines] == [0, 1, 2]
            trailer = json.loads(last)["_trailer"]
            assert trailer["sha256"] == sha256(b"".join(lines)).hexdigest()
            assert "3 records" in result.stderr

    def test_to_a_file_that_only_its_owner_reads(self, place: Place, tmp_path: Path) -> None:
        out = tmp_path / "out.ndjson"
        assert run("export", "-o", str(out), *place.remote).exit_code == 0
        assert out.read_bytes().count(b"\n") == 4
        assert out.stat().st_mode & 0o777 == 0o600

    def test_what_is_cut_leaves_no_file(
        self, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        audit = place.stack.search._trail.audit
        append = audit._append

        def once(raw: bytes) -> int:
            place.stack.journal_fails = bool(place.stack.own_records())
            return append(raw)

        monkeypatch.setattr(audit, "_append", once)
        folder = tmp_path / "out"
        folder.mkdir()
        with pytest.raises(IncompleteCheck):
            run("export", "-o", str(folder / "out.ndjson"), *place.remote)
        assert list(folder.iterdir()) == []

    def test_the_demonstration_is_found_by_its_folder(self, place: Place) -> None:
        place.demo()
        result = run("export", "number", "--data", str(place.data))
        assert result.stdout.count("\n") == 4

    def test_a_broken_access_file(self, place: Place) -> None:
        place.demo()
        (place.data / "demo" / "access.json").write_text("{}")
        with pytest.raises(ConfigurationError, match=r"access\.json"):
            run("export", "--data", str(place.data))

    def test_nobody_here(self, place: Place) -> None:
        with pytest.raises(AuditError, match="no repository runs"):
            run("export", "--data", str(place.data))


@pytest.mark.parametrize("command", ["search", "export", "tail"])
def test_a_query_that_cannot_be_read_shows_where(place: Place, command: str) -> None:
    answer = CliRunner().invoke(arr, [command, "user:voss nosuch:x", *place.remote])
    assert isinstance(answer.exception, QuerySyntaxError)
    assert "user:voss nosuch:x\n          ^\n" in answer.stderr


class TestTail:
    @pytest.mark.parametrize("where", ["near", "far", "demo"])
    def test_records_as_they_come(self, near: Place, where: str) -> None:
        if where == "demo":
            near.demo()
        options = near.remote if where == "far" else ("--data", str(near.data))
        results: list[Result] = []
        asked = ("tail", "red", "--json", "--limit", "2", *options)
        tailing = Thread(target=lambda: results.append(run(*asked)))
        tailing.start()
        assert until(lambda: any(LIVE_TAIL in raw for raw in near.stack.own_records()))
        sequences = near.stack.add(
            [f"<85>1 - host app - - - {word}".encode() for word in ("green", "red 1", "red 2")]
        )
        tailing.join(10)
        assert not tailing.is_alive()
        shown = [json.loads(line)["sequence"] for line in results[0].stdout.splitlines()]
        assert shown == sequences[1:]
        assert sum(LIVE_TAIL in raw for raw in near.stack.own_records()) == 1


def test_a_reader_that_has_seen_enough_hears_no_complaint(place: Place) -> None:
    place.stack.add(f"<85>1 - host app - - - more {n} {'x' * 99}".encode() for n in range(300))
    read, write = os.pipe()
    command = [sys.executable, "-m", "audit.cli", "export", *place.remote]
    with subprocess.Popen(command, stdout=write, stderr=subprocess.PIPE) as process:
        os.close(write)
        os.read(read, 10)
        os.close(read)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    assert said == b""


def _without_lag(text: str) -> str:
    """The text without what each look changes: how far the index is behind."""
    if not text.startswith("{"):
        return text
    rows = [json.loads(line) for line in text.splitlines()]
    return json.dumps([{k: v for k, v in row.items() if k != "index_lag"} for row in rows])
