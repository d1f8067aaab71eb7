"""The field table."""

import re

import pytest

from audit.standards import fields, files


def test_every_field_is_described_and_named_once() -> None:
    table = fields.FIELDS
    names = [f.query_name for f in table]
    assert len(set(names)) == len(names)
    assert len({f.name for f in table}) == len(table)
    assert all(re.fullmatch("[a-z][a-z0-9_]*", f.name) and f.meaning for f in table)


def test_fields_are_found_by_either_name() -> None:
    by_query = fields.field_named("type")
    assert by_query is not None
    assert by_query.name == "event_type"
    assert fields.field_named("event_type") is by_query
    assert fields.field_named("nonsense") is None


def test_fields_by_type() -> None:
    assert [f.name for f in fields.fields_of("time", "number")] == ["time", "received", "sequence"]
    assert [f.name for f in fields.fields_of("text")] == ["text"]


def test_summed_fields_hold_one_value() -> None:
    assert all(f.type == "keyword" and not f.many for f in fields.FIELDS if f.summed)


def test_a_type_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"field": {"odd": {"type": "colour", "meaning": "x"}}}
    monkeypatch.setattr(files, "read_toml", lambda _name: row)
    with pytest.raises(ValueError, match="odd"):
        fields.all_fields.__wrapped__()


def test_no_other_name_is_given() -> None:
    with pytest.raises(AttributeError):
        getattr(fields, "NOTHING")  # noqa: B009 - the name must not be known to the type checker
