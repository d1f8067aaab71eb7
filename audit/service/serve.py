"""Running the repository: all processes under one supervisor, or one process by itself."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

import structlog
import uvloop

from audit.service.journal_keys import use_journal_keys
from audit.service.ops import QuietServer, bind, create_ops_app, ops_server
from audit.service.paths import DataPaths
from audit.service.role import Role
from audit.service.status import StatusWriter
from audit.service.supervise import Child, Supervisor
from audit.settings import Settings

_SETTLE_S = 1.0
"""What the collector needs beside its connections' time to end: the last sync and head."""

log = structlog.get_logger()


def stop_event() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def run_role(settings: Settings, name: str, *, supervised: bool) -> None:
    """Run one process until it is told to stop.

    Args:
        settings: all settings.
        name: receive, project, web or push.
        supervised: whether ``arr serve`` runs it and answers for its health.

    Raises:
        AuditError: it could not start, or could not go on.
    """
    # The web server and the receiver are heavy to import: a process loads only its own.
    from audit.service import roles

    os.umask(0o077)
    use_journal_keys(settings)
    paths = DataPaths(settings.data)
    paths.prepare()
    role: Role = roles.create(name, settings, paths)
    uvloop.run(_run_role(role, name, settings, paths, supervised))


async def _run_role(
    role: Role, name: str, settings: Settings, paths: DataPaths, supervised: bool
) -> None:
    stop = stop_event()
    await role.start()
    status = StatusWriter(paths.status(name), role.status)
    status.start()
    ops = None if supervised else await _start_ops(settings, paths, dict, (name,))
    log.info("process started", process=name)
    beside = _beside(name, settings, stop)
    try:
        await role.run(stop)
    finally:
        stop.set()
        await beside
        await role.stop()
        status.stop()
        await _stop_ops(ops)
        log.info("process stopped", process=name)


def _beside(name: str, settings: Settings, stop: asyncio.Event) -> "asyncio.Future[None]":
    """What else the process does: the one that follows the journal keeps retention's times."""
    if name != "project" or settings.journal.retention_policy is None:
        return asyncio.ensure_future(asyncio.sleep(0))
    from audit.service.retention_schedule import RetentionSchedule

    return asyncio.ensure_future(RetentionSchedule(settings).keep(stop))


def run_all(settings: Settings) -> None:
    """Run every process under a supervisor until told to stop.

    Raises:
        ConfigurationError: a process can't work with these settings.
    """
    os.umask(0o077)
    paths = DataPaths(settings.data)
    paths.prepare()
    asyncio.run(_run_all(settings, paths))


def role_child(name: str, settings: Settings) -> Child:
    """The child process of one role: it gets the settings on its standard input."""
    return Child(
        name=name,
        arguments=("serve", name, "--supervised"),
        message=settings.model_dump_json(),
        stop_after=_stop_after(settings) if name == "receive" else 1.2,
        stage=0 if name == "receive" else 1,
    )


def _stop_after(settings: Settings) -> float:
    """The collector ends its connections, and then makes durable what it took."""
    return settings.syslog.drain_timeout_s + _SETTLE_S


def role_names(settings: Settings) -> tuple[str, ...]:
    """The processes that these settings need."""
    always = ("receive", "project", "web")
    return (*always, "push") if settings.siem.destinations else always


async def _run_all(settings: Settings, paths: DataPaths) -> None:
    stop = stop_event()
    names = role_names(settings)
    supervisor = Supervisor([role_child(name, settings) for name in names])
    ops = await _start_ops(
        settings, paths, lambda: {name: supervisor.restarts(name) for name in names}, names
    )
    try:
        await supervisor.start()
        waits = [asyncio.create_task(stop.wait()), asyncio.create_task(supervisor.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
    finally:
        await supervisor.stop()
        await _stop_ops(ops)
    supervisor.raise_failure()


@dataclass(slots=True)
class _Ops:
    server: QuietServer
    task: asyncio.Task[None]


async def _start_ops(
    settings: Settings,
    paths: DataPaths,
    restarts: Callable[[], dict[str, int]],
    roles: tuple[str, ...],
) -> _Ops:
    bound = await bind(settings.ops.host, settings.ops.port, "ops.port")
    server = ops_server(create_ops_app(paths, restarts, roles))
    return _Ops(server, asyncio.create_task(server.serve(sockets=[bound])))


async def _stop_ops(ops: _Ops | None) -> None:
    if ops is None:
        return
    ops.server.should_exit = True
    await ops.task
