"""ReportService: reports for principals; every one is journaled before it is given."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from audit.errors import NotFound, RequestError
from audit.query.access import Principal, Scope
from audit.query.audited_trail import AuditedTrail, Details
from audit.query.patients_shown import PatientsShown
from audit.query.reports import (
    accesses,
    activity,
    conformance,
    disclosures,
    study_trail,
    user_acts,
)
from audit.query.reports.asked import ReportAsked, ReportOptions
from audit.query.reports.gather import Gather
from audit.query.reports.names import AliasTable, OtherNames
from audit.query.reports.reliance import Reliance, relied_on
from audit.query.reports.report import Kind, Report, Section
from audit.query.roles import OUTSIDE
from audit.query.senders import Period, SenderReporter
from audit.record.times import format_ns, parse_date_time

_NS_PER_DAY = 86_400 * 1_000_000_000
_OF_PATIENTS: frozenset[Kind] = frozenset({"disclosures", "access", "patients", "study"})
LONGEST_STATEMENT = 1_000
_REVIEW = b'type="report" value="' + b64encode(b"activity") + b'"'
"""How a record of a report says that it was this one (ParticipantObjectDetail, PS3.15 A.5.1)."""

_SUCCESS = b'EventOutcomeIndicator="0"'
"""That it was made: the record of a refused attempt says the same of what was asked."""

_PERIOD = re.compile(rb'type="period" value="([A-Za-z0-9+/=]+)"')

Sections = Callable[[Gather, ReportAsked], tuple[Section, ...]]


@dataclass(frozen=True, slots=True)
class _Form:
    """One kind of report."""

    title: str
    basis: str
    sections: Sections


def _nothing(_gather: Gather, _asked: ReportAsked) -> tuple[Section, ...]:
    return ()


_FORMS: Mapping[Kind, _Form] = {
    "disclosures": _Form(disclosures.TITLE, disclosures.BASIS, disclosures.sections),
    "access": _Form(accesses.TITLE, accesses.BASIS, accesses.sections),
    "patients": _Form(accesses.TITLE_OF_MANY, accesses.BASIS_OF_MANY, accesses.sections_of_many),
    "user": _Form(user_acts.TITLE, user_acts.BASIS, user_acts.sections),
    "study": _Form(study_trail.TITLE, study_trail.BASIS, study_trail.sections),
    "activity": _Form(activity.TITLE, activity.BASIS, activity.sections),
    "senders": _Form(conformance.TITLE, conformance.BASIS, _nothing),
}
KINDS: tuple[Kind, ...] = tuple(_FORMS)


def title_of(kind: Kind) -> str:
    """A kind's title."""
    return _FORMS[kind].title


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """That somebody reviewed a period and stands for it.

    Attributes:
        start: of the period reviewed, UTC nanoseconds.
        end: its end.
        record: id of the record of the report that was reviewed.
        statement: what is signed: what was found and what is done about it.
    """

    start: int
    end: int
    record: str
    statement: str


class ReportService:
    """Makes reports of one trail. Safe to use from several threads.

    Args:
        trail: what is reported on.
        options: bounds.
        aliases: identities that are of one patient or person; None where no table is kept.
    """

    def __init__(
        self,
        trail: AuditedTrail,
        options: ReportOptions | None = None,
        aliases: AliasTable | None = None,
    ) -> None:
        self._trail = trail
        self._aliases = aliases
        self._options = options or ReportOptions()

    def now(self) -> int:
        """The trail's clock, UTC nanoseconds."""
        return self._trail.options.clock()

    def make(self, principal: Principal, asked: ReportAsked) -> Report:
        """A report.

        Needs ``reports:read``; those that name patients ``patients:identify`` as well.

        Raises:
            RequestError: something is missing, or out of bounds.
            Denied: the principal lacks a scope; the attempt is journaled.
            JournalUnavailable: it can't be journaled: there is no report.
            IndexUnavailable: the index can't answer.
        """
        details = _details(asked)
        principal = replace(principal, reason=asked.reason.strip() or principal.reason)
        self._trail.require(principal, Scope.REPORTS_READ, details)
        if asked.kind in _OF_PATIENTS:
            self._trail.require(principal, Scope.PATIENTS_IDENTIFY, details)
        asked.check()
        longest = self._options.longest_days
        if asked.end - asked.start > longest * _NS_PER_DAY:
            raise RequestError(f"the longest period is {longest} days")
        report = self._made(principal, asked)
        rows = ("rows", str(report.rows))
        shown = PatientsShown(identifiers=_patients_in(report, asked))
        sequence = self._trail.audit.used(principal, (*details, rows), shown)
        return replace(report, record=f"{self._trail.reader.origin}-{sequence}")

    def sign_off(self, principal: Principal, signed: SignOff) -> str:
        """Journal that a period was reviewed; the id of the record, which is the sign-off.

        It binds the statement to the report it is about, by that report's own record. Needs
        ``reports:read``.

        Raises:
            RequestError: there is no statement, or it is too long, or the period is none.
            NotFound: there is no such record of a report.
            JournalUnavailable: it can't be journaled, so it isn't signed.
        """
        period = f"{format_ns(signed.start)} to {format_ns(signed.end)}"
        details: Details = (
            (activity.SIGNED, period),
            ("report reviewed", signed.record),
            ("statement", signed.statement.strip()),
        )
        self._trail.require(principal, Scope.REPORTS_READ, details)
        if signed.start >= signed.end:
            raise RequestError("the period ends before it begins")
        if not 0 < len(signed.statement.strip()) <= LONGEST_STATEMENT:
            raise RequestError(f"a sign-off needs a statement of 1 to {LONGEST_STATEMENT} letters")
        self._require_review(signed)
        sequence = self._trail.audit.used(principal, details)
        return f"{self._trail.reader.origin}-{sequence}"

    def _require_review(self, signed: SignOff) -> None:
        """That the record is one of ours which says that a review of all that time was made."""
        received = self._trail.reader.read(self._trail.sequence(signed.record)).received
        is_made = received.listener not in OUTSIDE and _SUCCESS in received.raw
        if not is_made or _REVIEW not in received.raw:
            raise NotFound(f"{signed.record} is no record of a review of system activity")
        start, end = _period_in(received.raw)
        if signed.start < start or signed.end > end:
            raise RequestError(
                f"the review of {signed.record} is of {format_ns(start)} to {format_ns(end)}"
            )

    def _made(self, principal: Principal, asked: ReportAsked) -> Report:
        options, now = self._options, self._trail.options.clock()
        form = _FORMS[asked.kind]
        names = OtherNames(self._aliases)
        view = self._trail.view(principal)
        gather = Gather(view, options, names, start=asked.start, end=asked.end)
        report = Report(
            kind=asked.kind,
            title=form.title,
            basis=form.basis,
            start=asked.start,
            end=asked.end,
            made_at=now,
            made_by=principal.display_name or principal.name,
            reason=asked.reason.strip(),
            asked=_asked_pairs(asked),
            sections=form.sections(gather, asked),
        )
        if asked.pseudonymised:
            title, basis = accesses.TITLE_FOR_PATIENT, accesses.BASIS_FOR_PATIENT
            report = replace(report, title=title, basis=basis)
        if asked.kind == "senders":
            report = self._of_senders(report, gather)
        if principal.rows is not None:
            gather.warnings.append("only the records that its asker may see were looked at")
        reliance = Reliance(view, options, start=asked.start, end=asked.end, now=now)
        return relied_on(report, reliance, gather, self._trail.lag())

    def _of_senders(self, report: Report, gather: Gather) -> Report:
        period = Period(report.start, report.end)
        reporter = SenderReporter(gather.view, period, self._options.senders)
        found = conformance.sections(reporter.report())
        gather.partial = gather.partial or reporter.partial
        gather.warnings += reporter.warnings
        return replace(report, sections=found)


def _patients_in(report: Report, asked: ReportAsked) -> list[str]:
    """Whom the report names, as it names them."""
    if asked.patients:
        return [one.identifier for one in asked.patients] if report.rows else []
    found = [one for one in report.sections if one.name == "patients"]
    return [row[0] for section in found for row in section.rows]


def _period_in(raw: bytes) -> tuple[int, int]:
    """The period that the record of a report tells, as ``_details`` wrote it."""
    found = _PERIOD.search(raw)
    told = b64decode(found[1]).decode().split(" to ") if found else ()
    times = [parse_date_time(one).ns or 0 for one in told]
    return (times[0], times[1]) if len(times) == 2 else (0, 0)  # noqa: PLR2004 - begin and end


def _asked_pairs(asked: ReportAsked) -> tuple[tuple[str, str], ...]:
    pairs = [("Patient", str(one)) for one in asked.patients]
    pairs += [("User", asked.user)] if asked.user else []
    pairs += [("Study", asked.study)] if asked.study else []
    return tuple(pairs)


def _details(asked: ReportAsked) -> Details:
    """How the audit trail names it."""
    period = f"{format_ns(asked.start)} to {format_ns(asked.end)}"
    details = [("report", asked.kind), ("period", period)]
    details += [(name.lower(), value) for name, value in _asked_pairs(asked)]
    if asked.pseudonymised:
        details.append(("staff", "named" if asked.revealed else "numbered"))
    return tuple(details)
