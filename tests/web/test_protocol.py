"""Slow and malformed HTTP against a real server on a real socket."""

import contextlib
import socket
from collections.abc import Iterator
from time import monotonic

import pytest
from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from audit.web.application import create_app
from audit.web.options import WebOptions
from tests.web.servers import read_all, serving, serving_as, talk, until

OPTIONS = WebOptions(
    https=False,
    header_timeout_s=0.4,
    body_timeout_s=0.4,
    write_timeout_s=0.4,
    idle_timeout_s=1,
    max_header_octets=4096,
    max_header_fields=20,
    max_body_octets=1000,
)
LARGE_OCTETS = 20_000_000


def router() -> APIRouter:
    routes = APIRouter()

    @routes.get("/hello")
    def hello() -> Response:
        return PlainTextResponse("hello")

    @routes.get("/large")
    def large() -> Response:
        return Response(b"x" * LARGE_OCTETS)

    @routes.post("/echo")
    async def echo(request: Request) -> Response:
        return Response(await request.body())

    return routes


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(create_app(OPTIONS, [router()]), OPTIONS) as number:
        yield number


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


GOOD = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n"

MALFORMED = {
    "no host": b"GET /hello HTTP/1.1\r\n\r\n",
    "no host 1.0": b"GET /hello HTTP/1.0\r\n\r\n",
    "empty host": b"GET /hello HTTP/1.1\r\nHost:\r\n\r\n",
    "two hosts": GOOD + b"Host: localhost\r\n\r\n",
    "evil host": b"GET /hello HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    "evil target": b"GET http://evil.example/hello HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "authority": b"CONNECT evil.example:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "length and chunked": b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
    b"Content-Length: 4\r\n\r\nabcd",
    "space before colon": b"GET /hello HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "nul in path": b"GET /hel\0lo HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "bad chunk": b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.mark.parametrize("name", sorted(MALFORMED))
def test_malformed_is_never_served(port: int, name: str) -> None:
    answer = talk(port, MALFORMED[name])
    assert status(answer) in {0, 400, 404, 405}
    assert b"\r\nLocation" not in answer
    if name not in {"bad chunk", "asterisk"}:
        assert status(answer) == 400


def test_target_with_our_own_authority_is_served(port: int) -> None:
    host = f"localhost:{port}".encode()
    head = b"GET http://%b/hello HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % (host, host)
    assert status(talk(port, head)) == 200


@pytest.mark.parametrize(
    "fields",
    [b"X-Large: " + b"a" * 5000 + b"\r\n", b"X: 1\r\n" * 30, b"X-Large: " + b"a" * 100_000],
    ids=["one large", "many", "endless"],
)
def test_oversize_header_is_431(port: int, fields: bytes) -> None:
    assert status(talk(port, GOOD + fields + b"\r\n")) == 431


def test_oversize_body_is_413(port: int) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    declared = talk(port, head + b"Content-Length: 1001\r\n\r\n" + b"a" * 1001)
    chunk = b"%x\r\n" % 1001 + b"a" * 1001 + b"\r\n0\r\n\r\n"
    chunked = talk(port, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)
    assert (status(declared), status(chunked)) == (413, 413)
    assert b"application/problem+json" in chunked


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=120) as peer:
        yield peer


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", 408),
        (b"GET /hello HTTP/1.1\r\nHost: loc", 408),
        (b"\r\n\r\n", 408),
        (b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc", 0),
    ],
    ids=["silent", "header", "blank lines", "body"],
)
def test_slow_client_is_cut_in_time(port: int, sent: bytes, expected: int) -> None:
    began = monotonic()
    with connected(port) as peer:
        peer.sendall(sent)
        answer = read_all(peer)
    assert status(answer) in {expected, 400 if expected == 0 else expected}
    assert monotonic() - began < 5


def test_trickling_header_does_not_extend_the_deadline(port: int) -> None:
    began = monotonic()
    with connected(port) as peer, contextlib.suppress(OSError):
        peer.settimeout(0.05)
        while monotonic() - began < 8:
            peer.sendall(b"X")
            with contextlib.suppress(TimeoutError):
                if not peer.recv(4096):
                    break
    assert monotonic() - began < 4


def test_client_that_never_reads_is_cut() -> None:
    with (
        serving_as(create_app(OPTIONS, [router()]), OPTIONS) as (server, port),
        connected(port) as peer,
    ):
        peer.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert until(lambda: bool(server.server_state.connections))
        assert until(lambda: not server.server_state.connections), "still waiting for the reader"
        assert len(read_all(peer)) < LARGE_OCTETS


def test_idle_kept_alive_connection_is_closed(port: int) -> None:
    with connected(port) as peer:
        peer.sendall(GOOD + b"\r\n")
        answer = read_all(peer)
    assert answer.endswith(b"hello")


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    answer = talk(port, (GOOD + b"\r\n") * 20 + GOOD + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 21


def test_good_clients_are_served_while_slow_ones_hang(port: int) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(connected(port)).sendall(b"GET / HTTP/1.1\r\nHost:")
        assert status(talk(port, GOOD + b"Connection: close\r\n\r\n")) == 200
