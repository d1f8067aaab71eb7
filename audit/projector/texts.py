"""The words of a message's parts, for free text: every readable value."""

from collections.abc import Iterator

from audit.projector.body import readable_detail
from audit.projector.objects import QueryKeys
from audit.record.audit_message import (
    ActiveParticipant,
    AuditSource,
    CodedValue,
    EventIdentification,
    ParticipantObject,
)

Texts = Iterator[str | None]


def _coded(codes: tuple[CodedValue, ...]) -> Texts:
    for code in codes:
        yield code.original_text
        yield code.display_name
        yield code.csd_code


def event_texts(event: EventIdentification) -> Texts:
    """What the event says."""
    yield from _coded((event.event_id, *event.event_type_codes))
    yield event.event_outcome_description
    yield from _coded(event.purposes_of_use)


def participant_texts(participant: ActiveParticipant) -> Texts:
    """What a participant says."""
    yield participant.user_name
    yield participant.user_id
    yield participant.alternative_user_id
    yield participant.network_access_point_id
    yield from _coded(participant.role_id_codes)
    if participant.media_type is not None:
        yield from _coded((participant.media_type,))


def source_texts(source: AuditSource) -> Texts:
    """What a source says."""
    yield source.audit_source_id
    yield source.audit_enterprise_site_id
    yield from _coded(source.audit_source_type_codes)


def object_texts(subject: ParticipantObject, keys: QueryKeys) -> Texts:
    """What an object says, with its decoded query keys.

    UIDs of single instances are left out: they would outweigh all the rest of a large study.
    """
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
    yield from (value for _, value in keys)
