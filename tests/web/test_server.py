"""The server over TLS: handshakes have a deadline, HTTPS works, stopping is quick."""

import socket
import ssl
from time import monotonic

import trustme
from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from audit.web.application import create_app
from audit.web.options import WebOptions
from tests.web.servers import read_all, serving

OPTIONS = WebOptions(header_timeout_s=0.5)


def router() -> APIRouter:
    routes = APIRouter()

    @routes.get("/hello")
    def hello() -> Response:
        return PlainTextResponse("hello")

    return routes


def test_https_and_half_open_handshakes() -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    with serving(create_app(OPTIONS, [router()]), OPTIONS, server) as port:
        began = monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=120) as half_open:
            assert read_all(half_open) == b""
        assert monotonic() - began < 5
        with (
            socket.create_connection(("127.0.0.1", port), timeout=120) as plain,
            client.wrap_socket(plain, server_hostname="localhost") as peer,
        ):
            peer.sendall(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = read_all(peer)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"hello")
    assert b"strict-transport-security: max-age=" in answer
    assert b"\r\nserver:" not in answer.lower()
