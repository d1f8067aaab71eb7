"""All words of a message, for free text."""

from collections.abc import Iterator

from audit.projector.body import readable_detail
from audit.projector.objects import QueryKeys
from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    CodedValue,
    EventIdentification,
    ParticipantObject,
)

Texts = Iterator[str | None]


def texts_of(message: AuditMessage, keys: tuple[QueryKeys, ...]) -> Texts:
    """Every readable value of the message, the weightier first, decoded queries and details too.

    UIDs of single instances are left out: they would outweigh all the rest of a large study.
    """
    yield from _event_texts(message.event_identification)
    for participant in message.active_participants:
        yield from _participant_texts(participant)
    for source in message.audit_sources:
        yield source.audit_source_id
        yield source.audit_enterprise_site_id
        yield from _coded(source.audit_source_type_codes)
    for subject, own in zip(message.participant_objects, keys, strict=True):
        yield from _object_texts(subject)
        yield from (value for _, value in own)


def _coded(codes: tuple[CodedValue, ...]) -> Texts:
    for code in codes:
        yield code.original_text
        yield code.display_name
        yield code.csd_code


def _event_texts(event: EventIdentification) -> Texts:
    yield from _coded((event.event_id, *event.event_type_codes))
    yield event.event_outcome_description
    yield from _coded(event.purposes_of_use)


def _participant_texts(participant: ActiveParticipant) -> Texts:
    yield participant.user_name
    yield participant.user_id
    yield participant.alternative_user_id
    yield participant.network_access_point_id
    yield from _coded(participant.role_id_codes)
    if participant.media_type is not None:
        yield from _coded((participant.media_type,))


def _object_texts(subject: ParticipantObject) -> Texts:
    yield subject.participant_object_name
    yield subject.participant_object_id
    yield from _coded((subject.participant_object_id_type_code,))
    yield subject.participant_object_sensitivity
    for detail in subject.participant_object_details:
        yield detail.type
        yield readable_detail(detail)
    for description in subject.participant_object_descriptions:
        yield from description.accessions
        yield from description.contains_study or ()
        yield from description.mpps
