"""Raw messages for the eye: never failing, never losing, never alive."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from audit.dashboard import raw_text


def bare(markup: Markup) -> str:
    """The text a browser would show."""
    return unescape(re.sub(r"<[^>]*>", "", str(markup)))


def test_elements_are_indented_and_marked() -> None:
    made = raw_text.pretty_xml('<?xml version="1.0"?><a b="1"><c/>text</a>')
    lines = re.sub(r"</?span[^>]*>", "", str(made)).split("\n")
    assert lines == [
        "&lt;?xml version=&#34;1.0&#34;?&gt;",
        "&lt;a b=&#34;1&#34;&gt;",
        "  &lt;c/&gt;",
        "  text",
        "&lt;/a&gt;",
    ]
    assert '<span class="x-name">b</span>' in made
    assert '<span class="x-value">&#34;1&#34;</span>' in made


@given(st.text())
def test_any_text_is_shown_and_harmless(text: str) -> None:
    made = str(raw_text.pretty_xml(text))
    for tag in re.findall(r"<[^>]*>", made):
        assert re.fullmatch(r'</span>|<span class="(x-(tag|name|value|other)|escape)">', tag)


@given(st.text(alphabet="<>/a! ?-\"'= \n", max_size=200))
def test_no_letter_gets_lost(text: str) -> None:
    made = bare(raw_text.pretty_xml(text)).replace(" ", "").replace("\n", "")
    assert "".join(made.split()) == "".join(text.split())


def test_deep_nesting_stays_small() -> None:
    made = raw_text.pretty_xml("<a>" * 2000)
    assert len(made) < 2000 * 200


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\xef\xbb\xbfa", "a"),
        (b"\xff\xfea\x00", "a"),
        (b"\xfe\xff\x00a", "a"),
        (b"a\xff", "a\ufffd"),
        (b"", ""),
    ],
)
def test_text_by_byte_order_mark(octets: bytes, text: str) -> None:
    assert raw_text.decoded(octets) == text


@given(st.binary(max_size=100))
def test_octets_are_all_there(octets: bytes) -> None:
    rows = list(raw_text.hex_rows(octets))
    assert b"".join(bytes.fromhex(row[1]) for row in rows) == octets
    assert [int(row[0], 16) for row in rows] == list(range(0, len(octets), 16))
    assert all(len(row[2]) == len(bytes.fromhex(row[1])) for row in rows)
