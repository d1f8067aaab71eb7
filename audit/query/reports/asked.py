"""What a report is asked for, and its bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from typing_extensions import override

from audit.errors import RequestError
from audit.index.criteria import And, Criteria, Exists, Not, Or, Term, fold
from audit.query.reports.report import Kind
from audit.query.senders import SenderOptions

MOST_PATIENTS = 200

SUBJECTS: Mapping[Kind, str] = {
    "disclosures": "patients",
    "access": "patients",
    "patients": "patients",
    "user": "user",
    "study": "study",
}
"""Whom or what a kind is about: the field that it can't be made without."""


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """One identifier of a patient; ``assigner`` empty for whoever assigned it."""

    identifier: str
    assigner: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """A bare identifier, or an HL7 CX ``ID^^^NAME&OID&ISO``, of which the OID counts."""
        parts = text.strip().split("^")
        authority = parts[_ASSIGNER] if len(parts) > _ASSIGNER else ""
        named = [part.strip() for part in reversed(authority.split("&")[:2]) if part.strip()]
        return cls(parts[0].strip(), named[0] if named else "")

    @property
    def criteria(self) -> Criteria:
        """Records that name it; those that name no assigner at all count."""
        named = Term("patient", self.identifier)
        if not self.assigner:
            return named
        by = Or((Term("patient_assigner", self.assigner), Not(Exists("patient_assigner"))))
        return And((named, by))

    def names(self, identifier: str, written: str) -> bool:
        """Whether an object's identifier, as written in the message, is this one.

        ``written`` is an HL7 CX or a bare identifier; one without assigner counts.
        """
        if fold(identifier) != fold(self.identifier):
            return False
        parts = [
            part for part in written.split("~") if fold(part.split("^")[0]) == fold(identifier)
        ]
        authorities = [part.split("^")[3] for part in parts if part.count("^") >= _ASSIGNER]
        if not self.assigner or not any(authorities):
            return True
        wanted = fold(self.assigner)
        return any(wanted in map(fold, authority.split("&")) for authority in authorities)

    @override
    def __str__(self) -> str:
        return f"{self.identifier} ({self.assigner})" if self.assigner else self.identifier


_ASSIGNER = 3
"""Components of a CX before its assigning authority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAsked:
    """One question.

    Attributes:
        kind: which report.
        start: first time it covers, UTC nanoseconds; by the events' time.
        end: end of the period.
        patients: identifiers. For one patient (disclosures, access) all of them are the same
            person; for many (patients) each is a person of its own.
        user: a person's or program's identifier (user).
        study: a Study Instance UID (study).
        pseudonymised: staff are shown by numbers that hold within this report (access).
        revealed: name the staff behind the numbers after all; needs a reason.
        reason: why it is asked.
    """

    kind: Kind
    start: int
    end: int
    patients: tuple[PatientIdentity, ...] = ()
    user: str = ""
    study: str = ""
    pseudonymised: bool = False
    revealed: bool = False
    reason: str = ""

    def check(self) -> None:
        """Refuse what no report can be made of; raises RequestError."""
        if self.start >= self.end:
            raise RequestError("the period ends before it begins")
        subject = SUBJECTS.get(self.kind)
        if subject is not None and not getattr(self, subject):
            raise RequestError(f"this report needs a {subject.removesuffix('s')}")
        if len(self.patients) > MOST_PATIENTS:
            raise RequestError(f"at most {MOST_PATIENTS} patients at once")
        if self.revealed and not self.reason.strip():
            raise RequestError("to name the staff, say for what reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """Bounds of reports.

    Attributes:
        records: most records that one report looks at; a report beyond says that it is cut.
        sources: most senders told apart; the busiest.
        sample: newest records of a sender that its clock is judged by.
        skew_s: a clock off by more than this is named.
        silence_days: a sender without a record for so many days on end is named.
        documents: most documents, and most studies, by which records that name no patient are
            attributed.
        session_gap_s: acts further apart than this belong to different sessions, where no login
            or logout tells.
        longest_days: longest period.
    """

    records: int = 20_000
    sources: int = 50
    sample: int = 20
    skew_s: float = 60.0
    silence_days: int = 1
    documents: int = 500
    session_gap_s: int = 1_800
    longest_days: int = 3_660
    senders: SenderOptions = field(default_factory=SenderOptions)
