"""Criteria become statements in which no value is ever text of the statement."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.index.criteria import (
    And,
    Criteria,
    Everything,
    Exists,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    Term,
    Text,
)
from audit.index.row_ids import SECOND
from audit.index.sqlite_statement import quoted, statement_of
from tests.index.records import LONG, criteria


def test_everything_needs_no_expression() -> None:
    told = statement_of(Everything())
    assert told.asks_everything
    assert statement_of(And(())) == told
    assert statement_of(Not(Or(()))) == told


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        (Term("user", "Anna"), '"user:anna"'),
        (Term("user", '"; NOT x*'), '"user:""; not x*"'),
        (Prefix("user", "An"), '"user:an" *'),
        (Prefix("user", " "), '(":all" NOT "!user:")'),
        (Exists("patient"), '"?patient:"'),
        (Text("b a"), '("b" AND "a")'),
        (And((Term("user", "a"), Not(Exists("repeat_of")))), '("user:a" NOT "?repeat_of:")'),
        (Not(Term("user", "a")), '(":all" NOT "user:a")'),
        (Or((Term("user", "a"), Not(Term("user", "b")))), '(":all" NOT ("user:b" NOT "user:a"))'),
        (Or(()), '":none"'),
    ],
)
def test_expressions(asked: Criteria, match: str) -> None:
    told = statement_of(asked)
    assert told.match == match
    assert told.exact
    assert not told.reads_documents


def test_bounds_of_time_are_row_ids_and_only_fractions_need_documents() -> None:
    told = statement_of(And((Range("time", SECOND, 9 * SECOND), Range("time", 2 * SECOND))))
    assert (told.at_least, told.below) == (2 * SECOND, 9 * SECOND)
    assert told.match is None
    assert not told.reads_documents
    assert statement_of(Range("time", SECOND + 1)).reads_documents


def test_ranges_inside_alternatives_are_conditions() -> None:
    told = statement_of(Or((Term("user", "a"), Range("sequence", 3, 5))))
    assert told.match is None
    assert told.exact
    (sql,) = told.conditions
    assert "d.sequence >= ? AND d.sequence < ?" in sql
    assert told.parameters == ('"user:a"', 3, 5)
    assert statement_of(Not(Range("received", 3))).conditions == ("(NOT (d.received >= ?))",)


@pytest.mark.parametrize(
    "asked", [Phrase("two words"), Prefix("user", LONG + "y"), Term("text", "two words")]
)
def test_what_tokens_can_not_tell_is_looked_at_again(asked: Criteria) -> None:
    assert not statement_of(asked).exact
    assert statement_of(Not(asked)).match in {None, '(":all" NOT ":none")'}
    assert not statement_of(Not(asked)).exact


@pytest.mark.parametrize("asked", [Term("a:b", "x"), Range("user", 1), Exists("")])
def test_fields_that_can_not_be_are_refused(asked: Criteria) -> None:
    with pytest.raises(ValueError, match="field"):
        statement_of(asked)


@given(st.text(max_size=50))
def test_a_quoted_token_ends_only_at_its_end(token: str) -> None:
    inside = quoted(token)[1:-1]
    assert '"' not in inside.replace('""', "")


@given(criteria)
def test_every_criterion_has_a_statement(asked: Criteria) -> None:
    told = statement_of(asked)
    assert len(told.parameters) == sum(sql.count("?") for sql in told.conditions)
