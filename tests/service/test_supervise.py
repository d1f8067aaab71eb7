import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from audit.errors import ConfigurationError
from audit.service.supervise import Child, Supervisor
from tests import waiting

FOLLOWS = """
import pathlib, signal, sys, time
from audit.service.supervise import follow_parent
line = follow_parent()
place = pathlib.Path(sys.argv[1])
def end(*_):
    (place / ("stopped-" + sys.argv[2])).write_text(str(time.monotonic()))
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
(place / sys.argv[2]).write_text(line)
while True:
    signal.pause()
"""
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    signal.pause()
"""


def child(place: Path, name: str, *, stage: int = 0) -> Child:
    return Child(
        name=name,
        program=(sys.executable, "-c", FOLLOWS),
        arguments=(str(place), name),
        message=f"hello {name}",
        stage=stage,
    )


async def until(look: Callable[[], bool]) -> None:
    await asyncio.to_thread(waiting.until, look)


def run(body: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(body(), 40))


def test_a_child_gets_its_message_and_is_brought_back_when_it_dies(tmp_path: Path) -> None:
    async def body() -> None:
        supervisor = Supervisor([child(tmp_path, "one")])
        await supervisor.start()
        await until((tmp_path / "one").exists)
        assert (tmp_path / "one").read_text() == "hello one\n"
        first = supervisor.pids()["one"]
        os.kill(first, signal.SIGKILL)
        await until(lambda: supervisor.restarts("one") == 1)
        assert supervisor.pids()["one"] != first
        await supervisor.stop()
        assert supervisor.pids() == {}

    run(body)


def test_higher_stages_stop_first(tmp_path: Path) -> None:
    async def body() -> None:
        supervisor = Supervisor([child(tmp_path, "low"), child(tmp_path, "high", stage=1)])
        await supervisor.start()
        await until(lambda: (tmp_path / "low").exists() and (tmp_path / "high").exists())
        await supervisor.stop()
        stopped = [float((tmp_path / f"stopped-{name}").read_text()) for name in ("high", "low")]
        assert stopped == sorted(stopped)

    run(body)


def test_a_child_that_does_not_stop_is_killed() -> None:
    async def body() -> None:
        stubborn = Child(
            name="stubborn", program=(sys.executable, "-c", STUBBORN), arguments=(), stop_after=0.1
        )
        supervisor = Supervisor([stubborn])
        await supervisor.start()
        await until(lambda: bool(supervisor.pids()))
        await supervisor.stop()
        assert supervisor.pids() == {}

    run(body)


def test_a_child_that_can_not_work_with_its_configuration_ends_it_all() -> None:
    async def body() -> None:
        wrong = Child(
            name="wrong", program=(sys.executable, "-c", "raise SystemExit(6)"), arguments=()
        )
        supervisor = Supervisor([wrong])
        await supervisor.start()
        await supervisor.wait()
        await supervisor.stop()
        with pytest.raises(ConfigurationError, match="wrong"):
            supervisor.raise_failure()

    run(body)


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    parent = f"""
import asyncio, pathlib, sys
from audit.service.supervise import Child, Supervisor
async def body():
    program = (sys.executable, "-c", {FOLLOWS!r})
    child = Child(name="c", program=program, arguments=({str(tmp_path)!r}, "c"))
    await Supervisor([child]).start()
    await asyncio.Event().wait()
asyncio.run(body())
"""

    async def body() -> None:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent)
        await until((tmp_path / "c").exists)
        process.kill()
        await process.wait()
        await until((tmp_path / "stopped-c").exists)

    run(body)


def test_what_a_child_says_goes_to_its_log(tmp_path: Path) -> None:
    async def body() -> None:
        log = tmp_path / "child.log"
        speaker = Child(
            name="speaker",
            program=(sys.executable, "-c", "print('said')"),
            arguments=(),
            log_file=log,
        )
        supervisor = Supervisor([speaker])
        await supervisor.start()
        await until(lambda: log.exists() and "said" in log.read_text())
        await supervisor.stop()

    run(body)
