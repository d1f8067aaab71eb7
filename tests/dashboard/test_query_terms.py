"""A query cut into terms, and put together again."""

from time import time_ns
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.dashboard.chips import chips_of
from audit.dashboard.query_terms import (
    and_not_term,
    and_term,
    bounded,
    joined,
    pieces_of,
    without,
)
from audit.errors import QuerySyntaxError
from audit.index.criteria import And, Not, Term
from audit.query.language import parse_query

NOW = time_ns()
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("", []),
        ("a b", ["a", "b"]),
        ('patient:"P 1" -node:x', ['patient:"P 1"', "-node:x"]),
        ("a AND NOT b", ["a", "NOT b"]),
        ("(a OR b) c", ["(a OR b)", "c"]),
        ("-(a b) c", ["-(a b)", "c"]),
        ("a OR b", ["a OR b"]),
        ("a (b", ["a (b"]),
        ("a) b", ["a) b"]),
        ('a "b', ['a "b']),
        ("a -", ["a -"]),
        ('"a OR b" c', ['"a OR b"', "c"]),
    ],
)
def test_terms_that_stand_side_by_side(query: str, texts: list[str]) -> None:
    assert [piece.text for piece in pieces_of(query)] == texts


TERMS = st.sampled_from(
    ["a", '"b c"', "node:x", "-node:y", 'user:"u v"', "NOT z", "(p OR q)", "-(r s)", "after:-1h"]
)


@given(st.lists(TERMS, min_size=1, max_size=6))
def test_pieces_mean_the_whole(terms: list[str]) -> None:
    query = " ".join(terms)
    pieces = pieces_of(query)
    assert [piece.text for piece in pieces] == terms
    assert parse_query(joined(pieces), now=NOW) == parse_query(query, now=NOW)


@given(st.text(alphabet='ab:"()-\\ OR', max_size=20))
def test_any_text_can_be_cut(query: str) -> None:
    pieces = pieces_of(query)
    try:
        meant = parse_query(query, now=NOW)
    except QuerySyntaxError:
        return
    assert parse_query(joined(pieces), now=NOW) == meant


def test_a_term_is_taken_away() -> None:
    assert without("a node:x c", 1) == "a c"
    assert without("a", 0) == ""
    assert without("a", 7) == "a"


@pytest.mark.parametrize("value", ['a"b', "x*", "(", "-", "ü ß"])
def test_narrowing_adds_one_exact_term(value: str) -> None:
    narrowed = parse_query(and_term("category:export OR x", "node", value), now=NOW)
    assert isinstance(narrowed, And)
    assert narrowed.parts[-1] == Term("node", value)
    left = parse_query(and_not_term("", "node", value), now=NOW)
    assert left == Not(Term("node", value))


def test_only_a_choice_needs_parentheses() -> None:
    assert bounded("a OR b") == "(a OR b)"
    assert bounded("a b") == "a b"
    assert bounded('"a OR b"') == '("a OR b")'


def test_chips_say_it_in_words() -> None:
    query = 'category:export -node:PACS1 "chest ct" -(a OR b) after:2026-07-03T12:00:00Z after:-7d'
    chips = chips_of(pieces_of(query), BERLIN)
    assert [(chip.title, chip.value, chip.negated) for chip in chips] == [
        ("Category", "Export", False),
        ("Sender", "PACS1", True),
        ("", '"chest ct"', False),
        ("", "(a OR b)", True),
        ("From", "2026-07-03 14:00:00 +02:00", False),
        ("From", "-7d", False),
    ]
