"""docs/query-language.md says what the language does."""

import re
from pathlib import Path

import pytest

from audit.query.language import DEFAULT_LIMITS, parse_query
from audit.query.language_terms import WORDS, fields_by_query_name
from tests.query.test_language_times import NOW

PAGE = Path(__file__).parents[2] / "docs" / "query-language.md"


def rows_below(heading: str) -> dict[str, str]:
    section = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([a-z_-]+)` \| (.+) \|$", section, re.MULTILINE))


def test_every_field_is_documented_as_the_table_means_it() -> None:
    meant = {name: field.meaning for name, field in fields_by_query_name().items()}
    assert rows_below("Fields") == meant


def test_every_word_is_documented() -> None:
    assert set(rows_below("Words that are no fields")) == set(WORDS)


def test_bounds_are_documented() -> None:
    bounds = PAGE.read_text().split("## Bounds\n")[1]
    numbers = {int(number) for number in re.findall(r"\d+", bounds)}
    assert {
        DEFAULT_LIMITS.max_chars,
        DEFAULT_LIMITS.max_terms,
        DEFAULT_LIMITS.max_depth,
    } == numbers


EXAMPLES = re.findall(r"`((?:-?[a-z]+:)[^`]+)`", PAGE.read_text())


@pytest.mark.parametrize("example", [one for one in EXAMPLES if ":value" not in one])
def test_every_example_can_be_read(example: str) -> None:
    if example not in {'field:"a value"', "field:begin*", "field:*"}:
        assert parse_query(example, now=NOW) is not None
