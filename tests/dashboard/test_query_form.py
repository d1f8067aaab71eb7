"""Form → query → form: both say the same."""

from time import time_ns
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.dashboard.query_form import filters_of, query_of, query_of_link, with_value
from audit.index.criteria import And, Phrase, Prefix, Term, Text
from audit.query.language import parse_query
from audit.web.errors import BadRequest

BERLIN = ZoneInfo("Europe/Berlin")
NOW = time_ns()


@pytest.mark.parametrize(
    ("form", "query"),
    [
        ({}, ""),
        ({"category": "export", "patient": "P1"}, "category:export patient:P1"),
        ({"patient": "P1 x"}, 'patient:"P1 x"'),
        ({"patient": 'a"b\\'}, 'patient:"a\\"b\\\\"'),
        ({"user": "vos*"}, "user:vos*"),
        ({"user": "a b*"}, 'user:"a b*"'),
        ({"from": "2026-07-03T14:02"}, "after:2026-07-03T14:02:00+02:00"),
        ({"until": "2026-01-03T14:02:05"}, "before:2026-01-03T14:02:05+01:00"),
        ({"from": "2026-07-03T14:02Z"}, "after:2026-07-03T14:02:00+00:00"),
        ({"query": "chest ct"}, "chest ct"),
        ({"query": "a OR b"}, "a OR b"),
        ({"category": "export", "query": "a OR b"}, "(a OR b) category:export"),
        ({"category": "export", "query": "oracle"}, "oracle category:export"),
        ({"words": "chest ct"}, "chest ct"),
        ({"words": 'a OR -b (c) d:e "f g"'}, 'a "OR" "-b" "(c)" "d:e" "f g"'),
        ({"query": "x", "words": "y"}, "y"),
    ],
)
def test_form_becomes_query(form: dict[str, str], query: str) -> None:
    assert query_of(form, BERLIN) == query
    parse_query(query, now=NOW)


@pytest.mark.parametrize(
    ("was", "changed", "query"),
    [
        ("patient:P1 x", {"patient": "P2"}, "patient:P2 x"),
        ("patient:P1 x", {"patient": ""}, "x"),
        ("patient:P1 x", {"query": "patient:P3 x"}, "patient:P3 x"),
        ("patient:P1 x", {"query": "y", "category": "export"}, "y category:export"),
        ("-patient:P1", {"patient": "P2"}, "-patient:P1 patient:P2"),
        ("patient:P1 patient:P2", {"patient": "P3"}, "patient:P3 patient:P2"),
        ("chest node:a ct", {"words": "knee"}, "knee node:a"),
        ("chest node:a ct", {"words": ""}, "node:a"),
        (
            "after:-24h x",
            {"from": "2026-01-01T00:00Z"},
            "after:-24h x after:2026-01-01T00:00:00+00:00",
        ),
    ],
)
def test_what_was_changed_wins(was: str, changed: dict[str, str], query: str) -> None:
    shown = filters_of(was, BERLIN)
    form = {"was": was, "query": shown.query, **shown.values, **changed}
    assert query_of(form, BERLIN) == query


def test_time_that_is_none_is_refused() -> None:
    with pytest.raises(BadRequest, match="from is no date"):
        query_of({"from": "yesterday"}, BERLIN)


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("category:export patient:P1", {"category": "export", "patient": "P1"}),
        ('patient:"P1 x" chest "two words"', {"patient": "P1 x", "words": 'chest "two words"'}),
        ("-patient:P1", {}),
        ("NOT patient:P1", {}),
        ("- x", {}),
        ("patient:P1 AND patient:P2", {"patient": "P1"}),
        ("patient:P1 OR user:x", {}),
        ("category:export (a OR b)", {"category": "export"}),
        ("(patient:P1 x) y", {"words": "y"}),
        ("after:-24h", {}),
        ("after:2026-07-03T12:02:00Z", {"from": "2026-07-03T14:02"}),
        ("before:2026-07-03T12:02:09Z", {"until": "2026-07-03T14:02:09"}),
        ("after:2026-07-03T12:02:09.5Z", {}),
        ("after:2026-07-03T12:02", {}),
        ('user:"x*"', {}),
        ("patient:", {}),
        ('study:1.2 "', {}),
    ],
)
def test_query_fills_the_form(query: str, values: dict[str, str]) -> None:
    filters = filters_of(query, BERLIN)
    assert (filters.query, filters.values) == (query, values)


VALUES = st.text(
    alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=20
).map(str.strip)


@given(
    st.fixed_dictionaries({}, optional={name: VALUES.filter(bool) for name in ("patient", "user")})
)
def test_form_survives_the_round_trip(form: dict[str, str]) -> None:
    query = query_of(form, BERLIN)
    again = filters_of(query, BERLIN)
    assert query_of({"was": query, "query": query, **again.values}, BERLIN) == query


@given(VALUES.filter(lambda value: value and not value.endswith("*")))
def test_value_means_itself(value: str) -> None:
    criteria = parse_query(query_of({"user": value}, BERLIN), now=NOW)
    assert criteria == Term("user", value)


@given(VALUES.filter(lambda value: any(c.isalnum() and c.isascii() for c in value)))
def test_words_are_never_a_command(value: str) -> None:
    written = with_value("", "words", "x" + value.replace(" ", ""), BERLIN)
    assert isinstance(parse_query(written, now=NOW), (Text, Phrase, And))


def test_star_at_the_end_means_prefix() -> None:
    assert parse_query(query_of({"user": "vo*"}, BERLIN), now=NOW) == Prefix("user", "vo")


def test_links_carry_nothing_that_names_anybody() -> None:
    asked = {"category": "export", "patient": "P1", "user": "x", "query": "y", "node": "a b"}
    assert query_of_link(asked, BERLIN) == 'category:export node:"a b"'
    failures = {"outcome": "failure", "without": "security"}
    assert query_of_link(failures, BERLIN) == "outcome:failure -category:security"
