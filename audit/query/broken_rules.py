"""The rules that a sender broke: how often, where for example, and how it mends them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audit.index.document import IndexedRecord
from audit.standards.rules import Rule, all_rules

_GRAVITY = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One record that breaks a rule.

    Attributes:
        id: of the record.
        message: what was found and what was expected.
        path: where in the message; may be empty.
        line: one-based line of the MSG part, 0 when unknown.
        excerpt: that line with a caret below it, identifying values masked; only when asked for.
    """

    id: str
    message: str
    path: str = ""
    line: int = 0
    excerpt: str = ""

    def as_dict(self) -> dict[str, str | int]:
        """The JSON form."""
        return {
            "id": self.id,
            "message": self.message,
            "path": self.path,
            "line": self.line,
            "excerpt": self.excerpt,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """One rule and how often it was broken.

    Attributes:
        rule: its id.
        severity: of the newest finding.
        clause: where the standard says it.
        title: what must hold.
        fix: how the sender mends it.
        records: how many records break it.
        examples: some of the newest of them.
    """

    rule: str
    severity: str
    clause: str
    title: str
    fix: str
    records: int
    examples: tuple[Example, ...]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "clause": self.clause,
            "title": self.title,
            "fix": self.fix,
            "records": self.records,
            "examples": [one.as_dict() for one in self.examples],
        }


def broken_rules(
    counts: tuple[tuple[str, int], ...],
    records_breaking: Callable[[str], tuple[IndexedRecord, ...]],
    most: int,
) -> tuple[BrokenRule, ...]:
    """The rules by gravity and number of records, at most so many.

    Args:
        counts: rule ids with the number of records that break each.
        records_breaking: some records that break a rule.
        most: how many rules are told.
    """
    known = {rule.id: rule for rule in all_rules()}
    ranked = sorted(counts, key=lambda one: (_gravity(known.get(one[0])), -one[1], one[0]))
    return tuple(
        _broken(name, n, records_breaking(name), known.get(name)) for name, n in ranked[:most]
    )


def _gravity(rule: Rule | None) -> int:
    return _GRAVITY[rule.severity] if rule else len(_GRAVITY)


def _broken(
    name: str, records: int, examples: tuple[IndexedRecord, ...], rule: Rule | None
) -> BrokenRule:
    """The finding itself knows severity, clause and fix better than the rule: they may depend on
    the tier and the event. An index of an older version may name a rule that is no more.
    """
    found = [(record.id, one) for record in examples if (one := _finding(record, name))]
    first: dict[str, Any] = found[0][1] if found else {}
    return BrokenRule(
        rule=name,
        severity=str(first.get("severity") or (rule.severity if rule else "")),
        clause=str(first.get("clause") or (rule.clause if rule else "")),
        title=rule.title if rule else "",
        fix=str(first.get("fix") or (rule.fix if rule else "")),
        records=records,
        examples=tuple(
            Example(id=record_id, message=one["message"], path=one["path"], line=one["line"])
            for record_id, one in found
        ),
    )


def _finding(record: IndexedRecord, name: str) -> dict[str, Any] | None:
    findings: list[dict[str, Any]] = record.body.get("findings", [])
    return next((one for one in findings if one["rule"] == name), None)
