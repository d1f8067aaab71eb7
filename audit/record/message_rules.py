"""Rules that hold for every audit message, whatever its event."""

from collections.abc import Callable
from typing import TypeVar

from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    CodedValue,
    EventIdentification,
    ParticipantObject,
    ParticipantObjectDescription,
    octets_of,
)
from audit.record.findings import Finding, finding
from audit.record.location import numbered
from audit.record.times import parse_date_time
from audit.record.value_faults import (
    Fault,
    Faults,
    access_point_faults,
    ae_title_faults,
    code_faults,
    identifier_faults,
    uid_faults,
)
from audit.standards import code_tables

_T = TypeVar("_T")
_ENOUGH = 100
_DECISIVE = "not-base64"
"""The one error among the faults of parts: it decides, however many warnings there are."""
UID_ID_TYPES = frozenset({"110180", "110181"})
_ROOT = "/AuditMessage"
_EVENT = f"{_ROOT}/EventIdentification"


def judge_message(message: AuditMessage, *, strict: bool) -> list[Finding]:
    """Breaches of the rules that hold for every event.

    Args:
        message: any message, valid or not.
        strict: whether it is of tier dicom, where one requestor at most is expected.
    """
    found = _placed(event_faults(message.event_identification), _EVENT)
    found += _judge_each(message.audit_sources, "AuditSourceIdentification", source_faults)
    found += _judge_each(message.active_participants, "ActiveParticipant", participant_faults)
    found += _judge_each(
        message.participant_objects, "ParticipantObjectIdentification", object_faults
    )
    if strict:
        found += _judge_requestors(message.active_participants)
    return found


def _judge_each(
    parts: tuple[_T, ...], name: str, judge: Callable[[_T], list[Fault]]
) -> list[Finding]:
    found: list[Finding] = []
    for index, part in enumerate(parts):
        faults = judge(part)
        if len(found) >= _ENOUGH:
            faults = [one for one in faults if one.rule == _DECISIVE]
        if faults:
            found += _placed(faults, f"{_ROOT}/{numbered(name, index, len(parts))}")
    return found


def _placed(faults: list[Fault], path: str) -> list[Finding]:
    return [finding(rule, said, path=path + step) for rule, said, step in faults]


def _below(faults: Faults, step: str) -> list[Fault]:
    return [Fault(rule, said, step + below) for rule, said, below in faults]


def _judge_requestors(participants: tuple[ActiveParticipant, ...]) -> list[Finding]:
    requestors = [n for n, one in enumerate(participants) if one.user_is_requestor]
    if len(requestors) <= 1:
        return []
    step = numbered("ActiveParticipant", requestors[1], len(participants))
    return [
        finding(
            "requestor-several",
            f"{len(requestors)} participants are requestors, at most one is expected",
            path=f"{_ROOT}/{step}/@UserIsRequestor",
        )
    ]


def event_faults(event: EventIdentification) -> list[Fault]:
    """What is wrong with an EventIdentification by itself."""
    found = _time_faults(event.event_date_time)
    code = event.event_id
    if code.csd_code and not code_tables.event_name(code.csd_code):
        found.append(Fault("event-id-unknown", f"EventID {code.csd_code!r:.80}", "/EventID"))
    if faults := code_faults(code):
        found += _below(faults, "/EventID")
    if event.event_type_codes:
        found += _codes_faults(event.event_type_codes, "EventTypeCode")
    return found


def _time_faults(text: str) -> list[Fault]:
    when = parse_date_time(text)
    if when.zone and not when.leap_second:
        return []
    at = "/@EventDateTime"
    if when.ns is None:
        said = f"{text!r:.80} is no date-time"
        return [Fault("event-date-time", said, at)] if text else []
    if when.leap_second:
        return [Fault("leap-second", f"{text} is a leap second", at)]
    return [Fault("event-date-time-zone", f"{text} has no time zone", at)]


def _codes_faults(codes: tuple[CodedValue, ...], name: str) -> list[Fault]:
    found: list[Fault] = []
    for index, code in enumerate(codes):
        if faults := code_faults(code):
            found += _below(faults, f"/{numbered(name, index, len(codes))}")
            if len(found) >= _ENOUGH:
                break
    return found


def source_faults(source: AuditSource) -> list[Fault]:
    """What is wrong with an AuditSourceIdentification by itself."""
    found = _below(identifier_faults(source.audit_source_id), "/@AuditSourceID")
    for kind in source.audit_source_type_codes:
        if bool(kind.code_system_name) != bool(kind.original_text):
            said = (
                f"AuditSourceTypeCode {kind.csd_code!r:.80} has only one of codeSystemName "
                "and originalText"
            )
            found.append(Fault("audit-source-type-code", said, "/AuditSourceTypeCode"))
    return found


def participant_faults(one: ActiveParticipant) -> list[Fault]:
    """What is wrong with an ActiveParticipant by itself."""
    found: list[Fault] = []
    if faults := identifier_faults(one.user_id):
        found += _below(faults, "/@UserID")
    if one.role_id_codes:
        found += _codes_faults(one.role_id_codes, "RoleIDCode")
    if one.media_type is not None:
        found += _below(code_faults(one.media_type), "/MediaIdentifier/MediaType")
    alternative = one.alternative_user_id
    if alternative and (faults := ae_title_faults(alternative)):
        found += _below(faults, "/@AlternativeUserID")
    found += access_point_faults(one.network_access_point_id, one.network_access_point_type_code)
    return found


def object_faults(one: ParticipantObject) -> list[Fault]:
    """What is wrong with a ParticipantObjectIdentification by itself."""
    found: list[Fault] = []
    identity, id_type = one.participant_object_id, one.participant_object_id_type_code
    faults = identifier_faults(identity)
    if not faults and id_type.csd_code in UID_ID_TYPES:
        faults = uid_faults(identity)
    if faults:
        found += _below(faults, "/@ParticipantObjectID")
    if faults := code_faults(id_type) or _spelling_faults(id_type):
        found += _below(faults, "/ParticipantObjectIDTypeCode")
    role = one.participant_object_type_code_role
    if role and role in code_tables.table("object_role").deprecated:
        said = f"role {role} ({code_tables.table('object_role').name_of(role)}) is deprecated"
        found.append(Fault("object-role-deprecated", said, "/@ParticipantObjectTypeCodeRole"))
    found += _content_faults(one)
    descriptions = one.participant_object_descriptions
    for index, description in enumerate(descriptions):
        step = numbered("ParticipantObjectDescription", index, len(descriptions))
        found += _below(tuple(_description_faults(description)), f"/{step}")
    return found


def _spelling_faults(code: CodedValue) -> Faults:
    system = code.code_system_name
    if system == "RFC-3881" or system[:3].casefold() != "rfc":
        return ()
    if system.replace(" ", "").replace("-", "").casefold() != "rfc3881":
        return ()
    said = f"the code system is written {system!r:.80}, expected RFC-3881"
    return (Fault("code-system-name", said, "/@codeSystemName"),)


def _content_faults(one: ParticipantObject) -> list[Fault]:
    found: list[Fault] = []
    query = one.participant_object_query
    if query and octets_of(query) is None:
        found.append(Fault("not-base64", "the query is not base64", "/ParticipantObjectQuery"))
    details = one.participant_object_details
    for index, detail in enumerate(details):
        if detail.value and octets_of(detail.value) is None:
            step = numbered("ParticipantObjectDetail", index, len(details))
            said = f"the value of {detail.type!r:.80} is not base64"
            found.append(Fault("not-base64", said, f"/{step}/@value"))
            if len(found) >= _ENOUGH:
                break
    return found


def _description_faults(description: ParticipantObjectDescription) -> list[Fault]:
    found = _uids_faults(description.mpps, "MPPS")
    classes = description.sop_classes
    for index, one in enumerate(classes):
        faults = uid_faults(one.uid) if one.uid is not None else ()
        inner = _uids_faults(one.instances, "Instance") if one.instances else []
        if faults or inner:
            step = numbered("SOPClass", index, len(classes))
            found += _below(faults, f"/{step}/@UID")
            found += _below(tuple(inner), f"/{step}")
            if len(found) >= _ENOUGH:
                break
    if description.contains_study:
        studies = _uids_faults(description.contains_study, "StudyIDs")
        found += _below(tuple(studies), "/ParticipantObjectContainsStudy")
    return found


def _uids_faults(uids: tuple[str, ...], name: str) -> list[Fault]:
    found: list[Fault] = []
    for index, uid in enumerate(uids):
        if faults := uid_faults(uid):
            found += _below(faults, f"/{numbered(name, index, len(uids))}/@UID")
            if len(found) >= _ENOUGH:
                break
    return found
