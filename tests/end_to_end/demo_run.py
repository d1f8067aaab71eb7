"""A running ``arr demo``, as a person or a program outside sees it."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.tracing import TRACING
from tests.waiting import until

READY_WITHIN_S = 120
"""Patience with a busy machine, here and below; ``test_in_time`` holds what is promised."""

CATEGORIES = (
    "query",
    "access",
    "export",
    "import",
    "transfer",
    "deletion",
    "authentication",
    "security",
    "application",
    "record",
    "audit-log-used",
)


@dataclass
class DemoRun:
    """The process, and what its access file says."""

    process: "subprocess.Popen[bytes]"
    data: Path
    started: float
    access: dict[str, Any]

    @property
    def http(self) -> httpx2.Client:
        return httpx2.Client(
            base_url=self.access["url"],
            headers={"Authorization": f"Bearer {self.access['token']}"},
            timeout=120,
        )

    def search(self, query: str, limit: int = 100) -> dict[str, Any]:
        with self.http as client:
            answer = client.post("/api/v1/events/search", json={"query": query, "limit": limit})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def count(self, query: str) -> int:
        return int(self.search(query, 1)["total"]["value"])

    def found(self, query: str, *, within_s: float = 90) -> list[dict[str, Any]]:
        """The records that match, as soon as there is one."""
        items: list[dict[str, Any]] = until(
            lambda: self.search(query)["items"], within_s=within_s, every_s=0.2
        )
        return items

    def run_arr(self, *arguments: str, text: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        return run_arr(*arguments, "--data", str(self.data), text=text)

    def processes(self) -> dict[str, int]:
        """Process ids below the demo, by their last argument words."""
        found: dict[str, int] = {}
        for pid, words in _descendants(self.process.pid):
            after = words[words.index("audit.cli") + 1 :] if "audit.cli" in words else words
            found[" ".join(word for word in after if not word.startswith("-"))] = pid
        return found


def run_arr(*arguments: str, text: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "audit.cli", *arguments],
        input=text,
        capture_output=True,
        check=False,
        timeout=120,
    )


def start_demo(data: Path, *arguments: str) -> DemoRun:
    """Start ``arr demo`` in a process group of its own and wait for its access file."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "audit.cli", "demo", "--data", str(data), *arguments],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != TRACING},
    )
    access_file = data / "demo" / "access.json"
    try:
        until(
            lambda: _is_fresh(access_file) or process.poll() is not None,
            within_s=READY_WITHIN_S,
        )
    except AssertionError:
        kill_group(process)
        raise
    assert process.poll() is None, "arr demo ended before it was ready"
    access = json.loads(access_file.read_text())
    return DemoRun(process, data, started, access)


def _is_fresh(access_file: Path) -> bool:
    return access_file.exists() and b'"url"' in access_file.read_bytes()


def stop_demo(run: DemoRun, number: int = signal.SIGTERM, *, group: bool = False) -> float:
    """Stop the demo; seconds until it had ended."""
    since = time.monotonic()
    if group:
        os.killpg(run.process.pid, number)
    else:
        run.process.send_signal(number)
    run.process.wait(20)
    return time.monotonic() - since


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(10)


def left_in_session(session: int) -> list[str]:
    """Processes that still belong to the demo's session."""
    return [" ".join(words) for _, words, theirs in _processes() if theirs == session]


def _processes() -> list[tuple[int, list[str], int]]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            words = [word for word in words if word]
            state = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if state[0] != "Z":
            found.append((int(folder.name), words, int(state[3])))
    return found


def _descendants(root: int) -> list[tuple[int, list[str]]]:
    return [
        (pid, words) for pid, words, session in _processes() if session == root and pid != root
    ]
