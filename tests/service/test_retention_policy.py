from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.errors import ConfigurationError
from audit.service.retention_policy import Period, Policy, Rule, Start, load_policy

TEXT = """
[[rule]]
category = "*"
minimum = "6 years"
maximum = "10 years"
legal_basis = "hospital by-law 7"

[[rule]]
category = "export"
maximum = "30 years"
legal_basis = "X-ray ordinance"

[[rule]]
category = "export"
kind = "print"
maximum = "18 months"
starts = "end of year"
legal_basis = "by-law 8"

[[rule]]
category = "*"
kind = "viewer"
legal_basis = "kept for good"
"""


def at(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    path = tmp_path / "retention.toml"
    path.write_text(TEXT)
    return load_policy(path)


def test_the_most_specific_rule_decides(policy: Policy) -> None:
    def name(category: str, kind: str) -> str:
        rule = policy.rule_for(category, kind)
        assert rule is not None
        return rule.name

    assert name("export", "print") == "export/print"
    assert name("export", "media") == "export"
    assert name("export", "viewer") == "export"
    assert name("transfer", "viewer") == "*/viewer"
    assert name("query", "") == "*"
    assert Policy().rule_for("query", "") is None


def test_periods_count_from_receipt_or_from_the_end_of_its_year(policy: Policy) -> None:
    received = at(2016, 2, 29, 12)
    everything = policy.rule_for("query", "")
    prints = policy.rule_for("export", "print")
    viewer = policy.rule_for("transfer", "viewer")
    assert everything is not None
    assert prints is not None
    assert viewer is not None
    assert everything.due_at(received) == at(2026, 2, 28, 12)
    assert everything.bound_until(received) == at(2022, 2, 28, 12)
    assert prints.due_at(received) == at(2018, 7, 1)
    assert prints.bound_until(received) == received
    assert viewer.due_at(received) is None
    assert policy.first_due(received) == at(2018, 7, 1)
    assert Policy().first_due(received) is None
    assert "18 months after end of year (by-law 8)" in prints.reason


@pytest.mark.parametrize(
    ("amount", "unit", "date", "later"),
    [
        (90, "day", (2026, 1, 31), (2026, 5, 1)),
        (1, "month", (2026, 1, 31), (2026, 2, 28)),
        (11, "month", (2026, 2, 1), (2027, 1, 1)),
        (10, "year", (2016, 12, 31), (2026, 12, 31)),
    ],
)
def test_periods_follow_the_calendar(
    amount: int, unit: str, date: tuple[int, int, int], later: tuple[int, int, int]
) -> None:
    moment = datetime(*date, tzinfo=UTC)
    assert Period(amount, unit).after(moment) == datetime(*later, tzinfo=UTC)
    assert str(Period(1, unit)) == f"1 {unit}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[rule]]\ncategory = '*'", "legal_basis"),
        ("[[rule]]\ncategory = '*'\nlegal_basis = ''", "legal_basis"),
        ("[[rule]]\ncategory = 'exports'\nlegal_basis = 'x'", "no category 'exports'"),
        ("[[rule]]\ncategory = '*'\nlegal_basis = 'x'\nmaximum = '10'", "a period is written"),
        ("[[rule]]\ncategory = '*'\nlegal_basis = 'x'\nmaximum = 10", "a period is written"),
        ("[[rule]]\ncategory = '*'\nlegal_basis = 'x'\nmaximum = '0 days'", "above zero"),
        ("[[rule]]\ncategory = '*'\nlegal_basis = 'x'\nmaximum = '201 years'", "above zero"),
        ("[[rule]]\ncategory = '*'\nlegal_basis = 'x'\nkeep = '1 year'", "keep"),
        ("[[rule]]\ncategory = '*'\nlegal_basis = 'x'\nstarts = 'never'", "starts"),
        ("[[rule]]\ncategory = '*'\nlegal_basis = 'x'\n" * 2, "two rules"),
        (
            "[[rule]]\ncategory = '*'\nlegal_basis = 'x'\nminimum = '2 years'\nmaximum = '9 days'",
            "below the minimum",
        ),
        ("[[rule]", "not TOML"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "retention.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=problem):
        load_policy(path)
    with pytest.raises(ConfigurationError, match="can't be read"):
        load_policy(tmp_path)


def test_without_a_policy_it_is_told_where_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none.toml: .*--policy or journal.retention"):
        load_policy(tmp_path / "none.toml")


def test_every_part_of_a_rule_has_a_name() -> None:
    rule = Rule(category="access", legal_basis="x")
    assert (rule.kind, rule.starts, rule.name) == ("*", Start.RECEIPT, "access")
