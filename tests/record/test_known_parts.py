"""What is remembered of parts never changes what is said of a message."""

import re
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from audit.record import assess as assessing
from audit.record.assess import Assessment, assess
from audit.record.known_parts import cut_up, known_message
from audit.record.xml_input import DEFAULT_LIMITS, XmlLimits
from tests.conformance.corpus import EXAMPLES, SIZES, changed, example
from tests.conformance.rule_cases import CASES, RuleCase
from tests.properties import examples

_PART = re.compile(
    rb"(?=<(?:EventIdentification|ActiveParticipant|AuditSourceIdentification"
    rb"|ParticipantObjectIdentification)[\s>])"
)
_HEAD, _END = b'<?xml version="1.0" encoding="UTF-8"?>\n<AuditMessage>', b"</AuditMessage>"
_ODD = (
    b"",
    b"",
    b" \n",
    b"x",
    b"&amp;",
    b"<!-- a -->",
    b"<?a b?>",
    b"<![CDATA[ ]]>",
    _END,
    b"<a/>",
)
WHOLE = [example(event, size) for event in EXAMPLES for size in SIZES]
GOOD = example("110103")


def assess_afresh(octets: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> Assessment:
    with patch.object(assessing, "cut_up", return_value=None):
        return assess(octets, limits)


def _parts(kind: bytes) -> list[bytes]:
    known = (*WHOLE, *(octets for case in CASES for octets in (case.whole, case.broken)))
    found = {
        part.removesuffix(_END)
        for octets in known
        for part in _PART.split(octets.rstrip())
        if part.startswith(b"<" + kind)
    }
    return sorted(part for part in found if len(part) < 2000)


def _some(kind: bytes, least: int, most: int) -> st.SearchStrategy[list[bytes]]:
    return st.lists(st.sampled_from(_parts(kind)), min_size=least, max_size=most)


USUAL = st.tuples(
    _some(b"EventIdentification", 1, 1),
    _some(b"ActiveParticipant", 1, 4),
    _some(b"AuditSourceIdentification", 1, 1),
    _some(b"ParticipantObjectIdentification", 0, 3),
).map(lambda lists: [part for parts in lists for part in parts])


@st.composite
def odd(draw: st.DrawFn) -> bytes:
    """Parts in some order, and perhaps something between them that doesn't belong there."""
    parts = draw(USUAL)
    if draw(st.booleans()):
        parts = draw(st.permutations(parts))[draw(st.integers(0, 2)) :]
    parts.insert(draw(st.integers(0, len(parts))), draw(st.sampled_from(_ODD)))
    whole = _HEAD + b"".join(parts) + _END
    at = draw(st.integers(0, len(whole)))
    return draw(
        st.sampled_from([whole, whole, whole + b"\n", b"\xef\xbb\xbf" + whole, whole[:at]])
    )


@examples(80)
@given(USUAL)
def test_a_message_of_known_parts_gets_the_same_answer(parts: list[bytes]) -> None:
    whole = _HEAD + b"".join(parts) + _END
    expected = assess_afresh(whole)
    assert assess(whole) == expected
    assert assess(whole) == expected


@examples(80)
@given(odd())
def test_parts_in_any_order_and_what_stands_between_them_get_the_same_answer(whole: bytes) -> None:
    expected = assess_afresh(whole)
    assert assess(whole) == expected
    assert assess(whole) == expected


_PLACES = (b'UserID="815"', b">CT head<", b'ParticipantObjectID="2.999.4.2"')
_VALUES = st.one_of(
    st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(
        [
            b"", b" ", b"\t", b"&amp;", b"&lt;", b"&#13;", b"&#0;", b"&no;", b"&", b"<", b">",
            b"]]>", b"<!---->", b"<?p ?>", b"<x/>", b"\xff", b"\xc0\x80", b"x" * 1100, b"'",
            b'" xmlns="urn:x', b'" a="', b'" UserID="', b'"/><ActiveParticipant UserID="',
            b"</ParticipantObjectName></ParticipantObjectIdentification>",
            b"</ParticipantObjectName><ParticipantObjectName>",
        ]
    ),
)  # fmt: skip


@examples(100)
@given(st.sampled_from(_PLACES), _VALUES)
def test_a_new_part_is_judged_alone_as_in_its_place(place: bytes, value: bytes) -> None:
    assess(GOOD)
    assert place in GOOD
    before, _, after = place.partition(b'"' if b'"' in place else b">")
    quote = place[len(before) : len(before) + 1]
    whole = GOOD.replace(place, before + quote + value + after[-1:], 1)
    expected = assess_afresh(whole)
    assert assess(whole) == expected
    assert assess(whole) == expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.rule))
def test_a_broken_message_is_found_though_the_whole_is_known(case: RuleCase) -> None:
    assess(case.whole)
    assess(case.whole)
    assert assess(case.broken) == assess_afresh(case.broken)
    assert assess(case.broken) == assess_afresh(case.broken)


def _changed_once(octets: bytes) -> Iterator[bytes]:
    """The message less one attribute or element, with another code, or with one value odd."""
    size = len(list(etree.fromstring(octets).iter()))
    for index in range(1, size):
        for name in etree.fromstring(octets).xpath(f"(//*)[{index + 1}]/@*"):
            for value in (None, "", "x", "true", "false", "110150", "110152", "110153", "3"):
                root = etree.fromstring(octets)
                element = list(root.iter())[index]
                if value is None:
                    del element.attrib[name.attrname]
                elif element.get(name.attrname) != value:
                    element.set(name.attrname, value)
                yield etree.tostring(root, encoding="UTF-8")
        root = etree.fromstring(octets)
        element = list(root.iter())[index]
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)
        yield etree.tostring(root, encoding="UTF-8")


@pytest.mark.parametrize("event", EXAMPLES)
def test_any_one_change_of_a_known_message_gets_the_same_answer(event: str) -> None:
    whole = etree.tostring(etree.fromstring(example(event)), encoding="UTF-8")
    assess(whole)
    for octets in _changed_once(whole):
        expected = assess_afresh(octets)
        assert assess(octets) == expected
        assert assess(octets) == expected
        assess(whole)


@pytest.mark.parametrize("octets", WHOLE, ids=range(len(WHOLE)))
def test_a_message_without_findings_is_known_from_then_on(octets: bytes) -> None:
    assess(octets)
    pieces = cut_up(octets, DEFAULT_LIMITS)
    assert pieces is not None
    message = known_message(pieces)
    assert message == assess_afresh(octets).message
    later = changed(octets, ("2026-03-01T", "2027-04-02T"))
    pieces = cut_up(later, DEFAULT_LIMITS)
    assert pieces is not None
    assert known_message(pieces) is not None


@pytest.mark.parametrize(
    "time", ["2026-02-30T09:30:00Z", "2026-03-01T24:00:00.5Z", "2026-03-01T09:30:00", "9:30", ""]
)
def test_a_known_event_at_an_odd_time_is_judged(time: str) -> None:
    assess(GOOD)
    whole = changed(GOOD, ("2026-03-01T09:30:00.000+00:00", time))
    assert assess(whole) == assess_afresh(whole)
    assert assess(whole).findings


def test_two_documents_of_known_parts_are_not_one() -> None:
    assess(GOOD)
    for twice in (GOOD + GOOD, GOOD.rstrip() + _END, GOOD.replace(_END, b"") + b"\n" + GOOD):
        assert assess(twice) == assess_afresh(twice)
        assert assess(twice).verdict == "malformed"


def test_limits_hold_for_a_known_message() -> None:
    assess(GOOD)
    for limits in (
        XmlLimits(max_octets=100),
        XmlLimits(max_nodes=5),
        XmlLimits(max_nodes=15),
        XmlLimits(max_attributes=5),
    ):
        assert assess(GOOD, limits) == assess_afresh(GOOD, limits)
        assert assess(GOOD, limits).verdict == "malformed"


def test_a_large_message_or_part_is_not_remembered() -> None:
    large_part = changed(GOOD, ('UserID="815"', f'UserID="{"8" * 1100}"'))
    assess(large_part)
    pieces = cut_up(large_part, DEFAULT_LIMITS)
    assert pieces is not None
    assert known_message(pieces) is None
    assert (
        cut_up(changed(GOOD, ('UserID="815"', f'UserID="{"8" * 20_000}"')), DEFAULT_LIMITS) is None
    )


_LOG = example("110101", "typical")
_NAME = b"<ParticipantObjectName>Security Audit Log</ParticipantObjectName>"
_TYPED = example("110103").replace(b"</EventIdentification>", b"%s</EventIdentification>", 1)
_KIND = b'<EventTypeCode csd-code="RAD-16" codeSystemName="%s" originalText="X"/>'
ALIKE = {
    "names of a log": [
        _LOG.replace(_NAME, b"<ParticipantObjectName>%s</ParticipantObjectName>" % name)
        for name in (b"The log", b"Security Audit Log", b"  ", b"Security  Audit Log", b"Other")
    ]
    + [_LOG.replace(_NAME, b"")],
    "systems of a type": [
        _TYPED.replace(b"%s", _KIND % system).replace(b'"110180"', b'"110182"')
        for system in (b"IHE Transactions", b"99LOCAL", b"2.999.1", b"DCM")
    ],
}


@pytest.mark.parametrize("name", ALIKE)
def test_messages_that_are_nearly_alike_are_not_taken_for_each_other(name: str) -> None:
    several = ALIKE[name]
    afresh = [assess_afresh(octets) for octets in several]
    assert len({tuple(one.rule for one in told.findings) for told in afresh}) > 1
    for first in range(len(several)):
        order = [*range(first, len(several)), *range(first)]
        assert [assess(several[n]) for n in order] == [afresh[n] for n in order]
