"""Mapping files: every row can be read, names facts there are, and every rule has its end."""

import pytest

from audit.siem.mapping import fill, put, rows_of
from audit.siem.rules import Rules
from audit.standards.files import read_toml


def test_forms_of_a_row() -> None:
    rows = rows_of(
        {
            "a.b": "missing | x",
            "a.c": "list[]",
            "n": "number#",
            "t": "time@",
            "o.p[].q": "list",
            "o.p[].r": "x",
            "none": "missing",
        }
    )
    document: dict[str, object] = {}
    facts = {"x": ("v", "w"), "list": ("1", "2", "3"), "number": ("7",), "time": (5,)}
    fill(document, rows, facts, lambda ns: ns * 2, max_values=2)
    assert document == {
        "a": {"b": "v", "c": ["1", "2"]},
        "n": 7,
        "t": 10,
        "o": {"p": [{"q": "1"}, {"q": "2"}, {"r": "v"}, {"r": "w"}]},
    }


@pytest.mark.parametrize("source", ["", "a|b", "A", "a | ", "a[] | b", "a b", "a[]#"])
def test_rows_that_cannot_be_read(source: str) -> None:
    with pytest.raises(ValueError, match="no row"):
        rows_of({"x": source})


def test_a_path_may_be_deep() -> None:
    document: dict[str, object] = {}
    put(document, "a.b.c", 1)
    put(document, "a.b.d", 2)
    assert document == {"a": {"b": {"c": 1, "d": 2}}}


@pytest.mark.parametrize("name", ["ecs", "ocsf"])
def test_some_rule_fits_whatever_comes(name: str) -> None:
    rules = Rules(read_toml(f"siem/{name}.toml")["rule"])
    assert rules.ruling({}) == rules.rules[-1].says
    assert rules.rules[-1].conditions == {}
    assert all(rule.conditions for rule in rules.rules[:-1])
    many = tuple(f"x{n}" for n in range(10_000))
    assert rules.ruling({"types": many}) == rules.rules[-1].says


def test_every_event_has_a_rule_of_its_own() -> None:
    for name in ("ecs", "ocsf"):
        rules = Rules(read_toml(f"siem/{name}.toml")["rule"])
        for event in read_toml("codes.toml")["table"]["event_id"]["codes"]:
            said = rules.ruling({"event_code": (event,)})
            assert said is not rules.rules[-1].says, (name, event)


@pytest.mark.parametrize("name", ["facts", "ecs", "ocsf", "cef", "syslog"])
def test_every_file_names_source_edition_and_version(name: str) -> None:
    from audit.standards.files import read_text

    head = read_text(f"siem/{name}.toml").split("\n\n")[0]
    for word in ("source:", "edition:", "version:"):
        assert word in head
