import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from audit.errors import ConfigurationError, JournalUnavailable
from audit.query.access import READ_SCOPES
from audit.service.operator import administering, operator_principal, searching
from audit.service.project import ProjectRole
from audit.service.receive import ReceiveRole
from audit.service.role import Role
from audit.service.roles import create
from audit.service.web import WebRole
from audit.service.web_options import allowed_hosts, own_key, page_options, web_options, web_tls
from audit.settings import Settings
from audit.transport.pki import CertificateAuthority
from tests.service.places import Place, make_place
from tests.waiting import until

PASSWORD = "a long enough password"


@pytest.fixture
def place(tmp_path: Path, authority: CertificateAuthority) -> Place:
    return make_place(tmp_path, authority)


@asynccontextmanager
async def running(role: Role) -> AsyncIterator[None]:
    stop = asyncio.Event()
    await role.start()
    run = asyncio.create_task(role.run(stop))
    try:
        yield
    finally:
        stop.set()
        await run
        await role.stop()


def run(body: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(body(), 50))


async def becomes(look: Callable[[], bool]) -> None:
    await asyncio.to_thread(lambda: until(look, within_s=90))


@asynccontextmanager
async def repository(place: Place) -> AsyncIterator[str]:
    """All three processes' roles in this one; gives the address of the pages."""
    web = WebRole(place.settings, place.paths)
    project = ProjectRole(place.settings, place.paths)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(ReceiveRole(place.settings, place.paths)))
        await stack.enter_async_context(running(project))
        await stack.enter_async_context(running(web))
        await becomes(lambda: web.status().ready and project.status().ready)
        scheme = "http" if place.settings.web.plain_http else "https"
        yield f"{scheme}://localhost:{web.status().detail['port']}"


def token_for(settings: Settings) -> str:
    with administering(settings) as administration:
        administration.record("A token for the test")
        return administration.state.tokens.create("t", "tester", READ_SCOPES, 3600).secret


def search(address: str, token: str, query: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}"}
    body = {"query": query, "limit": 50}
    return httpx2.post(f"{address}/api/v1/events/search", json=body, headers=headers)


def test_a_search_over_http_finds_what_was_journaled_and_is_journaled_itself(
    place: Place,
) -> None:
    async def body() -> None:
        async with repository(place) as address:
            token = await asyncio.to_thread(token_for, place.settings)
            asked = "category:application type:110120"
            await becomes(lambda: bool(search(address, token, asked).json()["items"]))
            own = "category:audit-log-used listener:web"
            await becomes(lambda: bool(search(address, token, own).json()["items"]))

    run(body)


def test_a_person_signs_in_over_https_and_failures_are_records(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    place = make_place(tmp_path, authority, web__plain_http=False, web__time_zone="Europe/Zurich")

    def visit(address: str) -> None:
        trusted = ssl.create_default_context(cafile=place.ca_file)
        with httpx2.Client(base_url=address, verify=trusted, follow_redirects=True) as client:
            page = client.get("/sign-in")
            token = page.text.split('name="form_token" value="')[1].split('"')[0]
            form = {"name": "officer", "password": "wrong wrong wrong", "form_token": token}
            headers = {"Origin": address}
            client.post("/sign-in", data=form, headers=headers)
            answer = client.post("/sign-in", data=form | {"password": PASSWORD}, headers=headers)
            assert answer.status_code == 200
            assert "sign out" in answer.text.lower()
            assert answer.headers["strict-transport-security"]

    def add() -> None:
        with administering(place.settings) as administration:
            administration.state.accounts.create("officer", PASSWORD, scopes=READ_SCOPES)

    async def body() -> None:
        async with repository(place) as address:
            await asyncio.to_thread(add)
            await asyncio.to_thread(visit, address)
            await becomes(lambda: found("category:authentication outcome:failure") == 1)
            await becomes(lambda: found("category:authentication outcome:success") >= 1)

    def found(query: str) -> int:
        with searching(place.settings) as service:
            return service.search(operator_principal(), query).total.value

    run(body)


def test_without_a_journal_nobody_is_answered(place: Place) -> None:
    with pytest.raises(JournalUnavailable, match="arr serve"), searching(place.settings):
        pass

    async def body() -> None:
        web = WebRole(place.settings, place.paths)
        project = ProjectRole(place.settings, place.paths)
        async with running(web), running(project):
            assert not web.status().ready
            assert project.status().detail["reason"] == "waits for the journal"

    run(body)


def test_when_the_journal_goes_away_there_are_no_answers(place: Place) -> None:
    async def body() -> None:
        web = WebRole(place.settings, place.paths)
        receive = ReceiveRole(place.settings, place.paths)
        async with AsyncExitStack() as stack:
            async with running(receive):
                await stack.enter_async_context(running(web))
                await becomes(lambda: web.status().ready)
                token = await asyncio.to_thread(token_for, place.settings)
                address = f"http://localhost:{web.status().detail['port']}"
                assert (await asyncio.to_thread(search, address, token, "")).status_code == 200
            answer = await asyncio.to_thread(search, address, token, "")
            assert answer.status_code == 503
            assert "items" not in answer.json()

    run(body)


def changed(settings: Settings, **web: object) -> Settings:
    return settings.model_copy(update={"web": settings.web.model_copy(update=web)})


def test_plain_http_is_for_loopback_only(place: Place) -> None:
    with pytest.raises(ConfigurationError, match="loopback"):
        web_options(changed(place.settings, host="192.0.2.1"))
    with pytest.raises(ConfigurationError, match="loopback"):
        web_options(changed(place.settings, host="audit.example.org"))
    assert web_options(changed(place.settings, host="localhost")).https is False


def test_limits_of_long_answers_are_settings(place: Place) -> None:
    names = ("max_exports", "max_exports_per_caller", "max_tails", "max_tails_per_caller")
    set_so = changed(place.settings, **{name: n for n, name in enumerate(names, 11)})
    made = web_options(set_so)
    assert (made.max_exports, made.max_exports_per_principal) == (11, 12)
    assert (made.max_tails, made.max_tails_per_principal) == (13, 14)


def test_hosts_are_those_of_the_certificate_unless_configured(place: Place) -> None:
    assert {"localhost", "127.0.0.1", "[::1]"} <= allowed_hosts(place.settings)
    configured = changed(place.settings, allowed_hosts=("Audit.Example.org",))
    assert allowed_hosts(configured) == {"audit.example.org"}


def test_https_needs_a_certificate_that_fits(place: Place, tmp_path: Path) -> None:
    secure = changed(place.settings, plain_http=False)
    assert web_tls(secure) is not None
    (tmp_path / "x.pem").write_text("nothing")
    wrong = changed(secure, certificate=tmp_path / "x.pem", private_key=tmp_path / "x.pem")
    with pytest.raises(ConfigurationError, match="can't be used"):
        web_tls(wrong)
    trust = secure.trust.model_copy(update={"certificate": None})
    with pytest.raises(ConfigurationError, match="arr pki init"):
        web_tls(secure.model_copy(update={"trust": trust}))


def test_an_unknown_time_zone_is_told(place: Place) -> None:
    with pytest.raises(ConfigurationError, match="Europe/Nowhere"):
        page_options(changed(place.settings, time_zone="Europe/Nowhere"))


def test_the_cursor_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    key = own_key(tmp_path / "key")
    assert own_key(tmp_path / "key") == key
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_only_three_processes_exist(place: Place) -> None:
    with pytest.raises(ConfigurationError, match="no process"):
        create("other", place.settings, place.paths)


def test_usual_hours_and_pauses_are_settings(place: Place) -> None:
    settings = changed(place.settings, usual_from_hour=7, usual_until_hour=19, pause_min=10.0)
    options = page_options(settings)
    assert (options.day_begins, options.day_ends, options.session_gap_s) == (7, 19, 600)
