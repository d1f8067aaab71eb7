"""Each element and attribute is found where it begins, whatever stands around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from audit.query.element_places import MAX_CHARACTERS, place_of
from audit.query.pointing import point_at
from tests.conformance.corpus import EXAMPLES, SIZES, example

TEXT = (
    '<?xml version="1.0"?><!-- <A> --><A a="<!" ><B x="1"/><?p <B x="2"?>'
    "<B y='>' x=\"3\"><![CDATA[<C>]]><C/></B><n:B x='4'></n:B></A>"
).replace('"<!"', '"&lt;!"')


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/A", "<A a="),
        ("/A/@a", "a="),
        ("/A/B[1]/@x", 'x="1"'),
        ("/A/B[2]", "<B y="),
        ("/A/B[2]/@x", 'x="3"'),
        ("/A/B[2]/@missing", "<B y="),
        ("/A/B[2]/C", "<C/>"),
        ("/A/B[3]/@x", "x='4'"),
    ],
)
def test_a_path_is_found_among_its_like(path: str, expected: str) -> None:
    at = place_of(TEXT, path)
    assert at is not None
    assert TEXT[at:].startswith(expected)


@pytest.mark.parametrize("path", ["/B", "/A/B[4]", "/A/B/C", "", "AuditEvent.agent[0]"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert place_of(TEXT, path) is None


def test_places_in_a_very_long_text_are_not_told() -> None:
    assert place_of("<A>" + " " * MAX_CHARACTERS + "</A>", "/A") is None


@pytest.mark.parametrize(
    "text", ["<A>" * 100_000, "<A><!--" * 10_000, '<A x="' * 10_000, "<A" * 10_000]
)
def test_hostile_texts_are_looked_at_in_part(text: str) -> None:
    assert place_of(text, "/A/A[2]/A/@x") is None


@pytest.mark.parametrize("octets", [example(e, s) for e in EXAMPLES for s in SIZES])
def test_every_element_of_every_example_is_found(octets: bytes) -> None:
    text = octets.decode().replace("\n", " ")
    root = etree.fromstring(text.encode())
    tree = root.getroottree()
    last = -1
    for element in root.iter():
        at = place_of(text, tree.getpath(element))
        assert at is not None
        assert at > last
        assert text[at:].startswith(f"<{element.tag!s}")
        last = at


@given(st.text(alphabet="<>AB/ \"'=![]-?x:", max_size=60), st.sampled_from(["/A", "/A/B[2]/@x"]))
def test_no_text_breaks_the_search(text: str, path: str) -> None:
    at = place_of(text, path)
    assert at is None or 0 <= at < len(text)


def test_the_second_of_two_in_one_line_is_pointed_at() -> None:
    line = '<A><B x="1"/><B x="2"/></A>'
    pointed = point_at([line], "/A/B[2]/@x", 1)
    assert pointed is not None
    assert line[pointed.column :].startswith('x="2"')
    below = point_at(["<A>", '<B x="1"/><B x="2"/>', "</A>"], "/A/B[2]", 2)
    assert below is not None
    assert below.column == len('<B x="1"/>')
    elsewhere = point_at(['<B x="1"/><B x="2"/>'], "/A/B[2]/@x", 1)
    assert elsewhere is not None
    assert elsewhere.column == 3
