"""Hostile text in every field of a message stays text on every page."""

import os
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

import pytest
from playwright.sync_api import Page

from audit.query.language import quoted, term_text
from tests.browser.conftest import Complaints, OpenPage, Site

LONG = bool(os.environ.get("ARR_LONG"))
pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

EVERY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{7*7}}${7*7}#{7*7}<%= 7*7 %>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>x</a>",
    "<style>@import '//evil.example';</style>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example/>",
    "<form action=//evil.example><button>x</form>",
    "<!--><img src=x onerror=alert(1)-->",
    "]]><script>alert(1)</script><![CDATA[",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u202egnp.exe\u2066x\u2069",
    "a\u2028b\u2029c\u200bd\ufeffe",
    "`${alert(1)}`",
    "\\u003cscript\\u003ealert(1)//",
)

PAYLOADS = EVERY if LONG else EVERY[::2]

MESSAGE = """<?xml version="1.0" encoding="UTF-8"?><AuditMessage><EventIdentification
EventActionCode={x} EventDateTime={x} EventOutcomeIndicator={x}><EventID csd-code={x}
codeSystemName={x} originalText={x}/><EventTypeCode csd-code={x} codeSystemName={x}
originalText={x}/><EventOutcomeDescription>{t}</EventOutcomeDescription><PurposeOfUse csd-code={x}
codeSystemName={x} originalText={x}/></EventIdentification><ActiveParticipant UserID={x}
AlternativeUserID={x} UserName={x} UserIsRequestor="true" NetworkAccessPointID={x}
NetworkAccessPointTypeCode="2"><RoleIDCode csd-code={x} codeSystemName={x} originalText={x}/>
<MediaIdentifier><MediaType csd-code={x} codeSystemName={x} originalText={x}/></MediaIdentifier>
</ActiveParticipant><AuditSourceIdentification AuditSourceID={x} AuditEnterpriseSiteID={x}>
<AuditSourceTypeCode csd-code={x} codeSystemName={x} originalText={x}/></AuditSourceIdentification>
<ParticipantObjectIdentification ParticipantObjectID={x} ParticipantObjectTypeCode="1"
ParticipantObjectTypeCodeRole="1" ParticipantObjectDataLifeCycle={x}
ParticipantObjectSensitivity={x}>
<ParticipantObjectIDTypeCode csd-code={x} codeSystemName={x} originalText={x}/>
<ParticipantObjectName>{t}</ParticipantObjectName><ParticipantObjectDetail type={x} value={x}/>
<ParticipantObjectDescription><MPPS UID={x}/><Accession Number={x}/><SOPClass UID={x}
NumberOfInstances="1"/><ParticipantObjectContainsStudy><StudyIDs UID={x}/>
</ParticipantObjectContainsStudy></ParticipantObjectDescription>
</ParticipantObjectIdentification></AuditMessage>"""


def hostile(payload: str) -> bytes:
    """A message with the payload in every field, and in the syslog header."""
    word = "".join(c for c in payload if "!" <= c <= "~" and c != "<")[:40]
    text = payload.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    xml = MESSAGE.replace("{x}", quoteattr(payload)).replace("{t}", text)
    return f"<85>1 - {word} {word} {word} IHE+RFC-3881 - ".encode() + xml.encode()


@pytest.fixture(scope="module")
def sequences(site: Site) -> list[int]:
    valid = site.stack.add(hostile(payload) for payload in PAYLOADS)
    raw = [f"<85>1 - h a - - - {payload}".encode() for payload in PAYLOADS]
    return valid + site.stack.add(raw)


@pytest.fixture(autouse=True)
def _no_complaints(complaints: Complaints) -> Iterator[None]:
    yield
    assert complaints.all == []


def check(page: Page) -> None:
    """Nothing ran, nothing was refused, nothing foreign stands in the page."""
    assert page.evaluate("window.violations") == []
    foreign = page.evaluate(
        "Array.from(document.querySelectorAll('iframe, base, img, meta[http-equiv], "
        'script:not([src^="/static/"]), style, [onerror], [onload], a[href^="javascript" i]\'),'
        " (e) => e.outerHTML)"
    )
    assert foreign == []


def test_hostile_text_is_inert_and_shown_literally(
    open_page: OpenPage, site: Site, sequences: list[int]
) -> None:
    page = open_page()
    for payload, sequence in zip(PAYLOADS, sequences, strict=False):
        page.goto(f"{site.url}/e/{sequence}")
        check(page)
        if payload.isprintable():
            shown = page.locator("dt:text-is('Who') ~ dd").first.inner_text()
            assert " ".join(payload.split()) in " ".join(shown.split())
        else:
            assert payload.encode("ascii", "backslashreplace").decode() in page.inner_text("main")
            assert payload not in page.inner_text("main")
    for path in (*(f"/e/{one}" for one in sequences[len(PAYLOADS) :]), "/", "/search"):
        page.goto(site.url + path)
        check(page)
    assert "evil" not in page.url


def kinds(number: int) -> tuple[str, ...]:
    """Pages of the values that one payload is shown on: all in the long run, else one of them."""
    every = ("patient", "user", "node")
    return every if LONG else every[number % 3 :][:1]


def test_pages_about_hostile_values_are_inert(
    open_page: OpenPage, site: Site, sequences: list[int]
) -> None:
    saved = site.stack.state.saved_searches
    page = open_page()
    for number, payload in enumerate(PAYLOADS):
        for kind in kinds(number):
            kept = saved.save(site.user, f"{kind}:{quoted(payload)}")
            page.goto(f"{site.url}/{kind}/{kept.id}")
            check(page)
        kept = saved.save(site.user, f"{quoted(payload)} {term_text('patient', payload)}")
        page.goto(f"{site.url}/s/{kept.id}")
        check(page)
    for path in ("/searches", "/access-log", f"/e/{sequences[0]}/neighbours"):
        page.goto(site.url + path)
        check(page)


def test_very_long_tokens_break_no_page(open_page: OpenPage, site: Site) -> None:
    long = "x" * 65_536
    sequence = site.stack.add([hostile(long)])[0]
    page = open_page()
    for path in ("/", "/search", f"/e/{sequence}", f"/e/{sequence}/neighbours"):
        page.goto(site.url + path)
        check(page)
        assert_fits(page)
    page.goto(f"{site.url}/search")
    page.fill("#f-words", long[:300])
    with page.expect_navigation():
        page.click("form.box button")
    assert_fits(page)


def assert_fits(page: Page) -> None:
    """Nothing stands out of the page, however wide the screen is."""
    for width in (1440, 320):
        page.set_viewport_size({"width": width, "height": 1000})
        assert page.evaluate("document.documentElement.scrollWidth") == width, page.url


def test_hostile_queries_are_inert(open_page: OpenPage, site: Site) -> None:
    page = open_page()
    page.goto(f"{site.url}/search")
    for payload in PAYLOADS:
        page.fill("#f-query", payload)
        page.fill("#f-user", payload)
        with page.expect_navigation():
            page.click("form.box button")
        check(page)
        assert "alert" not in page.url


def test_hostile_sign_in_is_inert(open_page: OpenPage, site: Site) -> None:
    page = open_page(session=False)
    page.goto(f"{site.url}/sign-in?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    check(page)
