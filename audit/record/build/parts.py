"""Arguments → the parts of an AuditMessage."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from audit.record.audit_message import (
    ActiveParticipant,
    AuditSource,
    CodedValue,
    ParticipantObject,
    ParticipantObjectDescription,
    ParticipantObjectDetail,
    SOPClass,
)
from audit.record.build.arguments import (
    AccessPoint,
    Address,
    Agent,
    AlertSubject,
    DicomQuery,
    Media,
    Node,
    Patient,
    Person,
    Process,
    SOPInstances,
    Study,
    UrlQuery,
)
from audit.record.build.codes import IdType, Role
from audit.record.build.wording import shown, token

_PERSON_PATIENT = ("1", "1")
_SYSTEM_REPORT = ("2", "3")
_LARGEST_OFFSET = timedelta(hours=14)
_HL7_ESCAPES = str.maketrans(
    {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
)


@dataclass(frozen=True, slots=True)
class Seat:
    """A participant's place in an event: its role, and whether it may be the requestor."""

    agent: Agent
    roles: tuple[Role, ...] = ()
    may_request: bool = True


def date_time(when: datetime) -> str:
    """xsd:dateTime with offset; an offset that XML Schema can't write becomes UTC."""
    offset = when.utcoffset() or timedelta()
    if offset % timedelta(minutes=1) or abs(offset) > _LARGEST_OFFSET:
        when = when.astimezone(UTC)
    return when.isoformat(timespec="microseconds" if when.microsecond % 1000 else "milliseconds")


def coded(value: CodedValue) -> CodedValue:
    """The coded value as tokens."""
    display = value.display_name
    return CodedValue(
        token(value.csd_code),
        token(value.code_system_name),
        token(value.original_text),
        _optional_token(display),
    )


def source(given: AuditSource) -> AuditSource:
    """The audit source as tokens."""
    site = given.audit_enterprise_site_id
    return AuditSource(
        audit_source_id=token(given.audit_source_id),
        audit_enterprise_site_id=_optional_token(site),
        audit_source_type_codes=tuple(map(coded, given.audit_source_type_codes)),
    )


def _ids(agent: Agent) -> tuple[str, str | None]:
    """UserID and AlternativeUserID."""
    if isinstance(agent, Person):
        return agent.user_id, agent.alternative_user_id
    if isinstance(agent, Node):
        return agent.node_id, agent.alternative_user_id
    titles = ";".join(agent.ae_titles)
    return agent.process_id, f"AETITLES={titles}" if titles else agent.alternative_user_id


def _optional(text: str | None) -> str | None:
    return shown(text) if text else None


def _optional_token(text: str | None) -> str | None:
    return token(text) if text else None


def _located(participant: ActiveParticipant, address: Address | None) -> ActiveParticipant:
    if address is None:
        return participant
    point = address if isinstance(address, AccessPoint) else AccessPoint.of(address)
    return replace(
        participant,
        network_access_point_id=token(point.id),
        network_access_point_type_code=str(point.type),
    )


def _participant(seat: Seat, requestor: bool) -> ActiveParticipant:
    agent = seat.agent
    user_id, alternative = _ids(agent)
    participant = ActiveParticipant(
        user_id=shown(user_id),
        alternative_user_id=_optional(alternative),
        user_name=_optional(agent.name),
        user_is_requestor=requestor,
        role_id_codes=tuple(role.value for role in seat.roles) + tuple(map(coded, agent.roles)),
    )
    return _located(participant, agent.address)


def media_participant(media: Media, role: Role) -> ActiveParticipant:
    """The media of an export or import; never the requestor (A.5.3.4, A.5.3.5)."""
    participant = ActiveParticipant(
        user_id=shown(media.media_id),
        alternative_user_id=_optional(media.label),
        user_is_requestor=False,
        role_id_codes=(role.value,),
        media_type=media.type.value,
    )
    return _located(participant, media.address)


def seats(agents: Iterable[Agent], *roles: Role, may_request: bool = True) -> tuple[Seat, ...]:
    """The same place for each agent."""
    return tuple(Seat(agent, roles, may_request) for agent in agents)


def participants(
    taken: Sequence[Seat], clause: str, *, exactly_one: bool = False
) -> tuple[ActiveParticipant, ...]:
    """The seats as participants, at most one of them the requestor.

    Who is said to be the requestor is; else the first person about whom nothing is said; else,
    where the event demands exactly one, the first agent about whom nothing is said.

    Raises:
        TypeError: an agent is no Person, Process or Node.
        ValueError: two requestors, one where the event allows none, or none where it demands one.
    """
    for seat in taken:
        if not isinstance(seat.agent, Person | Process | Node):
            raise TypeError(
                f"a participant is a Person, Process or Node, not {type(seat.agent).__name__} "
                f"(PS3.15 {clause})"
            )
        if seat.agent.requestor and not seat.may_request:
            raise ValueError(f"this participant can't be the requestor (PS3.15 {clause})")
    chosen = _requestor(taken, exactly_one, clause)
    return tuple(_participant(seat, index == chosen) for index, seat in enumerate(taken))


def _requestor(taken: Sequence[Seat], exactly_one: bool, clause: str) -> int | None:
    said = [index for index, seat in enumerate(taken) if seat.agent.requestor]
    if len(said) > 1:
        raise ValueError(f"{len(said)} requestors, at most one is allowed (PS3.15 {clause})")
    if said:
        return said[0]
    free = [i for i, s in enumerate(taken) if s.may_request and s.agent.requestor is None]
    people = [index for index in free if isinstance(taken[index].agent, Person)]
    if people:
        return people[0]
    if exactly_one and not free:
        raise ValueError(f"exactly one participant must be the requestor (PS3.15 {clause})")
    return free[0] if exactly_one else None


def _cx(patient: Patient) -> str:
    if not patient.assigner:
        return patient.id
    number = patient.id.translate(_HL7_ESCAPES)
    if patient.assigner.replace(".", "").isdigit():
        return f"{number}^^^&{patient.assigner}&ISO"
    return f"{number}^^^{patient.assigner.translate(_HL7_ESCAPES)}"


def patient_object(patient: Patient) -> ParticipantObject:
    """Person in the role of patient."""
    kind, role = _PERSON_PATIENT
    return ParticipantObject(
        participant_object_id=token(_cx(patient)),
        participant_object_id_type_code=IdType.PATIENT_NUMBER.value,
        participant_object_type_code=kind,
        participant_object_type_code_role=role,
        participant_object_data_life_cycle=_optional(patient.life_cycle),
        participant_object_sensitivity=_optional_token(patient.sensitivity),
        participant_object_name=token(patient.name) or token(patient.id),
    )


def _sop_class(held: SOPInstances) -> SOPClass:
    return SOPClass(
        uid=held.sop_class_uid,
        number_of_instances=str(held.count),
        instances=held.instance_uids,
    )


def _flag(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()


def _description(study: Study) -> tuple[ParticipantObjectDescription, ...]:
    if not study.sop_classes:
        return ()
    return (
        ParticipantObjectDescription(
            mpps=study.mpps,
            accessions=tuple(map(token, study.accessions)),
            sop_classes=tuple(map(_sop_class, study.sop_classes)),
            encrypted=_flag(study.encrypted),
            anonymized=_flag(study.anonymized),
        ),
    )


def study_object(study: Study) -> ParticipantObject:
    """A study with what it holds."""
    kind, role = _SYSTEM_REPORT
    return ParticipantObject(
        participant_object_id=study.uid,
        participant_object_id_type_code=IdType.STUDY_INSTANCE_UID.value,
        participant_object_type_code=kind,
        participant_object_type_code_role=role,
        participant_object_data_life_cycle=_optional(study.life_cycle),
        participant_object_sensitivity=_optional_token(study.sensitivity),
        participant_object_name=token(study.description) or study.uid,
        participant_object_descriptions=_description(study),
    )


def detail(kind: str, value: str | bytes) -> ParticipantObjectDetail:
    """A ParticipantObjectDetail; text is encoded as UTF-8, lone surrogates shown as U+FFFD."""
    octets = value if isinstance(value, bytes) else shown(value).encode()
    return ParticipantObjectDetail(token(kind), b64encode(octets).decode("ascii"))


def query_object(asked: DicomQuery | UrlQuery) -> ParticipantObject:
    """The SOP class or resource queried, and the query (A.5.3.10)."""
    kind, role = _SYSTEM_REPORT
    if isinstance(asked, DicomQuery):
        identity, id_type, octets = asked.sop_class_uid, IdType.SOP_CLASS_UID, asked.identifier
        details = [detail("TransferSyntax", asked.transfer_syntax_uid)]
    else:
        identity = token(asked.url.partition("?")[0])
        id_type, octets, details = IdType.URI, shown(asked.url).encode(), []
    return ParticipantObject(
        participant_object_id=identity,
        participant_object_id_type_code=id_type.value,
        participant_object_type_code=kind,
        participant_object_type_code_role=role,
        participant_object_query=b64encode(octets).decode("ascii"),
        participant_object_details=tuple(details),
    )


def alert_object(subject: AlertSubject) -> ParticipantObject:
    """What a security alert is about (A.5.3.11)."""
    return ParticipantObject(
        participant_object_id=token(subject.id),
        participant_object_id_type_code=subject.id_type.value,
        participant_object_type_code="2",
        participant_object_type_code_role=str(subject.role),
        participant_object_name=token(subject.name) or token(subject.id),
        participant_object_details=(detail("Alert Description", subject.description),),
    )


def log_object(log_uri: str, details: Sequence[tuple[str, str | bytes]]) -> ParticipantObject:
    """The audit log that was read (A.5.3.2)."""
    return ParticipantObject(
        participant_object_id=token(log_uri),
        participant_object_id_type_code=IdType.URI.value,
        participant_object_type_code="2",
        participant_object_type_code_role="13",
        participant_object_name="Security Audit Log",
        participant_object_details=tuple(detail(kind, value) for kind, value in details),
    )
