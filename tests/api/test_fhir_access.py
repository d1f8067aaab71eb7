"""The FHIR interface beside its searches: refusals, faults, and the record of every look."""

import threading
from base64 import b64decode
from dataclasses import replace

import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome
from starlette.testclient import TestClient

from audit.fhir.matching import values_at
from audit.index.criteria import Everything
from audit.query.access import Scope
from tests.api.fhir_client import EVENTS, SINCE, WEB, bundle, fhir_client, resources
from tests.fhir.samples import as_fhir
from tests.projector.messages import message, syslog
from tests.web.stack import Stack


@pytest.fixture(scope="module")
def client(shared: Stack) -> TestClient:
    return fhir_client(shared)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{EVENTS}/unknown-1", 404),
        (f"{EVENTS}/1", 404),
        ("/fhir/Patient", 404),
        ("/fhir/Patient/1", 404),
    ],
)
def test_what_there_is_not_is_told_as_outcome(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    OperationOutcome.model_validate(answer.json())


def test_other_methods_and_media_types_are_refused(client: TestClient) -> None:
    assert client.delete(f"{EVENTS}/x-1").status_code == 405
    assert client.delete(f"{EVENTS}/x-1").json()["resourceType"] == "OperationOutcome"
    posted = client.post(f"{EVENTS}/_search", content=b"{}", headers={"Content-Type": "text/x"})
    assert posted.status_code == 415
    assert client.post(f"{EVENTS}/_search").status_code == 400
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post(f"{EVENTS}/_search", content=b"\xff=1", headers=form).status_code == 400


def test_without_token_or_scope_there_is_no_answer(shared: Stack) -> None:
    client = fhir_client(shared, Scope.JOURNAL_READ)
    asked = f"{EVENTS}?{SINCE[0]}={SINCE[1]}"
    for path in (asked, f"{EVENTS}/x-1"):
        denied = client.get(path)
        assert (denied.status_code, denied.json()["issue"][0]["code"]) == (403, "forbidden")
        nobody = client.get(path, headers={"Authorization": ""})
        assert (nobody.status_code, nobody.json()["issue"][0]["code"]) == (401, "login")
        assert "www-authenticate" in nobody.headers


def test_a_look_that_cannot_be_journaled_is_not_answered(own: Stack) -> None:
    client = fhir_client(own)
    sequence = own.add([b"<85>1 - host app - - - one"])[0]
    own.journal_fails = True
    for path in (f"{EVENTS}?date=ge2020", f"{EVENTS}/{own.reader.origin}-{sequence}"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.json()["issue"][0]["code"] == "transient"
        assert "retry-after" in answer.headers


def test_every_look_is_journaled_before_it_is_answered(own: Stack) -> None:
    client = fhir_client(own)
    sequence = own.add([b"<85>1 - host app - - - one"])[0]
    before = len(own.own_records())
    assert resources(bundle(client, ("_count", "5")))
    assert client.get(f"{EVENTS}/{own.reader.origin}-{sequence}").status_code == 200
    told = [as_fhir(raw) for raw in own.own_records()[before:]]
    assert [one["type"]["code"] for one in told] == ["110101", "110101"]
    details = [
        {d["type"]: b64decode(d["valueBase64Binary"]) for d in one["entity"][0]["detail"]}
        for one in told
    ]
    assert details[0]["interface"] == details[1]["interface"] == b"ITI-81"
    assert details[0]["query"] == b"date=ge2020-01-01&_count=5"
    assert details[0]["records shown"] == b"1"
    assert details[1]["record"] == f"{own.reader.origin}-{sequence}".encode()


def test_the_record_of_a_look_names_the_patients_that_were_shown(own: Stack) -> None:
    client = fhir_client(own)
    sequence = own.add([syslog(message())])[0]
    before = len(own.own_records())
    bundle(client)
    client.get(f"{EVENTS}/{own.reader.origin}-{sequence}")
    client.get("/syslogsearch?date=ge2020")
    looks = [as_fhir(raw) for raw in own.own_records()[before:]]
    assert [values_at(one, "patient().identifier.value") for one in looks] == [["P48003"]] * 3


def test_a_read_waits_a_moment_for_what_is_journaled_but_not_searchable(own: Stack) -> None:
    sequence = own.append(b"<85>1 - host app - - - late")
    path = f"{EVENTS}/{own.reader.origin}-{sequence}"
    assert fhir_client(own, read_wait_s=0).get(path).status_code == 404
    indexing = threading.Timer(0.2, own.catch_up)
    indexing.start()
    assert fhir_client(own, read_wait_s=30).get(path).status_code == 200
    indexing.join()


def test_a_part_of_the_index_that_is_silent_is_told(
    own: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.add([b"<85>1 - host app - - - one"])
    whole_page = own.index.search(Everything(), limit=10)
    partial = replace(whole_page, partial=True, warnings=("shard 2 is silent",))
    monkeypatch.setattr(own.index, "search", lambda *_, **__: partial)
    client = fhir_client(own)
    told = bundle(client)["entry"][-1]["resource"]["issue"][0]
    assert (told["severity"], told["diagnostics"]) == ("warning", "shard 2 is silent")
    assert client.get("/syslogsearch?date=ge2020").status_code == 503


def test_faults_and_foreign_hosts_are_told_as_outcomes(
    own: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = fhir_client(own)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("P48003 in the words of a fault")

    monkeypatch.setattr(own.index, "position", broken)
    fault = client.get(f"{EVENTS}?date=ge2020")
    assert (fault.status_code, fault.json()["issue"][0]["code"]) == (500, "exception")
    assert "P48003" not in fault.text
    foreign = client.get("/fhir/metadata", headers={"Host": "elsewhere.example"})
    assert (foreign.status_code, foreign.json()["resourceType"]) == (400, "OperationOutcome")


def test_too_many_requests_are_told_as_outcome(shared: Stack) -> None:
    client = fhir_client(shared, web=replace(WEB, request_burst=2, requests_per_s=0.01))
    *_, last = [client.get("/fhir/AuditEvent") for _ in range(4)]
    assert last.status_code == 429
    assert last.json()["issue"][0]["code"] == "throttled"
    assert "retry-after" in last.headers


def test_the_capability_statement_names_the_actor(client: TestClient) -> None:
    answer = client.get("/fhir/metadata", headers={"Authorization": ""})
    statement = answer.json()
    CapabilityStatement.model_validate(statement)
    assert "Audit Record Repository" in statement["description"]
    told = statement["rest"][0]["resource"][0]
    assert {one["code"] for one in told["interaction"]} == {"create", "read", "search-type"}
    names = {one["name"] for one in told["searchParam"]}
    assert {"date", "patient.identifier", "entity-role", "_id"} <= names
    assert client.get("/fhir/metadata?_format=xml").status_code == 406
