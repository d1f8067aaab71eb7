"""What the simulated hospital reports: one function per kind of message, slots → AuditMessage.

Slots hold every value that changes from message to message, exactly as the XML shows it; the other
arguments choose the kind. ``template`` turns a scene into a format string once, so that a message
costs one substitution.
"""

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime

from audit.record.audit_message import AuditMessage
from audit.record.build import (
    SCHEDULED,
    Action,
    Alert,
    AlertSubject,
    ApplicationActivity,
    Authentication,
    DicomQuery,
    Exchange,
    IdType,
    Media,
    MediaType,
    NetworkEntry,
    Node,
    Occurrence,
    Outcome,
    Patient,
    Person,
    Process,
    SOPInstances,
    SourceType,
    Study,
    application_activity,
    audit_log_used,
    audit_source,
    begin_transferring,
    data_export,
    data_import,
    instances_accessed,
    instances_transferred,
    network_entry,
    order_record,
    patient_record,
    procedure_record,
    query,
    security_alert,
    study_deleted,
    user_authentication,
)
from audit.simulate.facts import facts

Slots = Mapping[str, str]
IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
_RECORDS = {"order": order_record, "patient": patient_record}


def _occurrence(slots: Slots, source: SourceType, outcome: Outcome) -> Occurrence:
    return Occurrence(
        when=datetime.fromisoformat(slots["when"]),
        source=audit_source(slots["src"], facts().site, (source,)),
        outcome=outcome,
    )


def _person(slots: Slots, requestor: bool | None = None) -> Person:
    return Person(
        user_id=slots["u_id"],
        name=slots["u_name"],
        alternative_user_id=slots["u_alt"],
        address=slots["u_addr"],
        requestor=requestor,
    )


def _process(slots: Slots, side: str) -> Process:
    return Process(
        process_id=slots[f"{side}_pid"],
        name=slots[f"{side}_name"],
        ae_titles=(slots[f"{side}_aet"],),
        address=slots[f"{side}_addr"],
    )


def _exchange(slots: Slots, by_user: bool) -> Exchange:
    others = (_person(slots),) if by_user else ()
    return Exchange(source=_process(slots, "a"), destination=_process(slots, "b"), others=others)


def _patient(slots: Slots) -> Patient:
    return Patient(id=slots["pid"], name=slots["pname"], assigner=facts().patient_assigner)


def _study(slots: Slots) -> Study:
    return Study(
        uid=slots["study"],
        description=slots["described"],
        accessions=(slots["accession"],),
        sop_classes=(SOPInstances(slots["sop_class"], int(slots["count"])),),
    )


def activity(slots: Slots, source: SourceType, what: ApplicationActivity) -> AuditMessage:
    """An application starts or stops."""
    return application_activity(
        _occurrence(slots, source, Outcome.SUCCESS), what, _process(slots, "a")
    )


def entry(slots: Slots, source: SourceType, what: NetworkEntry) -> AuditMessage:
    """A node joins or leaves the network."""
    node = Node(node_id=slots["a_name"], address=slots["a_addr"])
    return network_entry(_occurrence(slots, source, Outcome.SUCCESS), what, node)


def authentication(
    slots: Slots, source: SourceType, what: Authentication, outcome: Outcome, by_user: bool
) -> AuditMessage:
    """Somebody logs in or out, or tries to; not ``by_user``: logged off after inactivity."""
    return user_authentication(
        _occurrence(slots, source, outcome), what, _person(slots, by_user), _process(slots, "a")
    )


def record(slots: Slots, source: SourceType, kind: str, action: Action) -> AuditMessage:
    """An order's or a patient's record is made, read or changed."""
    return _RECORDS[kind](
        _occurrence(slots, source, Outcome.SUCCESS),
        action,
        (_person(slots), _process(slots, "a")),
        _patient(slots),
    )


def procedure(slots: Slots, source: SourceType, action: Action, scheduled: bool) -> AuditMessage:
    """A procedure is planned, or changed after images were made."""
    studies = Study(
        uid=slots["study"],
        description=slots["described"],
        accessions=(slots["accession"],),
        sop_classes=SCHEDULED,
    )
    return procedure_record(
        _occurrence(slots, source, Outcome.SUCCESS),
        action,
        (_person(slots), _process(slots, "a")),
        _patient(slots),
        (studies if scheduled else _study(slots),),
    )


def find(slots: Slots, source: SourceType, sop_class: str, by_user: bool) -> AuditMessage:
    """A C-FIND from process a to process b; the slot ``query`` holds its identifier."""
    asked = DicomQuery(
        sop_class_uid=sop_class,
        identifier=b64decode(slots["query"]),
        transfer_syntax_uid=IMPLICIT_LITTLE_ENDIAN,
    )
    return query(_occurrence(slots, source, Outcome.SUCCESS), _exchange(slots, by_user), asked)


def begins(slots: Slots, source: SourceType, by_user: bool) -> AuditMessage:
    """A transfer from process a to process b begins."""
    occurrence = _occurrence(slots, source, Outcome.SUCCESS)
    return begin_transferring(
        occurrence, _exchange(slots, by_user), _patient(slots), (_study(slots),)
    )


def transferred(
    slots: Slots, source: SourceType, action: Action, outcome: Outcome, by_user: bool
) -> AuditMessage:
    """A transfer from process a to process b ended."""
    return instances_transferred(
        _occurrence(slots, source, outcome),
        action,
        _exchange(slots, by_user),
        _patient(slots),
        (_study(slots),),
    )


def accessed(slots: Slots, source: SourceType, action: Action) -> AuditMessage:
    """Somebody opens, makes or changes images with process a."""
    return instances_accessed(
        _occurrence(slots, source, Outcome.SUCCESS),
        action,
        (_person(slots), _process(slots, "a")),
        _patient(slots),
        (_study(slots),),
    )


def _media(slots: Slots, kind: MediaType) -> Media:
    address = slots["media"] if kind in {MediaType.URI, MediaType.EMAIL} else None
    return Media(media_id=slots["media"], type=kind, label=slots["label"], address=address)


def exported(slots: Slots, source: SourceType, kind: MediaType) -> AuditMessage:
    """Somebody writes a study to media with process a."""
    return data_export(
        _occurrence(slots, source, Outcome.SUCCESS),
        (_person(slots), _process(slots, "a")),
        _media(slots, kind),
        (_patient(slots),),
        (_study(slots),),
    )


def imported(slots: Slots, source: SourceType, kind: MediaType) -> AuditMessage:
    """Somebody reads a study from media with process a."""
    return data_import(
        _occurrence(slots, source, Outcome.SUCCESS),
        (_person(slots), _process(slots, "a")),
        _media(slots, kind),
        (_patient(slots),),
        (_study(slots),),
    )


def deleted(slots: Slots, source: SourceType) -> AuditMessage:
    """Somebody deletes a study with process a."""
    return study_deleted(
        _occurrence(slots, source, Outcome.SUCCESS),
        (_person(slots), _process(slots, "a")),
        _patient(slots),
        (_study(slots),),
    )


def alerted(
    slots: Slots, source: SourceType, alert: Alert, outcome: Outcome, by_user: bool
) -> AuditMessage:
    """Process a raises an alert about the node or person in slot ``subject``."""
    subject = AlertSubject(
        id=slots["subject"],
        description=b64decode(slots["reason"]).decode(),
        id_type=IdType.URI if by_user else IdType.NODE_ID,
    )
    return security_alert(
        _occurrence(slots, source, outcome),
        alert,
        (_process(slots, "a"),),
        (subject,),
        (_person(slots),) if by_user else (),
    )


def log_used(slots: Slots, source: SourceType) -> AuditMessage:
    """An officer searches the audit log with process a."""
    return audit_log_used(
        _occurrence(slots, source, Outcome.SUCCESS),
        (_person(slots), _process(slots, "a")),
        slots["log"],
        (("query", b64decode(slots["reason"])),),
    )
