"""Sessions: one form, equal answers to wrong guesses, a new session each time."""

import pytest

from audit.dashboard.options import PageOptions
from audit.dashboard.visitors import own_path
from audit.web.options import WebOptions
from tests.dashboard.conftest import Visit
from tests.web.stack import PASSWORD, Stack, dashboard

PAGES = ["/", "/search", "/s/0123456789abcdef", "/e/0", "/e/0/message"]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_shown_without_a_session(own: Stack, path: str) -> None:
    answer = Visit(own).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_form_leads_back_to_where_one_wanted_to_go(own: Stack) -> None:
    visit = Visit(own)
    location = visit.get("/e/0").headers["location"]
    assert 'name="next" value="/e/0"' in visit.get(location).text
    assert visit.sign_in("officer", path="/e/0").headers["location"] == "/e/0"


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "", "/\u202e"],
)
def test_next_leads_nowhere_else(own: Stack, path: str) -> None:
    assert own_path(path) == "/"
    assert Visit(own).sign_in("officer", path=path).headers["location"] == "/"


def test_session_cookie_is_out_of_reach_of_scripts(own: Stack) -> None:
    cookies = Visit(own).sign_in("officer").headers.get_list("set-cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("arr-session="))
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(session.split("; "))
    assert "Secure" not in session


def test_cookie_is_bound_to_the_host_over_https(own: Stack) -> None:
    web = WebOptions(allowed_hosts=("testserver",))
    visit = Visit(own, dashboard(own, web, PageOptions()))
    cookie = visit.get("/sign-in").headers["set-cookie"]
    assert cookie.startswith("__Host-arr-visit=")
    assert "Secure" in cookie


@pytest.mark.parametrize(("name", "password"), [("officer", "wrong"), ("nobody", PASSWORD)])
def test_wrong_guesses_are_answered_alike(own: Stack, name: str, password: str) -> None:
    answer = Visit(own).sign_in(name, password)
    assert answer.status_code == 401
    assert "User name or password is wrong." in answer.text
    assert "arr-session" not in str(answer.headers)
    assert [(one.activity, one.name, one.failure) for one in own.signed_in] == [
        ("login", name, "User name or password is wrong.")
    ]


def test_guessing_is_slowed_down(own: Stack) -> None:
    visit = Visit(own)
    codes = [visit.sign_in("officer", f"wrong {i}").status_code for i in range(8)]
    assert codes[0] == 401
    assert codes[-1] == 429
    answer = visit.sign_in("officer")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert "Too many wrong attempts" in answer.text


def test_signing_in_and_out_is_recorded(own: Stack) -> None:
    visit = Visit(own)
    visit.sign_in("officer")
    answer = visit.post("/sign-out", {}, shown_on="/")
    assert answer.headers["location"] == "/sign-in"
    assert answer.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    assert [(one.activity, one.name, one.display_name) for one in own.signed_in] == [
        ("login", "officer", "Officer"),
        ("logout", "officer", "Officer"),
    ]


def test_old_cookie_opens_nothing_after_signing_out(own: Stack) -> None:
    visit = Visit(own)
    visit.sign_in("officer")
    stolen = visit.client.cookies["arr-session"]
    visit.post("/sign-out", {}, shown_on="/")
    visit.client.cookies.set("arr-session", stolen)
    assert visit.get("/").status_code == 303


def test_signing_out_twice_is_harmless(own: Stack) -> None:
    answer = Visit(own).client.post("/sign-out", data={"form_token": "x"})
    assert answer.headers["location"] == "/sign-in"


def test_session_is_new_each_time(own: Stack) -> None:
    visit = Visit(own)
    visit.client.cookies.set("arr-session", "chosen-by-an-attacker")
    visit.sign_in("officer")
    values = [c.value for c in visit.client.cookies.jar if c.name == "arr-session"]
    first = values[-1]
    assert first != "chosen-by-an-attacker"
    fresh = Visit(own)
    fresh.sign_in("officer")
    assert fresh.client.cookies["arr-session"] != first


def test_no_session_that_cannot_be_recorded(own: Stack) -> None:
    own.journal_fails = True
    answer = Visit(own).sign_in("officer")
    assert answer.status_code == 503
    assert "arr-session" not in str(answer.headers)


FORGED = {
    "no token": ({"form_token": ""}, {}),
    "wrong token": ({"form_token": "0" * 64}, {}),
    "odd token": ({"form_token": "\u00e9"}, {}),
    "cross-site": ({}, {"Sec-Fetch-Site": "cross-site"}),
    "same-site": ({}, {"Sec-Fetch-Site": "same-site"}),
    "foreign origin": ({}, {"Origin": "https://evil.example"}),
}


@pytest.mark.parametrize("how", sorted(FORGED))
@pytest.mark.parametrize("path", ["/sign-in", "/search", "/sign-out"])
def test_forged_requests_change_nothing(own: Stack, how: str, path: str) -> None:
    fields, headers = FORGED[how]
    visit = Visit(own)
    shown_on = "/sign-in"
    if path != "/sign-in":
        visit.sign_in("officer")
        shown_on = "/search"
    before = list(own.signed_in)
    form = {"name": "officer", "password": PASSWORD} | fields
    answer = visit.post(path, form, shown_on=shown_on, headers=headers)
    assert answer.status_code == 403
    assert own.signed_in == before


def test_token_of_another_session_is_refused(own: Stack) -> None:
    first, second = Visit(own), Visit(own)
    first.sign_in("officer")
    second.sign_in("officer")
    foreign = {"form_token": first.token("/search"), "patient": "P1"}
    assert second.client.post("/search", data=foreign).status_code == 403


def test_own_browser_passes(own_visit: Visit) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
    assert own_visit.post("/search", {"patient": "P1"}, headers=headers).status_code == 303
    headers = {"Origin": "http://testserver"}
    assert own_visit.post("/search", {"patient": "P1"}, headers=headers).status_code == 303
