import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from audit.record.assess import assess
from audit.record.audit_message import octets_of
from audit.record.findings import Severity, finding
from audit.record.xml_input import XmlLimits
from tests.conformance.corpus import EXAMPLES, MESSAGES, SIZES, changed, example
from tests.conformance.rule_cases import CASES, RuleCase
from tests.properties import examples

GOOD = example("110103")


def verdict_of(octets: bytes) -> tuple[str, str, str, str, tuple[str, ...]]:
    told = assess(octets)
    rules = tuple(sorted(one.rule for one in told.findings if one.severity is not Severity.INFO))
    return told.verdict, told.tier, told.dialect, told.event, rules


def shuffled(octets: bytes, seed: int) -> bytes:
    """The same message with attributes in another order and blanks between elements."""
    order = random.Random(seed)  # noqa: S311 - a test needs no secrets
    root = etree.fromstring(octets)
    for element in root.iter():
        pairs = [(str(name), str(value)) for name, value in element.attrib.items()]
        order.shuffle(pairs)
        element.attrib.clear()
        for name, value in pairs:
            element.set(name, value)
        if len(element) and not (element.text or "").strip():
            element.text = order.choice(["", " ", "\n\t"])
        if element is not root and not (element.tail or "").strip():
            element.tail = order.choice(["", " ", "\n  "])
    return etree.tostring(root, encoding="utf-8")


MESSAGES_TO_SHUFFLE = [
    *(example(event, size) for event in EXAMPLES for size in SIZES),
    *(path.read_bytes() for path in sorted(MESSAGES.iterdir())),
    *(
        case.broken
        for case in CASES
        if case.verdict != "malformed" and case.rule != "encoding-not-utf-8"
    ),
]


@examples(24)
@given(st.sampled_from(range(len(MESSAGES_TO_SHUFFLE))), st.integers(0, 2**16))
def test_the_verdict_is_the_same_whatever_the_order_and_the_blanks(number: int, seed: int) -> None:
    octets = MESSAGES_TO_SHUFFLE[number]
    trimmed = octets.strip(b"\n \x00").replace(b'encoding="UTF-16"', b'encoding="UTF-8"')
    assert verdict_of(shuffled(trimmed, seed)) == verdict_of(trimmed)


@pytest.mark.parametrize("name", ["iti-18", "rfc3881", "another-schema"])
def test_the_verdict_is_the_same_with_a_mark_and_without_a_declaration(name: str) -> None:
    octets = (MESSAGES / f"{name}.xml").read_bytes()
    assert verdict_of(b"\xef\xbb\xbf" + octets) == verdict_of(octets)
    assert verdict_of(octets[octets.index(b"<AuditMessage") :]) == verdict_of(octets)


def test_the_verdict_is_the_same_with_a_prefix_for_what_is_foreign() -> None:
    for prefix in ("xsi", "a"):
        space = f'xmlns:{prefix}="http://www.w3.org/2001/XMLSchema-instance"'
        root = f'<AuditMessage {space} {prefix}:noNamespaceSchemaLocation="x">'
        told = assess(changed(GOOD, ("<AuditMessage>", root)))
        assert (told.verdict, told.tier) == ("valid", "dicom")


MUTATIONS = [
    ("EventDateTime=", "EventTime="),
    ("EventOutcomeIndicator=", "Outcome="),
    ("EventActionCode=", "Action="),
    ("<EventID ", "<Event "),
    ("csd-code=", "csd="),
    ("codeSystemName=", "codeSystemNames="),
    ("originalText=", "text="),
    ("UserID=", "User="),
    ("UserIsRequestor=", "Requestor="),
    ("AuditSourceID=", "Source="),
    ("ParticipantObjectID=", "ObjectID="),
    ("<ParticipantObjectIDTypeCode ", "<IDTypeCode "),
]


@pytest.mark.parametrize("event", sorted(EXAMPLES))
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one[0])
def test_a_mandatory_part_that_is_misspelt_is_found(event: str, mutation: tuple[str, str]) -> None:
    octets = example(event, "full")
    if mutation[0].encode() not in octets:
        return
    told = assess(changed(octets, mutation))
    assert told.verdict == "invalid"
    assert told.tier == "none"


@pytest.mark.parametrize("event", sorted(EXAMPLES))
def test_a_mandatory_element_that_is_left_out_is_found(event: str) -> None:
    root = etree.fromstring(example(event, "full"))
    for tag in ("EventIdentification", "AuditSourceIdentification", "ActiveParticipant"):
        copy = etree.fromstring(etree.tostring(root))
        for element in copy.findall(tag):
            copy.remove(element)
        told = assess(etree.tostring(copy))
        assert (told.verdict, told.tier) == ("invalid", "none")
        assert told.message is not None


def test_an_event_without_its_action_is_found() -> None:
    for event in EXAMPLES:
        octets = example(event)
        at = octets.index(b' EventActionCode="')
        told = assess(octets[:at] + octets[at + len(b' EventActionCode="E"') :])
        assert told.verdict == "invalid"
        assert "event-action-code" in {one.rule for one in told.findings}


def test_a_broken_message_is_still_read_as_far_as_it_goes() -> None:
    told = assess(changed(GOOD, ('UserIsRequestor="true"', 'UserIsRequestor="TRUE"')))
    assert told.message is not None
    assert told.message.active_participants[0].user_name == "Nowak^Barbara"
    assert told.raw_text == ""


def test_what_can_not_be_read_is_offered_as_safe_text() -> None:
    told = assess(b"\xff\x00login of anna\x1b[31m failed")
    assert told.message is None
    assert "login of anna" in told.raw_text
    assert told.raw_text.isprintable()
    told = assess("<broken anna".encode("utf-16"))
    assert told.raw_text == "<broken anna"


def test_findings_stand_in_the_order_of_their_lines() -> None:
    octets = changed(
        GOOD,
        ("2.999.4.2", "2.999.04.2"),
        ("AETITLES=", "AETITLE="),
        ('originalText="DICOM Instances Accessed"', 'originalText="x"'),
    )
    lines = [one.line for one in assess(octets).findings]
    assert lines == sorted(lines)
    assert len(lines) == 3


def test_lines_count_what_was_cut_off_in_front() -> None:
    broken = changed(GOOD, ("AETITLES=", "AETITLE="))
    (plain,) = assess(broken).findings
    (_, moved) = assess(b"\n\n" + broken).findings
    assert moved.line == plain.line + 2


@pytest.mark.parametrize(
    "case", [one for one in CASES if one.verdict != "malformed"], ids=lambda c: c.rule
)
def test_a_finding_can_be_printed_as_json(case: RuleCase) -> None:
    for one in assess(case.broken).findings:
        told = one.as_dict()
        assert list(told) == ["rule", "severity", "clause", "message", "fix", "path", "line"]
        assert told["severity"] in {"error", "warning", "info"}
        assert told["message"]
        assert len(str(told["message"])) < 600


def test_a_finding_of_no_rule_is_a_defect() -> None:
    with pytest.raises(KeyError):
        finding("no-such-rule", "x")


def test_a_fix_and_a_clause_of_its_own() -> None:
    one = finding("not-xml", "x", fix="do", clause="here")
    assert (one.fix, one.clause) == ("do", "here")


@examples(40)
@given(st.binary(max_size=400))
def test_no_octets_raise(octets: bytes) -> None:
    told = assess(octets)
    assert told.verdict in {"invalid", "malformed"}


@examples(40)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3))
def test_no_change_raises(place: int, octets: bytes) -> None:
    assess(GOOD[:place] + octets + GOOD[place + 1 :])


def test_a_softened_rule_of_a_transaction_read_at_second_hand_is_a_warning() -> None:
    octets = changed(
        (MESSAGES / "openhim-like.xml").read_bytes(),
        (' code="3" codeSystemName="RFC-3881" originalText="web"', ""),
        ('<EventTypeCode csd-code="ITI-41"', '<EventTypeCode csd-code="ITI-39"'),
        ('EventActionCode="C"', 'EventActionCode="D"'),
    )
    told = assess(octets)
    assert (told.verdict, told.tier) == ("valid", "ihe")
    severities = {one.rule: one.severity for one in told.findings}
    assert severities["ihe-action-code"] is Severity.WARNING


def test_several_requestors_are_fine_in_tier_ihe_but_not_in_an_export() -> None:
    several = changed(example("110106"), ('UserIsRequestor="false"', 'UserIsRequestor="true"'))
    told = assess(several)
    assert told.verdict == "invalid"
    assert "requestor-exactly-one" in {one.rule for one in told.findings}
    disclosure = (MESSAGES / "disclosure.xml").read_bytes()
    assert not {one.rule for one in assess(disclosure).findings} & {
        "requestor-exactly-one",
        "requestor-several",
    }


def test_since_2026a_another_participant_may_stand_in_for_the_source_medium() -> None:
    octets = example("110107")
    at = octets.rindex(b"<ActiveParticipant")
    medium = octets[at : octets.index(b"</ActiveParticipant>", at)]
    other = medium.replace(b'csd-code="110155"', b'csd-code="110153"').replace(
        b"Source Media", b"Source Role ID"
    )
    assert assess(octets.replace(medium, other)).verdict == "valid"
    bare = other.replace(b"<MediaIdentifier>", b"<!--").replace(b"</MediaIdentifier>", b"-->")
    assert assess(octets.replace(medium, bare)).verdict == "invalid"


def test_an_error_is_kept_and_decides_however_many_warnings_come_first() -> None:
    odd = example("110103").replace(
        b'originalText="DICOM Instances Accessed"', b'originalText="x"'
    )
    wrong = odd.replace(b".000+00:00", b".000")
    rules = [one.rule for one in assess(wrong).findings]
    assert {"code-text", "event-date-time-zone"} <= set(rules)
    told = assess(wrong, XmlLimits(max_findings=1))
    assert [one.severity for one in told.findings] == ["error"]
    assert told.verdict == "invalid"


def test_a_query_that_is_no_base64_decides_behind_a_hundred_warnings() -> None:
    whole = example("110103")
    begin = whole.index(b"<ParticipantObjectIdentification")
    odd = (
        b'<ParticipantObjectIdentification ParticipantObjectID="">'
        b'<ParticipantObjectIDTypeCode csd-code="9" codeSystemName="RFC-3881" originalText="r"/>'
        b"%s</ParticipantObjectIdentification>"
    )
    named = odd % b"<ParticipantObjectName>x</ParticipantObjectName>"
    wrong = odd % b"<ParticipantObjectQuery>QU*J</ParticipantObjectQuery>"
    told = assess(whole[:begin] + named * 150 + wrong + whole[begin:])
    assert told.verdict == "invalid"
    assert "not-base64" in {one.rule for one in told.findings}


@pytest.mark.parametrize("blank", ["\u00a0", "\u2003", "\x0b"])
def test_base64_allows_the_blanks_of_xml_alone(blank: str) -> None:
    assert octets_of("QU\n JD\t\r ") == b"ABC"
    assert octets_of(f"QU{blank}JD") is None
