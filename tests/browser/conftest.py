"""A real server over a small hospital's day, and a browser that reports its complaints."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    sync_playwright,
)

from audit.dashboard.options import PageOptions
from audit.web.options import WebOptions
from tests.needs import program
from tests.web.servers import serving
from tests.web.stack import PASSWORD, Stack, application, hospital_day, stack

WEB = WebOptions(https=False, requests_per_s=1000, request_burst=1000)

OBSERVE = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


@dataclass
class Site:
    """The running site."""

    url: str
    stack: Stack
    user: str


@dataclass
class Complaints:
    """What a page made the browser complain of."""

    console: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def watch(self, page: Page, url: str) -> None:
        """Collect from now on."""
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("dialog", self._dismiss)
        page.on("request", lambda made: self._note(made.url, url))

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            self.console.append(said.text)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _note(self, asked: str, url: str) -> None:
        if not asked.startswith((url, "data:")):
            self.foreign.append(asked)

    @property
    def all(self) -> list[str]:
        """Everything; empty when all is well."""
        return self.console + self.dialogs + self.foreign


OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = program("chromium")
    flags = ["--disable-gpu", "--disable-background-networking", "--no-first-run"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with stack(tmp_path_factory.mktemp("site")) as made:
        made.add(hospital_day(250))
        user = made.account("mara")
        app = application(made, WEB, PageOptions(https=False, version="0.1.0"))
        with serving(app, WEB) as port:
            yield Site(f"http://127.0.0.1:{port}", made, user)


def signed_in(context: BrowserContext, site: Site) -> None:
    """Sign in through the form."""
    page = context.new_page()
    page.goto(f"{site.url}/sign-in")
    page.fill("#name", site.user)
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{site.url}/")
    page.close()


@pytest.fixture(scope="module")
def session_state(browser: Browser, site: Site) -> Path | object:
    context = browser.new_context()
    signed_in(context, site)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def open_page(
    browser: Browser, site: Site, session_state: object, complaints: Complaints
) -> Iterator[OpenPage]:
    contexts: list[BrowserContext] = []

    def opened(
        *, width: int = 1440, scheme: str = "light", scripts: bool = True, session: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 1000},
            color_scheme=scheme,  # type: ignore[arg-type]  # a literal of playwright's
            java_script_enabled=scripts,
            storage_state=session_state if session else None,  # type: ignore[arg-type]  # as given
            locale="en-GB",
        )
        contexts.append(context)
        context.add_init_script(OBSERVE)
        page = context.new_page()
        complaints.watch(page, site.url)
        return page

    yield opened
    for context in contexts:
        context.close()
