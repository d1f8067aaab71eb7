"""The bounded JSON reader and the places of members."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.record.json_input import clean, is_json, is_odd, positions, read_object
from audit.record.xml_input import DEFAULT_LIMITS, Refused, XmlLimits

_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)
_OBJECTS = st.dictionaries(st.text(max_size=4), _VALUES, max_size=5)


def as_text(value: Any) -> Any:
    """The value as the reader gives it: numbers as they were written."""
    if isinstance(value, dict):
        return {name: as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_text(inner) for inner in value]
    return str(value) if type(value) is int else value


@given(_OBJECTS, st.booleans(), st.sampled_from([None, 2]))
def test_every_object_is_read_as_it_is(
    value: dict[str, Any], escaped: bool, indent: int | None
) -> None:
    octets = json.dumps(value, ensure_ascii=escaped, indent=indent).encode("utf-8", "replace")
    assert is_json(octets)
    if escaped:
        assert read_object(octets, DEFAULT_LIMITS).value == as_text(value)


@given(_OBJECTS, st.sampled_from([None, 1]))
def test_every_member_is_found_where_it_stands(value: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    plain = {name: inner for name, inner in value.items() if not set(name) & set(".[]")}
    found = positions(text, [f"R.{name}" for name in plain])
    for name in plain:
        assert text.startswith(json.dumps(name, ensure_ascii=False), found[f"R.{name}"])


TEXT = '{"a": [1, {"b": "x, ]}", "c": {}}, []],\n "d": {"a": 2}, "e\\u0061": 3}'


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("R", "{"),
        ("R.a", '"a": [1'),
        ("R.a[0]", "1,"),
        ("R.a[1]", '{"b"'),
        ("R.a[1].b", '"b"'),
        ("R.a[1].c", '"c"'),
        ("R.a[1].c.x", '"c"'),
        ("R.a[2]", "[]"),
        ("R.a[2][0]", "[]"),
        ("R.a[7].x", '"a": [1'),
        ("R.d.a", '"a": 2'),
        ("R.ea", '"e\\u0061"'),
        ("R.none.x", "{"),
    ],
)
def test_what_is_not_there_is_placed_at_the_nearest_above(path: str, there: str) -> None:
    assert TEXT.startswith(there, positions(TEXT, [path])[path])


def test_nothing_is_placed_in_very_long_texts() -> None:
    text = '{"a": "' + "x" * (1024 * 1024) + '", "b": 1}'
    assert positions(text, ["R.b"]) == {"R.b": 0}
    assert positions("{}", []) == {}


@pytest.mark.parametrize(
    ("octets", "expected"),
    [(b"{}", True), (b"\xef\xbb\xbf {", True), (b"\n\t{", True), (b"[]", False), (b"", False)],
)
def test_an_object_is_told_by_its_beginning(octets: bytes, expected: bool) -> None:
    assert is_json(octets) is expected


def test_marks_blanks_and_nul_around_are_passed_over() -> None:
    assert read_object(b'\xef\xbb\xbf \n{"a": 1.50}\n\x00', DEFAULT_LIMITS).value == {"a": "1.50"}


@pytest.mark.parametrize(
    ("octets", "rule", "line"),
    [
        (b'{"a": 1,\n "a" 2}', "json-not-well-formed", 2),
        (b'{"a":\n"\xff"}', "json-not-well-formed", 2),
        (b'{"a": 1} x', "json-not-well-formed", 1),
        (b'{"a": Infinity}', "json-not-well-formed", 0),
        (b'{"a": "\n"}', "json-not-well-formed", 1),
        (b'{"x": {"a": 1, "\\u0061": 2}}', "json-duplicate-name", 0),
        (b'{"a": {"b": {"c": {}}}}', "json-too-deep", 0),
        (b'{"a": [1, 2, 3, 4, 5, 6]}', "json-too-many-values", 0),
        (b'{"a": [[], [], [], []]}', "json-too-many-values", 0),
        (b'{"a":"' + b"x" * 100 + b'"}', "json-too-large", 0),
    ],
)
def test_every_bound_has_its_finding(octets: bytes, rule: str, line: int) -> None:
    limits = XmlLimits(max_octets=100, max_nodes=5, max_attributes=5, max_depth=3)
    with pytest.raises(Refused) as refused:
        read_object(octets, limits)
    assert (refused.value.finding.rule, refused.value.finding.line) == (rule, line)


def test_what_is_within_the_bounds_is_read() -> None:
    limits = XmlLimits(max_octets=100, max_nodes=3, max_attributes=2, max_depth=3)
    assert read_object(b'{"a": [{"b": 1}], "c": 2}', limits).value


@given(st.text(st.characters(), max_size=10))
def test_cleaned_text_can_be_stored(text: str) -> None:
    assert clean(text).encode("utf-8").decode("utf-8") == clean(text)
    assert not is_odd(clean(text))


@given(st.binary(max_size=40))
def test_no_octets_break_the_reader(octets: bytes) -> None:
    with contextlib.suppress(Refused):
        assert isinstance(read_object(b"{" + octets, DEFAULT_LIMITS).value, dict)
