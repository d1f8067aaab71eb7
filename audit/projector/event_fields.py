"""EventIdentification → category, kind, event, event_type, action, outcome, purpose."""

from collections.abc import Mapping

from audit.projector.derivations import OTHER, KindRule, derivations
from audit.projector.field_values import FieldValues
from audit.projector.participants import destination_kind, has_role
from audit.record.audit_message import ActiveParticipant, AuditMessage, EventIdentification


def category_of(event: EventIdentification) -> str:
    """The category that follows from the EventID."""
    return derivations().category_of_event.get(event.event_id.csd_code, OTHER)


def add_event(values: FieldValues, event: EventIdentification) -> None:
    """Add what the event says of itself."""
    values.add("category", category_of(event))
    values.add("event", event.event_id.csd_code)
    values.add("event_type", *(code.csd_code for code in event.event_type_codes))
    values.add("action", event.event_action_code)
    values.add("outcome", derivations().outcomes.get(event.event_outcome_indicator.strip()))
    for purpose in event.purposes_of_use:
        values.add("purpose", purpose.csd_code, purpose.original_text)


def kind_of(message: AuditMessage, destination_kinds: Mapping[str, str]) -> str:
    """The kind that refines the category; empty when none does."""
    for rule in derivations().kinds_of.get(category_of(message.event_identification), ()):
        if _fits(rule, message, destination_kinds):
            return rule.name
    return ""


def _fits(rule: KindRule, message: AuditMessage, destination_kinds: Mapping[str, str]) -> bool:
    event = message.event_identification
    if rule.events and event.event_id.csd_code not in rule.events:
        return False
    if rule.types and not any(code.csd_code in rule.types for code in event.event_type_codes):
        return False
    if rule.media and rule.media.isdisjoint(_media(message)):
        return False
    if rule.network and not _goes_over_network(message):
        return False
    return not rule.near or _near(message, destination_kinds) == rule.near


def _media(message: AuditMessage) -> set[str]:
    of = (one.media_type for one in message.active_participants)
    return {media.csd_code for media in of if media is not None}


def _destinations(message: AuditMessage) -> list[ActiveParticipant]:
    return [one for one in message.active_participants if has_role(one, "destination")]


def _goes_over_network(message: AuditMessage) -> bool:
    if not _media(message):
        return True
    return any(one.network_access_point_id for one in _destinations(message))


def _near(message: AuditMessage, destination_kinds: Mapping[str, str]) -> str:
    kinds = (destination_kind(one, destination_kinds) for one in _destinations(message))
    return next(filter(None, kinds), "")
