"""Non-conformance is data: a finding never loses a message."""

from dataclasses import asdict, dataclass
from enum import StrEnum

from audit.standards.rules import rule


class Severity(StrEnum):
    """How much a finding weighs; one error makes a verdict ``invalid``."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One breach of one rule.

    Attributes:
        rule: stable id, kebab-case, for example ``event-participant-missing``.
        severity: how much it weighs.
        clause: where the rule comes from, for example ``PS3.15 A.5.3.10``.
        path: where, for example ``/AuditMessage/ActiveParticipant[2]/@UserID``; may be empty.
        line: one-based line of the XML, 0 when unknown.
        message: what was found and what was expected.
        fix: how the sender mends it.
    """

    rule: str
    severity: Severity
    clause: str
    message: str
    fix: str
    path: str = ""
    line: int = 0

    def as_dict(self) -> dict[str, str | int]:
        """The JSON form that ``arr validate --json`` prints."""
        return asdict(self) | {"severity": str(self.severity)}


def finding(
    rule_id: str,
    message: str,
    *,
    path: str = "",
    line: int = 0,
    fix: str | None = None,
    clause: str | None = None,
) -> Finding:
    """A finding of the rule; severity is the rule's, clause and fix too unless given.

    Raises:
        KeyError: no rule has that id, which is a defect of the caller.
    """
    known = rule(rule_id)
    return Finding(
        rule=rule_id,
        severity=Severity(known.severity),
        clause=known.clause if clause is None else clause,
        message=message,
        fix=known.fix if fix is None else fix,
        path=path,
        line=line,
    )
