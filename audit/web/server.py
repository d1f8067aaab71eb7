"""HttpServer: an application on bound sockets, with the hardened protocol and deadlines."""

import ssl
from asyncio import AbstractEventLoop, Protocol, get_running_loop
from collections.abc import Callable
from socket import socket
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

from audit.web.options import WebOptions
from audit.web.protocol import hardened_protocol

if TYPE_CHECKING:
    from asyncio.base_events import Server as AsyncioServer

_STARTUP_FAILURE = 3


class HttpServer(uvicorn.Server):
    """Serves one application; ``run(sockets=[…])`` blocks until a signal or ``stop()``.

    The sockets come bound, so that whoever starts the server knows the port and owns the rights.
    """

    def __init__(
        self,
        app: ASGIApp,
        options: WebOptions,
        *,
        tls: ssl.SSLContext | None = None,
        on_started: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=hardened_protocol(options),
                loop="uvloop",
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=options.max_connections,
                timeout_keep_alive=options.idle_timeout_s,
                timeout_graceful_shutdown=options.shutdown_timeout_s,
            )
        )
        self._options = options
        self._tls = tls
        self._on_started = on_started
        self.servers: list[AsyncioServer] = []

    @override
    async def startup(self, sockets: list[socket] | None = None) -> None:
        """As uvicorn's, with a deadline for TLS handshakes."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise SystemExit(_STARTUP_FAILURE)
        loop = get_running_loop()
        handshake_timeout_s = self._options.header_timeout_s if self._tls else None
        self.servers = [
            await loop.create_server(
                self._protocol,
                sock=listener,
                ssl=self._tls,
                backlog=self.config.backlog,
                ssl_handshake_timeout=handshake_timeout_s,
            )
            for listener in sockets or []
        ]
        self.started = True
        if self._on_started is not None:
            self._on_started()

    def stop(self) -> None:
        """End ``run`` soon: no new connections, running requests get their time to finish."""
        self.should_exit = True

    def _protocol(self, _loop: AbstractEventLoop | None = None) -> Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]  # uvicorn types it Protocol
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            _loop=_loop,
        )
