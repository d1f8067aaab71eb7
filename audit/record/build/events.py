"""One function per event of PS3.15 A.5.3, strict by construction.

Each takes what the event's table asks for and raises TypeError or ValueError, naming the clause,
for what the table can't hold.
"""

from collections.abc import Sequence

from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
)
from audit.record.build.arguments import (
    Agent,
    AlertSubject,
    DicomQuery,
    Exchange,
    Media,
    Node,
    Occurrence,
    Patient,
    Person,
    Process,
    Study,
    UrlQuery,
)
from audit.record.build.codes import (
    Action,
    Alert,
    ApplicationActivity,
    Authentication,
    EventId,
    NetworkEntry,
    Role,
)
from audit.record.build.envelope import (
    RECORD_ACTIONS,
    TRANSFER_ACTIONS,
    check_action,
    check_count,
    check_kind,
    identification,
    message,
    patients_and_studies,
)
from audit.record.build.parts import (
    Seat,
    alert_object,
    log_object,
    media_participant,
    participants,
    query_object,
    seats,
)
from audit.record.build.wording import required


def application_activity(
    occurrence: Occurrence,
    activity: ApplicationActivity,
    application: Process,
    launchers: Sequence[Agent] = (),
) -> AuditMessage:
    """An application started or stopped (A.5.3.1)."""
    clause = "A.5.3.1"
    check_kind(activity, ApplicationActivity, "the activity", clause)
    check_kind(application, Process, "the application", clause)
    return message(
        identification(EventId.APPLICATION_ACTIVITY, Action.EXECUTE, occurrence, activity),
        occurrence,
        participants(
            (Seat(application, (Role.APPLICATION,)), *seats(launchers, Role.LAUNCHER)), clause
        ),
    )


def audit_log_used(
    occurrence: Occurrence,
    accessors: Sequence[Agent],
    log_uri: str,
    details: Sequence[tuple[str, str | bytes]] = (),
    patients: Sequence[Patient] = (),
) -> AuditMessage:
    """Somebody read the audit log (A.5.3.2).

    ``details`` may say what was asked, ``patients`` who stood in what was read.
    """
    clause = "A.5.3.2"
    check_count(accessors, "accessor", clause)
    required(log_uri, "URI of the audit log", clause)
    return message(
        identification(EventId.AUDIT_LOG_USED, Action.READ, occurrence),
        occurrence,
        participants(seats(accessors), clause),
        (log_object(log_uri, details), *patients_and_studies(patients, (), clause)),
    )


def _exchange(exchange: Exchange, clause: str) -> tuple[ActiveParticipant, ...]:
    check_kind(exchange, Exchange, "the exchange", clause)
    return participants(
        (
            Seat(exchange.source, (Role.SOURCE,)),
            Seat(exchange.destination, (Role.DESTINATION,)),
            *seats(exchange.others),
        ),
        clause,
    )


def begin_transferring(
    occurrence: Occurrence, exchange: Exchange, patient: Patient, studies: Sequence[Study]
) -> AuditMessage:
    """A transfer of instances begins (A.5.3.3)."""
    clause = "A.5.3.3"
    check_count(studies, "study", clause, most=None)
    return message(
        identification(EventId.BEGIN_TRANSFERRING, Action.EXECUTE, occurrence),
        occurrence,
        _exchange(exchange, clause),
        patients_and_studies((patient,), studies, clause),
    )


def instances_transferred(
    occurrence: Occurrence,
    action: Action,
    exchange: Exchange,
    patient: Patient,
    studies: Sequence[Study],
) -> AuditMessage:
    """A transfer of instances ended, well or not (A.5.3.7).

    ``action``: CREATE when the receiver held none of them, UPDATE when it altered what it held,
    READ when it held the same, or when the reporter can't tell, as a sender can't.
    """
    clause = "A.5.3.7"
    check_action(action, TRANSFER_ACTIONS, clause)
    check_count(studies, "study", clause, most=None)
    return message(
        identification(EventId.INSTANCES_TRANSFERRED, action, occurrence),
        occurrence,
        _exchange(exchange, clause),
        patients_and_studies((patient,), studies, clause),
    )


def data_export(
    occurrence: Occurrence,
    exporters: Sequence[Agent],
    media: Media,
    patients: Sequence[Patient],
    studies: Sequence[Study] = (),
    remote: Sequence[Agent] = (),
) -> AuditMessage:
    """Data left the system on media, on paper or to a remote party (A.5.3.4)."""
    clause = "A.5.3.4"
    check_count(exporters, "exporter", clause)
    check_count(patients, "patient", clause, most=None)
    check_kind(media, Media, "the media", clause)
    people = (*seats(exporters, Role.SOURCE), *seats(remote, Role.DESTINATION))
    return message(
        identification(EventId.EXPORT, Action.READ, occurrence),
        occurrence,
        (
            *participants(people, clause, exactly_one=True),
            media_participant(media, Role.DESTINATION_MEDIA),
        ),
        patients_and_studies(patients, studies, clause),
    )


def data_import(
    occurrence: Occurrence,
    importers: Sequence[Agent],
    media: Media,
    patients: Sequence[Patient],
    studies: Sequence[Study] = (),
    sources: Sequence[Agent] = (),
) -> AuditMessage:
    """Data came in from media (A.5.3.5)."""
    clause = "A.5.3.5"
    check_count(importers, "importer", clause, most=None)
    check_count(patients, "patient", clause, most=None)
    check_kind(media, Media, "the media", clause)
    people = (*seats(importers, Role.DESTINATION), *seats(sources, Role.SOURCE))
    return message(
        identification(EventId.IMPORT, Action.CREATE, occurrence),
        occurrence,
        (
            *participants(people, clause, exactly_one=True),
            media_participant(media, Role.SOURCE_MEDIA),
        ),
        patients_and_studies(patients, studies, clause),
    )


def instances_accessed(
    occurrence: Occurrence,
    action: Action,
    accessors: Sequence[Agent],
    patient: Patient,
    studies: Sequence[Study],
) -> AuditMessage:
    """Instances were made, read, changed or deleted (A.5.3.6).

    When every instance of a study is deleted, ``study_deleted`` is the event instead.
    """
    clause = "A.5.3.6"
    check_action(action, RECORD_ACTIONS, clause)
    check_count(accessors, "accessor", clause)
    check_count(studies, "study", clause, most=None)
    return message(
        identification(EventId.INSTANCES_ACCESSED, action, occurrence),
        occurrence,
        participants(seats(accessors), clause),
        patients_and_studies((patient,), studies, clause),
    )


def study_deleted(
    occurrence: Occurrence,
    deleters: Sequence[Agent],
    patient: Patient,
    studies: Sequence[Study],
) -> AuditMessage:
    """Whole studies were deleted (A.5.3.8)."""
    clause = "A.5.3.8"
    check_count(deleters, "deleter", clause)
    check_count(studies, "study", clause, most=None)
    return message(
        identification(EventId.STUDY_DELETED, Action.DELETE, occurrence),
        occurrence,
        participants(seats(deleters), clause),
        patients_and_studies((patient,), studies, clause),
    )


def network_entry(occurrence: Occurrence, entry: NetworkEntry, node: Node) -> AuditMessage:
    """A node joined or left the network; it is never the requestor (A.5.3.9)."""
    clause = "A.5.3.9"
    check_kind(entry, NetworkEntry, "the entry", clause)
    check_kind(node, Node, "the node", clause)
    return message(
        identification(EventId.NETWORK_ENTRY, Action.EXECUTE, occurrence, entry),
        occurrence,
        participants(seats((node,), may_request=False), clause),
    )


def query(
    occurrence: Occurrence, exchange: Exchange, asked: DicomQuery | UrlQuery
) -> AuditMessage:
    """A query was issued or received; the issuer is the exchange's source (A.5.3.10)."""
    clause = "A.5.3.10"
    check_kind(asked, (DicomQuery, UrlQuery), "the query", clause)
    return message(
        identification(EventId.QUERY, Action.EXECUTE, occurrence),
        occurrence,
        _exchange(exchange, clause),
        (query_object(asked),),
    )


def security_alert(
    occurrence: Occurrence,
    alert: Alert,
    reporters: Sequence[Agent],
    subjects: Sequence[AlertSubject] = (),
    performers: Sequence[Agent] = (),
) -> AuditMessage:
    """Something that concerns security; the outcome tells its gravity (A.5.3.11).

    SUCCESS is for information, the middle two for what was mitigated, MAJOR_FAILURE for a system
    that may be compromised. Performers are never the requestor.
    """
    clause = "A.5.3.11"
    check_kind(alert, Alert, "the alert", clause)
    check_count(reporters, "reporter", clause)
    for subject in subjects:
        check_kind(subject, AlertSubject, "an alert's subject", clause)
    return message(
        identification(EventId.SECURITY_ALERT, Action.EXECUTE, occurrence, alert),
        occurrence,
        participants((*seats(reporters), *seats(performers, may_request=False)), clause),
        tuple(map(alert_object, subjects)),
    )


def user_authentication(
    occurrence: Occurrence,
    activity: Authentication,
    user: Person,
    authenticator: Node | Process | None = None,
) -> AuditMessage:
    """A user logged in or out, or tried to; the user's address is mandatory (A.5.3.12).

    For a log-off by inactivity give the person ``requestor=False``.
    """
    clause = "A.5.3.12"
    check_kind(activity, Authentication, "the activity", clause)
    check_kind(user, Person, "the user", clause)
    if user.address is None:
        raise ValueError(f"the user's network access point is mandatory (PS3.15 {clause})")
    others = () if authenticator is None else (authenticator,)
    for other in others:
        check_kind(other, (Node, Process), "the authenticator", clause)
    return message(
        identification(EventId.USER_AUTHENTICATION, Action.EXECUTE, occurrence, activity),
        occurrence,
        participants(seats((user, *others)), clause),
    )


def order_record(
    occurrence: Occurrence, action: Action, handlers: Sequence[Agent], patient: Patient
) -> AuditMessage:
    """An order was made, read, changed or deleted (A.5.3.13)."""
    return _record(EventId.ORDER_RECORD, "A.5.3.13", (occurrence, action, handlers, patient))


def patient_record(
    occurrence: Occurrence, action: Action, handlers: Sequence[Agent], patient: Patient
) -> AuditMessage:
    """A patient's record was made, read, changed or deleted (A.5.3.14)."""
    return _record(EventId.PATIENT_RECORD, "A.5.3.14", (occurrence, action, handlers, patient))


def procedure_record(
    occurrence: Occurrence,
    action: Action,
    handlers: Sequence[Agent],
    patient: Patient,
    studies: Sequence[Study] = (),
) -> AuditMessage:
    """A procedure was made, read, changed or deleted (A.5.3.15)."""
    given = (occurrence, action, handlers, patient)
    return _record(EventId.PROCEDURE_RECORD, "A.5.3.15", given, studies)


def _record(
    event: EventId,
    clause: str,
    given: tuple[Occurrence, Action, Sequence[Agent], Patient],
    studies: Sequence[Study] = (),
) -> AuditMessage:
    occurrence, action, handlers, patient = given
    check_action(action, RECORD_ACTIONS, clause)
    check_count(handlers, "handler", clause)
    return message(
        identification(event, action, occurrence),
        occurrence,
        participants(seats(handlers), clause),
        patients_and_studies((patient,), studies, clause),
    )
