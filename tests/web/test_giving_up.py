"""A statement is stopped when the client that waits for it has left."""

import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from fastapi import APIRouter
from starlette.responses import StreamingResponse

from audit.errors import IndexUnavailable
from audit.index.sqlite_index import SqliteIndex, _failing_plainly
from audit.web.application import create_app
from audit.web.options import WebOptions
from tests.web.servers import serving, until
from tests.web.stack import Stack, hospital_day, stack

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
OPTIONS = WebOptions(https=False)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Stack]:
    with stack(tmp_path) as made:
        made.add(hospital_day(5))
        yield made


def endless(index: SqliteIndex, began: Event) -> None:
    """A question without an end, asked over a connection as every other."""
    with _failing_plainly(), index._pool.lend() as (readers, _):
        began.set()
        readers[0].connection.execute(ENDLESS).fetchall()


@pytest.mark.parametrize("streamed", [False, True])
def test_a_statement_ends_when_its_client_has_left(place: Stack, streamed: bool) -> None:
    began, ended = Event(), Event()
    routes = APIRouter()

    def asked() -> None:
        try:
            endless(place.index, began)
        except IndexUnavailable as error:
            if "has left" in str(error):
                ended.set()

    @routes.get("/whole")
    def whole() -> str:
        asked()
        return "never"

    @routes.get("/streamed")
    def in_pieces() -> StreamingResponse:
        def pieces() -> Iterator[bytes]:
            yield b"first"
            asked()

        return StreamingResponse(pieces())

    with serving(create_app(OPTIONS, [routes]), OPTIONS) as port:
        path = "streamed" if streamed else "whole"
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            assert began.wait(10)
            assert not ended.is_set()
        assert until(ended.is_set, 10)
    assert place.search.index_lag().behind == 0


def test_who_stays_is_answered(place: Stack) -> None:
    with place.index._pool.lend() as (readers, _):
        bounded = ENDLESS.replace("FROM c)", "FROM c LIMIT 200000)")
        assert readers[0].connection.execute(bounded).fetchall() == [(200_000,)]
