"""Each page in a real browser: no complaint, no foreign request, small screens, no scripts."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from audit.dashboard.reports import ASKED
from audit.index.criteria import Term
from audit.query.home import failed_acts
from audit.query.language import term_text
from tests.browser.conftest import Complaints, OpenPage, Site
from tests.web.stack import PASSWORD

FIELDS = {name for asked in ASKED.values() for name in asked}
pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

NAMES = (
    *("home", "review", "nothing", "event", "unreadable", "near", "searches", "access-log"),
    *("patient", "user", "study", "node", "address", "sign-in", "reference", "reports"),
)
SIZES: tuple[tuple[int, Literal["light", "dark"]], ...] = (
    (1440, "light"),
    (1440, "dark"),
    (768, "light"),
    (320, "dark"),
)


@pytest.fixture(scope="module")
def paths(site: Site) -> dict[str, str]:
    unreadable = site.stack.add([b"<85>1 - ct-02 app - - - <!DOCTYPE a><b/>"])[0]
    event = site.stack.index.search(Term("category", "query"), limit=1).records[0].id
    record = site.stack.index.search(Term("category", "access"), limit=1).records[0]
    saved = site.stack.state.saved_searches
    about = {
        kind: f"/{kind}/{saved.save(site.user, term_text(kind, record.first(kind))).id}"
        for kind in ("patient", "user", "study", "node", "address")
    }
    return about | {
        "nothing": f"/s/{saved.save(site.user, 'patient:none category:query').id}",
        "near": f"/e/{event}/neighbours",
        "searches": "/searches",
        "reports": "/reports",
        "access-log": "/access-log",
        "home": "/",
        "review": "/search",
        "event": f"/e/{event}",
        "unreadable": f"/e/{unreadable}",
        "sign-in": "/sign-in",
        "reference": "/api/v1/docs",
    }


@pytest.fixture(autouse=True)
def _no_complaints(complaints: Complaints) -> Iterator[None]:
    yield
    assert complaints.all == []


def violations(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.violations")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_page_fits_every_screen_and_can_be_used_by_keyboard_and_screen_reader(
    open_page: OpenPage, site: Site, paths: dict[str, str], name: str
) -> None:
    page = open_page(session=name != "sign-in")
    page.goto(site.url + paths[name])
    assert page.evaluate(ACCESSIBILITY) == []
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    for width, scheme in SIZES:
        page.set_viewport_size({"width": width, "height": 1000})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") == width, (width, scheme)
        assert violations(page) == []


def test_trusted_types_are_enforced(
    open_page: OpenPage, site: Site, complaints: Complaints
) -> None:
    page = open_page()
    page.goto(site.url)
    refused = page.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; return ''; }"
        " catch (error) { return error.name; } }"
    )
    assert refused == "TypeError"
    assert "TrustedHTML" in complaints.console.pop()


ACCESSIBILITY = """() => {
  const faults = [];
  const named = (e) => (e.getAttribute('aria-label') || e.getAttribute('aria-labelledby')
    || e.textContent.trim() || e.getAttribute('title'));
  for (const e of document.querySelectorAll('input:not([type=hidden]), select'))
    if (!e.labels || !e.labels.length) faults.push('no label: ' + e.outerHTML);
  for (const e of document.querySelectorAll('a, button'))
    if (!named(e)) faults.push('no name: ' + e.outerHTML);
  for (const e of document.querySelectorAll('svg'))
    if (!e.hasAttribute('aria-hidden') && e.getAttribute('role') !== 'img')
      faults.push('svg without a role');
  for (const e of document.querySelectorAll('[aria-labelledby], [aria-describedby]'))
    for (const name of ['aria-labelledby', 'aria-describedby'])
      for (const id of (e.getAttribute(name) || '').split(' ').filter(Boolean))
        if (!document.getElementById(id)) faults.push(name + ' names nothing: ' + id);
  const ids = Array.from(document.querySelectorAll('[id]'), (e) => e.id);
  if (new Set(ids).size !== ids.length) faults.push('an id twice');
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
  if (!document.documentElement.lang) faults.push('no language');
  if (document.querySelectorAll('main').length !== 1) faults.push('not one main');
  for (const e of document.querySelectorAll('[style]')) faults.push('inline style');
  for (const e of document.querySelectorAll('button, main a, nav a')) {
    const box = e.getBoundingClientRect();
    const inline = getComputedStyle(e).display === 'inline';
    if (box.height && !inline && box.height < 24) faults.push('small target: ' + e.outerHTML);
  }
  return faults;
}"""


def test_whole_review_works_without_scripts(open_page: OpenPage, site: Site) -> None:
    patient = next(
        record.first("patient")
        for record in site.stack.index.search(Term("category", "access"), limit=1).records
    )
    page = open_page(scripts=False, session=False)
    page.goto(site.url)
    page.fill("#name", site.user)
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.fill("#ask-patient", patient)
    page.click("form:has(#ask-patient) button")
    expect(page).to_have_url(re.compile(rf"^{site.url}/patient/[0-9a-f]{{32}}$"))
    page.click("text=Review all records")
    expect(page).to_have_url(re.compile(rf"^{site.url}/s/[0-9a-f]{{32}}(\?names=exact)?$"))
    assert patient not in page.url
    expect(page.locator("#f-patient")).to_have_value(patient)
    expect(page.locator("#f-query")).to_have_value(re.compile(re.escape(patient)))
    rows = page.locator(".results tbody tr")
    rows.first.locator("a").click()
    expect(page).to_have_url(re.compile("/e/"))
    expect(page.locator("h1")).to_be_visible()
    assert patient not in page.title()
    page.locator("dt:text-is('Who') ~ dd button").first.click()
    expect(page).to_have_url(re.compile(rf"^{site.url}/user/[0-9a-f]{{32}}$"))
    expect(page.locator(".results tbody tr").first).to_be_visible()
    page.click("text=Review all records")
    expect(page).to_have_url(re.compile("/s/"))
    page.click("text=Sign out")
    expect(page).to_have_url(f"{site.url}/sign-in")


def test_failures_lead_to_their_events(open_page: OpenPage, site: Site) -> None:
    total = site.stack.index.count(failed_acts()).value
    page = open_page()
    page.goto(site.url)
    page.locator("dt:text-is('Failures') ~ dd a").click()
    expect(page.locator("#results-title")).to_contain_text(f"Exactly {total} record")
    assert "outcome=failure" in page.url


def test_facets_narrow_and_pages_follow(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    page.goto(f"{site.url}/search")
    page.click("text=Older records")
    expect(page).to_have_url(re.compile("after="))
    page.click("text=Newest")
    expect(page).not_to_have_url(re.compile("after="))
    total = page.locator("#results-title strong")
    before = total.inner_text()
    page.locator(".facets button").first.click()
    expect(total).not_to_have_text(before)
    page.locator(".chip button").first.click()
    expect(total).to_have_text(before)


def test_drawing_over_the_course_narrows(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    page.goto(f"{site.url}/search")
    total = page.locator("#results-title strong")
    before = total.inner_text()
    bars = page.locator(".hits button")
    first, last = bars.nth(5).bounding_box(), bars.nth(15).bounding_box()
    assert first is not None
    assert last is not None
    page.mouse.move(first["x"] + 2, first["y"] + 9)
    page.mouse.down()
    page.mouse.move(last["x"] + 2, last["y"] + 9)
    expect(page.locator(".hits button.chosen")).to_have_count(11)
    page.mouse.up()
    page.wait_for_url("**/s/**")
    expect(total).not_to_have_text(before)
    expect(page.locator(".chip")).to_have_count(2)
    drawn = page.url
    page.locator(".hits button:enabled").last.click()
    expect(page).not_to_have_url(drawn)
    expect(page.locator(".chip")).to_have_count(2)


def numbers(shown: Locator) -> list[int]:
    """As they are shown, with or without separators."""
    return [int(re.sub(r"\D", "", text)) for text in shown.all_inner_texts()]


def test_course_and_facets_work_without_scripts(open_page: OpenPage, site: Site) -> None:
    page = open_page(scripts=False)
    page.goto(f"{site.url}/search")
    page.click("text=The same as a table")
    totals = numbers(page.locator(".twin tbody td:last-child"))
    page.locator(".twin tbody button").nth(totals.index(max(totals))).click()
    expect(page.locator(".chip")).to_have_count(2)
    counts = numbers(page.locator(".facets li .number"))
    assert min(counts) < max(totals), "what only some of the records have"
    page.locator(".facets button.out").nth(counts.index(min(counts))).click()
    expect(page.locator(".chip.without")).to_have_count(1)
    page.click("text=Keep this search")
    page.fill("#keep-title", "Odd hours")
    page.click("form[action='/searches'] button")
    page.click("text=Odd hours")
    expect(page.locator(".chip")).to_have_count(3)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_report_asks_for_what_it_needs(
    open_page: OpenPage, site: Site, *, scripts: bool
) -> None:
    page = open_page(scripts=scripts)
    page.goto(f"{site.url}/reports")
    for kind, fields in ASKED.items():
        page.select_option("#r-kind", kind)
        shown = {name for name in FIELDS if page.locator(f"#r-{name}").is_visible()}
        assert shown == set(fields), kind
        assert page.locator("#r-from").is_visible()


def test_access_log_and_export(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    page.goto(f"{site.url}/search")
    page.locator("details:has(#export-format) summary").click()
    with page.expect_download() as download:
        page.click("form[action='/export'] button")
    assert download.value.suggested_filename.endswith(".csv")
    site.stack.catch_up()
    page.goto(f"{site.url}/access-log")
    page.fill("#f-words", "export")
    page.click("form.filters button")
    expect(page.locator(".log tbody tr").filter(has_text="xport").first).to_be_visible()
    assert "export" not in page.url


def test_keys_help_and_can_be_switched_off(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    page.goto(f"{site.url}/search")
    page.keyboard.press("/")
    expect(page.locator("#f-query")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    selected = page.locator(".results tr[aria-selected=true]")
    expect(selected).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/e/**")
    page.go_back()
    page.click("#keys")
    page.keyboard.press("/")
    expect(page.locator("#f-query")).not_to_be_focused()


def test_fault_is_shown_where_it_lies(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    page.goto(f"{site.url}/search")
    page.fill("#f-query", "chest patientt:1")
    page.press("#f-query", "Enter")
    expect(page.locator("[role=alert]")).to_contain_text("did you mean patient?")
    assert page.locator(".caret").inner_text().split("\n")[1].index("^") == 6
