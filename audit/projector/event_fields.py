"""EventIdentification → category, kind, event, event_type, action, outcome, purpose."""

from collections.abc import Mapping, Sequence

from audit.projector.derivations import OTHER, KindRule, derivations
from audit.projector.field_values import FieldValues
from audit.projector.participants import destination_kind, has_role
from audit.record.audit_message import ActiveParticipant, EventIdentification

_REST = "rest"
"""AuditEvent.type of RESTful access (FHIR R4, code system audit-event-type)."""


def category_of(event: EventIdentification) -> str:
    """The category that follows from the EventID; of RESTful access from what was done."""
    known = derivations()
    if event.event_id.csd_code != _REST:
        return known.category_of_event.get(event.event_id.csd_code, OTHER)
    for kind in event.event_type_codes:
        if (told := known.rest_by_subtype.get(kind.csd_code)) is not None:
            return told
    return known.rest_by_action.get(event.event_action_code or "", OTHER)


def add_event(values: FieldValues, event: EventIdentification) -> None:
    """Add what the event says of itself."""
    values.add("category", category_of(event))
    values.add("event", event.event_id.csd_code)
    values.add("event_type", *(code.csd_code for code in event.event_type_codes))
    values.add("action", event.event_action_code)
    values.add("outcome", derivations().outcomes.get(event.event_outcome_indicator.strip()))
    for purpose in event.purposes_of_use:
        values.add("purpose", purpose.csd_code, purpose.original_text)


def kind_of(
    event: EventIdentification,
    participants: Sequence[ActiveParticipant],
    destination_kinds: Mapping[str, str],
) -> str:
    """The kind that refines the category; empty when none does."""
    for rule in derivations().kinds_of.get(category_of(event), ()):
        if _fits(rule, event, participants) and (
            not rule.near or _near(participants, destination_kinds) == rule.near
        ):
            return rule.name
    return ""


def _fits(
    rule: KindRule, event: EventIdentification, participants: Sequence[ActiveParticipant]
) -> bool:
    """Whether all conditions hold, but for the one about destinations."""
    if rule.events and event.event_id.csd_code not in rule.events:
        return False
    if rule.types and not any(code.csd_code in rule.types for code in event.event_type_codes):
        return False
    if rule.media and rule.media.isdisjoint(_media(participants)):
        return False
    return not rule.network or _goes_over_network(participants)


def _media(participants: Sequence[ActiveParticipant]) -> set[str]:
    of = (one.media_type for one in participants)
    return {media.csd_code for media in of if media is not None}


def _destinations(participants: Sequence[ActiveParticipant]) -> list[ActiveParticipant]:
    return [one for one in participants if has_role(one, "destination")]


def _goes_over_network(participants: Sequence[ActiveParticipant]) -> bool:
    if not _media(participants):
        return True
    return any(one.network_access_point_id for one in _destinations(participants))


def _near(participants: Sequence[ActiveParticipant], destination_kinds: Mapping[str, str]) -> str:
    kinds = (destination_kind(one, destination_kinds) for one in _destinations(participants))
    return next(filter(None, kinds), "")
