import ssl
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from itertools import islice
from pathlib import Path

import orjson
import pytest
import trustme
from fastapi import APIRouter, FastAPI
from starlette.responses import Response

from audit.client import ClientOptions, Histogram, RepositoryClient
from audit.errors import (
    ConfigurationError,
    ConnectionFailed,
    Denied,
    IncompleteCheck,
    JournalUnavailable,
    NotFound,
    QuerySyntaxError,
    RequestError,
)
from audit.query.access import Scope
from audit.web.options import WebOptions
from tests.client.conftest import connected
from tests.query.test_about import access
from tests.query.test_one_patient import ANNA, FIRST
from tests.web.servers import serving
from tests.web.stack import Stack, application


def say(own: Stack, *texts: str) -> list[int]:
    return own.add(f"<85>1 - host app - - - {text}".encode() for text in texts)


class TestSearch:
    def test_records_of_every_page_once(self, client: RepositoryClient) -> None:
        newest = [one.id for one in client.events()]
        assert len(set(newest)) == 120
        assert [one.id for one in client.events(oldest_first=True)] == newest[::-1]
        assert [one.id for one in client.events(limit=70)] == newest[:70]
        assert [len(page.records) for page in client.pages(limit=70)] == [50, 20]

    def test_a_page_says_what_it_is(self, client: RepositoryClient) -> None:
        page = client.search("category:access", limit=1)
        assert (page.total.exact, page.partial, page.warnings) == (True, False, ())
        (record,) = page.records
        assert record.values("category") == ("access",)
        assert record.values("nothing") == ()
        assert record.time.endswith("Z")
        assert record.received.endswith("Z")
        assert record.summary

    def test_patients_are_asked_for_by_all_names_unless_told(self, own: Stack) -> None:
        own.add([access("v", "V", ANNA, FIRST), access("v", "V", FIRST)])
        with connected(own) as client:
            page = client.search("patient:P1")
            assert page.identities is not None
            assert page.identities["studies"] == ["1.2.1"]
            assert len(page.records) == len(list(client.events("patient:P1"))) == 2
            assert len(client.pivot("patient", "P1").records) == 2
            assert client.overview("patient:P1").total.value == 2
            assert len(list(client.export("patient:P1"))) == 2
            assert client.search("patient:P1", exact=True).identities is None
            assert len(list(client.events("patient:P1", exact=True))) == 1
            assert len(client.pivot("patient", "P1", exact=True).records) == 1
            assert client.overview("patient:P1", exact=True).total.value == 1
            assert len(list(client.export("patient:P1", exact=True))) == 1

    @pytest.mark.parametrize(("exact", "sequences"), [(False, [1, 2]), (True, [2])])
    def test_a_tail_goes_by_names_as_told(
        self, own: Stack, exact: bool, sequences: list[int]
    ) -> None:
        own.add([access("v", "V", ANNA, FIRST)])
        own.add([access("v", "V", FIRST), access("w", "W", ANNA)])
        with (
            connected(own) as client,
            closing(client.tail("patient:P1", after=0, exact=exact)) as found,
        ):
            assert [one.sequence for one in islice(found, len(sequences))] == sequences

    def test_a_tree_is_a_question_too(self, client: RepositoryClient) -> None:
        tree = {"op": "is", "field": "category", "value": "access"}
        assert client.search(tree).total == client.search("category:access").total

    def test_one_record_and_its_octets(self, own: Stack) -> None:
        (sequence,) = say(own, "hello")
        with connected(own) as client:
            record = client.event(str(sequence))
            assert record.sequence == sequence
            assert record.data["body"]["verdict"] == "malformed"
            message = client.message(record.id)
        assert message.received == b"<85>1 - host app - - - hello"
        assert message.received[message.msg_offset :] == b"hello"
        assert message.original_length == len(message.received)

    def test_counts(self, client: RepositoryClient) -> None:
        bars = Histogram(start="-24h", interval_s=3600, split="category")
        overview = client.overview(facets=["category"], size=3, histogram=bars)
        assert len(overview.facets["category"]) == 3
        assert sum(sum(counts.values()) for _, counts in overview.bars) == 120
        assert overview.total.value == 120
        plain = client.overview(histogram=Histogram(start="-24h", interval_s=86_400))
        assert [dict(counts) for _, counts in plain.bars] == [{"": 120}]

    def test_pivots(self, client: RepositoryClient) -> None:
        first = next(one for one in client.events() if one.values("patient"))
        patient = first.values("patient")[0]
        assert first.id in {one.id for one in client.pivot("patient", patient).records}
        near = client.neighbours(first.id, window_s=86_400, limit=3)
        assert first.id in {one.id for one in near.records}

    def test_who_one_is(self, client: RepositoryClient) -> None:
        assert "events:read" in client.me()["scopes"]


class TestExport:
    def test_lines_and_records(self, client: RepositoryClient) -> None:
        *lines, trailer = client.export_lines("category:access")
        told = orjson.loads(trailer)["_trailer"]
        assert told["sha256"] == sha256(b"".join(lines)).hexdigest()
        assert [one.id for one in client.export("category:access", oldest_first=True)] == [
            orjson.loads(line)["id"] for line in reversed(lines)
        ]

    def test_a_cut_one_is_no_export(self, own: Stack) -> None:
        say(own, "one")
        with connected(own) as client:
            audit = own.search._trail.audit
            append = audit._append

            def once(raw: bytes) -> int:
                own.journal_fails = len(own.own_records()) > 0
                return append(raw)

            audit._append = once
            with pytest.raises(IncompleteCheck, match="cut after"):
                list(client.export())

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b'{"id": 1}\n',
            b'{"id": 1}\n{"_trailer": {"count": 1, "sha256": "00", "complete": true}}\n',
            b'{"id": 1}\n{"_trailer"',
            b"[]\n",
        ],
    )
    def test_without_a_fitting_trailer_it_is_incomplete(self, body: bytes) -> None:
        answer = Response(body, media_type="application/x-ndjson")
        with answering(answer) as client, pytest.raises(IncompleteCheck, match="incomplete"):
            list(client.export_lines())


class TestTail:
    def test_records_as_they_come(self, own: Stack) -> None:
        say(own, "green before", "red before")
        with connected(own) as client:
            tail = client.tail("red", after=-1)
            assert next(tail).sequence == 1
            wanted = say(own, "green", "red one", "red two")[1:]
            assert [one.sequence for one in islice(tail, 2)] == wanted
            tail.close()

    def test_it_goes_on_over_breaks(self, own: Stack) -> None:
        waits: list[float] = []
        sent: list[int] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            sent.extend(say(own, f"word {len(waits)}"))

        with connected(own, web={"tail_longest_s": 0.2}, wait=wait) as client:
            got = [one.sequence for one in islice(client.tail("word"), 3)]
        assert got == sent[:3]
        assert waits[0] == 2.0

    def test_it_ends_with_the_token(self, own: Stack) -> None:
        with connected(own) as client:
            tail = client.tail(after=0)
            say(own, "one", "two")
            next(tail)
            own.state.tokens.revoke(own.state.tokens.all()[0].id)
            say(own, "three")
            with pytest.raises(Denied):
                list(tail)

    def test_it_gives_up_when_the_repository_stays_away(self, own: Stack) -> None:
        with connected(own, max_retries=1, wait=lambda _: None) as client:
            tail = client.tail(after=0)
            say(own, "one", "two")
            next(tail)
        with pytest.raises(RuntimeError):
            list(tail)


class TestFaults:
    @pytest.mark.parametrize(
        ("ask", "error", "text"),
        [
            (lambda c: c.search("a patientt:1"), QuerySyntaxError, "patient"),
            (lambda c: c.search({"op": "has", "field": "x"}), QuerySyntaxError, "no field"),
            (lambda c: c.search(limit=0), RequestError, "#/limit"),
            (lambda c: c.search(cursor="forged"), RequestError, "cursor"),
            (lambda c: c.event("999999"), NotFound, "999999"),
            (lambda c: c.event("../me"), RequestError, "/path/event_id"),
            (lambda c: list(c.export("userr:1")), QuerySyntaxError, "user"),
        ],
    )
    def test_they_are_those_of_the_core(
        self, client: RepositoryClient, ask: object, error: type[Exception], text: str
    ) -> None:
        with pytest.raises(error, match=text):
            ask(client)  # type: ignore[operator]  # a function of one client

    def test_a_query_fault_has_its_place(self, client: RepositoryClient) -> None:
        with pytest.raises(QuerySyntaxError) as caught:
            client.search("a patientt:1")
        assert (caught.value.column, caught.value.pointer) == (2, "")
        tree = {"op": "not", "of": {"op": "has", "field": "x"}}
        with pytest.raises(QuerySyntaxError) as caught:
            client.search(tree)
        assert caught.value.pointer == "#/where/of"

    def test_scopes(self, own: Stack) -> None:
        with connected(own, Scope.SIEM_READ) as client:
            for ask in (client.search, lambda: client.event("0"), lambda: list(client.export())):
                with pytest.raises(Denied):
                    ask()

    def test_a_wrong_token(self, own: Stack) -> None:
        with connected(own) as client:
            own.state.tokens.revoke(own.state.tokens.all()[0].id)
            with pytest.raises(Denied, match="token"):
                client.search()

    def test_without_the_journal(self, own: Stack) -> None:
        waits: list[float] = []
        own.journal_fails = True
        stopped = pytest.raises(JournalUnavailable)
        with connected(own, max_retries=2, wait=waits.append) as client, stopped:
            client.search()
        assert waits == [5.0, 5.0]

    def test_it_comes_back_when_told_to(self, own: Stack) -> None:
        def wait(seconds: float) -> None:
            waits.append(seconds)
            own.journal_fails = False

        waits: list[float] = []
        own.journal_fails = True
        with connected(own, wait=wait, longest_wait_s=3) as client:
            assert client.search().records == ()
        assert waits == [3]

    def test_too_many_requests(self, own: Stack) -> None:
        waits: list[float] = []
        slow = {"requests_per_s": 0.01, "request_burst": 1}
        with connected(own, web=slow, wait=waits.append, max_retries=1) as client:
            client.me()
            with pytest.raises(ConnectionFailed, match="too many"):
                client.me()
        assert len(waits) == 1

    def test_nobody_there(self) -> None:
        told = ClientOptions(url="http://127.0.0.1:9", token="arr_x", timeout_s=5)
        with RepositoryClient(told) as client, pytest.raises(ConnectionFailed, match="reached"):
            client.me()

    @pytest.mark.parametrize(
        ("status", "error"), [(502, ConnectionFailed), (404, ConnectionFailed)]
    )
    def test_somebody_else_there(self, status: int, error: type[Exception]) -> None:
        page = Response(b"<html>", status_code=status, media_type="text/html")
        with answering(page) as client, pytest.raises(error, match="not as an Audit"):
            client.me()


class TestOptions:
    @pytest.mark.parametrize(
        ("url", "token"),
        [
            ("arr.example:8443", "arr_x"),
            ("ftp://arr.example", "arr_x"),
            ("http://arr.example", "arr_x"),
            ("http://10.0.0.1", "arr_x"),
            ("https://arr.example", " "),
            ("https://arr.example", "ärr"),
        ],
    )
    def test_what_can_not_be_used(self, url: str, token: str) -> None:
        with pytest.raises(ConfigurationError):
            ClientOptions(url=url, token=token)

    def test_the_token_is_shown_nowhere(self) -> None:
        assert "secret" not in repr(ClientOptions(url="http://localhost", token="arr_secret"))

    def test_a_ca_that_is_none(self, tmp_path: Path) -> None:
        bad = tmp_path / "ca.pem"
        bad.write_text("nothing")
        for file in (bad, tmp_path / "missing.pem"):
            with pytest.raises(ConfigurationError, match=r"\.pem"):
                RepositoryClient(ClientOptions(url="https://arr.example", token="x", ca_file=file))


class TestTls:
    @pytest.fixture
    def secured(self, own: Stack, tmp_path: Path) -> Iterator[tuple[str, str, Path]]:
        """Address, token and CA of a repository over HTTPS."""
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        ca = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(str(ca))
        web = WebOptions(allowed_hosts=("127.0.0.1",))
        with serving(application(own, web), web, context) as port:
            yield f"https://127.0.0.1:{port}", own.token(), ca

    def test_with_the_ca(self, secured: tuple[str, str, Path]) -> None:
        url, token, ca = secured
        with RepositoryClient(ClientOptions(url=url, token=token, ca_file=ca)) as client:
            assert client.search().records == ()

    def test_without_it_nothing_is_sent(self, secured: tuple[str, str, Path], own: Stack) -> None:
        url, token, _ = secured
        unknown = pytest.raises(ConnectionFailed, match="--ca")
        with RepositoryClient(ClientOptions(url=url, token=token)) as client, unknown:
            client.search()
        assert own.own_records() == []


def answering(response: Response) -> "_Answering":
    return _Answering(response)


class _Answering:
    """A client of a server that always answers the same."""

    def __init__(self, response: Response) -> None:
        router = APIRouter()
        router.add_api_route(
            "/{path:path}", lambda: response, methods=["GET", "POST"], response_model=None
        )
        app = FastAPI()
        app.include_router(router)
        self._serving = serving(app, WebOptions(https=False, allowed_hosts=("127.0.0.1",)))

    def __enter__(self) -> RepositoryClient:
        port = self._serving.__enter__()
        told = ClientOptions(url=f"http://127.0.0.1:{port}", token="arr_x", timeout_s=10)
        self._client = RepositoryClient(told)
        return self._client

    def __exit__(self, *exception: object) -> None:
        self._client.close()
        self._serving.__exit__(None, None, None)
