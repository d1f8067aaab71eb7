"""Health and metrics on a loopback listener of their own: /livez, /readyz, /metrics."""

import asyncio
import errno
import shutil
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from typing_extensions import override

from audit import __version__
from audit.errors import ConfigurationError
from audit.service.clock import clock_state
from audit.service.metrics import counter, gauge, labelled, render
from audit.service.paths import DataPaths
from audit.service.status import Status, read_all

ROLES = ("receive", "project", "web")
BIND_PATIENCE_S = 5.0
"""How long a port may still be held by a process that is being replaced."""
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether records are taken and kept; ``degraded`` when something else is missing.

    The journal decides: without index or pages intake goes on.
    """

    ready: bool
    degraded: bool
    checks: dict[str, Any]


def readiness(paths: DataPaths, roles: tuple[str, ...] = ROLES) -> Readiness:
    """Look at what every process last said of itself, and at the disk and clock."""
    found = {status.role: status for status in read_all(paths.run)}
    checks: dict[str, Any] = {role: _check(found.get(role)) for role in roles}
    checks["disk"] = {"free_octets": shutil.disk_usage(paths.root).free}
    checks["clock"] = str(clock_state())
    deciding = "receive" if "receive" in roles else roles[0]
    works = {role: bool(checks[role]["ready"]) for role in roles}
    return Readiness(ready=works[deciding], degraded=not all(works.values()), checks=checks)


def _check(status: Status | None) -> dict[str, Any]:
    if status is None:
        return {"ready": False, "reason": "not running"}
    if not status.fresh:
        return {"ready": False, "reason": "silent for some seconds", "pid": status.pid}
    return {"ready": status.ready, "pid": status.pid, **status.detail}


def metrics(paths: DataPaths, restarts: Callable[[], dict[str, int]]) -> str:
    """Prometheus text of every process, and what only the supervisor knows."""
    own = render(
        (
            labelled(
                gauge("arr_build_info", "the running version", 1), "version", [(__version__, 1)]
            ),
            gauge(
                "arr_disk_free_bytes",
                "free space where data is kept",
                shutil.disk_usage(paths.root).free,
            ),
            labelled(
                counter("arr_process_restarts", "times a process had to be brought back", 0),
                "process",
                sorted(restarts().items()),
            ),
        )
    )
    return "".join([*(status.metrics for status in read_all(paths.run)), own])


def create_ops_app(
    paths: DataPaths, restarts: Callable[[], dict[str, int]], roles: tuple[str, ...] = ROLES
) -> FastAPI:
    """The three resources; nothing else is answered."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)

    @app.get("/livez")
    async def livez() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        now = await asyncio.to_thread(readiness, paths, roles)
        state = "ready" if now.ready else "not ready"
        return JSONResponse(
            {"status": state, "degraded": now.degraded, "checks": now.checks},
            status_code=200 if now.ready else 503,
        )

    @app.get("/metrics")
    async def all_metrics() -> PlainTextResponse:
        text = await asyncio.to_thread(metrics, paths, restarts)
        return PlainTextResponse(text, media_type=METRICS_TYPE)

    return app


class QuietServer(uvicorn.Server):
    """A uvicorn server that leaves signals to its owner."""

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


async def bind(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket; waits a little for a predecessor that is just ending.

    Raises:
        ConfigurationError: the address can't be bound; the text names the setting.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = asyncio.get_running_loop().time() + BIND_PATIENCE_S
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=2048)
        except OSError as error:
            late = asyncio.get_running_loop().time() > deadline
            if error.errno != errno.EADDRINUSE or late:
                raise ConfigurationError(
                    f"{setting}: can't listen on {host} port {port}: {error.strerror};"
                    " choose another port or address"
                ) from error
        await asyncio.sleep(0.1)


def ops_server(app: FastAPI) -> QuietServer:
    """A server for the operations resources."""
    return QuietServer(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            limit_concurrency=32,
        )
    )
