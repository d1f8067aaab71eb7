"""Identities over HTTP: asked, linked, forgotten, each on record."""

from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from audit.query.access import READ_SCOPES, Scope
from audit.state.grants import Grants
from tests.projector.messages import message, patient, person, syslog
from tests.query.test_about import access
from tests.query.test_one_patient import ANNA, FIRST, PATIENT
from tests.web.stack import Stack, application, stack

OTHER = PATIENT.format("Q7", "Ash^Anna")
LINK = {"names": [{"identifier": "P1"}, {"identifier": "Q7", "assigner": "1.2"}]}


@pytest.fixture
def own(tmp_path: Any) -> Any:
    with stack(tmp_path) as made:
        yield made


class Caller:
    """Asks with a token."""

    def __init__(self, made: Stack, *scopes: str) -> None:
        self._client = TestClient(application(made))
        self._client.headers["Authorization"] = f"Bearer {made.token(*scopes)}"

    def ask(self, method: str, path: str, body: Any = None) -> Response:
        return self._client.request(method, f"/api/v1/{path}", json=body)


def test_names_are_linked_found_and_forgotten_on_record(own: Stack) -> None:
    caller = Caller(own, Scope.ADMIN, Scope.PATIENTS_IDENTIFY)
    linked = caller.ask("PUT", "identities", {"links": [LINK]})
    assert linked.json() == {"version": 1, "changed": 2}
    assert own.changes == [("reader", "1 identities of patients are linked")]
    found = caller.ask("POST", "identities/search", {"identifier": "p1"}).json()
    (person,) = found["people"]
    assert [(one["identifier"], one["source"]) for one in person["names"]] == [
        ("P1", "api"),
        ("Q7", "api"),
    ]
    assert b"identities of a patient" in b"".join(own.own_records()) or own.own_records()
    assert caller.ask("POST", "identities/remove", {"identifier": "P1"}).json()["changed"] == 1
    again = caller.ask("POST", "identities/search", {"identifier": "P1"}).json()
    assert (again["version"], again["people"]) == (2, [])
    then = caller.ask("POST", "identities/search", {"identifier": "P1", "version": 1}).json()
    assert len(then["people"]) == 1
    state = caller.ask("GET", "identities").json()
    assert [one["version"] for one in state["history"]] == [2, 1]
    assert "P1" not in str(state)


def test_unrecorded_is_undone(own: Stack) -> None:
    caller = Caller(own, Scope.ADMIN, Scope.PATIENTS_IDENTIFY)
    own.journal_fails = True
    assert caller.ask("PUT", "identities", {"links": [LINK]}).status_code == 503
    assert caller.ask("POST", "identities/search", {"identifier": "P1"}).status_code == 503
    assert own.state.aliases.version() == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "scope"),
    [
        ("GET", "identities", None, Scope.ADMIN),
        ("PUT", "identities", {"links": [LINK]}, Scope.ADMIN),
        ("POST", "identities/remove", {"identifier": "P1"}, Scope.ADMIN),
        ("POST", "identities/search", {"identifier": "P1"}, Scope.PATIENTS_IDENTIFY),
    ],
)
def test_each_needs_its_scope(own: Stack, method: str, path: str, body: Any, scope: Scope) -> None:
    others = [one for one in Scope if one is not scope]
    assert Caller(own, *others).ask(method, path, body).status_code == 403
    assert Caller(own, scope).ask(method, path, body).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"links": []},
        {"links": [{"names": [{"identifier": "P1"}]}]},
        {"links": [{"names": [{"identifier": "P1"}, {"identifier": ""}]}]},
        {"links": [LINK], "kind": "horse"},
    ],
)
def test_what_is_no_link_is_refused(own: Stack, body: Any) -> None:
    assert Caller(own, Scope.ADMIN).ask("PUT", "identities", body).status_code in {400, 422}


@pytest.mark.parametrize("version", [10**15 + 1, 2**63, 2**64, -1])
def test_a_version_that_cannot_be_is_refused(own: Stack, version: int) -> None:
    asked = {"identifier": "P1", "version": version}
    answer = Caller(own, Scope.PATIENTS_IDENTIFY).ask("POST", "identities/search", asked)
    assert answer.status_code == 422


def test_searches_and_pivots_ask_by_all_names(own: Stack) -> None:
    own.add([access("v", "V", ANNA, FIRST), access("v", "V", OTHER), access("v", "V", FIRST)])
    caller = Caller(own, *Scope)
    caller.ask("PUT", "identities", {"links": [LINK]})
    asked = {"query": "patient:P1", "identities": False}
    by_name = caller.ask("POST", "events/search", asked).json()
    assert [one["sequence"] for one in by_name["items"]] == [0]
    assert by_name["identities"] is None
    by_all = caller.ask("POST", "events/search", {"query": "patient:P1"}).json()
    assert sorted(one["sequence"] for one in by_all["items"]) == [0, 1, 2]
    inferred = by_all["items"][0]["id"]
    assert by_all["identities"]["inferred"] == {inferred: "study 1.2.1"}
    pivot = caller.ask("POST", "pivots/patient", {"value": "P1"}).json()
    assert len(pivot["items"]) == 3
    pivot = caller.ask("POST", "pivots/patient", {"value": "P1", "identities": False}).json()
    assert len(pivot["items"]) == 1
    study = caller.ask("POST", "pivots/study", {"value": "1.2.1"}).json()
    assert study["identities"] is None


def test_every_other_question_is_by_all_names_too(own: Stack) -> None:
    own.add([access("v", "V", ANNA, FIRST), access("v", "V", OTHER), access("v", "V", FIRST)])
    caller = Caller(own, *Scope)
    caller.ask("PUT", "identities", {"links": [LINK]})
    asked, exact = {"query": "patient:P1"}, {"query": "patient:P1", "identities": False}
    shape = caller.ask("POST", "events/overview", asked).json()
    assert (shape["total"]["value"], len(shape["identities"]["names"])) == (3, 1)
    shape = caller.ask("POST", "events/overview", exact).json()
    assert (shape["total"]["value"], shape["identities"]) == (1, None)
    assert len(caller.ask("POST", "events/export", asked).text.splitlines()) == 4
    assert len(caller.ask("POST", "events/export", exact).text.splitlines()) == 2
    job = caller.ask("POST", "exports", exact).json()
    assert job["identities"] is False
    assert caller.ask("POST", "exports", asked).json()["identities"] is True


def test_a_tree_asks_by_all_names_too(own: Stack) -> None:
    own.add([access("v", "V", ANNA, FIRST), access("v", "V", OTHER)])
    caller = Caller(own, *Scope)
    caller.ask("PUT", "identities", {"links": [LINK]})
    tree = {"where": {"op": "is", "field": "patient", "value": "P1"}}
    assert len(caller.ask("POST", "events/search", tree).json()["items"]) == 2


@pytest.mark.parametrize(("node", "found"), [("here", 1), ("elsewhere", 0)])
@pytest.mark.parametrize("kind", ["patient", "person"])
def test_whose_records_may_not_be_seen_has_no_names(
    own: Stack, kind: str, node: str, found: int
) -> None:
    seen = message(participants=(person("Q7"),), objects=(patient("Q7^^^&1.2&ISO"),), node="here")
    own.add([syslog(seen)])
    Caller(own, Scope.ADMIN).ask("PUT", "identities", {"kind": kind, "links": [LINK]})
    grants = Grants(scopes=frozenset(READ_SCOPES), sources=frozenset({node}))
    secret = own.state.tokens.create("narrow", "x", grants, 60).secret
    client = TestClient(application(own), headers={"Authorization": f"Bearer {secret}"})
    asked = {"kind": kind, "identifier": "P1"}
    answer = client.post("/api/v1/identities/search", json=asked)
    assert len(answer.json()["people"]) == found
