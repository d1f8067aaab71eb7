"""Non-conformance is data: a finding never loses a message."""

from dataclasses import asdict, dataclass
from enum import StrEnum


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
