"""Lines of tags and attributes that are written over several lines."""

from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.record.assess import assess
from audit.record.findings import Finding, finding
from audit.record.location import begun
from tests.conformance.corpus import changed, example

SPREAD = b"""<AuditMessage>
<EventIdentification
  EventActionCode="R"
  EventDateTime="2026-03-01T09:30:00"
  EventOutcomeIndicator="0">
<EventID csd-code="110103"
  codeSystemName="DCM"
  originalText="DICOM &gt; Instances"/></EventIdentification>
<ActiveParticipant UserID="a"
  UserIsRequestor="TRUE"/><ActiveParticipant
  UserID="b" UserIsRequestor="false"/>
<x:ActiveParticipant
  UserID = 'c'/>
</AuditMessage>
"""


def placed(path: str, line: int) -> int:
    (one,) = begun([finding("grammar-value", "x", path=path, line=line)], SPREAD)
    return one.line


@pytest.mark.parametrize(
    ("path", "parsed", "line"),
    [
        ("/AuditMessage/EventIdentification", 5, 2),
        ("/AuditMessage/EventIdentification/@EventDateTime", 5, 4),
        ("/AuditMessage/EventIdentification/@EventOutcomeIndicator", 5, 5),
        ("/AuditMessage/EventIdentification/@Missing", 5, 2),
        ("/AuditMessage/EventIdentification/EventID", 8, 6),
        ("/AuditMessage/EventIdentification/EventID/@originalText", 8, 8),
        ("/AuditMessage/ActiveParticipant[1]/@UserIsRequestor", 10, 10),
        ("/AuditMessage/ActiveParticipant[2]", 11, 10),
        ("/AuditMessage/ActiveParticipant[2]/@UserID", 11, 11),
        ("/AuditMessage/ActiveParticipant[3]", 13, 12),
        ("/AuditMessage/ActiveParticipant[3]/@UserID", 13, 13),
        ("/AuditMessage", 1, 1),
        ("/AuditMessage/Nothing", 5, 5),
        ("/AuditMessage/ActiveParticipant", 0, 0),
        ("/AuditMessage/ActiveParticipant", 99, 99),
        ("", 5, 5),
        ("AuditEvent.agent[0]", 5, 5),
    ],
)
def test_a_finding_is_placed_where_its_tag_or_attribute_begins(
    path: str, parsed: int, line: int
) -> None:
    assert placed(path, parsed) == line


def spread(octets: bytes) -> bytes:
    """Each attribute in a line of its own."""
    return octets.replace(b'" ', b'"\n  ')


def test_every_finding_of_a_message_names_the_line_of_what_it_is_about() -> None:
    octets = spread(
        changed(
            example("110103"),
            ('EventActionCode="C"', 'EventActionCode="X"'),
            ('UserIsRequestor="true"', 'UserIsRequestor="TRUE"'),
            (
                'codeSystemName="DCM" originalText="Study',
                'codeSystemName="dcm" originalText="Study',
            ),
        )
    )
    lines = octets.decode().split("\n")
    found = begun(assess(octets).findings, octets)
    shown = {one.rule: lines[one.line - 1].strip() for one in found}
    assert shown["grammar-value"].endswith('EventActionCode="X"')
    assert shown["user-is-requestor"].startswith('UserIsRequestor="TRUE"')
    assert shown["code-system-name"].startswith('codeSystemName="dcm"')
    assert [one.line for one in found] == sorted(one.line for one in found)


def test_placing_twice_changes_nothing() -> None:
    octets = spread(changed(example("110103"), ('UserIsRequestor="true"', 'UserIsRequestor="T"')))
    once = begun(assess(octets).findings, octets)
    assert once
    assert begun(once, octets) == once


@given(st.binary(max_size=200), st.integers(0, 9))
def test_no_octets_raise_and_nothing_but_the_line_changes(octets: bytes, line: int) -> None:
    one = finding("grammar-value", "x", path="/a/b/@c", line=line)
    (told,) = begun([one], b"<b\n" + octets)
    assert replace(told, line=line) == one
    assert told.line <= line or line == 0


@pytest.mark.parametrize(
    "octets",
    [
        b"<a\n" + b"x='1'\n" * 300_000,
        b"<a x='" + b"\n" * 300_000,
        b"<a " + b"x='1' " * 170_000 + b"\n>",
        (b"<a " + b'"' * 10_000 + b"\n>") * 100,
    ],
    ids=["lines", "value", "long", "quotes"],
)
def test_a_hostile_tag_is_not_looked_at_for_long(octets: bytes) -> None:
    many: list[Finding] = [
        finding("grammar-value", "x", path="/a/@y", line=line) for line in range(1, 101)
    ]
    started = process_time()
    assert len(begun(many, octets)) == len(many)
    assert process_time() - started < 5
