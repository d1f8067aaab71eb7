"""AuditMessage → XML: UTF-8, the order of the grammar, no namespace, no byte order mark."""

import re
from collections.abc import Iterator

from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    CodedValue,
    EventIdentification,
    ParticipantObject,
    ParticipantObjectDescription,
    SOPClass,
)

_ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "\t": "&#9;",
        "\n": "&#10;",
        "\r": "&#13;",
    }
)
# XML 1.0 2.2: characters that no XML document may hold, not even as references
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def serialise(message: AuditMessage) -> bytes:
    """The message as PS3.15 A.5.1 XML; parsing it again gives the same message.

    Characters that XML can't hold (control characters, surrogates) become U+FFFD: a hostile user
    name must not keep its own audit record from being written.
    """
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<AuditMessage>',
        *_event(message.event_identification),
    ]
    for participant in message.active_participants:
        parts.extend(_participant(participant))
    for source in message.audit_sources:
        parts.extend(_source(source))
    for one in message.participant_objects:
        parts.extend(_object(one))
    parts.append("</AuditMessage>")
    return "".join(parts).encode("utf-8")


def _escaped(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text
    return _FORBIDDEN.sub("\ufffd", text).translate(_ESCAPES)


def _tag(name: str, attributes: tuple[tuple[str, str | None], ...], close: str = "/>") -> str:
    written = "".join(
        f' {key}="{_escaped(value)}"' for key, value in attributes if value is not None
    )
    return f"<{name}{written}{close}"


def _text(name: str, text: str | None) -> str:
    return "" if text is None else f"<{name}>{_escaped(text)}</{name}>"


def _coded(name: str, value: CodedValue) -> str:
    return _tag(
        name,
        (
            ("csd-code", value.csd_code),
            ("codeSystemName", value.code_system_name),
            ("originalText", value.original_text),
            ("displayName", value.display_name),
        ),
    )


def _source_type(value: CodedValue) -> str:
    return _tag(
        "AuditSourceTypeCode",
        (
            ("csd-code", value.csd_code),
            ("codeSystemName", value.code_system_name or None),
            ("originalText", value.original_text or None),
            ("displayName", value.display_name),
        ),
    )


def _event(event: EventIdentification) -> Iterator[str]:
    yield _tag(
        "EventIdentification",
        (
            ("EventActionCode", event.event_action_code),
            ("EventDateTime", event.event_date_time),
            ("EventOutcomeIndicator", event.event_outcome_indicator),
        ),
        ">",
    )
    yield _coded("EventID", event.event_id)
    for kind in event.event_type_codes:
        yield _coded("EventTypeCode", kind)
    yield _text("EventOutcomeDescription", event.event_outcome_description)
    for purpose in event.purposes_of_use:
        yield _coded("PurposeOfUse", purpose)
    yield "</EventIdentification>"


def _participant(participant: ActiveParticipant) -> Iterator[str]:
    is_empty = not participant.role_id_codes and participant.media_type is None
    yield _tag(
        "ActiveParticipant",
        (
            ("UserID", participant.user_id),
            ("AlternativeUserID", participant.alternative_user_id),
            ("UserName", participant.user_name),
            ("UserIsRequestor", "true" if participant.user_is_requestor else "false"),
            ("NetworkAccessPointID", participant.network_access_point_id),
            ("NetworkAccessPointTypeCode", participant.network_access_point_type_code),
        ),
        "/>" if is_empty else ">",
    )
    if is_empty:
        return
    for role in participant.role_id_codes:
        yield _coded("RoleIDCode", role)
    if participant.media_type is not None:
        media = _coded("MediaType", participant.media_type)
        yield f"<MediaIdentifier>{media}</MediaIdentifier>"
    yield "</ActiveParticipant>"


def _source(source: AuditSource) -> Iterator[str]:
    types = source.audit_source_type_codes
    yield _tag(
        "AuditSourceIdentification",
        (
            ("AuditSourceID", source.audit_source_id),
            ("AuditEnterpriseSiteID", source.audit_enterprise_site_id),
        ),
        ">" if types else "/>",
    )
    if types:
        yield from map(_source_type, types)
        yield "</AuditSourceIdentification>"


def _object(one: ParticipantObject) -> Iterator[str]:
    yield _tag(
        "ParticipantObjectIdentification",
        (
            ("ParticipantObjectID", one.participant_object_id),
            ("ParticipantObjectTypeCode", one.participant_object_type_code),
            ("ParticipantObjectTypeCodeRole", one.participant_object_type_code_role),
            ("ParticipantObjectDataLifeCycle", one.participant_object_data_life_cycle),
            ("ParticipantObjectSensitivity", one.participant_object_sensitivity),
        ),
        ">",
    )
    yield _coded("ParticipantObjectIDTypeCode", one.participant_object_id_type_code)
    yield _text("ParticipantObjectName", one.participant_object_name)
    yield _text("ParticipantObjectQuery", one.participant_object_query)
    for detail in one.participant_object_details:
        yield _tag("ParticipantObjectDetail", (("type", detail.type), ("value", detail.value)))
    for description in one.participant_object_descriptions:
        yield from _description(description)
    yield "</ParticipantObjectIdentification>"


def _description(description: ParticipantObjectDescription) -> Iterator[str]:
    yield "<ParticipantObjectDescription>"
    for uid in description.mpps:
        yield _tag("MPPS", (("UID", uid),))
    for number in description.accessions:
        yield _tag("Accession", (("Number", number),))
    for one in description.sop_classes:
        yield from _sop_class(one)
    if description.contains_study is not None:
        studies = "".join(_tag("StudyIDs", (("UID", uid),)) for uid in description.contains_study)
        yield f"<ParticipantObjectContainsStudy>{studies}</ParticipantObjectContainsStudy>"
    yield _text("Encrypted", description.encrypted)
    yield _text("Anonymized", description.anonymized)
    yield "</ParticipantObjectDescription>"


def _sop_class(one: SOPClass) -> Iterator[str]:
    attributes = (("UID", one.uid), ("NumberOfInstances", one.number_of_instances))
    yield _tag("SOPClass", attributes, ">" if one.instances else "/>")
    if one.instances:
        for uid in one.instances:
            yield _tag("Instance", (("UID", uid),))
        yield "</SOPClass>"
