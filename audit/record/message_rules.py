"""Rules that hold for every audit message, whatever its event."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    CodedValue,
    ParticipantObject,
    octets_of,
)
from audit.record.findings import Finding, finding
from audit.record.location import numbered
from audit.record.times import parse_date_time
from audit.standards import code_tables

_UID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+", re.ASCII)
_MAX_UID = 64
_DICOM_CODE = re.compile(r"1101[0-9]{2}|1100[0-9]{2}", re.ASCII)
_AE_TITLES = re.compile(r"\s*AE[ _-]?TITLES?\s*[=:]\s*(.*)", re.IGNORECASE | re.DOTALL)
_AE_TITLE = re.compile(r"[ -\[\]-~]{1,16}")
_DNS_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,253}[A-Za-z0-9_.])?")
_TELEPHONE = re.compile(r"\+?[0-9 ()/.;=a-zA-Z#*-]{2,40}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_PLACEHOLDERS = frozenset(
    {"<none>", "none", "null", "(null)", "undefined", "unknown", "<unknown>", "n/a", "na", "nil"}
    | {"todo", "tbd", "dummy", "xxx", "?", "-"}
)
_PLACEHOLDER_UIDS = frozenset(
    {"0", "1", "1.1", "1.2", "1.2.3", "1.2.3.4", "1.2.3.4.5", "1.1.1.1", "1.2.3.4.5.6"}
    | {"1.2.3.4.5.6.7", "1.2.3.4.5.6.7.8", "1.2.3.4.5.6.7.8.9", "1.2.3.4.5.6.7.8.9.10"}
    | {"9.9.9.9", "1.1.1.1.1", "0.0"}
)
_STUDY, _SOP_CLASS = "110180", "110181"
_ROOT = "/AuditMessage"
_EVENT = f"{_ROOT}/EventIdentification"


def judge_message(message: AuditMessage, *, strict: bool) -> Iterator[Finding]:
    """Breaches of the rules that hold for every event.

    Args:
        message: any message, valid or not.
        strict: whether it is of tier dicom, where one requestor at most is expected.
    """
    yield from _judge_event(message)
    yield from _judge_sources(message)
    participants = message.active_participants
    for index, participant in enumerate(participants):
        path = f"{_ROOT}/{numbered('ActiveParticipant', index, len(participants))}"
        yield from _judge_participant(participant, path)
    objects = message.participant_objects
    for index, one in enumerate(objects):
        path = f"{_ROOT}/{numbered('ParticipantObjectIdentification', index, len(objects))}"
        yield from _judge_object(one, path)
    if strict:
        yield from _judge_requestors(participants)


def _judge_requestors(participants: tuple[ActiveParticipant, ...]) -> Iterator[Finding]:
    requestors = [n for n, one in enumerate(participants) if one.user_is_requestor]
    if len(requestors) > 1:
        path = numbered("ActiveParticipant", requestors[1], len(participants))
        yield finding(
            "requestor-several",
            f"{len(requestors)} participants are requestors, at most one is expected",
            path=f"{_ROOT}/{path}/@UserIsRequestor",
        )


def _judge_event(message: AuditMessage) -> Iterator[Finding]:
    event = message.event_identification
    at = f"{_EVENT}/@EventDateTime"
    when = parse_date_time(event.event_date_time)
    if when.ns is None and event.event_date_time:
        yield finding("event-date-time", f"no date-time: {event.event_date_time!r:.80}", path=at)
    elif when.ns is not None and not when.zone:
        yield finding("event-date-time-zone", f"{event.event_date_time} has no time zone", path=at)
    if when.leap_second:
        yield finding("leap-second", f"{event.event_date_time} is a leap second", path=at)
    code = event.event_id.csd_code
    if code and not code_tables.event_name(code):
        yield finding("event-id-unknown", f"EventID {code!r:.80}", path=f"{_EVENT}/EventID")
    yield from _judge_code(event.event_id, f"{_EVENT}/EventID")
    for index, kind in enumerate(event.event_type_codes):
        step = numbered("EventTypeCode", index, len(event.event_type_codes))
        yield from _judge_code(kind, f"{_EVENT}/{step}")


def _judge_sources(message: AuditMessage) -> Iterator[Finding]:
    sources = message.audit_sources
    for index, source in enumerate(sources):
        path = f"{_ROOT}/{numbered('AuditSourceIdentification', index, len(sources))}"
        yield from _judge_identifier(source.audit_source_id, f"{path}/@AuditSourceID")
        for kind in source.audit_source_type_codes:
            if bool(kind.code_system_name) != bool(kind.original_text):
                yield finding(
                    "audit-source-type-code",
                    f"AuditSourceTypeCode {kind.csd_code!r:.80} has only one of codeSystemName "
                    "and originalText",
                    path=f"{path}/AuditSourceTypeCode",
                )


def _judge_participant(participant: ActiveParticipant, path: str) -> Iterator[Finding]:
    yield from _judge_identifier(participant.user_id, f"{path}/@UserID")
    roles = participant.role_id_codes
    for index, role in enumerate(roles):
        yield from _judge_code(role, f"{path}/{numbered('RoleIDCode', index, len(roles))}")
    if participant.media_type is not None:
        yield from _judge_code(participant.media_type, f"{path}/MediaIdentifier/MediaType")
    if participant.alternative_user_id:
        yield from _judge_ae_titles(participant.alternative_user_id, f"{path}/@AlternativeUserID")
    yield from _judge_access_point(
        participant.network_access_point_id, participant.network_access_point_type_code, path
    )


def _judge_identifier(value: str, path: str) -> Iterator[Finding]:
    if not value.strip():
        yield finding("value-empty", "the identifier is empty", path=path)
    elif len(value) <= 12 and value.strip().lower() in _PLACEHOLDERS:  # noqa: PLR2004 - longest
        yield finding("placeholder", f"{value!r} looks like a placeholder", path=path)


def _judge_code(code: CodedValue, path: str) -> Iterator[Finding]:
    if not _DICOM_CODE.fullmatch(code.csd_code):
        return
    if code.code_system_name != "DCM":
        known = any(code.csd_code in one.codes for one in code_tables.dicom_tables())
        if known and code.code_system_name:
            yield finding(
                "code-system-name",
                f"{code.csd_code} has the code system {code.code_system_name!r:.80}, expected DCM",
                path=f"{path}/@codeSystemName",
            )
        return
    text = code_tables.text_of(code.csd_code, "DCM")
    if text and code.original_text != text and not _is_variant(code.original_text, text):
        yield finding(
            "code-text",
            f"{code.csd_code} is {text!r}, not {code.original_text!r:.80}",
            path=f"{path}/@originalText",
        )


def _is_variant(sent: str, text: str) -> bool:
    """Case, blanks, and the older short names: Source for Source Role ID."""
    short = text.casefold().removesuffix(" role id")
    return sent.strip().casefold() in {text.casefold(), short}


def _judge_ae_titles(value: str, path: str) -> Iterator[Finding]:
    matched = _AE_TITLES.fullmatch(value)
    if matched is None:
        return
    if not value.startswith("AETITLES=") or value.startswith("AETITLES= "):
        yield finding("ae-titles", f"written {value!r:.80}", path=path)
    for title in matched[1].split(";"):
        if not _AE_TITLE.fullmatch(title.strip(" ")):
            yield finding("ae-title", f"{title!r:.80} is no AE title", path=path)


def _judge_access_point(value: str | None, kind: str | None, path: str) -> Iterator[Finding]:
    if value and kind:
        kind = kind.strip()
        if not _fits(value.strip(), kind):
            yield finding(
                "network-access-point-type",
                f"type {kind} does not fit {value!r:.80}",
                path=f"{path}/@NetworkAccessPointTypeCode",
            )
    elif value:
        yield finding(
            "network-access-point-id",
            "NetworkAccessPointID without NetworkAccessPointTypeCode",
            path=f"{path}/@NetworkAccessPointID",
        )
    elif kind:
        yield finding(
            "network-access-point-id",
            "NetworkAccessPointTypeCode without NetworkAccessPointID",
            path=f"{path}/@NetworkAccessPointTypeCode",
        )


def _fits(value: str, kind: str) -> bool:
    match kind:
        case "1":
            return _DNS_NAME.fullmatch(value) is not None and not _is_ip_address(value)
        case "2":
            return _is_ip_address(value)
        case "3":
            return _TELEPHONE.fullmatch(value) is not None
        case "4":
            return "@" in value
        case "5":
            return _URI.fullmatch(value) is not None
        case _:
            return True


def _is_ip_address(value: str) -> bool:
    try:
        ip_address(value.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _judge_object(one: ParticipantObject, path: str) -> Iterator[Finding]:
    at = f"{path}/@ParticipantObjectID"
    id_type = one.participant_object_id_type_code
    yield from _judge_identifier(one.participant_object_id, at)
    if id_type.csd_code in {_STUDY, _SOP_CLASS} and one.participant_object_id:
        yield from _judge_uid(one.participant_object_id, at)
    yield from _judge_id_type(id_type, f"{path}/ParticipantObjectIDTypeCode")
    role = (one.participant_object_type_code_role or "").strip()
    if role in code_tables.table("object_role").deprecated:
        yield finding(
            "object-role-deprecated",
            f"role {role} ({code_tables.table('object_role').name_of(role)}) is deprecated",
            path=f"{path}/@ParticipantObjectTypeCodeRole",
        )
    yield from _judge_content(one, path)
    for uid, step in _uids(one):
        yield from _judge_uid(uid, f"{path}/{step}")


def _judge_content(one: ParticipantObject, path: str) -> Iterator[Finding]:
    query = one.participant_object_query
    if query and octets_of(query) is None:
        yield finding(
            "not-base64", "the query is not base64", path=f"{path}/ParticipantObjectQuery"
        )
    details = one.participant_object_details
    for index, detail in enumerate(details):
        if detail.value and octets_of(detail.value) is None:
            step = numbered("ParticipantObjectDetail", index, len(details))
            yield finding(
                "not-base64",
                f"the value of {detail.type!r:.80} is not base64",
                path=f"{path}/{step}/@value",
            )


def _judge_id_type(code: CodedValue, path: str) -> Iterator[Finding]:
    yield from _judge_code(code, path)
    system = code.code_system_name
    spelled = system.replace(" ", "").replace("-", "").casefold()
    if spelled == "rfc3881" and system != "RFC-3881":
        yield finding(
            "code-system-name",
            f"the code system is written {system!r:.80}, expected RFC-3881",
            path=f"{path}/@codeSystemName",
        )


def _uids(one: ParticipantObject) -> Iterator[tuple[str, str]]:
    descriptions = one.participant_object_descriptions
    for index, description in enumerate(descriptions):
        step = numbered("ParticipantObjectDescription", index, len(descriptions))
        for number, uid in enumerate(description.mpps):
            yield uid, f"{step}/{numbered('MPPS', number, len(description.mpps))}/@UID"
        classes = description.sop_classes
        for number, sop_class in enumerate(classes):
            inner = f"{step}/{numbered('SOPClass', number, len(classes))}"
            if sop_class.uid is not None:
                yield sop_class.uid, f"{inner}/@UID"
            instances = sop_class.instances
            for place, uid in enumerate(instances):
                yield uid, f"{inner}/{numbered('Instance', place, len(instances))}/@UID"
        studies = description.contains_study or ()
        for number, uid in enumerate(studies):
            name = numbered("StudyIDs", number, len(studies))
            yield uid, f"{step}/ParticipantObjectContainsStudy/{name}/@UID"


def _judge_uid(uid: str, path: str) -> Iterator[Finding]:
    if uid in _PLACEHOLDER_UIDS:
        yield finding("placeholder", f"the UID {uid} looks like a placeholder", path=path)
    elif len(uid) > _MAX_UID or not _UID.fullmatch(uid):
        yield finding("uid-malformed", f"{uid!r:.90} is no UID", path=path)
