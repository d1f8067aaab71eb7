"""Child processes: started, watched, brought back when they die, stopped in order."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import structlog

from audit.errors import ConfigurationError

RESPAWN_FIRST_S = 0.15
"""Long enough that a signal to the whole group reaches us before we respawn what it stopped."""
RESPAWN_LONGEST_S = 5.0
HEALTHY_AFTER_S = 10.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One process to keep running.

    Attributes:
        name: for the log.
        arguments: what follows ``program`` on its command line.
        program: ``arr`` itself unless said otherwise.
        message: one line given to its standard input, which then stays open: its end tells the
            child that we are gone.
        stop_after: seconds this one may take after SIGTERM before it is killed.
        stage: children of a higher stage are stopped first, those of one stage together.
        log_file: where its standard error goes; ours when None.
    """

    name: str
    arguments: Sequence[str]
    program: Sequence[str] = (sys.executable, "-m", "audit.cli")
    message: str = "{}"
    stop_after: float = 4.0
    stage: int = 0
    log_file: Path | None = None


@dataclass(slots=True)
class _Running:
    child: Child
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    watch: asyncio.Task[None] | None = None
    exit_code: int | None = None
    spawning: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Supervisor:
    """Keeps children running until ``stop``."""

    children: Sequence[Child]
    _running: dict[str, _Running] = field(default_factory=dict)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Start every child."""
        for child in self.children:
            await self.add(child)

    async def add(self, child: Child) -> None:
        """Start one more child."""
        running = _Running(child)
        self._running[child.name] = running
        await self._spawn(running)
        running.watch = asyncio.create_task(self._watch(running))

    def restarts(self, name: str) -> int:
        """How often that child had to be brought back."""
        return max(0, self._running[name].starts - 1)

    def pids(self) -> dict[str, int]:
        """The process ids of what runs now, by name."""
        return {
            name: running.process.pid
            for name, running in self._running.items()
            if running.process is not None and running.process.returncode is None
        }

    def request_stop(self) -> None:
        """Respawn nothing from now on, and let ``wait`` return."""
        self._stopping.set()

    async def wait(self) -> None:
        """Until a stop is requested or a child can't work with its configuration."""
        await self._stopping.wait()

    async def stop(self) -> None:
        """Stop the children, stage by stage; what doesn't stop in its time is killed."""
        self._stopping.set()
        stages = {running.child.stage for running in self._running.values()}
        for stage in sorted(stages, reverse=True):
            together = [r for r in self._running.values() if r.child.stage == stage]
            await asyncio.gather(*(self._stop_one(running) for running in together))

    def raise_failure(self) -> None:
        """Raise what made a child give up, if one did.

        Raises:
            ConfigurationError: a child ended with exit code 6; it said why on standard error.
        """
        for running in self._running.values():
            if running.exit_code == ConfigurationError.exit_code:
                raise ConfigurationError(
                    f"{running.child.name} can't work with this configuration"
                )

    async def _spawn(self, running: _Running) -> None:
        child = running.child
        log_file = child.log_file.open("ab") if child.log_file else None
        try:
            process = await asyncio.create_subprocess_exec(
                *child.program,
                *child.arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=log_file or None,
                stderr=log_file or None,
            )
        finally:
            if log_file is not None:
                log_file.close()
        running.process = process
        running.starts += 1
        if process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                process.stdin.write(child.message.encode() + b"\n")
                await process.stdin.drain()

    async def _watch(self, running: _Running) -> None:
        pause = RESPAWN_FIRST_S
        while running.process is not None:
            since = time.monotonic()
            code = await running.process.wait()
            if self._stopping.is_set():
                return
            if code == ConfigurationError.exit_code and running.starts == 1:
                running.exit_code = code
                self._stopping.set()
                return
            pause = RESPAWN_FIRST_S if time.monotonic() - since > HEALTHY_AFTER_S else pause
            log.warning("process ended; bringing it back", process=running.child.name, code=code)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
                return
            pause = min(pause * 2, RESPAWN_LONGEST_S)
            async with running.spawning:
                if self._stopping.is_set():
                    return
                await self._spawn(running)

    async def _stop_one(self, running: _Running) -> None:
        async with running.spawning:  # a respawn under way ends before its process is stopped
            process = running.process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), running.child.stop_after)
            except TimeoutError:
                log.warning("process did not stop in time; killed", process=running.child.name)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if running.watch is not None:
            await running.watch


def follow_parent() -> str:
    """In a child: read the parent's one line, and end by SIGTERM when the parent is gone.

    An interrupt from the keyboard reaches the whole group; the parent decides the order of
    stopping, so the child leaves it to the parent.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = sys.stdin.readline()
    Thread(target=_end_with_parent, name="parent", daemon=True).start()
    return line


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
