"""kill -9 of any one process: it comes back, and nothing that was journaled is missing."""

import json
import os
import signal
from pathlib import Path

import httpx2
import pytest

from tests.end_to_end.demo_run import DemoRun, kill_group, left_in_session, start_demo, stop_demo
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LOOK_EVERY_S = 0.1
"""A look goes through all processes of the machine, or asks a server that is busy to come back."""


def answers(run: DemoRun) -> bool:
    try:
        with run.http as client:
            answer = client.post("/api/v1/events/search", json={"query": "", "limit": 1})
    except httpx2.HTTPError:
        return False
    return answer.status_code == 200


def durable(run: DemoRun) -> int:
    return int.from_bytes((run.data / "run" / "journal.position").read_bytes())


def kill_and_wait(victim: DemoRun, name: str) -> None:
    until(lambda: name in victim.processes(), within_s=90, every_s=LOOK_EVERY_S)
    before = victim.processes()[name]
    count = durable(victim)
    os.kill(before, signal.SIGKILL)
    until(
        lambda: victim.processes().get(name) not in {None, before},
        within_s=90,
        every_s=LOOK_EVERY_S,
    )
    until(lambda: answers(victim), within_s=90, every_s=LOOK_EVERY_S)
    until(lambda: durable(victim) > count + 3, within_s=90)


PROCESSES = ["serve receive", "serve project", "serve web", "serve", "demo-hospital"]


def test_after_kills_the_index_holds_all_that_the_journal_holds(tmp_path: Path) -> None:
    victim = start_demo(tmp_path / "data", "--http-port", "0", "--syslog-port", "0", "--seed", "4")
    try:
        for name in PROCESSES:
            kill_and_wait(victim, name)
        least = durable(victim)
        until(lambda: victim.search("", 1)["index_lag"]["index_seq"] >= least, within_s=90)
        assert stop_demo(victim) < 8
    finally:
        kill_group(victim.process)
    until(lambda: not left_in_session(victim.process.pid), within_s=3)
    done = victim.run_arr("verify", "--index", "--json")
    assert done.returncode == 0, done
    told = json.loads(done.stdout)
    assert told["index"]["agrees"] is True
    assert told["index"]["position"] >= least
    assert told["index"]["documents"] > 0
