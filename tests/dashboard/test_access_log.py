"""Who looked at what; kept searches; the export from the page."""

import csv
import json
from base64 import b64encode
from io import StringIO

import pytest

from audit.query.access import Scope
from audit.query.roles import OUTSIDE
from tests.dashboard.conftest import Visit
from tests.dashboard.test_pages import message
from tests.web.stack import Stack


def test_log_says_who_asked_what_and_whom_it_showed(own: Stack, own_visit: Visit) -> None:
    own.add([message()])
    own_visit.search(query="patient:P48003")
    own_visit.get("/e/0")
    own.catch_up()
    page = own_visit.get("/access-log").text
    assert "<bdi>Officer</bdi>" in page
    assert "<code>patient:P48003</code>" in page
    assert 'name="patient" value="P48003"' in page
    assert '<strong class="number">1</strong> record' in page
    assert '<a href="/e/0">0</a>' in page


def test_log_is_filtered_by_person_words_and_outcome(own: Stack, own_visit: Visit) -> None:
    own.add([message()])
    own_visit.search(query="chest")
    own.account("operator", [Scope.OPERATE])
    refused = Visit(own)
    refused.sign_in("operator")
    assert refused.get("/search").status_code == 403
    own.catch_up()

    def log(**fields: str) -> str:
        location = own_visit.post("/access-log", fields).headers["location"]
        assert "operator" not in location
        return own_visit.get(location).text

    page = log(user="operator")
    assert "Exactly 1</strong> look" in page
    assert "Refused" in page
    assert "Exactly 1</strong> look" in log(outcome="failure")
    assert "chest" in log(words="chest")
    assert "No such look is recorded." in log(words="knee")
    assert "be read" in log(query="usr:x")


@pytest.mark.parametrize("listener", OUTSIDE)
def test_senders_records_are_no_part_of_it(own: Stack, own_visit: Visit, listener: str) -> None:
    own_visit.get("/e/0")
    own.add([message()])
    own_visit.search(query="forged")
    forged = next(raw for raw in own.own_records() if b64encode(b"forged") in raw)
    own.append(forged.replace(b'UserID="officer"', b'UserID="mallory"'), listener=listener)
    own.catch_up()
    page = own_visit.get("/access-log").text
    assert "officer" in page
    assert "mallory" not in page


def test_reading_it_is_recorded_and_needs_its_scope(own: Stack, own_visit: Visit) -> None:
    before = len(own.own_records())
    assert own_visit.get("/access-log").status_code == 200
    assert len(own.own_records()) == before + 1
    own.account("reader", [Scope.EVENTS_READ])
    visit = Visit(own)
    visit.sign_in("reader")
    assert visit.get("/access-log").status_code == 403
    assert b"audit:read" in own.own_records()[-1]
    own.journal_fails = True
    assert own_visit.get("/access-log").status_code == 503


def test_searches_are_kept_found_and_deleted(own: Stack, own_visit: Visit) -> None:
    own.add([message()])
    page = own_visit.search(query="patient:P48003").text
    assert "Keep this search" in page
    kept = {"title": "My <b>patient</b>", "query": "patient:P48003"}
    assert own_visit.post("/searches", kept).headers["location"] == "/searches"
    page = own_visit.get("/searches").text
    assert "My &lt;b&gt;patient&lt;/b&gt;" in page
    assert page.count("<code>patient:P48003</code>") == 2
    own.account("other")
    other = Visit(own)
    other.sign_in("other")
    assert "P48003" not in other.get("/searches").text
    (one,) = own.state.named_searches.of("officer")
    other.post("/searches/delete", {"id": one.id})
    assert own.state.named_searches.of("officer") == (one,)
    own_visit.post("/searches/delete", {"id": one.id})
    assert "None yet." in own_visit.get("/searches").text
    assert own_visit.post("/searches", {"title": "", "query": ""}).status_code == 400


def test_a_search_by_these_names_only_is_kept_as_such(own: Stack, own_visit: Visit) -> None:
    own.add([message()])
    exact = '<input type="hidden" name="names" value="exact">'
    assert exact not in own_visit.search(query="patient:P48003").text
    assert exact in own_visit.search(query="patient:P48003", names="exact").text
    kept = {"title": "Theirs", "query": "patient:P48003", "names": "exact"}
    own_visit.post("/searches", kept)
    page = own_visit.get("/searches").text
    assert page.count(exact) == 1
    assert "by these names only" in page
    own_visit.post("/searches", {"title": "Theirs", "query": "patient:P48003"})
    assert exact not in own_visit.get("/searches").text


def test_export_is_a_file_with_everything_that_matches(own: Stack, own_visit: Visit) -> None:
    own.add([message(), message(patient="P2"), message(user="=cmd")])
    asked = {"was": "patient:P48003", "format": "csv", "reason": "case 7"}
    answer = own_visit.post("/export", asked)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith('attachment; filename="records-')
    rows = list(csv.reader(StringIO(answer.text)))
    assert len(rows) == 4
    assert b64encode(b"case 7") in b"".join(own.own_records())
    lines = own_visit.post("/export", asked | {"format": "ndjson", "sort": "oldest"}).text
    items = [json.loads(line) for line in lines.splitlines()]
    assert [one["sequence"] for one in items[:2]] == sorted(one["sequence"] for one in items[:2])
    assert items[-1]["_trailer"]["count"] == 2
    assert own_visit.post("/export", {"was": "", "format": "exe"}).status_code == 400


def test_export_is_offered_to_those_who_may(own: Stack, own_visit: Visit) -> None:
    own.add([message()])
    page = own_visit.get("/search").text
    assert "Messages as received" in page
    own.account("reader", [Scope.EVENTS_READ])
    visit = Visit(own)
    visit.sign_in("reader")
    assert 'action="/export"' not in visit.get("/search").text
    assert visit.post("/export", {"was": "", "format": "csv"}).status_code == 403
