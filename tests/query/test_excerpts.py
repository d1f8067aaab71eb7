"""No excerpt shows who was treated or who looked."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.query.broken_rules import Example
from audit.query.excerpts import MASK, excerpt, masked, masked_json
from audit.record.assess import assess
from audit.record.serialise import serialise
from tests.conformance.corpus import changed, example
from tests.conformance.json_cases import QUERY
from tests.projector.messages import message, patient, person, study, syslog

GOOD = example("110103")
BAD = changed(GOOD, ('UserIsRequestor="true"', 'UserIsRequestor="TRUE"'))
PATH = "/AuditMessage/ActiveParticipant[1]/@UserIsRequestor"


def example_of(octets: bytes) -> Example:
    found = assess(octets).findings[0]
    return Example(id="a-1", message=found.message, path=found.path, line=found.line)


def test_the_line_stands_above_its_caret() -> None:
    line, caret = excerpt(BAD, example_of(BAD)).split("\n")
    assert line[caret.index("^") :].startswith('UserIsRequestor="TRUE"')


def test_a_syslog_header_is_passed_over() -> None:
    assert excerpt(syslog(BAD), example_of(BAD)) == excerpt(BAD, example_of(BAD))


@pytest.mark.parametrize(
    "octets",
    [
        b"Doe^Jane P48003",
        b"<AuditMessage><ActiveParticipant UserID='Doe^Jane'",
        b"<a x='Doe'></AuditMessage>",
        b"",
    ],
)
def test_nothing_is_shown_of_what_is_no_message(octets: bytes) -> None:
    assert excerpt(octets, Example(id="a-1", message="", line=1)) == ""


def test_a_finding_without_a_line_has_no_excerpt() -> None:
    assert excerpt(GOOD, Example(id="a-1", message="")) == ""
    assert excerpt(GOOD, Example(id="a-1", message="", line=10_000)) == ""


def test_the_value_that_the_finding_is_about_stays() -> None:
    assert masked('<A UserID="x" UserName="y"/>', "UserID") == f'<A UserID="x" UserName="{MASK}"/>'


@pytest.mark.parametrize(
    "text",
    [
        "<A>Doe</A>",
        "<A><![CDATA[Doe]]></A>",
        "<A><![CDATA[<b>Doe</b>]]></A>",
        "<A><!-- Doe --></A>",
        "<A><!-- <b x='1'>Doe</b> --></A>",
        "<A><?php Doe?></A>",
        "<A UserName = 'Doe'/>",
        '<A UserName="a > Doe"/>',
        '<A UserName="\n  Doe"/>',
        "<A>\n x='Doe'\n</A>",
        '<A ParticipantObjectQuery="Doe">Doe</A>',
    ],
)
def test_identifying_values_are_masked_line_for_line(text: str) -> None:
    assert "Doe" not in masked(text)
    assert masked(text).count("\n") == text.count("\n")


_VALUE = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8)


@given(_VALUE, _VALUE)
def test_no_identifier_is_left_whatever_it_is(name: str, identifier: str) -> None:
    secret, other = f"Q{name}Q", f"Z{identifier}Z"
    octets = serialise(
        message(
            participants=(person(secret, user_name=other),),
            objects=(patient(secret, other), study(participant_object_name=secret)),
        )
    )
    shown = masked(octets.decode())
    assert secret not in shown
    assert other not in shown
    assert 'csd-code="110103"' in shown


WRONG_QUERY = QUERY.replace(b'"PIX|ST_ANNA"', b'"todo"')


@pytest.mark.parametrize("octets", [WRONG_QUERY, json.dumps(json.loads(WRONG_QUERY)).encode()])
def test_json_is_masked_too(octets: bytes) -> None:
    line, caret = excerpt(octets, example_of(octets)).split("\n")
    assert line[caret.index("^") :].startswith('"who"')
    for identifying in ("todo", "P48003", "4711", "192.0.2.17", "PORTAL"):
        assert identifying not in line


@pytest.mark.parametrize(
    "text",
    ['{"name": "Doe"}', '["Doe"]', '{"who": {"display" : "a \\" Doe"}}', '{"x": ["y", "Doe"]}'],
)
def test_values_of_json_are_masked(text: str) -> None:
    assert "Doe" not in masked_json(text)
    assert masked_json(text).count("{") == text.count("{")


def test_codes_of_json_and_the_member_in_question_stay() -> None:
    text = '{"code": "110112", "altId": "x", "name": 7, "requestor": true}'
    shown = masked_json(text, "altId")
    assert shown == f'{{"code": "110112", "altId": "x", "name": "{MASK}", "requestor": true}}'
