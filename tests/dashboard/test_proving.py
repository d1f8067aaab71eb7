"""Signing in over a real identity provider, breaking the glass, and proving it again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import time_ns
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from audit.dashboard.options import AccessOptions, PageOptions
from audit.query.access import READ_SCOPES, Scope
from audit.query.search import SearchService
from audit.web.oidc.code_flow import CodeFlow
from audit.web.oidc.provider import Provider
from tests.dashboard.conftest import Visit
from tests.dashboard.test_pages import message
from tests.web.oidc.identity_provider import (
    CLIENT,
    IdentityProvider,
    identity_provider,
    new_key,
    options_of,
)
from tests.web.stack import PASSWORD, Stack, dashboard, stack


@pytest.fixture
def idp() -> Iterator[IdentityProvider]:
    with identity_provider() as made:
        yield made


@dataclass
class Clock:
    ahead_ns: int = 0

    def __call__(self) -> int:
        return time_ns() + self.ahead_ns

    def pass_s(self, seconds: int) -> None:
        self.ahead_ns += seconds * 1_000_000_000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def place(tmp_path: Path, clock: Clock) -> Iterator[Stack]:
    with stack(tmp_path, clock) as made:
        made.account()
        made.add([message()])
        yield made


Visiting = Callable[..., Visit]


@pytest.fixture
def visiting(place: Stack, idp: IdentityProvider) -> Iterator[Visiting]:
    """A new browser at pages that are set up for the provider."""
    provider = Provider(options_of(idp, keys_max_age_s=0))

    def visit(**access: object) -> Visit:
        given = {"flow": CodeFlow(provider)} | access
        pages = PageOptions(https=False, access=AccessOptions(**given))  # type: ignore[arg-type]
        return Visit(place, dashboard(place, pages=pages))

    yield visit
    provider.close()


def there_and_back(address: str) -> str:
    """What the provider leads the browser back to, as path and parameters."""
    back = httpx2.get(address, follow_redirects=False)
    assert back.status_code == 302
    parts = urlsplit(back.headers["location"])
    return f"{parts.path}?{parts.query}"


def sign_in(visit: Visit, path: str = "/") -> httpx2.Response:
    away = visit.get(f"/sign-in/oidc?next={path}")
    assert away.status_code == 303, away.text
    return visit.get(there_and_back(away.headers["location"]))


def test_somebody_the_provider_vouches_for_is_signed_in(
    place: Stack, visiting: Visiting, idp: IdentityProvider
) -> None:
    visit = visiting()
    assert "/sign-in/oidc" in visit.get("/sign-in").text
    answer = sign_in(visit, "/search")
    assert (answer.status_code, answer.headers["location"]) == (303, "/search")
    page = visit.get("/search")
    assert page.status_code == 200
    assert "Mara Voss" in page.text
    assert "patient-" in page.text
    assert "Doe" not in page.text
    (session,) = place.state.sessions.all()
    assert (session.name, session.issuer, session.emergency) == ("mvoss", idp.issuer, False)
    assert session.grants.roles == {"reviewer"}
    assert [(one.name, one.failure, one.emergency) for one in place.signed_in] == [
        ("mvoss", None, False)
    ]
    asked = idp.asked[0]
    assert (asked["scope"], asked["client_id"]) == ("openid profile", CLIENT)
    assert "max_age" not in asked


def test_searches_of_a_local_account_of_that_name_are_another_s(
    place: Stack, visiting: Visiting
) -> None:
    guest, local = visiting(), Visit(place)
    place.account("mvoss")
    local.sign_in("mvoss")
    sign_in(guest)
    kept = local.post("/search", {"query": "user:jdoe"}).headers["location"]
    local.post("/searches", {"title": "theirs", "query": "user:jdoe"})
    assert local.get(kept).status_code == 200
    assert guest.get(kept).status_code == 404
    assert "jdoe" in local.get("/searches").text
    assert "jdoe" not in guest.get("/searches").text


def test_where_to_go_on_is_a_page_of_ours(visiting: Visiting) -> None:
    assert sign_in(visiting(), "https://evil.example").headers["location"] == "/"


BAD: dict[str, Callable[[IdentityProvider], object]] = {
    "wrong audience": lambda idp: idp.changes.update(audience="else"),
    "wrong issuer": lambda idp: idp.changes.update(iss="https://evil.example"),
    "another attempt's nonce": lambda idp: idp.changes.update(nonce="other"),
    "no nonce": lambda idp: idp.changes.update(nonce=None),
    "meant for another party": lambda idp: idp.changes.update(azp="else"),
    "expired": lambda idp: idp.changes.update(exp=1),
    "signed by a key that was withdrawn": lambda idp: setattr(idp, "signing", new_key("gone")),
    "names nobody": lambda idp: idp.changes.update(preferred_username=None, sub=""),
}


@pytest.mark.parametrize("name", BAD)
def test_nobody_else_is(
    place: Stack, visiting: Visiting, idp: IdentityProvider, name: str
) -> None:
    BAD[name](idp)
    answer = sign_in(visiting())
    assert answer.status_code == 401
    assert "did not vouch for you" in answer.text
    assert place.state.sessions.all() == ()
    assert [one.failure is not None for one in place.signed_in] == [True]


def test_a_role_is_needed(place: Stack, visiting: Visiting, idp: IdentityProvider) -> None:
    idp.person["roles"] = ["king"]
    answer = sign_in(visiting())
    assert answer.status_code == 403
    assert "has no role here" in answer.text
    assert place.signed_in[0].name == "mvoss"
    assert place.state.sessions.all() == ()


def test_what_is_brought_back_is_taken_once(place: Stack, visiting: Visiting) -> None:
    visit = visiting()
    away = visit.get("/sign-in/oidc")
    back = there_and_back(away.headers["location"])
    cookie = visit.client.cookies["arr-away"]
    assert visit.get(back).status_code == 303
    visit.client.cookies.clear()
    visit.client.cookies["arr-away"] = cookie
    assert visit.get(back).status_code == 401
    assert len(place.state.sessions.all()) == 1


def test_a_code_is_good_for_one_exchange(visiting: Visiting) -> None:
    visit = visiting()
    first = there_and_back(visit.get("/sign-in/oidc").headers["location"])
    assert visit.get(first).status_code == 303
    code = parse_qs(urlsplit(first).query)["code"][0]
    visit.client.cookies.clear()
    second = there_and_back(visit.get("/sign-in/oidc").headers["location"])
    replayed = parse_qs(urlsplit(second).query)["state"][0]
    answer = visit.get(f"/sign-in/oidc/done?code={code}&state={replayed}")
    assert answer.status_code == 503
    assert "arr-session" not in str(answer.headers)


@pytest.mark.parametrize(
    "brought",
    ["code=c&state=forged", "state=STATE", "error=access_denied&state=STATE", "code=c", ""],
)
def test_answers_that_belong_to_no_attempt(visiting: Visiting, brought: str) -> None:
    visit = visiting()
    location = visit.get("/sign-in/oidc").headers["location"]
    state = parse_qs(urlsplit(location).query)["state"][0]
    answer = visit.get(f"/sign-in/oidc/done?{brought.replace('STATE', state)}")
    assert answer.status_code == 401


def test_an_answer_of_another_issuer_is_refused(visiting: Visiting) -> None:
    visit = visiting()
    back = there_and_back(visit.get("/sign-in/oidc").headers["location"])
    parts = parse_qs(urlsplit(back).query)
    mixed_up = f"code={parts['code'][0]}&state={parts['state'][0]}&iss=https://evil.example"
    assert visit.get(f"/sign-in/oidc/done?{mixed_up}").status_code == 401


def test_another_browser_cannot_finish_it(place: Stack, visiting: Visiting) -> None:
    """Somebody led to a stranger's answer does not end up in the stranger's session."""
    back = there_and_back(visiting().get("/sign-in/oidc").headers["location"])
    victim = visiting()
    assert victim.get(back).status_code == 401
    assert place.state.sessions.all() == ()


def test_without_the_provider_it_says_so(visiting: Visiting, idp: IdentityProvider) -> None:
    idp.metadata_changes = {"issuer": "https://evil.example"}
    answer = visiting().get("/sign-in/oidc")
    assert answer.status_code == 503
    assert "does not answer" in answer.text


def test_without_a_provider_there_is_no_such_page(place: Stack) -> None:
    assert Visit(place).get("/sign-in/oidc").status_code == 404
    assert "/sign-in/oidc" not in Visit(place).get("/sign-in").text


# breaking the glass


def test_beside_a_provider_a_local_account_breaks_the_glass(
    place: Stack, visiting: Visiting
) -> None:
    visit = visiting()
    fields = {"name": "officer", "password": PASSWORD, "next": "/search"}
    unsaid = visit.post("/sign-in", fields, shown_on="/sign-in")
    assert unsaid.status_code == 422
    assert "say why" in unsaid.text
    said = visit.post("/sign-in", fields | {"reason": "IdP is down"}, shown_on="/sign-in")
    assert said.status_code == 303
    assert [(one.emergency, one.reason, one.failure is None) for one in place.signed_in] == [
        (True, "", False),
        (True, "IdP is down", True),
    ]
    visit.get("/e/0")
    record = place.own_records()[-1].decode()
    assert 'type="reason"' in record
    assert 'type="access"' in record


def test_an_emergency_account_says_why(place: Stack) -> None:
    place.state.accounts.create("glass", PASSWORD, scopes=READ_SCOPES, emergency=True)
    visit = Visit(place)
    assert 'name="reason"' not in visit.get("/sign-in").text
    asked = visit.sign_in("glass")
    assert asked.status_code == 422
    assert 'name="reason"' in asked.text
    fields = {"name": "glass", "password": PASSWORD, "reason": "night"}
    assert visit.post("/sign-in", fields, shown_on="/sign-in").status_code == 303
    (session,) = place.state.sessions.all()
    assert (session.emergency, session.reason) == (True, "night")


# again


def test_exports_and_reveals_need_a_fresh_proof(place: Stack, clock: Clock) -> None:
    visit = Visit(place)
    visit.sign_in("officer")
    assert visit.get("/e/0/message").status_code == 200
    clock.pass_s(500)
    visit.get("/")
    clock.pass_s(500)
    page = visit.get("/e/0")
    assert page.status_code == 200
    assert "/confirm?next=/e/0" in page.text.replace(place.reader.origin + "-", "")
    assert "AuditSourceIdentification" not in page.text
    asked = visit.get("/e/0/message")
    assert asked.headers["location"] == "/confirm?next=%2Fe%2F0%2Fmessage"
    exported = visit.post("/export", {"format": "csv", "was": ""})
    assert exported.headers["location"].startswith("/confirm?next=%2Fs%2F")
    assert "Export" in visit.get("/search").text
    for path in ("/reports", "/reports/sign-off"):
        made = visit.post(path, {"kind": "activity"}, shown_on="/confirm")
        assert made.headers["location"] == "/confirm?next=%2Freports"
    assert visit.get("/reports").headers["location"] == "/confirm?next=%2Freports"
    fields = {"password": PASSWORD, "next": "/e/0/message"}
    wrong = visit.post("/confirm", fields | {"password": "no"}, shown_on="/confirm")
    assert wrong.status_code == 401
    right = visit.post("/confirm", fields, shown_on="/confirm")
    assert right.headers["location"] == "/e/0/message"
    assert visit.get("/e/0/message").status_code == 200
    assert visit.get("/reports").status_code == 200
    assert visit.post("/export", {"format": "csv", "was": ""}).status_code == 200
    assert [one.failure for one in place.signed_in] == [None, "The password is wrong.", None]


def test_guesses_at_the_proof_are_held_up(place: Stack, clock: Clock) -> None:
    visit = Visit(place)
    visit.sign_in("officer")
    clock.pass_s(0)
    answers = [
        visit.post("/confirm", {"password": "no"}, shown_on="/confirm").status_code
        for _ in range(8)
    ]
    assert 429 in answers
    assert visit.post("/confirm", {"password": PASSWORD}, shown_on="/confirm").status_code == 429


def test_nobody_else_can_have_it_confirmed(place: Stack) -> None:
    visit = Visit(place)
    visit.sign_in("officer")
    forged = visit.client.post("/confirm", data={"password": PASSWORD, "form_token": "x"})
    assert forged.status_code == 403
    assert visit.get("/sign-in/oidc/done?code=c&state=s").status_code == 401


def test_the_provider_proves_it_again(
    place: Stack, visiting: Visiting, idp: IdentityProvider, clock: Clock
) -> None:
    idp.person["roles"] = ["investigator"]
    visit = visiting()
    sign_in(visit)
    clock.pass_s(800)
    visit.get("/")
    clock.pass_s(200)
    assert visit.get("/e/0/message").status_code == 303
    clock.ahead_ns = 0

    def again() -> httpx2.Response:
        shown = visit.post("/confirm", {"next": "/e/0/message"}, shown_on="/confirm")
        link = shown.text.split('class="button" href="')[1].split('"')[0].replace("&amp;", "&")
        assert {"prompt": ["login"], "max_age": ["0"]}.items() <= parse_qs(
            urlsplit(link).query
        ).items()
        return visit.get(there_and_back(link))

    idp.changes = {"auth_time": 1}
    assert again().status_code == 401
    idp.changes = {"preferred_username": "other"}
    assert again().status_code == 403
    idp.changes = {}
    assert again().headers["location"] == "/e/0/message"
    failures = [one.failure is None for one in place.signed_in]
    assert failures == [True, False, False, True]


def test_policy_wants_to_know_why(place: Stack) -> None:
    options = replace(
        place.search.trail.options, reason_for=frozenset({Scope.EVENTS_RAW, Scope.EVENTS_EXPORT})
    )
    trail = place.search.trail
    place.search = SearchService(trail.index, trail.reader, place.append, options)
    access = AccessOptions(reason_for=options.reason_for)
    visit = Visit(place, dashboard(place, pages=PageOptions(https=False, access=access)))
    visit.sign_in("officer")
    asked = visit.get("/e/0/message")
    assert asked.headers["location"] == "/confirm?next=%2Fe%2F0%2Fmessage"
    page = visit.get("/e/0").text
    assert "/confirm?next=/e/" in page
    assert "AuditSourceIdentification" not in page
    fields = {"password": PASSWORD, "next": "/e/0/message"}
    assert visit.post("/confirm", fields, shown_on="/confirm").status_code == 422
    said = visit.post("/confirm", fields | {"reason": "case 12"}, shown_on="/confirm")
    assert said.status_code == 303
    assert "AuditSourceIdentification" in visit.get("/e/0").text
    assert visit.get("/e/0/message").status_code == 200
    assert "Y2FzZSAxMg==" in place.own_records()[-1].decode()


def test_who_lacks_a_scope_for_good_is_not_asked_to_prove_it(place: Stack, clock: Clock) -> None:
    place.account("reader", [Scope.EVENTS_READ, Scope.EVENTS_EXPORT])
    visit = Visit(place)
    visit.sign_in("reader")
    for _ in range(2):
        clock.pass_s(500)
        visit.get("/")
    assert visit.get("/access-log").status_code == 403
    assert visit.get("/e/0/message").status_code == 403
    asked = visit.post("/export", {"format": "original", "was": ""})
    assert asked.headers["location"].startswith("/confirm?next=%2Fs%2F")
