"""Retrieve Syslog Event [ITI-82] over HTTP."""

from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from lxml import etree
from starlette.testclient import TestClient

from audit.query.access import Scope
from tests.api.fhir_client import fhir_client
from tests.projector.messages import event, message, person, syslog
from tests.web.stack import Stack, hospital_day, stack

PATH = "/syslogsearch"
NOW = datetime.now(UTC).isoformat()
AUDIT = syslog(
    message(
        event(event_date_time=NOW),
        participants=(person("asks"), person("answers", user_is_requestor=False)),
    ),
    hostname="ws77",
)
ODD = b"<34>1 2026-05-01T00:00:00Z host7 tool 99 ID7 - caf\xe9 & <x>"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("syslog")) as made:
        made.add(hospital_day(30))
        made.add([AUDIT, ODD])
        yield made


@pytest.fixture(scope="module")
def client(shared: Stack) -> TestClient:
    return fhir_client(shared)


def found(client: TestClient, **asked: str) -> list[dict[str, str]]:
    answer = client.get(f"{PATH}?{urlencode({'date': 'ge2020'} | asked)}")
    assert answer.status_code == 200, answer.text
    messages: list[dict[str, str]] = answer.json()
    return messages


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pri", "85"),
        ("version", "1"),
        ("hostname", "WS77"),
        ("app-name", "viewer"),
        ("procid", "17"),
        ("msg-id", "IHE+RFC-3881"),
        ("msg", "asks"),
        pytest.param("msg", NOW[:16], id="msg-part of a time"),
        pytest.param("msg", 'UserID="asks" UserName="', id="msg-markup"),
        ("msg", "EventID csd-code"),
        ("msg", "<AuditMessage><EventIdentification EventActionCode="),
        ("eventID", "110103"),
        ("eventID", "DICOM Instances Accessed"),
        ("Requestor", "asks"),
        ("Receiver", "answers"),
        pytest.param("recorded", f"eq{NOW[:13]}:{NOW[14:16]}Z", id="recorded-this minute"),
    ],
)
def test_each_parameter_finds_the_message(client: TestClient, name: str, value: str) -> None:
    hosts = [one["hostname"] for one in found(client, **{name: value})]
    assert "ws77" in hosts


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pri", "86"),
        ("hostname", "ws7"),
        ("msg", "asked"),
        ("eventID", "110112"),
        ("EventTypeCode", "ITI-18"),
        ("Requestor", "answers"),
        ("Receiver", "asks"),
        ("recorded", "lt2021"),
    ],
)
def test_each_parameter_leaves_others_out(client: TestClient, name: str, value: str) -> None:
    assert "ws77" not in [one["hostname"] for one in found(client, **{name: value})]


def test_a_message_is_told_by_its_parts(client: TestClient) -> None:
    (told,) = found(client, hostname="host7")
    assert told | {"msg": "", "msg-base64": ""} == {
        "pri": "34",
        "version": "1",
        "timestamp": "2026-05-01T00:00:00Z",
        "hostname": "host7",
        "app-name": "tool",
        "procid": "99",
        "msg-id": "ID7",
        "structured-data": "-",
        "msg": "",
        "msg-base64": "",
    }
    assert b64decode(told["msg-base64"]) == b"caf\xe9 & <x>"
    (audit,) = found(client, hostname="ws77")
    assert audit["msg"].encode() == AUDIT[AUDIT.index(b"<?xml") :]


def test_nothing_found_is_an_empty_array(client: TestClient) -> None:
    assert found(client, hostname="nowhere") == []


def test_xml_says_the_same(client: TestClient) -> None:
    answer = client.get(f"{PATH}?date=ge2020&hostname=host7", headers={"Accept": "text/xml"})
    assert answer.headers["content-type"].startswith("application/xml")
    root = etree.fromstring(answer.content)
    assert root.findtext("SyslogMessage/procid") == "99"
    assert root.findtext("SyslogMessage/msg") == "caf\ufffd & <x>"
    empty = client.get(f"{PATH}?date=ge2020&hostname=nowhere&_format=xml")
    assert len(etree.fromstring(empty.content)) == 0


@pytest.mark.parametrize("form", ["json", "xml"])
def test_pages_join_without_gap_or_repetition(client: TestClient, form: str) -> None:
    path, seen = f"{PATH}?date=ge2020&_count=7&app-name=viewer&_format={form}", 0
    expected = len(found(client, **{"app-name": "viewer", "_count": "500"}))
    while path:
        answer = client.get(path)
        assert answer.headers["content-type"].startswith(f"application/{form}")
        seen += len(etree.fromstring(answer.content)) if form == "xml" else len(answer.json())
        link = answer.headers.get("link", "")
        assert "viewer" not in link
        path = link.partition("<")[2].partition(">")[0]
    assert seen == expected > 0


@pytest.mark.parametrize(
    "asked",
    [
        "hostname=ws77",
        "date=soon",
        "date=ne2020",
        "date=ge2020&colour=red",
        "date=ge2020&_count=0",
        "date=ge2020&_count=x",
        "date=ge2020&msg=" + "x" * 5000,
        "_page=x",
    ],
)
def test_a_bad_search_is_refused(client: TestClient, asked: str) -> None:
    answer = client.get(f"{PATH}?{asked}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_other_formats_and_missing_scopes_are_refused(shared: Stack, client: TestClient) -> None:
    assert client.get(f"{PATH}?date=ge2020&_format=csv").status_code == 406
    for scope in (Scope.EVENTS_READ, Scope.EVENTS_RAW):
        assert fhir_client(shared, scope).get(f"{PATH}?date=ge2020").status_code == 403
    both = fhir_client(shared, date_bounds="both")
    assert both.get(f"{PATH}?date=ge2020").status_code == 400
    assert both.get(f"{PATH}?date=ge2020&date=le2099").status_code == 200


def test_a_page_that_finds_little_ends_and_goes_on(shared: Stack) -> None:
    client = fhir_client(shared, max_examined=4)
    path, seen, pages = f"{PATH}?date=ge2020&pri=34", 0, 0
    while path:
        answer = client.get(path)
        seen, pages = seen + len(answer.json()), pages + 1
        path = answer.headers.get("link", "").partition("<")[2].partition(">")[0]
    assert seen == 1
    assert pages > 5


def test_the_look_is_journaled(shared: Stack, client: TestClient) -> None:
    before = len(shared.own_records())
    found(client, hostname="ws77")
    assert len(shared.own_records()) == before + 1
    shared.journal_fails = True
    try:
        assert client.get(f"{PATH}?date=ge2020").status_code == 503
    finally:
        shared.journal_fails = False
