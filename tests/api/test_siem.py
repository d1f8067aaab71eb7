"""The SIEM feed over HTTP."""

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from audit.api.siem import INDEX_LAG, NEXT_CURSOR
from audit.index.criteria import Everything
from audit.index.document import IndexedRecord
from audit.index.port import Page
from audit.query.access import Scope
from audit.siem import formats
from audit.siem.disclosure import Disclosure
from audit.siem.shown import Shown
from audit.web.options import WebOptions
from tests.web.servers import serving, until
from tests.web.stack import Stack, application, siem_options

FEED = "/siem/v1/events"


def client_of(made: Stack, *scopes: str, **changes: Any) -> TestClient:
    headers = {"Authorization": f"Bearer {made.token(*(scopes or (Scope.SIEM_READ,)))}"}
    siem = siem_options(made, **changes)
    return TestClient(application(made, siem=siem), headers=headers)


def words(own: Stack, *texts: str) -> list[int]:
    return own.add(f"<85>1 - host app - - - {text}".encode() for text in texts)


def sequences(answer: Any) -> list[int]:
    return [json.loads(line)["event"]["sequence"] for line in answer.text.splitlines()]


@pytest.mark.parametrize("octets", [1, 20_000, 10_000_000])
def test_pages_give_each_record_once(shared: Stack, octets: int) -> None:
    client = client_of(shared, max_octets=octets)
    found: list[int] = []
    after: dict[str, str] = {}
    while True:
        answer = client.get(FEED, params={"limit": "50", **after})
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert answer.headers[INDEX_LAG].isdigit()
        if not answer.text:
            break
        assert len(answer.content) <= octets or answer.text.count("\n") == 1
        found += sequences(answer)
        after = {"after": answer.headers[NEXT_CURSOR]}
    everything = [one.sequence for one in all_records(shared)]
    assert found == sorted(everything)


def all_records(made: Stack) -> list[IndexedRecord]:
    found = made.index.search(Everything(), limit=1_000).records
    return [one for one in found if one.first("listener") == "tls" and not one.first("repeat_of")]


@pytest.mark.parametrize("form", ["ecs", "ocsf", "cef", "syslog"])
def test_every_format(shared: Stack, form: str) -> None:
    answer = client_of(shared).get(FEED, params={"format": form, "limit": "20"})
    assert answer.status_code == 200
    lines = answer.content.split(b"\n")
    assert (len(lines), lines[-1]) == (21, b"")
    begins = {"ecs": b"{", "ocsf": b"{", "cef": b"CEF:0|", "syslog": b"<8"}[form]
    assert all(line.startswith(begins) for line in lines[:-1])


def test_only_so_many_values_of_a_list(shared: Stack) -> None:
    for most in (1, 100):
        rows = client_of(shared, max_values=most).get(FEED, params={"limit": "200"}).text
        users = [json.loads(row)["related"].get("user", ()) for row in rows.splitlines()]
        assert (max(map(len, users)) > 1) == (most > 1)


def test_refusals(own: Stack) -> None:
    others = [scope for scope in Scope if scope is not Scope.SIEM_READ]
    assert client_of(own, *others).get(FEED).status_code == 403
    client = client_of(own, max_limit=10)
    behind = f"{own.reader.origin}-1000000"
    for bad in ({"after": "x"}, {"after": "other-1"}, {"after": behind}, {"limit": "11"}):
        assert client.get(FEED, params=bad).status_code == 400
    for bad in ({"format": "leef"}, {"limit": "0"}, {"wait": "-1"}):
        assert client.get(FEED, params=bad).status_code == 422
    own.journal_fails = True
    assert client_of(own).get(FEED).status_code == 503


def test_one_record_of_use_however_often_it_is_asked(own: Stack) -> None:
    client = client_of(own, max_wait_s=0.02)
    cursor = client.get(FEED).headers[NEXT_CURSOR]
    for _ in range(20):
        answer = client.get(FEED, params={"after": cursor, "wait": "0.02"})
        own.catch_up()
        assert answer.text == ""
        cursor = answer.headers[NEXT_CURSOR]
    assert len(own.own_records()) == 1


def test_another_session_of_use_has_its_own_record(own: Stack) -> None:
    for changes in ({"session_s": 0.0}, {"longest_session_s": 0.0}):
        before = len(own.own_records())
        client = client_of(own, **changes)
        client.get(FEED)
        client.get(FEED)
        assert len(own.own_records()) - before == 2


def test_a_waiting_answer_comes_with_the_record(own: Stack) -> None:
    web = WebOptions(https=False, allowed_hosts=("127.0.0.1",))
    token = own.token(Scope.SIEM_READ)
    app = application(own, web, siem=siem_options(own))
    with (
        serving(app, web) as port,
        httpx2.Client(headers={"Authorization": f"Bearer {token}"}, timeout=120) as client,
        ThreadPoolExecutor(1) as waiting,
    ):
        url = f"http://127.0.0.1:{port}{FEED}"
        cursor = client.get(url).headers[NEXT_CURSOR]
        asked = waiting.submit(client.get, url, params={"after": cursor, "wait": "15"})
        assert until(lambda: len(own.own_records()) == 1)
        wanted = words(own, "a word")
        answer = asked.result(15)
        assert sequences(answer) == wanted
        later = client.get(url, params={"after": answer.headers[NEXT_CURSOR], "wait": "0.05"})
        assert later.text == ""


def test_a_server_that_stops_waits_for_nobody(own: Stack) -> None:
    web = WebOptions(https=False, allowed_hosts=("127.0.0.1",), shutdown_timeout_s=1)
    headers = {"Authorization": f"Bearer {own.token(Scope.SIEM_READ)}"}
    app = application(own, web, siem=siem_options(own))
    with ThreadPoolExecutor(1) as waiting, httpx2.Client(headers=headers, timeout=120) as client:
        with serving(app, web) as port:
            url = f"http://127.0.0.1:{port}{FEED}"
            cursor = client.get(url).headers[NEXT_CURSOR]
            asked = waiting.submit(client.get, url, params={"after": cursor, "wait": "50"})
            assert until(lambda: len(own.own_records()) == 1)
        with contextlib.suppress(httpx2.HTTPError):
            assert asked.result(10).status_code >= 500


def test_without_a_cursor_nobody_waits(own: Stack) -> None:
    assert client_of(own).get(FEED, params={"wait": "60"}).text == ""


def test_who_waits_looks_only_when_the_index_moved(
    own: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(own)
    words(own, "one")
    cursor = client.get(FEED).headers[NEXT_CURSOR]
    own.catch_up()
    cursor = client.get(FEED, params={"after": cursor}).headers[NEXT_CURSOR]
    searched: list[object] = []
    search = own.index.search

    def counted(*asked: Any, **how: Any) -> Page:
        searched.append(asked)
        return search(*asked, **how)

    monkeypatch.setattr(own.index, "search", counted)
    client.get(FEED, params={"after": cursor, "wait": "0.2"})
    assert searched == []


def test_waiting_ends_with_the_token(own: Stack) -> None:
    client = client_of(own)
    cursor = client.get(FEED).headers[NEXT_CURSOR]
    with ThreadPoolExecutor(1) as waiting:
        asked = waiting.submit(client.get, FEED, params={"after": cursor, "wait": "1"})
        own.state.tokens.revoke(own.state.tokens.all()[0].id)
        assert asked.result(15).status_code == 401


def test_only_so_many_wait(own: Stack) -> None:
    client = client_of(own, max_waiting=0)
    cursor = client.get(FEED).headers[NEXT_CURSOR]
    assert client.get(FEED, params={"after": cursor}).status_code == 200
    refused = client.get(FEED, params={"after": cursor, "wait": "1"})
    assert refused.status_code == 429


def test_originals_need_setting_and_scope(shared: Stack) -> None:
    open_ = Disclosure(patients=True, original=True)
    for scopes, disclosure, shown in (
        ((Scope.SIEM_READ,), open_, False),
        ((Scope.SIEM_READ, Scope.PATIENTS_IDENTIFY, Scope.EVENTS_RAW), Disclosure(), False),
        ((Scope.SIEM_READ, Scope.PATIENTS_IDENTIFY, Scope.EVENTS_RAW), open_, True),
    ):
        client = client_of(shared, *scopes, disclosure=disclosure)
        rows = [json.loads(line) for line in client.get(FEED).text.splitlines()]
        assert any("original" in row["event"] for row in rows) == shown
        patients = [p for row in rows for p in row["dicom"].get("patient", {}).get("id", ())]
        assert any(not one.startswith("patient-") for one in patients) == shown


def test_a_record_that_cannot_be_mapped_keeps_its_place(
    own: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = words(own, "one", "two")
    mapped = formats._LINES[formats.SiemFormat.ECS]

    def odd(shown: Shown) -> bytes:
        if shown.facts["sequence"] == (first,) and "category" in shown.facts:
            raise ValueError("no")
        return mapped(shown)

    monkeypatch.setitem(formats._LINES, formats.SiemFormat.ECS, odd)
    answer = client_of(own).get(FEED)
    assert sequences(answer) == [first, second]
    assert json.loads(answer.text.splitlines()[0])["arr"]["findings"] == ["siem-mapping-failed"]
