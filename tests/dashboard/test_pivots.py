"""Pages about one thing: reached without naming it, silent about everybody else."""

import re
from base64 import b64encode

import pytest

from audit.query.access import Scope
from audit.state.aliases import Link, Name
from tests.dashboard.conftest import Visit
from tests.dashboard.test_pages import message
from tests.query.test_about import access
from tests.query.test_one_patient import ANNA, BERT, FIRST, PATIENT, SECOND
from tests.web.stack import Stack

KINDS = {
    "patient": "P48003",
    "user": "voss",
    "study": "1.2.3.4",
    "node": "CT2",
    "address": "10.1.2.3",
}


def turn_to(visit: Visit, **about: str) -> str:
    """The page about it."""
    answer = visit.post("/pivot", about)
    assert answer.status_code == 303, answer.text
    (kind,) = about
    assert re.fullmatch(rf"/{kind}/[0-9a-f]{{32}}", answer.headers["location"])
    return visit.get(answer.headers["location"]).text


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_reached_by_the_value_and_says_what_is_known(
    own: Stack, own_visit: Visit, kind: str
) -> None:
    own.add([message(), message(user="otto", name="Otto"), message(patient="P2", outcome="4")])
    page = turn_to(own_visit, **{kind: KINDS[kind]})
    assert f"<bdi>{KINDS[kind]}</bdi></h1>" in page
    counted = {"patient": 2, "user": 2}.get(kind, 3)
    assert re.search(rf"<dt>Records</dt><dd>\s*{counted}<small>all of them below", page)
    assert "The same as a table" in page
    title = re.search(r"<title>(.*?) ·", page)
    assert title is not None
    assert KINDS[kind] not in title[1]


def test_patients_page_never_shows_another(own: Stack, own_visit: Visit) -> None:
    own.add([access("voss", "Mara Voss", ANNA, BERT, FIRST, SECOND)])
    page = turn_to(own_visit, patient="P1")
    assert "Ash^Anna" in page
    assert "about 1 other patient too, not shown here" in page
    for foreign in ("P2", "Bert", "1.2.2", "MR knee"):
        assert foreign not in page


def test_patients_page_tells_what_a_reviewer_looks_for(own: Stack, own_visit: Visit) -> None:
    own.add(
        [
            access("voss", "Mara Voss", ANNA),
            access("otto", "Otto", ANNA, purpose="BTG"),
            access("otto", "Otto", ANNA, outcome="8"),
        ]
    )
    page = turn_to(own_visit, patient="P1")
    assert "By breaking the glass" in page
    assert "Break glass 1" in page
    assert "Failed 1" in page
    otto = page.index("<bdi>Otto</bdi>")
    assert otto < page.index("<bdi>Mara Voss</bdi>")


def test_looks_at_the_trail_are_no_looks_at_the_patient(own: Stack, own_visit: Visit) -> None:
    own.add([message()])
    turn_to(own_visit, patient="P48003")
    own.catch_up()
    page = turn_to(own_visit, patient="P48003")
    assert re.search(r"<dt>Records</dt><dd>\s*1<small>", page)
    assert "Who looked at this trail" in page
    reader = own.account("reader", [Scope.EVENTS_READ, Scope.PATIENTS_IDENTIFY])
    visit = Visit(own)
    visit.sign_in(reader)
    assert "Who looked at this trail" not in turn_to(visit, patient="P48003")


def test_users_page_has_sessions_and_a_week(own: Stack, own_visit: Visit) -> None:
    own.add([message(), message(patient="P2")])
    page = turn_to(own_visit, user="voss")
    assert re.search(r"<dt>Patients</dt><dd>2<small>", page)
    assert re.search(r"<dt>Sessions</dt><dd>1<small>", page)
    assert page.count('<tr><th scope="row">') >= 8
    assert "Mara Voss" in page


def test_nothing_known_is_qualified(own_visit: Visit) -> None:
    page = turn_to(own_visit, patient="nobody")
    assert "No record names this patient." in page
    assert "What a sender never sent" in page
    assert 'value="patient_name:&#34;nobody&#34;"' in page


def test_a_name_where_a_login_was_asked_for_is_a_search_away(own: Stack, own_visit: Visit) -> None:
    own.add([message(user="mvoss", name="Mara Voss")])
    page = turn_to(own_visit, user="Mara Voss")
    assert "No record names this user." in page
    found = re.search(r'name="query" value="(user_name:[^"]*)"', page)
    assert found is not None
    answer = own_visit.post("/search", {"query": found[1].replace("&#34;", '"')})
    assert "mvoss" in own_visit.get(answer.headers["location"]).text


def test_a_beginning_leads_to_the_search_for_it(own: Stack, own_visit: Visit) -> None:
    own.add([message(patient="P48003"), message(patient="Q1")])
    location = own_visit.post("/pivot", {"patient": "P48*"}).headers["location"]
    page = own_visit.get(location).text
    assert location.startswith("/s/")
    assert "P48003" in page
    assert "Q1" not in page
    for odd in ("*", 'a "b"*', "<b>*", "a b*"):
        refused = own_visit.post("/pivot", {"patient": odd})
        assert refused.status_code == 400
        assert "search for others on the review page" in refused.text


def test_value_with_any_character_is_the_value(own: Stack, own_visit: Visit) -> None:
    strange = 'a "b" (c) \\ OR*x'
    own.add([message(patient=strange.replace('"', "&quot;"))])
    assert "No record names" not in turn_to(own_visit, patient=strange)


def test_pages_are_their_owners_alone(own: Stack, own_visit: Visit) -> None:
    location = own_visit.post("/pivot", {"patient": "P1"}).headers["location"]
    own.account("other")
    other = Visit(own)
    other.sign_in("other")
    assert other.get(location).status_code == 404
    search = own_visit.post("/search", {"query": "a b"}).headers["location"].removeprefix("/s/")
    assert own_visit.get(f"/patient/{search}").status_code == 404
    assert own_visit.post("/pivot", {"nothing": "x"}).status_code == 400
    assert own_visit.client.post("/pivot", data={"patient": "P1"}).status_code == 403


def test_looks_are_recorded_first(own: Stack, own_visit: Visit) -> None:
    own.add([message()])
    location = own_visit.post("/pivot", {"patient": "P48003"}).headers["location"]
    before = len(own.own_records())
    own_visit.get(location)
    (record,) = own.own_records()[before:]
    assert b"P48003" in record
    own.journal_fails = True
    answer = own_visit.get(location)
    assert answer.status_code == 503
    assert "Voss" not in answer.text


def test_what_else_went_on(own: Stack, own_visit: Visit) -> None:
    sequences = own.add([message(), message(user="otto", name="Otto"), message(node="MR1")])
    page = own_visit.get(f"/e/{sequences[0]}/neighbours").text
    assert "Exactly 3</strong> records" in page
    assert 'class="marked" aria-current="true"' in page
    page = own_visit.get(f"/e/{sequences[0]}/neighbours?window=60&same=requestor").text
    assert "Exactly 2</strong> records" in page
    page = own_visit.get(f"/e/{sequences[0]}/neighbours?window=7&same=text").text
    assert "Exactly 3</strong> records" in page
    assert own_visit.get("/e/999/neighbours").status_code == 404


def test_a_patient_is_shown_by_all_names(own: Stack, own_visit: Visit) -> None:
    other = PATIENT.format("Q7", "Ash^Anna")
    own.add([access("voss", "Mara Voss", ANNA, FIRST), access("otto", "Otto", other)])
    own.add([access("ida", "Ida", FIRST)])
    link = Link((Name("P1"), Name("Q7", "1.2")))
    own.state.aliases.link("patient", [link], by="m", source="csv")
    page = turn_to(own_visit, patient="P1")
    assert re.search(r"<dt>Records</dt><dd>\s*3<small>", page)
    assert "Identities used" in page
    assert "<strong><bdi>Q7</bdi></strong>" in page
    assert "(imported)" in page
    assert "Inferred by study 1.2.1" in page
    assert "not shown here" not in page
    told = own.own_records()[-1]
    assert b'ParticipantObjectID="Q7"' in told
    assert b64encode(b"Q7") in told


def test_a_user_is_shown_by_all_names(own: Stack, own_visit: Visit) -> None:
    own.add([access("voss", "Mara Voss", ANNA), access("mv7", "M. Voss", BERT)])
    link = Link((Name("voss"), Name("mv7")))
    own.state.aliases.link("person", [link], by="m", source="api")
    page = turn_to(own_visit, user="voss")
    assert re.search(r"<dt>Patients</dt><dd>2<small>", page)
    assert "M. Voss" in page
    assert "(entered)" in page


def test_review_and_export_ask_by_all_names_unless_told(own: Stack, own_visit: Visit) -> None:
    other = PATIENT.format("Q7", "Ash^Anna")
    own.add([access("voss", "Mara Voss", ANNA, FIRST), access("otto", "Otto", other)])
    own.add([access("ida", "Ida", FIRST)])
    link = Link((Name("P1"), Name("Q7", "1.2")))
    own.state.aliases.link("patient", [link], by="m", source="trail")
    page = own_visit.search(query="patient:P1", names="exact").text
    assert "Exactly 1</strong> record" in page
    assert "By other names too" in page
    assert "arr search --exact patient:P1" in page
    page = own_visit.search(query="patient:P1").text
    assert "Exactly 3</strong> records" in page
    assert "Inferred by study 1.2.1" in page
    assert "merged, as the trail says" in page
    assert "By these names only" in page
    page = own_visit.search(query="patient:Q7x", names="exact").text
    assert "Ask by other names too" in page
    asked = {"was": "patient:P1", "format": "ndjson"}
    assert len(own_visit.post("/export", asked).text.splitlines()) == 4
    assert len(own_visit.post("/export", asked | {"names": "exact"}).text.splitlines()) == 2
