"""Watching the watchers: every look at the trail is itself journaled, before it is answered."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from audit.frame.syslog import format_message
from audit.index.document import IndexedRecord
from audit.query.access import Principal
from audit.query.patients_shown import PatientsShown
from audit.record.audit_message import AuditMessage
from audit.record.build import (
    Agent,
    Occurrence,
    Outcome,
    Patient,
    Person,
    Process,
    SourceType,
    audit_log_used,
    audit_source,
)
from audit.record.serialise import serialise

NOTICE, WARNING = 5, 4
"""Syslog severities that ITI-20 allows (IHE ITI TF-2 3.20.4.1.2.1)."""

REASON, ACCESS, EMERGENCY = "reason", "access", "emergency"
"""Details of a look: why, and that the glass was broken for it."""

Append = Callable[[bytes], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryIdentity:
    """How this repository names itself in its own audit records.

    Attributes:
        source_id: AuditSourceID.
        site: AuditEnterpriseSiteID; may be empty.
        hostname: of this machine, also its network access point.
        process_id: what local logs call this process.
        app_name: APP-NAME of the syslog header.
        log_uri: names the audit log (ParticipantObjectID of PS3.15 A.5.3.2).
    """

    source_id: str
    hostname: str
    process_id: str
    log_uri: str
    site: str = ""
    app_name: str = "arr"


def as_syslog(
    message: AuditMessage, identity: RepositoryIdentity, when: datetime, severity: int = NOTICE
) -> bytes:
    """A message of our own as a SYSLOG-MSG, ready to be journaled (RFC 5424, ITI-20)."""
    return format_message(
        severity=severity,
        hostname=identity.hostname,
        app_name=identity.app_name,
        procid=identity.process_id,
        timestamp=when,
        msg=serialise(message),
    )


def agent_of(principal: Principal) -> Agent:
    """The principal as a participant: a person for an account, else a process."""
    address = principal.address or None
    if principal.kind == "account":
        name = principal.display_name or None
        return Person(user_id=principal.name, name=name, address=address, requestor=True)
    name = principal.display_name or principal.kind
    return Process(process_id=principal.name, name=name, address=address, requestor=True)


def _circumstances(
    principal: Principal, details: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """Why the principal looks and whether it broke the glass, unless ``details`` tell already."""
    said = {name for name, _ in details}
    told = (
        (REASON, principal.reason),
        (ACCESS, EMERGENCY if principal.emergency else ""),
    )
    return tuple((name, value) for name, value in told if value and name not in said)


class SelfAudit:
    """Journals Audit Log Used (PS3.15 A.5.3.2) for each look at the trail."""

    def __init__(
        self, append: Append, identity: RepositoryIdentity, clock: Callable[[], int]
    ) -> None:
        self._append = append
        self._identity = identity
        self._clock = clock

    def used(
        self,
        principal: Principal,
        details: Sequence[tuple[str, str]],
        shown: Iterable[IndexedRecord] | PatientsShown = (),
    ) -> int:
        """Journal that the principal looked; the sequence of the durable record.

        Args:
            principal: who looked, from where and why.
            details: what was asked, and how much was answered.
            shown: the records that are about to be shown: the record of the look names their
                patients, or beyond ``patients_shown.MOST_NAMED`` the digest of their manifest.

        Raises:
            JournalUnavailable: it could not be journaled; nothing may be shown.
        """
        patients = shown if isinstance(shown, PatientsShown) else PatientsShown(shown)
        told = (*details, *patients.details())
        return self._journal(principal, told, Outcome.SUCCESS, None, patients.named)

    def denied(self, principal: Principal, details: Sequence[tuple[str, str]], why: str) -> int:
        """Journal that the principal tried to look and was refused; raises as ``used`` does."""
        return self._journal(principal, details, Outcome.SERIOUS_FAILURE, why)

    def _journal(
        self,
        principal: Principal,
        details: Sequence[tuple[str, str]],
        outcome: Outcome,
        why: str | None,
        patients: Sequence[str] = (),
    ) -> int:
        identity = self._identity
        when = datetime.fromtimestamp(self._clock() / 1e9, UTC)
        source = audit_source(
            identity.source_id, identity.site or None, (SourceType.APPLICATION_SERVER,)
        )
        occurrence = Occurrence(when=when, source=source, outcome=outcome, outcome_description=why)
        process = Process(
            process_id=identity.process_id,
            name=identity.app_name,
            address=identity.hostname,
            requestor=False,
        )
        accessors = (agent_of(principal), process)
        message = audit_log_used(
            occurrence,
            accessors,
            identity.log_uri,
            (*details, *_circumstances(principal, details)),
            tuple(Patient(id=one) for one in patients),
        )
        severity = NOTICE if outcome is Outcome.SUCCESS else WARNING
        return self._append(as_syslog(message, identity, when, severity))
