"""What attackers try: guessing, fixing a session, forged logs, being slow in numbers."""

import os
from collections.abc import Iterator
from secrets import token_urlsafe
from time import time_ns

import httpx2
import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from audit.web.application import create_app
from audit.web.options import WebOptions
from tests.dashboard.conftest import Visit
from tests.dashboard.test_pages import message
from tests.web.servers import serving
from tests.web.slow_clients import cut_within
from tests.web.stack import Stack, application, stack

CLIENTS = 300 if os.environ.get("ARR_LONG") else 40


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    now = time_ns()  # stands still, so that no pause ends however slow the machine is
    with stack(tmp_path_factory.mktemp("attacked"), lambda: now) as made:
        made.account()
        made.add([message()])
        yield made


def test_tokens_are_not_guessed_without_end(place: Stack) -> None:
    options = WebOptions(
        https=False, allowed_hosts=("testserver",), requests_per_s=0.001, request_burst=20
    )
    with TestClient(application(place, options)) as client:
        answers = []
        for _ in range(60):
            headers = {"Authorization": f"Bearer arr_{token_urlsafe(32)}"}
            answers.append(client.get("/api/v1/me", headers=headers).status_code)
        assert set(answers) == {401, 429}
        assert answers.count(401) <= 30
        # Whoever has a token isn't held up by those who guess from the same address.
        headers = {"Authorization": f"Bearer {place.token()}"}
        assert client.get("/api/v1/me", headers=headers).status_code == 200


def test_one_address_guessing_at_many_accounts_is_held_up(place: Stack) -> None:
    visit = Visit(place)
    answers = [visit.sign_in(f"user{number}", "wrong").status_code for number in range(30)]
    assert answers[0] == 401
    assert answers[-1] == 429
    assert visit.sign_in("officer").status_code == 429


def test_a_session_cannot_be_fixed_beforehand(place: Stack) -> None:
    visit = Visit(place)
    planted = token_urlsafe(32)
    visit.client.cookies["arr-session"] = planted
    visit.client.cookies["arr-visit"] = planted
    assert visit.get("/").status_code == 303
    answer = visit.sign_in("officer")
    assert answer.status_code == 303
    given = answer.cookies["arr-session"]
    assert given != planted
    assert place.state.sessions.find(planted) is None
    assert place.state.sessions.find(given) is not None


def test_a_session_before_signing_in_again_is_not_the_one_after(place: Stack) -> None:
    visit = Visit(place)
    first = visit.sign_in("officer").cookies["arr-session"]
    second = visit.sign_in("officer").cookies["arr-session"]
    assert first != second


FORGED = "officer\r\n2026-01-01 [info] signed in\x1b[2J\u202e"


def test_the_log_cannot_be_forged(place: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    visit = Visit(place)
    visit.sign_in(FORGED, "wrong")
    visit.client.get(f"/e/0%0d%0a{FORGED.split(maxsplit=1)[0]}?x%0d%0ay=1&next=%1b[2J")
    visit.client.get("/", headers={"User-Agent": "a\x1b[2Jb", "X-Forwarded-For": "1.2.3.4 admin"})
    said = capsys.readouterr()
    text = said.out + said.err
    assert "signed in\x1b" not in text
    assert "\x1b[2J" not in text
    assert "admin" not in text
    assert "officer" not in text


def test_a_record_of_a_forged_name_is_one_record(place: Stack) -> None:
    Visit(place).sign_in(FORGED, "wrong")
    (attempt,) = place.signed_in
    assert attempt.failure is not None
    assert attempt.name == FORGED


def test_no_header_leads_an_answer_elsewhere(place: Stack) -> None:
    visit = Visit(place)
    for headers in (
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
        {"X-Original-URL": "/evil"},
    ):
        answer = visit.client.get("/search", headers=headers)
        assert answer.headers["location"] == "/sign-in?next=%2Fsearch"
    assert visit.client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_slow_clients_are_cut_and_others_served() -> None:
    routes = APIRouter()

    @routes.get("/ping")
    def ping() -> str:
        return "pong"

    options = WebOptions(
        https=False, header_timeout_s=1.0, body_timeout_s=1.0, max_connections=1_000
    )
    with serving(create_app(options, [routes]), options) as port:
        cut, _ = cut_within("127.0.0.1", port, CLIENTS, within_s=90)
        assert cut == CLIENTS
        assert httpx2.get(f"http://127.0.0.1:{port}/ping").json() == "pong"
