"""Real servers on free loopback ports, for tests."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from threading import Event, Thread
from time import monotonic

from starlette.types import ASGIApp

from audit.web.options import WebOptions
from audit.web.server import HttpServer


def until(condition: Callable[[], bool], within_s: float = 5.0) -> bool:
    """Whether the condition comes true in time."""
    pause, end = Event(), monotonic() + within_s
    while not condition():
        if monotonic() > end:
            return False
        pause.wait(0.01)
    return True


@contextlib.contextmanager
def serving(app: ASGIApp, options: WebOptions, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve the application on a free loopback port; the port."""
    with serving_as(app, options, tls) as (_, port):
        yield port


@contextlib.contextmanager
def serving_as(
    app: ASGIApp, options: WebOptions, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[HttpServer, int]]:
    """As ``serving``, and the server itself."""
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    started = Event()
    server = HttpServer(app, options, tls=tls, on_started=started.set)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        assert started.wait(10), "the server did not start"
        yield server, port
    finally:
        server.stop()
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


def talk(port: int, data: bytes, timeout_s: float = 10.0) -> bytes:
    """Send octets, half-open, and read all until the server closes or goes silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as peer:
        peer.sendall(data)
        return read_all(peer)


def read_all(peer: socket.socket) -> bytes:
    """Everything until the server closes."""
    parts: list[bytes] = []
    with contextlib.suppress(ConnectionResetError):
        while part := peer.recv(65536):
            parts.append(part)
    return b"".join(parts)
