"""The page where an officer has reports made."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.dashboard.reports import ASKED
from audit.query.access import Scope
from audit.query.reports.asked import MOST_PATIENTS
from audit.query.reports.service import KINDS, title_of
from tests.dashboard.conftest import Visit
from tests.web.stack import Stack, hospital_day, stack


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("reports")) as made:
        made.add(hospital_day(40))
        made.account("reporter")
        made.account("other", tuple(set(Scope) - {Scope.REPORTS_READ}))
        yield made


@pytest.fixture
def visit(repository: Stack) -> Visit:
    made = Visit(repository)
    made.sign_in("reporter")
    return made


def patient_of(made: Stack) -> str:
    return made.search.trail.index.distinct("patient", size=1)[0]


def test_the_form_offers_every_kind(visit: Visit) -> None:
    page = visit.get("/reports").text
    for kind in KINDS:
        assert f'value="{kind}"' in page
        assert title_of(kind).replace("'", "&#39;") in page


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_shown(visit: Visit, repository: Stack, kind: str) -> None:
    asked = {"kind": kind, "patients": patient_of(repository), "user": "x", "study": "1.2"}
    answer = visit.post("/reports", asked, shown_on="/reports")
    assert answer.status_code == 200, answer.text
    assert "How far this can be relied on" in answer.text
    assert "Take it away" in answer.text
    assert "?" not in str(answer.request.url)


def test_what_a_kind_is_not_asked_for_is_left_out(visit: Visit) -> None:
    assert set(ASKED) == set(KINDS)
    many = "\n".join(f"P{n}" for n in range(MOST_PATIENTS + 1))
    asked = {"user": "x", "patients": many, "staff": "revealed"}
    said = visit.post("/reports", asked | {"kind": "user"}, shown_on="/reports")
    assert said.status_code == 200, said.text
    refused = visit.post("/reports", asked | {"kind": "patients"}, shown_on="/reports")
    assert refused.status_code == 400


def test_files(visit: Visit, repository: Stack) -> None:
    asked = {"kind": "access", "patients": f"{patient_of(repository)}\n\n"}
    for form, begin in (("pdf", b"%PDF-"), ("csv", b'"report"'), ("json", b"{")):
        answer = visit.post("/reports", asked | {"form": form}, shown_on="/reports")
        assert answer.content.startswith(begin)
        assert "attachment" in answer.headers["content-disposition"]
        assert answer.headers["cache-control"] == "no-store"


def test_the_days_are_those_of_the_form(visit: Visit) -> None:
    asked = {"kind": "activity", "from": "2026-05-01", "to": "2026-05-31", "reason": "monthly"}
    page = visit.post("/reports", asked, shown_on="/reports").text
    assert "2026-05-01T00:00:00Z to 2026-06-01T00:00:00Z" in page
    assert "monthly" in page


def test_staff_are_numbered_for_the_patient(visit: Visit, repository: Stack) -> None:
    asked = {"kind": "access", "patients": patient_of(repository), "staff": "numbered"}
    page = visit.post("/reports", asked, shown_on="/reports").text
    assert "Staff member 1" in page
    page = visit.post("/reports", asked | {"staff": "revealed"}, shown_on="/reports").text
    assert "for what reason" in page


def test_a_review_is_signed_off(visit: Visit, repository: Stack) -> None:
    page = visit.post("/reports", {"kind": "activity"}, shown_on="/reports").text
    fields = dict(re.findall(r'name="(record|begin|end)" value="([^"]+)"', page))
    answer = visit.post("/reports/sign-off", fields | {"statement": "fine"}, shown_on="/reports")
    assert "Signed off." in answer.text
    repository.catch_up()
    page = visit.post("/reports", {"kind": "activity"}, shown_on="/reports").text
    assert "fine" in page
    empty = visit.post("/reports/sign-off", fields | {"statement": " "}, shown_on="/reports")
    assert empty.status_code == 400
    assert "needs a statement" in empty.text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kind": "gossip"}, "Pick a report"),
        ({"kind": "access"}, "needs a patient"),
        ({"kind": "activity", "from": "yesterday"}, "A day is written like"),
        ({"kind": "activity", "from": "2026-02-01", "to": "2026-01-01"}, "ends before it begins"),
    ],
)
def test_faults_are_told_on_the_form(visit: Visit, asked: dict[str, str], said: str) -> None:
    answer = visit.post("/reports", asked, shown_on="/reports")
    assert answer.status_code == 400
    assert said in answer.text


def test_who_may_not(repository: Stack) -> None:
    made = Visit(repository)
    made.sign_in("other")
    assert made.get("/reports").status_code == 403
    answer = made.post("/reports", {"kind": "senders"}, shown_on="/confirm")
    assert answer.status_code == 403


def test_nobody_signed_in_and_forged_forms(
    repository: Stack, visit: Visit, tmp_path: Path
) -> None:
    assert not list(tmp_path.iterdir())
    assert Visit(repository).get("/reports").status_code == 303
    answer = visit.client.post("/reports", data={"kind": "senders", "form_token": "0" * 64})
    assert answer.status_code == 403
