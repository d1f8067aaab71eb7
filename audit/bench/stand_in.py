"""A stand-in for Elasticsearch that works, or fails in one way or another, as it is told.

It keeps nothing but the position: for measuring what its faults do to the rest.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Final
from urllib.parse import parse_qs

from typing_extensions import override

from audit.bench.repository import LOOPBACK

WELL: Final = "well"
FAULTS: Final = ("hangs up", "busy", "unavailable", "html", "silent")
"""Ways to fail; ``silent`` keeps each request until its sender gives up or the way changes."""

_STATUS: Final = {"busy": 429, "unavailable": 503}
JSON_KIND: Final = "application/vnd.elasticsearch+json;compatible-with=8"
_LOOK_S: Final = 0.05
_NOTHING: Final = {"hits": {"hits": [], "total": {"value": 0}}, "_shards": {"failed": 0}}

Answer = tuple[int, str, bytes]


class StandIn:
    """What it does now.

    Attributes:
        url: where it listens.
        way: WELL or one of FAULTS.
        faults: requests that it failed.
    """

    def __init__(self) -> None:
        self.url = ""
        self.way = WELL
        self.faults = 0
        self.over = Event()
        self._documents: dict[str, tuple[int, Any]] = {}
        self._lock = Lock()

    def answer(self, method: str, target: str, body: bytes) -> Answer | None:
        """The answer to a request; None when the connection is to be closed."""
        way = self.way
        if way == WELL:
            return self._work(method, target, body)
        self.faults += 1
        if way in _STATUS:
            return _STATUS[way], JSON_KIND, b'{"error": {"type": "told", "reason": "not now"}}'
        if way == "html":
            return 200, "text/html", b"<html>sign in</html>"
        while way == "silent" == self.way and not self.over.wait(_LOOK_S):
            pass
        return None

    def _work(self, method: str, target: str, body: bytes) -> Answer:
        path, _, query = target.partition("?")
        if path.endswith("/_bulk"):
            return _json(200, {"errors": False, "items": _items(body)})
        if "/_doc/" in path:
            with self._lock:
                return _json(*self._document(method, path, query, body))
        if path.endswith("/_search"):
            return _json(200, _NOTHING)
        return _json(200, {"acknowledged": True, "count": 0, "_shards": {"failed": 0}})

    def _document(self, method: str, path: str, query: str, body: bytes) -> tuple[int, Any]:
        number, held = self._documents.get(path, (0, None))
        version = {"_seq_no": number, "_primary_term": 1}
        if method == "GET":
            found = {"_id": path, "found": True, "_source": held}
            return (404, {"found": False}) if held is None else (200, found | version)
        wanted = parse_qs(query).get("if_seq_no")
        if wanted != (None if held is None else [str(number)]):
            return 409, {"error": {"type": "version_conflict_engine_exception"}}
        self._documents[path] = number + 1, json.loads(body)
        return 201, {"result": "updated", "_seq_no": number + 1, "_primary_term": 1}


def _json(status: int, told: Any) -> Answer:
    return status, JSON_KIND, json.dumps(told).encode()


def _items(body: bytes) -> list[dict[str, Any]]:
    """Every action of a bulk request done; each of these has a document."""
    actions = body.count(b"\n") // 2
    return [{"index": {"status": 201, "result": "created"}}] * actions


class _Handler(BaseHTTPRequestHandler):
    answer: Callable[[str, str, bytes], Answer | None]
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer: two would wait for each other

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.answer(self.command, self.path, body)
        if answer is None:
            self.close_connection = True
            return
        status, kind, octets = answer
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("x-elastic-product", "Elasticsearch")
        self.send_header("content-length", str(len(octets)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(octets)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _respond  # noqa: N815 - http.server's names

    @override
    def log_message(self, *_args: object) -> None:
        """Say nothing of single requests."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    @override
    def handle_error(self, *_args: object) -> None:
        """Whoever asked has gone: that is what this is for."""


@contextmanager
def answering(answer: Callable[[str, str, bytes], Answer | None]) -> Iterator[str]:
    """Have requests answered in Elasticsearch's name, on loopback; gives the address.

    Args:
        answer: from method, target and body; None closes the connection.
    """
    handler = type("Handler", (_Handler,), {"answer": staticmethod(answer)})
    with _Server((LOOPBACK, 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """A running one, on loopback."""
    made = StandIn()
    with answering(made.answer) as made.url:
        try:
            yield made
        finally:
            made.over.set()
