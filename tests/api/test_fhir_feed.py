"""The FHIR feed of Record Audit Event [ITI-20]: durable first, then 201; octets as they came."""

from typing import Any

import orjson
import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.operationoutcome import OperationOutcome
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from audit.fhir.feed import resources_in
from audit.query.access import Scope
from tests.api.fhir_client import EVENTS, fhir_client
from tests.conformance.json_cases import QUERY, STUDY
from tests.properties import examples
from tests.web.stack import Stack

JSON = {"Content-Type": "application/fhir+json"}
BOTH = (Scope.EVENTS_READ, Scope.PATIENTS_IDENTIFY, Scope.EVENTS_WRITE)


@pytest.fixture
def feeding(own: Stack) -> TestClient:
    return fhir_client(own, *BOTH)


def journaled(made: Stack) -> list[bytes]:
    entries = made.reader.iterate(0)
    return [one.received.raw for one in entries if one.received.listener == "fhir"]


def batch(*entries: bytes, kind: str = "batch") -> bytes:
    return b'{"resourceType": "Bundle", "type": "%s", "entry": [%s]}' % (
        kind.encode(),
        b", ".join(entries),
    )


def entry(resource: bytes, method: str = "POST", url: str = "AuditEvent") -> bytes:
    request = orjson.dumps({"method": method, "url": url})
    return b'{"request": %s,\n "resource" :  %s }' % (request, resource)


def test_an_event_is_journaled_as_it_came_and_can_be_read(own: Stack, feeding: TestClient) -> None:
    answer = feeding.post(EVENTS, content=QUERY, headers=JSON)
    assert answer.status_code == 201
    assert answer.content == b""
    assert journaled(own) == [QUERY]
    own.catch_up()
    path = answer.headers["location"].removeprefix("http://testserver")
    told = feeding.get(path).json()
    assert told["entity"][0]["what"]["identifier"]["value"] == "P48003"
    assert told["id"] == path.rpartition("/")[2]


def test_an_event_that_breaks_rules_is_kept_all_the_same(own: Stack, feeding: TestClient) -> None:
    odd = b'{"resourceType": "AuditEvent", "agent": 7}'
    assert feeding.post(EVENTS, content=odd, headers=JSON).status_code == 201
    assert journaled(own) == [odd]


def test_the_client_may_ask_for_an_outcome(feeding: TestClient) -> None:
    headers = JSON | {"Prefer": "return=OperationOutcome"}
    answer = feeding.post(EVENTS, content=STUDY, headers=headers)
    assert answer.status_code == 201
    OperationOutcome.model_validate(answer.json())


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"AuditEvent"', b"{}", b'{"resourceType": "Patient"}', b"\xff{}"],
)
def test_what_is_no_event_is_refused(own: Stack, feeding: TestClient, body: bytes) -> None:
    answer = feeding.post(EVENTS, content=body, headers=JSON)
    assert answer.status_code == 400
    OperationOutcome.model_validate(answer.json())
    assert journaled(own) == []


def test_xml_and_large_bodies_are_refused(feeding: TestClient) -> None:
    xml = feeding.post(EVENTS, content=b"<x/>", headers={"Content-Type": "application/fhir+xml"})
    assert (xml.status_code, xml.json()["resourceType"]) == (415, "OperationOutcome")
    wants_xml = feeding.post(
        EVENTS, content=QUERY, headers=JSON | {"Accept": "application/fhir+xml"}
    )
    assert wants_xml.status_code == 406
    large = feeding.post(EVENTS, content=b" " * 1_100_000, headers=JSON)
    assert (large.status_code, large.json()["issue"][0]["code"]) == (413, "too-long")


def test_writing_needs_its_scope(own: Stack) -> None:
    client = fhir_client(own)
    for path, body in ((EVENTS, QUERY), ("/fhir", batch(entry(QUERY)))):
        assert client.post(path, content=body, headers=JSON).status_code == 403
    assert journaled(own) == []


def test_nothing_is_promised_while_the_journal_is_down(own: Stack, feeding: TestClient) -> None:
    own.journal_fails = True
    for path, body in ((EVENTS, QUERY), ("/fhir", batch(entry(QUERY)))):
        answer = feeding.post(path, content=body, headers=JSON)
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (503, "transient")


def test_each_event_of_a_batch_has_its_own_outcome(own: Stack, feeding: TestClient) -> None:
    body = batch(
        entry(QUERY),
        entry(b'{"resourceType": "Patient"}'),
        entry(STUDY),
        entry(QUERY, method="PUT"),
        entry(QUERY, url="Patient"),
        b'{"request": {"method": "POST", "url": "AuditEvent"}}',
        b'{"resource": 1, "request": 2}',
    )
    answer = feeding.post("/fhir", content=body, headers=JSON)
    assert answer.status_code == 200
    told = answer.json()
    Bundle.model_validate(told)
    assert told["type"] == "batch-response"
    statuses = [one["response"]["status"][:3] for one in told["entry"]]
    assert statuses == ["201", "400", "201", "400", "400", "400", "400"]
    assert journaled(own) == [QUERY.strip(), STUDY.strip()]
    own.catch_up()
    location = told["entry"][2]["response"]["location"]
    assert feeding.get(location.removeprefix("http://testserver")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        batch(entry(QUERY), kind="transaction"),
        b'{"resourceType": "Bundle", "type": "batch", "entry": {}}',
        b'{"resourceType": "Bundle", "type": "batch", "entry": [1]}',
        QUERY,
        b"[]",
        batch(*[entry(b"{}")] * 4),
    ],
)
def test_what_is_no_batch_is_refused(own: Stack, body: bytes) -> None:
    client = fhir_client(own, *BOTH, max_bundle_entries=3)
    answer = client.post("/fhir", content=body, headers=JSON)
    assert answer.status_code == 400
    OperationOutcome.model_validate(answer.json())
    assert journaled(own) == []


def test_an_empty_batch_is_answered(feeding: TestClient) -> None:
    empty = b'{"resourceType": "Bundle", "type": "batch"}'
    for path in ("/fhir", "/fhir/"):
        answer = feeding.post(path, content=empty, headers=JSON)
        assert answer.json() == {"resourceType": "Bundle", "type": "batch-response"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
ENTRIES = st.lists(
    st.dictionaries(st.sampled_from(["resource", "request", 'x"{']), VALUES, max_size=3),
    max_size=4,
)


@examples(20)
@given(ENTRIES, st.dictionaries(st.text(max_size=5), VALUES, max_size=2), st.booleans())
def test_resources_are_cut_out_exactly(
    entries: list[dict[str, Any]], more: dict[str, Any], indented: bool
) -> None:
    bundle = {**more, "entry": entries}
    text = orjson.dumps(bundle, option=orjson.OPT_INDENT_2 if indented else None).decode()
    cut = list(resources_in(text))
    assert len(cut) == len(entries)
    for one, written in zip(entries, cut, strict=True):
        if "resource" in one:
            assert orjson.loads(written) == one["resource"]
            assert written in text
        else:
            assert written == ""
