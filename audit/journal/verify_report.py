"""What a verification found, as data."""

from dataclasses import asdict, dataclass, field
from typing import Any

from audit.errors import IncompleteCheck, IntegrityViolation

MAX_VIOLATIONS = 100
"""Beyond it violations are counted, not described."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Something below a signed head is altered, missing, added or out of order.

    Attributes:
        problem: what was found, in words.
        file: path below the journal.
        sequence: the first entry concerned, None when it is not about an entry.
        offset: where in the file, None when it is about the whole file.
    """

    problem: str
    file: str
    sequence: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """The outcome of one verification.

    Attributes:
        origin: short name of the log, empty when its identity is damaged.
        verifier_key: the key that the newest head is checked with, for comparison with a copy.
        segments: segment files read.
        entries: whole entries read, each with its checksum and leaf hash recomputed.
        octets: octets of segments read.
        removed: entries whose body and salt are gone, by a statement that the log signed.
        heads: signed heads whose signature and root were recomputed.
        covered: entries below the newest signed head.
        root: root of the newest signed head, hexadecimal.
        violations: at most ``MAX_VIOLATIONS`` of them, in the order found.
        violation_count: all of them.
        notes: what is worth knowing and is no violation.
        unchecked: segments that could not be read, for want of a key, and why.
    """

    origin: str
    verifier_key: str
    segments: int
    entries: int
    octets: int
    removed: int
    heads: int
    covered: int
    root: str
    violations: tuple[Violation, ...]
    violation_count: int
    notes: tuple[str, ...]
    unchecked: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether there is no violation, in what could be checked."""
        return self.violation_count == 0

    @property
    def first_bad(self) -> Violation | None:
        """The violation with the smallest sequence; None when none names an entry."""
        named = [one for one in self.violations if one.sequence is not None]
        return min(named, key=lambda one: one.sequence or 0, default=None)

    @property
    def exit_code(self) -> int:
        """What ``arr verify`` ends with."""
        if not self.intact:
            return IntegrityViolation.exit_code
        return IncompleteCheck.exit_code if self.unchecked else 0

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        first = self.first_bad
        told = {"intact": self.intact, "first_bad": None if first is None else asdict(first)}
        return {**told, **asdict(self)}


@dataclass(slots=True)
class Findings:
    """Collects what is found while a verification runs."""

    segments: int = 0
    entries: int = 0
    octets: int = 0
    removed: int = 0
    heads: int = 0
    violations: list[Violation] = field(default_factory=list)
    violation_count: int = 0
    notes: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def violation(
        self, problem: str, file: str, sequence: int | None = None, offset: int | None = None
    ) -> None:
        """Count a violation and keep it if it is among the first."""
        self.violation_count += 1
        if len(self.violations) < MAX_VIOLATIONS:
            self.violations.append(
                Violation(problem=problem, file=file, sequence=sequence, offset=offset)
            )

    def add(self, other: "Findings") -> None:
        """Take over what was found elsewhere, after what was found here."""
        for name in ("segments", "entries", "octets", "removed", "heads", "violation_count"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        room = max(0, MAX_VIOLATIONS - len(self.violations))
        self.violations += other.violations[:room]
        self.notes += other.notes
        self.unchecked += other.unchecked

    def note(self, text: str) -> None:
        """Keep a remark."""
        self.notes.append(text)
