"""The rules that findings name: ``schemas/rules.toml`` as frozen objects."""

from dataclasses import dataclass
from functools import cache

from audit.standards.files import read_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        id: stable, kebab-case.
        severity: ``error``, ``warning`` or ``info``.
        legacy_severity: severity for messages of the legacy tier, whose senders never followed
            the edition the rule comes from.
        clause: where the rule stands.
        title: what must hold, one sentence.
        fix: how the sender mends a breach.
        group: heading the rule stands under in docs/rules.md.
    """

    id: str
    severity: str
    legacy_severity: str
    clause: str
    title: str
    fix: str
    group: str


@cache
def _rules() -> dict[str, Rule]:
    table = read_toml("rules.toml")["rule"]
    return {
        rule_id: Rule(
            id=rule_id,
            severity=entry["severity"],
            legacy_severity=entry.get("legacy", entry["severity"]),
            clause=entry["clause"],
            title=entry["title"],
            fix=entry["fix"],
            group=entry["group"],
        )
        for rule_id, entry in table.items()
    }


def rule(rule_id: str) -> Rule:
    """The rule of that id; KeyError for an id that no file defines, which is a defect here."""
    return _rules()[rule_id]


def all_rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the file."""
    return tuple(_rules().values())
