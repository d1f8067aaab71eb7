"""A proxy before Elasticsearch that does to each request what a script says."""

import http.client
import json
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from socket import SHUT_WR, SO_LINGER, SOL_SOCKET, socket
from threading import Event, Thread
from typing import Any
from urllib.parse import SplitResult, urlsplit

from typing_extensions import override

PASS = "pass"
SILENCE = "applied in silence"
"""Done, but never answered; not in schedules, since each one lasts as long as the time-out."""

FAULTS = (
    "down",
    "reset",
    "half-closed",
    "busy",
    "unavailable",
    "too large",
    "html",
    "some items",
    "applied unheard",
    "slow",
    "half an answer",
    "shards",
)

_STATUS = {"busy": 429, "unavailable": 503, "too large": 413}
_ITEM_FAULTS = (
    (429, "es_rejected_execution_exception"),
    (403, "cluster_block_exception"),
    (503, "unavailable_shards_exception"),
    (500, "i_o_exception"),
    (400, "validation_exception"),
)
_OURS = ("host", "connection", "content-length")
_SLOW_S = 0.03
_FEW_LINES = 2
"""Lines of a request that is never too large: one action."""

_CUT = "half an answer"

Answer = tuple[int, dict[str, str], bytes]
_KIND = "application/vnd.elasticsearch+json;compatible-with=8"


@dataclass
class FaultProxy:
    """Where it listens, and what it does next.

    Attributes:
        url: its address.
        next_fault: gives a fault or PASS for each request; asked in the order of their arrival.
        authorization: the header that requests must carry; None for any.
        seen: the faults that were done.
    """

    url: str = ""
    next_fault: Callable[[], str] = field(default=lambda: PASS)
    authorization: str | None = None
    seen: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    proxy: FaultProxy
    target: SplitResult

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer: two would wait for each other

    def _relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.proxy.authorization not in (None, self.headers.get("authorization")):
            self._answer((401, {"content-type": _KIND}, b'{"error":"who are you"}'))
            return
        fault = self.proxy.next_fault()
        self.proxy.seen.append(fault)
        self._do(fault, body)

    def _do(self, fault: str, body: bytes) -> None:
        if fault in ("down", "reset"):
            self._hang_up(reset=fault == "reset")
        elif fault == "half-closed":
            self.connection.shutdown(SHUT_WR)
            self.close_connection = True
        elif fault == SILENCE:
            self._ask(body)
            self.connection.recv(1)  # until whoever asked gives up
            self.close_connection = True
        elif fault in _STATUS and (fault != "too large" or body.count(b"\n") > _FEW_LINES):
            self._answer((_STATUS[fault], {"content-type": _KIND}, b'{"error":"no"}'))
        elif fault == "html":
            self._answer((200, {"content-type": "text/html"}, b"<html>sign in</html>"))
        elif fault == "some items" and self.path.split("?")[0].endswith("/_bulk"):
            self._answer(self._some_items(body))
        else:
            self._forward(fault, body)

    def _forward(self, fault: str, body: bytes) -> None:
        if fault == "slow":
            Event().wait(_SLOW_S)
        answer = self._ask(body)
        if fault == "applied unheard":
            self._hang_up()
        elif fault == "shards" and self.path.split("?")[0].endswith("/_search"):
            self._answer(_without_a_shard(answer))
        else:
            self._answer(answer, cut=fault == _CUT)

    def _ask(self, body: bytes) -> Answer:
        kept = {k: v for k, v in self.headers.items() if k.lower() not in _OURS}
        connection = http.client.HTTPConnection(
            self.target.hostname or "", self.target.port, timeout=30
        )
        try:
            connection.request(self.command, self.path, body, kept)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def _some_items(self, body: bytes) -> Answer:
        """Every second action reaches the server; of the others, the cluster's faults are told."""
        pairs = list(_pairs_of(body))
        taken = b"\n".join([*(b"\n".join(pair) for pair in pairs[::2]), b""])
        status, headers, told = self._ask(taken)
        if status != 200:
            return status, headers, told
        answers = iter(json.loads(told)["items"])
        faults = cycle(_ITEM_FAULTS)
        items = [_item(*next(faults)) if n % 2 else next(answers) for n in range(len(pairs))]
        return status, headers, json.dumps({"errors": True, "items": items}).encode()

    def _answer(self, answer: Answer, *, cut: bool = False) -> None:
        status, headers, body = answer
        self.send_response(status)
        self.send_header("content-type", headers.get("content-type", _KIND))
        self.send_header("x-elastic-product", "Elasticsearch")
        has_body = self.command != "HEAD"
        self.send_header("content-length", str(len(body) if has_body else 0))
        self.end_headers()
        if has_body:
            self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self._hang_up()

    def _hang_up(self, *, reset: bool = False) -> None:
        if reset:
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _relay  # noqa: N815 - http.server's names

    @override
    def log_message(self, *_args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    tls: ssl.SSLContext | None = None
    daemon_threads = True

    @override
    def get_request(self) -> tuple[socket, Any]:
        connection, address = super().get_request()
        if self.tls is None:
            return connection, address
        return self.tls.wrap_socket(connection, server_side=True), address

    @override
    def handle_error(self, *_args: object) -> None:
        """Clients go away: that is what this is for."""


@contextmanager
def fault_proxy(upstream: str, tls: ssl.SSLContext | None = None) -> Iterator[FaultProxy]:
    """A running one, before the server at that address."""
    proxy = FaultProxy()
    known = {"proxy": proxy, "target": urlsplit(upstream)}
    with _Server(("127.0.0.1", 0), type("Handler", (_Handler,), known)) as server:
        server.tls = tls
        host = "localhost" if tls else "127.0.0.1"
        proxy.url = f"{'https' if tls else 'http'}://{host}:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


def _item(status: int, kind: str) -> dict[str, Any]:
    return {"index": {"status": status, "error": {"type": kind, "reason": "not now"}}}


def _pairs_of(body: bytes) -> Iterator[list[bytes]]:
    lines = iter(body.splitlines())
    for head in lines:
        yield [head] if b'"delete"' in head[:12] else [head, next(lines)]


def _without_a_shard(answer: Answer) -> Answer:
    """As if one shard had not answered: nothing found."""
    status, headers, body = answer
    said = json.loads(body)
    failure = {"index": "arr-events-2026.02", "reason": {"type": "t", "reason": "disk"}}
    said["_shards"] = {"failed": 1, "failures": [failure]}
    said["hits"] = {"hits": [], "total": {"value": 0}}
    return status, headers, json.dumps(said).encode()
