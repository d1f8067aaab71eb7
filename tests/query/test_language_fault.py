"""The mark stands below the fault, whatever stands before it."""

import pytest

from audit.errors import QuerySyntaxError
from audit.query.language import parse_query
from audit.query.language_fault import pointed


@pytest.mark.parametrize(
    ("before", "columns"),
    [
        ("a ", 2),
        ("a\tb\t", 4),
        ("e\u0301e\u0301 ", 3),
        ('"東京" ', 7),
        ('"a\u202eb" ', 6),
        ('"a\r\nb" ', 7),
        ('"\x1b[2J" ', 7),
    ],
)
def test_the_mark_stands_below_the_fault(before: str, columns: int) -> None:
    with pytest.raises(QuerySyntaxError) as raised:
        parse_query(before + "nosuch:x", now=0)
    assert raised.value.column == len(before)
    line, blanks = pointed(before + "nosuch:x", raised.value.column)
    assert len(blanks) == columns
    assert line.isprintable()
    assert "\x1b" not in line


def test_a_long_query_is_cut_around_the_fault() -> None:
    query = f"{'a ' * 500}nosuch:x {'b ' * 500}"
    line, blanks = pointed(query, 1_000)
    assert len(line) <= 120
    assert line[len(blanks) :].startswith("nosuch:x")


def test_a_fault_at_the_end_is_behind_it() -> None:
    assert pointed("a OR", 4) == ("a OR", "    ")


def test_a_choice_of_values_is_told_how_to_be_written() -> None:
    with pytest.raises(QuerySyntaxError, match=r"write \(user:a OR user:b\)") as raised:
        parse_query("patient:P1 user:(jdoe OR mvoss)", now=0)
    assert raised.value.column == 16
