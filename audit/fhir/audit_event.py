"""AuditMessage → AuditEvent, without what the place in the journal adds (id, meta).

Source: FHIR R4 AuditEvent 6.4.6 (mapping to DICOM PS3.15 A.5); IHE ITI TF-2 3.20, 3.81.
"""

from collections.abc import Mapping
from types import MappingProxyType

from audit.fhir.agents import agent_of, nobody, source_of
from audit.fhir.entities import entities_of, source_entity
from audit.fhir.values import Json, absent, coding, concept, string, without_gaps
from audit.record.audit_message import AuditMessage, CodedValue, EventIdentification
from audit.record.times import format_ns, parse_date_time

TYPE = "AuditEvent"

_ACTIONS = frozenset("CRUDE")
_OUTCOMES = frozenset({"0", "4", "8", "12"})
_NO_ASSIGNERS: Mapping[str, str] = MappingProxyType({})


def event_resource(
    message: AuditMessage, time: int, assigners: Mapping[str, str] = _NO_ASSIGNERS
) -> Json:
    """The AuditEvent that says what the message says.

    Args:
        message: any, of whatever quality.
        time: the record's time (UTC nanoseconds), which ``recorded`` tells. Where it isn't the
            sender's own, that one is told by ``period``.
        assigners: assigning authority of bare patient identifiers, by AuditSourceID.
    """
    event = message.event_identification
    return {
        "resourceType": TYPE,
        **_event(event, time),
        "agent": [agent_of(one) for one in message.active_participants] or [nobody()],
        "source": source_of(message.audit_sources),
        **_entities(message, assigners),
    }


def _event(event: EventIdentification, time: int) -> Json:
    action = (event.event_action_code or "").strip().upper()
    outcome = event.event_outcome_indicator.strip()
    return without_gaps(
        {
            "type": coding(event.event_id) or untold("unknown"),
            "subtype": [told for one in event.event_type_codes if (told := coding(one))],
            "action": action if action in _ACTIONS else "",
            "period": period_of(event.event_date_time, time),
            "recorded": format_ns(time),
            "outcome": outcome if outcome in _OUTCOMES else "",
            "outcomeDesc": string(event.event_outcome_description),
            "purposeOfEvent": _purposes(event.purposes_of_use),
        }
    )


def untold(reason: str) -> Json:
    """A Coding where FHIR demands one and there is none."""
    return {"extension": absent(reason)}


def period_of(sent: str, time: int) -> Json:
    """The sender's own time of the event, when it isn't the record's; FHIR has no other place."""
    own = parse_date_time(sent).ns
    if own is None or own == time:
        return {}
    told = format_ns(own)
    return {"start": told, "end": told}


def _purposes(purposes: tuple[CodedValue, ...]) -> list[Json]:
    return [told for one in purposes if (told := concept(one))]


def _entities(message: AuditMessage, assigners: Mapping[str, str]) -> Json:
    named = (assigners.get(source.audit_source_id, "") for source in message.audit_sources)
    assigner = next(filter(None, named), "")
    entities = [
        entity for one in message.participant_objects for entity in entities_of(one, assigner)
    ]
    entities += [source_entity(one) for one in message.audit_sources[1:]]
    entities = [one for one in entities if one]
    return {"entity": entities} if entities else {}
