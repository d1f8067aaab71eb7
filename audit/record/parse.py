"""Element tree → AuditMessage, by walking children: lossless for what the grammar knows.

What is missing becomes an empty value, so that even an invalid message can be searched; saying
that it is missing is the grammar's and the rules' task.
"""

import re

from audit.errors import MalformedMessage
from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    CodedValue,
    EventIdentification,
    ParticipantObject,
    ParticipantObjectDescription,
    ParticipantObjectDetail,
    SOPClass,
)
from audit.record.normalise import normalise, strip_foreign
from audit.record.xml_input import DEFAULT_LIMITS, Refused, XmlLimits, prepare
from audit.record.xml_tree import Element, read_tree

_TRUE = ("true", "1")
_BLANKS = re.compile(r"[ \t\r\n]+")


def parse(msg: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> AuditMessage:
    """The AuditMessage of a MSG part, normalised if it is of an older edition; no judgement.

    Raises:
        MalformedMessage: it can't be parsed safely, or isn't an AuditMessage.
    """
    try:
        source = prepare(msg, limits)
        root = read_tree(source, limits)
    except Refused as refused:
        why = refused.finding
        raise MalformedMessage(why.message, why.line) from refused
    if b"xmlns" in source.octets:
        strip_foreign(root)
    if root.tag != "AuditMessage":
        raise MalformedMessage(f"the root element is {str(root.tag)!r:.80}, not AuditMessage", 1)
    normalise(root, rfc3881=is_rfc3881(root))
    return read_message(root)


def is_rfc3881(root: Element) -> bool:
    """Whether the EventID is written ``code=`` as in RFC 3881."""
    event_id = event_id_of(root)
    return (
        event_id is not None
        and event_id.get("csd-code") is None
        and event_id.get("code") is not None
    )


def event_id_of(root: Element) -> Element | None:
    """The EventID element, None when there is none."""
    for child in root:
        if child.tag == "EventIdentification":
            for inner in child:
                if inner.tag == "EventID":
                    return inner
    return None


def read_message(root: Element, most: int = DEFAULT_LIMITS.max_parts) -> AuditMessage:
    """The AuditMessage that the tree holds; never raises.

    Args:
        root: of the tree.
        most: participants, audit sources and objects that are read, each.
    """
    event = EventIdentification(
        event_id=CodedValue(""), event_date_time="", event_outcome_indicator=""
    )
    participants: list[ActiveParticipant] = []
    sources: list[AuditSource] = []
    objects: list[ParticipantObject] = []
    for child in root:
        match child.tag:
            case "ActiveParticipant" if len(participants) < most:
                participants.append(read_participant(child))
            case "ParticipantObjectIdentification" if len(objects) < most:
                objects.append(read_object(child))
            case "AuditSourceIdentification" if len(sources) < most:
                sources.append(read_source(child))
            case "EventIdentification":
                event = read_event(child)
            case _:
                pass
    return AuditMessage(
        event_identification=event,
        active_participants=tuple(participants),
        audit_sources=tuple(sources),
        participant_objects=tuple(objects),
    )


_MAX_REMEMBERED_CODES = 4096
_MAX_REMEMBERED_CHARACTERS = 256
_codes: dict[tuple[tuple[str, str], ...], CodedValue] = {}


def _token(value: str) -> str:
    """As XML Schema reads a token: blanks around are none, several are one."""
    return value if value.isalnum() else " ".join(filter(None, _BLANKS.split(value)))


def _coded(element: Element) -> CodedValue:
    """The coded value; the usual ones are remembered, for all messages share them."""
    key = tuple(element.items())
    known = _codes.get(key)
    if known is not None:
        return known
    get = element.get
    code = CodedValue(
        _token(get("csd-code", "")),
        _token(get("codeSystemName", "")),
        _token(get("originalText", "")),
        get("displayName"),
    )
    if (
        len(_codes) < _MAX_REMEMBERED_CODES
        and sum(len(name) + len(value) for name, value in key) <= _MAX_REMEMBERED_CHARACTERS
    ):
        _codes[key] = code
    return code


def read_event(element: Element, *, with_time: bool = True) -> EventIdentification:
    """EventIdentification, its EventDateTime left empty unless ``with_time``."""
    event_id = CodedValue("")
    types: list[CodedValue] = []
    purposes: list[CodedValue] = []
    description: str | None = None
    for child in element:
        match child.tag:
            case "EventID":
                event_id = _coded(child)
            case "EventTypeCode":
                types.append(_coded(child))
            case "EventOutcomeDescription":
                description = child.text or ""
            case "PurposeOfUse":
                purposes.append(_coded(child))
            case _:
                pass
    get = element.get
    return EventIdentification(
        event_id=event_id,
        event_date_time=get("EventDateTime", "") if with_time else "",
        event_outcome_indicator=get("EventOutcomeIndicator", ""),
        event_action_code=get("EventActionCode"),
        event_type_codes=tuple(types),
        event_outcome_description=description,
        purposes_of_use=tuple(purposes),
    )


def read_participant(element: Element) -> ActiveParticipant:
    """ActiveParticipant."""
    roles: list[CodedValue] = []
    media: CodedValue | None = None
    for child in element if len(element) else ():
        if child.tag == "RoleIDCode":
            roles.append(_coded(child))
        elif child.tag == "MediaIdentifier":
            inner = child.find("MediaType")
            media = None if inner is None else _coded(inner)
    get = element.get
    return ActiveParticipant(
        user_id=get("UserID", ""),
        user_is_requestor=get("UserIsRequestor", "").strip() in _TRUE,
        alternative_user_id=get("AlternativeUserID"),
        user_name=get("UserName"),
        role_id_codes=tuple(roles),
        network_access_point_id=get("NetworkAccessPointID"),
        network_access_point_type_code=get("NetworkAccessPointTypeCode"),
        media_type=media,
    )


def read_source(element: Element) -> AuditSource:
    """AuditSourceIdentification."""
    get = element.get
    return AuditSource(
        audit_source_id=get("AuditSourceID", ""),
        audit_enterprise_site_id=get("AuditEnterpriseSiteID"),
        audit_source_type_codes=tuple(
            _coded(child) for child in element if child.tag == "AuditSourceTypeCode"
        ),
    )


def read_object(element: Element) -> ParticipantObject:
    """ParticipantObjectIdentification."""
    id_type = CodedValue("")
    name: str | None = None
    query: str | None = None
    details: list[ParticipantObjectDetail] = []
    descriptions: list[ParticipantObjectDescription] = []
    for child in element:
        match child.tag:
            case "ParticipantObjectIDTypeCode":
                id_type = _coded(child)
            case "ParticipantObjectName":
                name = child.text or ""
            case "ParticipantObjectQuery":
                query = child.text or ""
            case "ParticipantObjectDetail":
                details.append(_detail(child))
            case "ParticipantObjectDescription":
                descriptions.append(_description(child))
            case _:
                pass
    get = element.get
    return ParticipantObject(
        participant_object_id=get("ParticipantObjectID", ""),
        participant_object_id_type_code=id_type,
        participant_object_type_code=get("ParticipantObjectTypeCode"),
        participant_object_type_code_role=get("ParticipantObjectTypeCodeRole"),
        participant_object_data_life_cycle=get("ParticipantObjectDataLifeCycle"),
        participant_object_sensitivity=get("ParticipantObjectSensitivity"),
        participant_object_name=name,
        participant_object_query=query,
        participant_object_details=tuple(details),
        participant_object_descriptions=tuple(descriptions),
    )


def _detail(element: Element) -> ParticipantObjectDetail:
    get = element.get
    return ParticipantObjectDetail(get("type", ""), get("value", ""))


def _description(element: Element) -> ParticipantObjectDescription:
    mpps: list[str] = []
    accessions: list[str] = []
    classes: list[SOPClass] = []
    studies: tuple[str, ...] | None = None
    flags: dict[str, str] = {}
    for child in element:
        match child.tag:
            case "MPPS":
                mpps.append(child.get("UID", ""))
            case "Accession":
                accessions.append(child.get("Number", ""))
            case "SOPClass":
                classes.append(_sop_class(child))
            case "ParticipantObjectContainsStudy":
                studies = tuple(one.get("UID", "") for one in child if one.tag == "StudyIDs")
            case "Encrypted" | "Anonymized":
                flags[str(child.tag)] = child.text or ""
            case _:
                pass
    return ParticipantObjectDescription(
        mpps=tuple(mpps),
        accessions=tuple(accessions),
        sop_classes=tuple(classes),
        contains_study=studies,
        encrypted=flags.get("Encrypted"),
        anonymized=flags.get("Anonymized"),
    )


def _sop_class(element: Element) -> SOPClass:
    return SOPClass(
        uid=element.get("UID"),
        number_of_instances=element.get("NumberOfInstances"),
        instances=tuple(one.get("UID", "") for one in element if one.tag == "Instance"),
    )
