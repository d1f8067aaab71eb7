import re
from pathlib import Path

import pytest

from audit.frame.syslog import read_header
from audit.query.element_places import place_of
from audit.query.message_sources import messages_of
from audit.query.validation import validate_message
from audit.record.assess import assess
from audit.standards.rules import all_rules, rule
from tests.conformance.corpus import EXAMPLES, MESSAGES, SIZES, example
from tests.conformance.json_cases import JSON_CASES
from tests.conformance.rule_cases import CASES as XML_CASES
from tests.conformance.rule_cases import RuleCase

CASES = [*XML_CASES, *JSON_CASES]

HEADER = b"<85>1 2026-03-01T09:30:00.000Z pacs.example pacs 815 IHE+RFC-3881 - "
OF_AN_EVENT = re.compile(r"PS3\.15 A\.5\.3\.\d{1,2}|ITI TF-2 (?:ITI-\d+|3\.\d+[.\d]*)")
HEADER_CASES = {
    "syslog-bom": HEADER + b"\xef\xbb\xbf",
    "syslog-header-field": HEADER.replace(b"pacs.example", b"h" * 256),
    "syslog-header-malformed": b"<85>1 2026-03-01T09:30:00Z pacs.example ",
    "syslog-header-rfc3164": b"<85>Mar  1 09:30:00 pacs arc: ",
    "syslog-msgid": HEADER.replace(b"IHE+RFC-3881", b"audit"),
    "syslog-pri": HEADER.replace(b"<85>", b"<13>"),
    "syslog-structured-data": HEADER.replace(b" - ", b' [a@1 b="c"] '),
    "syslog-timestamp": HEADER.replace(b"2026-03-01T09:30:00.000Z", b"2026-03-01T09:30:00"),
}
WIDE = HEADER + b"<AuditMessage>" + b" " * 32_768
FRAMES = {
    "syslog-header-missing": (WIDE[len(HEADER) :], HEADER),
    "syslog-size": (WIDE, HEADER + example("110103")),
}
"""What the frame alone tells: messages with the remark, and without it."""
ELSEWHERE = {
    "clock-skew": "projector/test_project.py",
    "projection-failed": "projector/test_project.py",
    "record-indexed-partly": "projector/test_project.py",
    "object-life-cycle": "record/test_object_rules.py",
}
"""Rules that need a clock, a fault or another table: the file that catches and spares by them."""
TESTS = Path(__file__).parent.parent


def rules_of(octets: bytes) -> set[str]:
    return {one.rule for one in assess(octets).findings}


def line_of(text: str, path: str) -> int:
    """The line where the attribute, its element, or the nearest element above begins."""
    while (at := place_of(text, path)) is None:
        path = path.rpartition("/")[0]
        assert path
    return text.count("\n", 0, at) + 1


def case_id(case: RuleCase) -> str:
    return case.rule


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_a_rule_leaves_the_whole_message_alone(case: RuleCase) -> None:
    assert case.rule not in rules_of(case.whole)


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_a_rule_catches_the_broken_message(case: RuleCase) -> None:
    told = assess(case.broken)
    assert (told.verdict, told.tier) == (case.verdict, case.tier), told.findings
    found = [one for one in told.findings if one.rule == case.rule]
    assert found, told.findings
    if case.path:
        assert found[0].path == case.path
    if case.line_with:
        assert case.line_with in case.broken.decode().split("\n")[found[0].line - 1]


@pytest.mark.parametrize(
    "case", [one for one in CASES if one.rule != "encoding-not-utf-8"], ids=case_id
)
def test_a_finding_names_the_line_of_what_its_path_leads_to(case: RuleCase) -> None:
    text = case.broken.decode(errors="replace")
    for found in assess(case.broken).findings:
        if found.path.startswith("/"):
            assert found.line == line_of(text, found.path), found
        else:
            assert 0 <= found.line <= text.count("\n") + 1


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_a_finding_names_the_clause_of_its_rule_or_of_its_event(case: RuleCase) -> None:
    for found in assess(case.broken).findings:
        assert found.clause == rule(found.rule).clause or OF_AN_EVENT.fullmatch(found.clause), (
            found
        )


@pytest.mark.parametrize("name", sorted(HEADER_CASES))
def test_a_syslog_rule_catches_its_header_and_leaves_the_usual_one_alone(name: str) -> None:
    body = example("110103")
    (usual,) = messages_of("a", HEADER + body)
    assert validate_message(usual).findings == ()
    (odd,) = messages_of("a", HEADER_CASES[name] + body)
    assert name in {one.rule for one in validate_message(odd).findings}


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_a_rule_of_frames_catches_and_leaves_alone(name: str) -> None:
    odd, usual = FRAMES[name]
    assert name in {one.rule for one in read_header(odd).remarks}
    assert name not in {one.rule for one in read_header(usual).remarks}


def test_a_message_that_did_not_arrive_whole_is_caught() -> None:
    body = HEADER + example("110103")
    for count, caught in ((len(body), False), (len(body) + 1, True)):
        (sent,) = messages_of("a", b"%d %b" % (count, body))
        rules = {one.rule for one in validate_message(sent).findings}
        assert ("message-truncated" in rules) is caught


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_the_file_named_for_a_rule_has_a_test_of_it(name: str) -> None:
    text = (TESTS / ELSEWHERE[name]).read_text(encoding="utf-8")
    assert f'"{name}"' in text
    assert "def test_" in text


def test_every_rule_has_a_case() -> None:
    here = {case.rule for case in CASES} | set(HEADER_CASES) | set(FRAMES) | {"message-truncated"}
    assert not here & set(ELSEWHERE)
    assert here | set(ELSEWHERE) == {one.id for one in all_rules()}


def test_no_case_is_told_by_another_rule_alone() -> None:
    """Each whole message is valid, so that what is caught comes of the change."""
    assert {case.rule for case in CASES if assess(case.whole).verdict != "valid"} == set()


def test_every_rule_is_complete() -> None:
    for one in all_rules():
        assert one.severity in {"error", "warning", "info"}
        assert one.legacy_severity in {"error", "warning", "info"}
        assert one.title.endswith(".")
        assert one.fix.endswith(".")
        assert one.clause
        assert rule(one.id) is one


@pytest.mark.parametrize("event", sorted(EXAMPLES))
@pytest.mark.parametrize("size", SIZES)
def test_the_valid_messages_of_every_event_have_no_findings(event: str, size: str) -> None:
    told = assess(example(event, size))
    assert (told.dialect, told.tier, told.verdict, told.event) == (
        "dicom",
        "dicom",
        "valid",
        event,
    )
    assert told.findings == ()


@pytest.mark.parametrize(
    ("name", "dialect", "tier"),
    [
        ("another-schema", "dicom", "legacy"),
        ("disclosure", "dicom", "ihe"),
        ("iti-18", "dicom", "ihe"),
        ("iti-9", "dicom", "ihe"),
        ("openhim-like", "dicom", "legacy"),
        ("rfc3881", "rfc3881", "legacy"),
    ],
)
def test_the_handwritten_messages_are_valid_in_their_tier(
    name: str, dialect: str, tier: str
) -> None:
    told = assess((MESSAGES / f"{name}.xml").read_bytes())
    assert (told.dialect, told.tier, told.verdict) == (dialect, tier, "valid")


def test_every_handwritten_message_is_in_a_test() -> None:
    assert {path.stem for path in MESSAGES.iterdir()} == {
        "another-schema",
        "disclosure",
        "iti-18",
        "iti-9",
        "openhim-like",
        "rfc3881",
    }
