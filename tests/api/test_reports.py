"""Reports over the API."""

import csv
import io
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from audit.query.access import READ_SCOPES, Scope
from audit.query.reports.service import KINDS
from tests.api.conftest import client_of
from tests.web.stack import Stack

REPORTS = "/api/v1/reports"
SIGN_OFFS = f"{REPORTS}/activity/sign-offs"


def patient_of(shared: Stack) -> str:
    """Somebody the simulated hospital treated."""
    found = shared.search.trail.index.distinct("patient", size=1)
    return found[0]


def asked(kind: str, shared: Stack, **more: Any) -> dict[str, Any]:
    """A question of that kind which can be answered."""
    patients = [{"identifier": patient_of(shared)}]
    about: dict[str, dict[str, Any]] = {
        "user": {"user": "nobody@example.org"},
        "study": {"study": "1.2.3"},
        "activity": {},
        "senders": {},
    }
    return about.get(kind, {"patients": patients}) | more


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_as_json(client: TestClient, shared: Stack, kind: str) -> None:
    answer = client.post(f"{REPORTS}/{kind}", json=asked(kind, shared, reason="review"))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["kind"], told["reason"]) == (kind, "review")
    assert told["qualifications"]
    assert [one["name"] for one in told["reliance"]] == ["identities", "sources"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_as_csv(client: TestClient, shared: Stack, kind: str) -> None:
    answer = client.post(f"{REPORTS}/{kind}", json=asked(kind, shared, format="csv"))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.text, newline=""), strict=True))
    assert len({len(row) for row in rows}) == 1


def test_pdf(client: TestClient, shared: Stack) -> None:
    answer = client.post(f"{REPORTS}/access", json=asked("access", shared, format="pdf"))
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["content-type"] == "application/pdf"
    name = answer.headers["content-disposition"]
    assert name.startswith('attachment; filename="access-')
    assert patient_of(shared) not in name


def test_a_patient_is_found(client: TestClient, shared: Stack) -> None:
    told = client.post(f"{REPORTS}/access", json=asked("access", shared)).json()
    assert told["sections"][0]["rows"]


def test_faults(client: TestClient) -> None:
    for wrong, status in (
        ({}, 400),
        ({"patients": [{"identifier": ""}]}, 422),
        ({"patients": [{"identifier": "1"}], "from": "yesterday"}, 400),
        ({"patients": [{"identifier": "1"}], "from": "2026-01-01T00:00:00"}, 400),
        ({"patients": [{"identifier": "1"}], "revealed": True}, 400),
        ({"patients": [{"identifier": "1"}], "format": "odt"}, 422),
    ):
        answer = client.post(f"{REPORTS}/access", json=wrong)
        assert answer.status_code == status, (wrong, answer.text)
    assert client.post(f"{REPORTS}/gossip", json={}).status_code == 422


def test_scopes(shared: Stack) -> None:
    for lacking, kind in ((Scope.REPORTS_READ, "senders"), (Scope.PATIENTS_IDENTIFY, "access")):
        with client_of(shared, *(READ_SCOPES - {lacking})) as reader:
            answer = reader.post(f"{REPORTS}/{kind}", json=asked(kind, shared))
            assert answer.status_code == 403
            assert lacking in answer.json()["detail"]


def test_no_report_unrecorded(own: Stack) -> None:
    with client_of(own) as client:
        own.journal_fails = True
        assert client.post(f"{REPORTS}/senders", json={}).status_code == 503


def test_a_review_is_signed_off(own: Stack) -> None:
    with client_of(own) as client:
        made = client.post(f"{REPORTS}/activity", json={}).json()
        signed = client.post(
            SIGN_OFFS,
            json={
                "from": made["from"],
                "to": made["to"],
                "record": made["record"],
                "statement": "Reviewed; nothing to do.",
            },
        )
        assert signed.status_code == 200, signed.text
        own.catch_up()
        again = client.post(f"{REPORTS}/activity", json={}).json()
    (told,) = [one for one in again["sections"] if one["name"] == "sign_offs"]
    assert [row["record"] for row in told["rows"]] == [signed.json()["record"]]
    assert "Reviewed; nothing to do." in json.dumps(told)


def test_only_what_was_made_can_be_signed(client: TestClient) -> None:
    body = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z", "statement": "ok"}
    answer = client.post(SIGN_OFFS, json=body | {"record": "99999999"})
    assert answer.status_code == 404
