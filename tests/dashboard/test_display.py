"""Strangers' texts and times, safe and plain."""

import unicodedata
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.dashboard import display
from audit.dashboard.display import NS_PER_S


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mara Voss", "Mara Voss"),
        ("<b>&\"'", "&lt;b&gt;&amp;&#34;&#39;"),
        ("a\x00b", 'a<span class="escape">\\x00</span>b'),
        ("\u202egnp", '<span class="escape">\\u202e</span>gnp'),
        ("\U000e0041", '<span class="escape">\\U000e0041</span>'),
        ("\ud800", '<span class="escape">\\ud800</span>'),
        ("אבג", "אבג"),
        ("a\nb", 'a<span class="escape">\\x0a</span>b'),
    ],
)
def test_hidden_characters_are_written_out(text: str, expected: str) -> None:
    assert str(display.visible(text)) == expected


@given(st.text(alphabet=st.characters(codec=None)))
def test_nothing_hidden_is_left(text: str) -> None:
    made = str(display.shown(text))
    made.encode()
    assert "<script" not in made
    assert not {unicodedata.category(c) for c in made} & {"Cc", "Cs", "Zl", "Zp"}
    assert not any("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in made)
    assert made.startswith("<bdi>")
    assert made.endswith("</bdi>")


def test_layout_may_stay() -> None:
    assert str(display.visible("a\n\tb\r", keep_layout=True)).startswith("a\n\tb<span")


@pytest.mark.parametrize(
    ("ns", "zone", "expected"),
    [
        (0, "UTC", "1970-01-01 00:00:00 +00:00"),
        (1_783_080_131 * NS_PER_S, "Europe/Berlin", "2026-07-03 14:02:11 +02:00"),
        (1_792_886_400 * NS_PER_S, "Europe/Berlin", "2026-10-25 02:00:00 +02:00"),
        (1_792_890_000 * NS_PER_S, "Europe/Berlin", "2026-10-25 02:00:00 +01:00"),
        (1_783_080_131 * NS_PER_S, "Asia/Kolkata", "2026-07-03 17:32:11 +05:30"),
        (2**80, "UTC", "9999-01-01 00:00:00 +00:00"),
        (-(2**80), "UTC", "0001-01-02 00:00:00 +00:00"),
    ],
)
def test_times_carry_their_offset(ns: int, zone: str, expected: str) -> None:
    assert display.zoned(ns, ZoneInfo(zone)) == expected


def test_machine_time_is_utc_with_milliseconds() -> None:
    assert display.machine_time(1_783_080_131_250_999_999) == "2026-07-03T12:02:11.250Z"


def test_numbers_and_sizes() -> None:
    assert display.number(1234567) == "1\u202f234\u202f567"
    assert display.octets(812) == "812 octets"
    assert display.octets(3_482) == "3.4 KiB"
    assert display.octets(5 << 50) == "5120.0 TiB"
    assert display.begun("the end") == "The end"
    assert display.begun("") == ""


@pytest.mark.parametrize(
    ("text", "whole"),
    [("did you mean a?", "did you mean a?"), ("no", "no."), ('it is "no."', 'it is "no."')],
)
def test_a_sentence_ends_once(text: str, whole: str) -> None:
    assert display.ended(text) == whole
