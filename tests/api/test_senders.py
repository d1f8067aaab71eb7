"""The report on senders over HTTP."""

import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from tests.api.conftest import client_of
from tests.web.stack import Stack, application

PATH = "/api/v1/senders"


def test_every_sender_of_the_hospital_is_there(shared: Stack, client: TestClient) -> None:
    answer = client.get(PATH)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert sum(one["messages"] for one in told["items"] if one["app"] != "arr") >= 100
    assert told["partial"] is False
    document = application(shared).openapi()
    Draft202012Validator(
        {"$ref": "#/components/schemas/SendersReport", "components": document["components"]}
    ).validate(told)


def test_a_broken_message_is_told_with_its_rule(own: Stack, own_client: TestClient) -> None:
    own.add([b"<85>1 - host app - - - not an audit message"])
    (sender,) = own_client.get(PATH).json()["items"]
    (rule, *_) = sender["rules"]
    assert (sender["app"], sender["hosts"], rule["rule"]) == ("app", ["host"], "not-xml")
    assert rule["examples"][0]["id"].endswith("-0")
    assert rule["examples"][0]["excerpt"] == ""


def test_the_report_is_journaled_and_without_a_journal_there_is_none(
    own: Stack, own_client: TestClient
) -> None:
    assert own_client.get(PATH, params={"days": 2}).status_code == 200
    assert b"110101" in own.own_records()[-1]
    own.journal_fails = True
    assert own_client.get(PATH).status_code == 503


@pytest.mark.parametrize("days", ["0", "-1", "3661", "x", "1.5", ""])
def test_odd_days_are_refused(client: TestClient, days: str) -> None:
    assert client.get(PATH, params={"days": days}).status_code == 422


def test_the_scope_is_needed(own: Stack) -> None:
    with client_of(own, "siem:read") as other:
        assert other.get(PATH).status_code == 403
    with client_of(own) as other:
        assert other.get(PATH, headers={"Authorization": ""}).status_code == 401
