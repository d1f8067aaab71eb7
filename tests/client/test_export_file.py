"""Exports that are made over there and fetched over lines that break."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import httpx2
import pytest
from typing_extensions import override

from audit.client import ClientOptions, RepositoryClient
from audit.errors import IncompleteCheck

CONTENT = bytes(range(256)) * 40
URL = "http://127.0.0.1:1"


class Breaking(httpx2.SyncByteStream):
    """Some octets, then the line breaks."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    @override
    def __iter__(self) -> Iterator[bytes]:
        yield self._octets
        raise httpx2.ReadError("the line broke")


class There:
    """A repository elsewhere whose lines break ``breaks`` times."""

    def __init__(self, breaks: int, **job: Any) -> None:
        self.breaks = breaks
        self.job = {
            "id": "0" * 32,
            "octets": len(CONTENT),
            "sha256": sha256(CONTENT).hexdigest(),
            "error": "",
        } | job
        self.asked: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(f"{request.method} {request.headers.get('range', '')}".strip())
        if request.url.path.endswith("/content"):
            return self._content(int(request.headers["range"][6:-1]))
        state = "running" if request.method == "POST" else self.job.get("state", "done")
        return httpx2.Response(200, json={**self.job, "state": state})

    def _content(self, start: int) -> httpx2.Response:
        if self.breaks:
            self.breaks -= 1
            return httpx2.Response(206, stream=Breaking(CONTENT[start : start + 1_000]))
        return httpx2.Response(206, content=CONTENT[start:])


def fetched(there: There, retries: int = 3) -> bytes:
    """What a client gets from there."""
    options = ClientOptions(url=URL, token="arr_x", max_retries=retries)
    with RepositoryClient(options, wait=lambda _: None) as client:
        client._http = httpx2.Client(transport=httpx2.MockTransport(there), base_url=URL)
        return b"".join(client.export_file("csv", "x", reason="why"))


def test_a_broken_fetch_goes_on_where_it_broke() -> None:
    there = There(breaks=2)
    assert fetched(there) == CONTENT
    assert there.asked == [
        "POST",
        "GET",
        "GET bytes=0-",
        "GET bytes=1000-",
        "GET bytes=2000-",
        "DELETE",
    ]


def test_a_line_that_keeps_breaking() -> None:
    there = There(breaks=9)
    with pytest.raises(IncompleteCheck, match="cut after 3000 octets"):
        fetched(there, retries=2)
    assert there.asked[-1] == "DELETE"


def test_what_came_is_not_what_was_made() -> None:
    with pytest.raises(IncompleteCheck, match="not what was exported"):
        fetched(There(breaks=0, sha256="0" * 64))


def test_an_export_that_failed() -> None:
    there = There(breaks=0, state="failed", error="the index is gone")
    with pytest.raises(IncompleteCheck, match="the index is gone"):
        fetched(there)
    assert there.asked == ["POST", "GET", "DELETE"]
