"""The pages over a real journal and index: what they say, and what they leave behind."""

import html
import re
from datetime import UTC, datetime

import pytest

from audit.errors import NotFound
from audit.index.criteria import Term
from audit.query.access import Scope
from tests.dashboard.conftest import Visit
from tests.web.stack import Stack

MESSAGE = (
    '<85>1 2026-07-03T12:02:11Z ct-02 app 77 IHE+RFC-3881 - <?xml version="1.0"?><AuditMessage>'
    '<EventIdentification EventActionCode="R" EventDateTime="2026-07-03T14:02:11.5+02:00" '
    'EventOutcomeIndicator="{outcome}"><EventID csd-code="110103" codeSystemName="DCM" '
    'originalText="DICOM Instances Accessed"/></EventIdentification>'
    '<ActiveParticipant UserID="{user}" UserName="{name}" UserIsRequestor="true" '
    'NetworkAccessPointTypeCode="2" NetworkAccessPointID="10.1.2.3"/>'
    '<AuditSourceIdentification AuditSourceID="{node}"/>'
    '<ParticipantObjectIdentification ParticipantObjectID="1.2.3.4" '
    'ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="3">'
    '<ParticipantObjectIDTypeCode csd-code="110180" codeSystemName="DCM" '
    'originalText="Study Instance UID"/></ParticipantObjectIdentification>'
    '<ParticipantObjectIdentification ParticipantObjectID="{patient}" '
    'ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1">'
    '<ParticipantObjectIDTypeCode csd-code="2" codeSystemName="RFC-3881" '
    'originalText="Patient Number"/>'
    "<ParticipantObjectName>Doe^Jane</ParticipantObjectName></ParticipantObjectIdentification>"
    "</AuditMessage>"
)


def message(**changed: str) -> bytes:
    """One access to a study, with some of its values changed."""
    values = {
        "outcome": "0",
        "user": "voss",
        "name": "Mara Voss",
        "node": "CT2",
        "patient": "P48003",
    }
    return MESSAGE.format(**values | changed).encode()


def test_home_says_what_goes_on(visit: Visit, shared: Stack) -> None:
    page = visit.get("/").text
    assert "Who saw this patient?" in page
    assert "What did this user do?" in page
    assert "<svg" in page
    assert "The same as a table" in page
    assert shared.reader.origin in page
    total = sum(int(n) for n in re.findall(r'<span class="soft number">(\d+)</span>', page))
    assert total == 150


def test_figure_of_failures_leads_to_as_many_records(own: Stack, own_visit: Visit) -> None:
    now = datetime.now(UTC).isoformat().encode()
    failed = message(outcome="8").replace(b"2026-07-03T14:02:11.5+02:00", now)
    alert = failed.replace(b"110103", b"110113").replace(
        b"DICOM Instances Accessed", b"Security Alert"
    )
    own.add([failed, alert])
    home = own_visit.get("/").text
    leads = re.search(r'<dt>Failures</dt><dd><a href="([^"]+)">1</a>', home)
    assert leads is not None
    page = own_visit.get(html.unescape(leads[1])).text
    assert "Exactly 1</strong> record" in page


def test_home_of_an_empty_repository_says_how_to_begin(own_visit: Visit) -> None:
    page = own_visit.get("/").text
    assert "No events in this time." in page
    assert "Nobody touched a patient" in page
    assert "Every act in this time succeeded." in page


def test_findings_without_a_sender_are_still_told(own: Stack, own_visit: Visit) -> None:
    own.add([b"<85>1 - host app - - - not xml"])
    page = own_visit.get("/").text
    assert "Only messages that name no sender." in page
    assert "Rules broken most" in page


@pytest.mark.parametrize("field", ["patient", "user"])
def test_search_leads_to_an_address_that_names_nobody(
    visit: Visit, shared: Stack, field: str
) -> None:
    records = shared.index.search(Term("category", "access"), limit=1).records
    value = records[0].first(field)
    answer = visit.post("/search", {field: value})
    location = answer.headers["location"]
    assert re.fullmatch(r"/s/[0-9a-f]{32}", location)
    page = visit.get(location).text
    assert f'href="/e/{records[0].id}"' in page
    assert value not in location
    titles = re.findall(r"<title>(.*?)</title>", page)
    assert titles[0] == "Review · Audit Record Repository"


def test_filters_combine_and_stay_filled_in(own: Stack, own_visit: Visit) -> None:
    own.add([message(), message(user="smith", outcome="4"), message(patient="P2")])
    page = own_visit.search(patient="P48003", user="smith", outcome="failure", query="doe").text
    assert "Exactly 1</strong> record" in page
    assert 'name="user" value="smith"' in page
    assert 'name="words" value="doe"' in page
    asked = "doe category:access outcome:failure patient:P48003 user:smith"
    page = own_visit.search(
        was="doe",
        query="doe",
        category="access",
        patient="P48003",
        user="smith",
        outcome="failure",
    ).text
    assert f'name="query" value="{asked}"' in page
    assert '<option value="failure" selected>' in page


def test_time_filter_is_in_the_page_zone(own: Stack, own_visit: Visit) -> None:
    own.add([b"<85>1 - host app - - - not xml"], at=1_783_080_131_000_000_000)
    assert "Exactly 1</strong> record" in own_visit.search(**{"from": "2026-07-03T12:02"}).text
    assert "Nothing matches" in own_visit.search(**{"from": "2026-07-03T12:03"}).text
    assert "Exactly 1</strong> record" in own_visit.search(until="2026-07-03T12:03").text
    assert own_visit.post("/search", {"from": "soon"}).status_code == 400


def test_pages_follow_each_other(visit: Visit) -> None:
    seen: list[str] = []
    path = "/search"
    while True:
        page = visit.get(path).text
        seen += re.findall(r'<a href="/e/([^"]+)"><time', page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        if found is None:
            break
        path = found[1].replace("&amp;", "&")
        assert re.fullmatch(r"/search\?after=[A-Za-z0-9_-]+", path)
    assert len(seen) == len(set(seen))
    assert len(seen) >= 150
    assert "Newest" in page


def test_links_keep_their_harmless_parameters(visit: Visit) -> None:
    page = visit.get("/search?category=query&patient=P1").text
    assert '<option value="query" selected>' in page
    found = re.search(r'rel="next" href="([^"]+)"', page)
    assert found is None or "patient" not in found[1]


def test_syntax_error_is_shown_with_its_place(own_visit: Visit) -> None:
    page = own_visit.search(query="chest patientt:1").text
    assert "The query can&#39;t be read" in page or "The query can't be read" in page
    assert "did you mean patient?" in page
    assert f"chest patientt:1\n{' ' * 6}<strong>^</strong>" in page
    assert 'aria-invalid="true"' in page


def test_facets_narrow_the_search(own: Stack, own_visit: Visit) -> None:
    own.add([message(), message(patient="P2"), message(patient="P2", user="x")])
    page = own_visit.get("/search").text
    assert 'name="narrow" value="patient:p2"' in page
    narrowed = own_visit.search(was="doe", narrow="patient:p2").text
    assert "Exactly 2</strong> records" in narrowed
    assert 'name="words" value="doe"' in narrowed
    left = own_visit.search(was="doe", exclude="patient:p2").text
    assert "Exactly 1</strong> record" in left
    assert 'value="doe -patient:&#34;p2&#34;"' in left
    assert "Exactly 3</strong> records" in own_visit.search(was="doe user:x", drop="1").text


def test_every_exact_field_is_a_way_on(own: Stack, own_visit: Visit) -> None:
    own.add([message()])
    assert "Exactly 1</strong> record" in own_visit.search(study="1.2.3.4").text
    assert "Exactly 1</strong> record" in own_visit.search(address="10.1.2.3").text
    assert "Nothing matches" in own_visit.search(node="other").text


def test_another_persons_search_is_unknown(own: Stack, own_visit: Visit) -> None:
    location = own_visit.post("/search", {"patient": "P1"}).headers["location"]
    own.account("other")
    other = Visit(own)
    other.sign_in("other")
    assert own_visit.get(location).status_code == 200
    assert other.get(location).status_code == 404
    assert other.get("/s/" + "0" * 32).status_code == 404
    assert other.get("/s/short").status_code == 404


def test_event_in_sentences_first(own: Stack, own_visit: Visit) -> None:
    sequence = own.add([message()])[0]
    page = own_visit.get(f"/e/{sequence}").text
    headline = re.search(r'<h1 class="headline">(.*?)</h1>', page, re.DOTALL)
    assert headline is not None
    said = re.sub(r"<[^>]+>", "", headline[1]).strip()
    assert said == "Mara Voss opened the study 1.2.3.4 of Doe^Jane (P48003)."
    assert "<title>Event · Audit Record Repository</title>" in page
    for word in ("Who", "What", "Whose", "When", "Where", "Result", "Why"):
        assert f"<dt>{word}</dt>" in page
    assert "2026-07-03T14:02:11.5+02:00" in page
    assert "2026-07-03 12:02:11 +00:00" in page
    assert "the sender says" in page
    assert 'name="patient" value="P48003"' in page
    assert 'name="study" value="1.2.3.4"' in page


def test_findings_say_how_to_mend(own: Stack, own_visit: Visit) -> None:
    sequence = own.add([message(outcome="99")])[0]
    page = own_visit.get(f"/e/{sequence}").text
    assert "How the sender mends it:" in page
    assert re.search(r"PS3\.15 A\.5", page)


@pytest.mark.parametrize(
    "raw",
    [
        b"<85>1 - host app - - - not xml at all",
        b"<85>1 - host app - - - <!DOCTYPE x [<!ENTITY a 'b'>]><AuditMessage>&a;</AuditMessage>",
        b"\x00\x01\x02 garbage \xff\xfe",
        b"",
        b"x" * 100_000,
    ],
    ids=["text", "doctype", "binary", "empty", "hundred-kb"],
)
def test_unreadable_messages_have_the_same_page(own: Stack, own_visit: Visit, raw: bytes) -> None:
    sequence = own.add([raw])[0]
    answer = own_visit.get(f"/e/{sequence}")
    assert answer.status_code == 200
    assert "that can" in answer.text
    assert ("Only the first 64.0 KiB are shown" in answer.text) == (len(raw) > 65_536)


def test_download_is_exact(own: Stack, own_visit: Visit) -> None:
    raw = bytes(range(256))
    sequence = own.add([raw])[0]
    answer = own_visit.get(f"/e/{sequence}/message")
    assert answer.content == raw
    assert answer.headers["content-disposition"].startswith("attachment")


def test_page_outlives_the_message(
    own: Stack, own_visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequence = own.add([message()])[0]

    def gone(*_: object) -> None:
        raise NotFound("removed")

    monkeypatch.setattr(own.search, "_octets_of", gone)
    page = own_visit.get(f"/e/{sequence}").text
    assert "The journal no longer holds this message." in page
    assert "Mara Voss" in page


def test_without_the_scope_the_message_stays_hidden(own: Stack) -> None:
    own.account("reader", [Scope.EVENTS_READ])
    sequence = own.add([message()])[0]
    visit = Visit(own)
    visit.sign_in("reader")
    page = visit.get(f"/e/{sequence}").text
    assert "events:raw" in page
    assert "AuditSourceIdentification" not in page
    assert visit.get(f"/e/{sequence}/message").status_code == 403


def test_operator_without_read_scope_sees_no_record(own: Stack) -> None:
    own.account("operator", [Scope.OPERATE])
    own.add([message()])
    visit = Visit(own)
    visit.sign_in("operator")
    for path in ("/", "/search", "/e/0"):
        answer = visit.get(path)
        assert answer.status_code == 403
        assert "Voss" not in answer.text


@pytest.mark.parametrize(
    ("path", "looks"), [("/", 1), ("/search", 1), ("/e/0", 1), ("/e/0/message", 1)]
)
def test_every_look_is_journaled_first(
    own: Stack, own_visit: Visit, path: str, looks: int
) -> None:
    own.add([message()])
    before = len(own.own_records())
    assert own_visit.get(path).status_code == 200
    written = own.own_records()[before:]
    assert len(written) == looks
    assert all(b'csd-code="110101"' in raw and b'UserID="officer"' in raw for raw in written)


@pytest.mark.parametrize("path", ["/", "/search", "/e/0", "/e/0/message"])
def test_no_record_no_page(own: Stack, own_visit: Visit, path: str) -> None:
    own.add([message()])
    own.journal_fails = True
    answer = own_visit.get(path)
    assert answer.status_code == 503
    assert "Voss" not in answer.text
    assert "No answer for now" in answer.text


def test_index_lag_is_told(own: Stack, own_visit: Visit) -> None:
    for _ in range(600):
        own.append(message())
    page = own_visit.get("/search").text
    assert re.search(r"The index is 6\d\d records behind the journal", page)


@pytest.mark.parametrize("path", ["/nothing", "/e/999", "/e/x"])
def test_error_pages_help(own_visit: Visit, path: str) -> None:
    answer = own_visit.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "There is nothing here" in answer.text
    assert "schema" not in answer.text
    assert answer.headers["x-request-id"] in answer.text


def test_static_files_are_served_from_memory(own_visit: Visit) -> None:
    page = own_visit.get("/sign-in").text
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = own_visit.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    for path in ("/static/app.css", "/static/..%2Fapp.py", "/static/%2e%2e/app.py"):
        assert own_visit.get(path).status_code == 404


def test_course_over_time_narrows(own: Stack, own_visit: Visit) -> None:
    hour = 3_600_000_000_000
    first = 1_783_080_000_000_000_000
    own.add([b"<85>1 - host app - - - one"], at=first)
    own.add([b"<85>1 - host app - - - two"], at=first + 24 * hour)
    page = own_visit.get("/search").text
    span = re.search(r'name="span" value="(\d+\.\.\d+)"', page)
    assert span is not None
    narrowed = own_visit.search(was="host:host after:-3650d", span=span[1]).text
    assert "Exactly 1</strong> record" in narrowed
    assert "-3650d" not in narrowed
    assert own_visit.post("/search", {"span": "a..b"}).status_code == 400


def test_stretches_of_time_up_to_now(own: Stack, own_visit: Visit) -> None:
    own.add([b"<85>1 - host app - - - one"])
    page = own_visit.search(was="host:host before:2020-01-01", range="-24h").text
    assert "Exactly 1</strong> record" in page
    assert 'value="host:host after:-24h"' in page


def test_order_repeats_and_rows_are_in_the_address(own: Stack, own_visit: Visit) -> None:
    own.add([b"<85>1 - host app - - - one", b"<85>1 - host app - - - one"])
    page = own_visit.get("/search").text
    assert "Show 1 repeat" in page
    page = own_visit.get("/search?repeats=shown&sort=oldest&rows=25&more=category").text
    assert '<span class="mark">Repeat</span>' in page
    assert "Oldest first" in page
    answer = own_visit.post("/search", {"query": "host:host", "sort": "oldest", "rows": "25"})
    assert answer.headers["location"].endswith("?sort=oldest&rows=25")


def test_empty_answer_says_which_term_is_in_the_way(own: Stack, own_visit: Visit) -> None:
    own.add([message()])
    page = own_visit.search(query="patient:P48003 category:export").text
    assert "Nothing matches." in page
    assert "1 record without it" in page
    page = own_visit.search(query="patient:x category:export").text
    assert "No single one of the 2 filters is in the way" in page
