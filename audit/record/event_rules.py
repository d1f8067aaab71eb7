"""The rules of PS3.15 A.5.3 and of the IHE transactions, applied as the event table gives them.

Presence is judged, not absence: more participants and objects than a table names are allowed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from audit.record.audit_message import AuditMessage, CodedValue
from audit.record.findings import Finding, Severity, finding
from audit.record.object_rules import judge_objects
from audit.record.participant_rules import judge_participants
from audit.standards import code_tables, event_table
from audit.standards.event_table import EventRow

_EVENT = "/AuditMessage/EventIdentification"
_ENOUGH = 500
"""Far more than anyone reads, and than an honest message breaks."""
_DISCLOSURE = "IHE0006"
_ROLE_OF_QUERY = "object-role"
"""Of DICOM's own messages: FHIR names role 24 for every query, as IHE's profiles do."""


@dataclass(slots=True)
class _Judgement:
    row: EventRow
    found: list[Finding] = field(default_factory=list)

    @property
    def weight(self) -> tuple[int, int]:
        errors = sum(one.severity is Severity.ERROR for one in self.found)
        return errors, len(self.found)


def judge_event(message: AuditMessage) -> list[Finding]:
    """Breaches of what the message's event, or its IHE transaction, must hold."""
    event = message.event_identification
    transaction = _transaction(message)
    if transaction:
        known = event_table.transactions(), event_table.common_practice()
        rows = next((of[transaction] for of in known if transaction in of), None)
        return _unknown(transaction) if rows is None else _judge_transaction(message, rows)
    row = event_table.dicom_events().get(event.event_id.csd_code)
    return [] if row is None else _judge_row(message, row, "event")


def judge_fhir_event(message: AuditMessage, profiles: Sequence[str]) -> list[Finding]:
    """Breaches of what a FHIR AuditEvent must hold.

    It is judged by the profile of IHE that it claims, else by those of the transaction in its
    subtype; one that names neither as a message by PS3.15 would be.

    Args:
        message: what the AuditEvent says in the words of PS3.15.
        profiles: names of the profiles that it claims, without what stands before the last slash.
    """
    known = event_table.fhir_profiles()
    rows: Sequence[EventRow] = [known[name] for name in profiles if name in known]
    if not rows:
        rows = event_table.fhir_transactions().get(_transaction(message), ())
    if rows:
        return _judge_transaction(message, rows)
    return [one for one in judge_event(message) if one.rule != _ROLE_OF_QUERY]


def _transaction(message: AuditMessage) -> str:
    """The EventTypeCode that names an IHE transaction; empty when none does."""
    for kind in message.event_identification.event_type_codes:
        if code_tables.is_transaction(kind.csd_code, kind.code_system_name):
            return kind.csd_code
    return ""


def _unknown(transaction: str) -> list[Finding]:
    return [
        finding(
            "ihe-transaction-unknown",
            f"no rules are known for {transaction}",
            path=f"{_EVENT}/EventTypeCode",
        )
    ]


def _judge_transaction(message: AuditMessage, rows: Sequence[EventRow]) -> list[Finding]:
    """Judge by the side and variant that fits best: a message doesn't say who sent it."""
    event = message.event_identification.event_id.csd_code
    fitting = [row for row in rows if row.event == event]
    if not fitting:
        expected = " or ".join(sorted({row.event for row in rows}))
        wrong = finding(
            "ihe-event-id",
            f"{rows[0].transaction or rows[0].name} has the EventID {event!r:.80}, "
            f"expected {expected}",
            path=f"{_EVENT}/EventID",
            clause=rows[0].clause,
        )
        return [_weighed(wrong, rows[0])]
    judged = [_Judgement(row, _judge_row(message, row, "ihe")) for row in fitting]
    best = min(judged, key=lambda one: one.weight)
    return [_weighed(one, best.row) for one in best.found]


def _weighed(one: Finding, row: EventRow) -> Finding:
    """No graver than its source is binding."""
    if row.practice:
        return replace(one, severity=Severity.INFO)
    if not row.binding and one.severity is Severity.ERROR:
        return replace(one, severity=Severity.WARNING)
    return one


def _judge_row(message: AuditMessage, row: EventRow, family: str) -> list[Finding]:
    found = chain(
        _judge_action(message, row, family),
        _judge_type_codes(message, row),
        _judge_purpose(message, row),
        judge_participants(message, row, family),
        judge_objects(message, row, family),
    )
    return list(islice(found, _ENOUGH))


def _judge_action(message: AuditMessage, row: EventRow, family: str) -> Iterator[Finding]:
    action = (message.event_identification.event_action_code or "").strip()
    if row.profile and not action:
        return  # profiles fix the value where there is one, but don't demand it
    if row.actions and action not in row.actions:
        yield finding(
            f"{family}-action-code",
            f"{row.transaction or row.name} has the action {action or 'none'!r}, "
            f"expected {' or '.join(row.actions)}",
            path=f"{_EVENT}/@EventActionCode",
            clause=row.clause,
        )


def _judge_type_codes(message: AuditMessage, row: EventRow) -> Iterator[Finding]:
    if not row.type_codes:
        return
    kinds = message.event_identification.event_type_codes
    sent = [kind.csd_code for kind in kinds]
    named = ", ".join(row.type_codes[:4]) + (" …" if len(row.type_codes) > 4 else "")  # noqa: PLR2004 - enough to show
    if not sent:
        yield finding(
            "event-type-code-missing",
            f"{row.name} needs an EventTypeCode, one of {named}",
            path=_EVENT,
            clause=row.clause,
        )
    elif row.type_codes_extensible and all(map(is_private, kinds)):
        return
    elif not set(sent).intersection(row.type_codes):
        yield finding(
            "event-type-code" if row.type_codes_extensible else "event-type-code-missing",
            f"{row.name} has the EventTypeCode {sent[0]!r:.80}, expected one of {named}",
            path=f"{_EVENT}/EventTypeCode",
            clause=row.clause,
        )


def is_private(kind: CodedValue) -> bool:
    """Whether the code names a system other than DICOM's: it may extend a set of codes."""
    return kind.code_system_name not in {"", *code_tables.DICOM_SYSTEMS}


def _judge_purpose(message: AuditMessage, row: EventRow) -> Iterator[Finding]:
    if row.transaction == _DISCLOSURE and not message.event_identification.purposes_of_use:
        yield finding("ihe-disclosure-purpose", "a disclosure without PurposeOfUse", path=_EVENT)
