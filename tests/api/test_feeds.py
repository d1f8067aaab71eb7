"""Export and live tail over real sockets."""

import contextlib
import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import httpx2
import pytest

from audit.query.access import Scope
from audit.web.options import WebOptions
from tests.api.conftest import client_of
from tests.web.servers import serving, until
from tests.web.stack import Stack, application

EXPORT = "/api/v1/events/export"
TAIL = "/api/v1/events/tail"
QUICK = {
    "https": False,
    "allowed_hosts": ("127.0.0.1", "testserver"),
    "tail_poll_s": 0.01,
    "tail_heartbeat_s": 0.05,
}


@contextlib.contextmanager
def remote(made: Stack, token: str, **options: Any) -> Iterator[httpx2.Client]:
    web = WebOptions(**(QUICK | options))  # type: ignore[arg-type]  # many types
    with (
        serving(application(made, web), web) as port,
        httpx2.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=120,
        ) as client,
    ):
        yield client


def words(own: Stack, *texts: str) -> list[int]:
    return own.add(f"<85>1 - host app - - - {text}".encode() for text in texts)


def filter_of(client: httpx2.Client, query: str = "") -> str:
    answer = client.post(TAIL, json={"query": query})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


class Events:
    """Server-sent events of an open tail."""

    def __init__(self, answer: httpx2.Response) -> None:
        self._lines = answer.iter_lines()

    def next(self, kind: str = "record") -> dict[str, Any]:
        """The next event of this kind, its id with it."""
        place, name = None, ""
        for line in self._lines:
            field, _, value = line.partition(": ")
            if field == "id":
                place = int(value)
            elif field == "event":
                name = value
            elif field == "data" and name == kind:
                return {"id": place, **json.loads(value)} | ({"place": place} if place else {})
            elif not line:
                place, name = None, ""
        raise AssertionError(f"the tail ended before an event {kind}")


class TestExport:
    def test_every_record_and_a_trailer(self, shared: Stack) -> None:
        answer = client_of(shared).post(EXPORT, json={"sort": "oldest"})
        assert answer.headers["content-type"] == "application/x-ndjson"
        *lines, last = answer.content.splitlines(keepends=True)
        trailer = json.loads(last)["_trailer"]
        assert trailer == {
            "count": 120,
            "sha256": sha256(b"".join(lines)).hexdigest(),
            "complete": True,
        }
        found = client_of(shared).post("/api/v1/events/search", json={"limit": 1000}).json()
        assert [json.loads(line) for line in lines] == found["items"][::-1]

    def test_it_can_be_asked_for_by_a_tree(self, shared: Stack) -> None:
        where = {"op": "is", "field": "category", "value": "access"}
        answer = client_of(shared).post(EXPORT, json={"where": where})
        rows = [json.loads(line) for line in answer.content.splitlines()][:-1]
        assert {row["category"] for row in rows} == {"access"}

    def test_refusals(self, own: Stack) -> None:
        others = [scope for scope in Scope if scope is not Scope.EVENTS_EXPORT]
        assert client_of(own, *others).post(EXPORT, json={}).status_code == 403
        client = client_of(own, Scope.EVENTS_EXPORT)
        assert client.post(EXPORT, json={"query": "userr:1"}).status_code == 400
        assert client.post(EXPORT, json={"limit": 1}).status_code == 422
        own.journal_fails = True
        assert client.post(EXPORT, json={}).status_code == 503

    def test_begin_and_end_are_recorded(self, own: Stack) -> None:
        words(own, "one", "two")
        before = len(own.own_records())
        client_of(own, Scope.EVENTS_EXPORT).post(EXPORT, json={})
        assert len(own.own_records()) - before == 2

    def test_only_so_many_at_once(self, own: Stack) -> None:
        with remote(own, own.token(), max_exports_per_principal=0) as client:
            answer = client.post(EXPORT, json={})
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "5"

    def test_a_place_is_free_again_after_each(self, own: Stack) -> None:
        with remote(own, own.token(), max_exports=1) as client:
            for query in ("", "userr:1", "", ""):
                answer = client.post(EXPORT, json={"query": query})
                assert answer.status_code == (400 if query else 200)

    def test_whoever_leaves_is_recorded_as_cut(self, own: Stack) -> None:
        own.add(f"<85>1 - host app - - - number {n}".encode() for n in range(400))
        trail = own.search._trail
        trail.options = replace(trail.options, export_page=10)
        token = own.token()
        with remote(own, token) as client, socket.socket() as peer:
            # A small window, so that the server has to wait for the client.
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.connect(("127.0.0.1", client.base_url.port))
            peer.sendall(
                f"POST {EXPORT} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
                "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}".encode()
            )
            assert peer.recv(1024).startswith(b"HTTP/1.1 200")
            peer.close()
            assert until(lambda: len(own.own_records()) == 2)
        assert b64encode(b"cut short") in own.own_records()[1]

    def test_a_fault_on_the_way_leaves_no_trailer(self, own: Stack) -> None:
        words(own, "one")
        with remote(own, own.token()) as client:
            own.search._trail.audit._append = _second_fails(own)
            with pytest.raises(httpx2.RemoteProtocolError):
                client.post(EXPORT, json={})


def _second_fails(own: Stack) -> Any:
    def append(raw: bytes) -> int:
        sequence = own.append(raw)
        own.journal_fails = True
        return sequence

    return append


class TestTail:
    def test_records_come_as_they_are_indexed(self, own: Stack) -> None:
        words(own, "red before")
        with remote(own, own.token()) as client:
            address = f"{TAIL}?filter={filter_of(client, 'red')}"
            with client.stream("GET", address) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                events = Events(answer)
                assert events.next("heartbeat")["index_lag"]["journal_seq"] == 3
                wanted = words(own, "green", "red one", "red two")[1:]
                assert [events.next()["sequence"] for _ in range(2)] == wanted

    def test_it_goes_on_where_it_was(self, own: Stack) -> None:
        with remote(own, own.token()) as client:
            address = f"{TAIL}?filter={filter_of(client)}"
            first, second = words(own, "one", "two")
            headers = {"Last-Event-ID": str(first)}
            with client.stream("GET", address, headers=headers) as answer:
                told = Events(answer).next()
            assert (told["sequence"], told["place"]) == (second, second)

    def test_one_record_however_long_and_however_often_it_breaks(self, own: Stack) -> None:
        with remote(own, own.token()) as client:
            address = f"{TAIL}?filter={filter_of(client)}"
            assert len(own.own_records()) == 1
            for n in range(3):
                with client.stream("GET", address) as answer:
                    events = Events(answer)
                    events.next("heartbeat")
                    (wanted,) = words(own, f"word {n}")
                    assert events.next()["sequence"] == wanted
        assert len(own.own_records()) == 2

    def test_another_session_of_use_has_its_own_record(self, own: Stack) -> None:
        with remote(own, own.token(), tail_session_s=0.0) as client:
            address = f"{TAIL}?filter={filter_of(client)}"
            for _ in range(2):
                with client.stream("GET", address) as answer:
                    Events(answer).next("heartbeat")
        assert len(own.own_records()) == 3

    def test_its_own_looks_never_wake_it(self, own: Stack) -> None:
        with remote(own, own.token()) as client:
            address = f"{TAIL}?filter={filter_of(client)}"
            with client.stream("GET", address) as answer:
                events = Events(answer)
                for _ in range(3):
                    client.post("/api/v1/events/search", json={})
                own.catch_up()
                wanted = words(own, "from outside")
                assert events.next()["sequence"] == wanted[0]

    def test_it_ends_with_the_token(self, own: Stack) -> None:
        with remote(own, own.token()) as client:
            address = f"{TAIL}?filter={filter_of(client)}"
            with client.stream("GET", address) as answer:
                events = Events(answer)
                events.next("heartbeat")
                own.state.tokens.revoke(own.state.tokens.all()[0].id)
                words(own, "secret")
                assert events.next("end")["reason"] == "the token has ended"

    def test_it_ends_after_the_longest_time(self, own: Stack) -> None:
        with remote(own, own.token(), tail_longest_s=0.0) as client:
            answer = client.get(f"{TAIL}?filter={filter_of(client)}")
            assert "longest time" in answer.text

    def test_a_filter_opens_for_its_token_only(self, own: Stack) -> None:
        client, other = client_of(own), client_of(own)
        address = f"{TAIL}?filter={client.post(TAIL, json={'query': 'x'}).json()['id']}"
        assert other.get(address).status_code == 404
        assert client.get(f"{TAIL}?filter={'0' * 32}").status_code == 404
        assert client.get(f"{TAIL}?filter=patient").status_code == 422

    def test_bad_filters_are_refused_at_once(self, own: Stack) -> None:
        assert client_of(own).post(TAIL, json={"query": "userr:1"}).status_code == 400
        assert own.own_records() == []
        assert client_of(own, Scope.SIEM_READ).post(TAIL, json={}).status_code == 403

    def test_without_the_journal_there_is_none(self, own: Stack) -> None:
        client = client_of(own)
        address = f"{TAIL}?filter={client.post(TAIL, json={}).json()['id']}"
        own.journal_fails = True
        assert client.get(address).status_code == 503

    def test_only_so_many_at_once(self, own: Stack) -> None:
        with remote(own, own.token(), max_tails_per_principal=1) as client:
            address = f"{TAIL}?filter={filter_of(client)}"
            with client.stream("GET", address) as answer:
                events = Events(answer)
                events.next("heartbeat")
                with client.stream("GET", address) as refused:
                    assert refused.status_code == 429
                events.next("heartbeat")
            assert until(lambda: _opens(client, address))


def _opens(client: httpx2.Client, address: str) -> bool:
    with client.stream("GET", address) as answer:
        return answer.status_code == 200
