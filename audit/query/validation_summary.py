"""Many results of validation in a few lines: by verdict, tier, event, rule and source."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from audit.query.validation import ValidationResult

NAMELESS = "(no AuditSourceID)"
_GROUPS = ("verdict", "tier", "event", "rule")


@dataclass(slots=True)
class SourceSummary:
    """What one audit source sent.

    Attributes:
        messages: how many.
        verdict: messages by verdict.
        rule: messages by the rules they break.
    """

    messages: int = 0
    verdict: Counter[str] = field(default_factory=Counter)
    rule: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "messages": self.messages,
            "verdict": _ranked(self.verdict),
            "rule": _ranked(self.rule),
        }


@dataclass(slots=True)
class Summary:
    """Counts of messages; a message that breaks a rule several times counts once.

    Attributes:
        groups: by ``verdict``, ``tier``, ``event`` and ``rule``.
        sources: by AuditSourceID; a message that names several counts for each.
    """

    groups: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in _GROUPS}
    )
    sources: dict[str, SourceSummary] = field(default_factory=dict)

    def add(self, result: ValidationResult) -> None:
        """Count one result."""
        said = result.assessment
        rules = {one.rule for one in result.findings}
        self.groups["verdict"][result.verdict] += 1
        self.groups["tier"][said.tier] += 1
        self.groups["event"][said.event or "unknown"] += 1
        self.groups["rule"].update(rules)
        for name in _sources_of(result):
            source = self.sources.setdefault(name, SourceSummary())
            source.messages += 1
            source.verdict[result.verdict] += 1
            source.rule.update(rules)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that ``arr validate --summary --json`` prints, the commonest first."""
        named = sorted(self.sources.items(), key=lambda one: (-one[1].messages, one[0]))
        return {
            **{name: _ranked(counts) for name, counts in self.groups.items()},
            "source": {name: source.as_dict() for name, source in named},
        }


def summarise(results: Iterable[ValidationResult]) -> Summary:
    """The summary of all results."""
    summary = Summary()
    for result in results:
        summary.add(result)
    return summary


def _sources_of(result: ValidationResult) -> set[str]:
    message = result.assessment.message
    named = {one.audit_source_id.strip() for one in message.audit_sources} if message else set()
    return named - {""} or {NAMELESS}


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
