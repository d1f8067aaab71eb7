"""Parts of a message → what each adds to the record.

Senders name the same people, machines, patients and codes all day. What a part of a small message
adds is therefore remembered by the part's own values; a fresh answer would be the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from sys import maxsize

from audit.projector.body import (
    Body,
    event_body,
    object_body,
    participant_body,
    source_body,
)
from audit.projector.event_fields import add_event
from audit.projector.field_values import Added, FieldValues
from audit.projector.objects import QueryKeys, add_object
from audit.projector.participants import add_participant
from audit.projector.sources import add_source
from audit.projector.texts import (
    Texts,
    event_texts,
    object_texts,
    participant_texts,
    source_texts,
)
from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    CodedValue,
    EventIdentification,
    ParticipantObject,
)
from audit.record.query_content import decode_query

REMEMBERED = 2_048
"""Parts of each sort that are remembered."""

SMALL_OCTETS = 8_192
"""The parts of a longer message are not remembered: strangers must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a message adds: values and texts to search, its share of the body.

    Nobody changes the body: records share it.
    """

    added: Added
    body: Body
    keys: QueryKeys = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """A message as its parts, in its order."""

    event: Part
    participants: tuple[Part, ...]
    sources: tuple[Part, ...]
    objects: tuple[Part, ...]

    def in_order(self) -> tuple[Part, ...]:
        """All of them, the weightier first."""
        return (self.event, *self.participants, *self.sources, *self.objects)

    def body(self) -> Body:
        """The message as JSON."""
        return {
            "event": self.event.body,
            "participants": [part.body for part in self.participants],
            "sources": [part.body for part in self.sources],
            "objects": [part.body for part in self.objects],
        }


def parts_of(message: AuditMessage, assigner: str = "", *, is_small: bool = False) -> Parts:
    """Take a message apart.

    Args:
        message: any.
        assigner: assigning authority of bare patient identifiers; empty when none is known.
        is_small: it came from at most ``SMALL_OCTETS``, so its parts may be remembered.
    """
    make = _REMEMBERING if is_small else _AFRESH
    return Parts(
        event=_event_of(message.event_identification, make.event),
        participants=tuple([make.participant(one) for one in message.active_participants]),
        sources=tuple([make.source(one) for one in message.audit_sources]),
        objects=tuple([make.subject(one, assigner) for one in message.participant_objects]),
    )


def _event_of(event: EventIdentification, make: Callable[..., Part]) -> Part:
    """The time alone is new in each event."""
    part = make(
        event.event_id,
        event.event_type_codes,
        event.event_action_code,
        event.event_outcome_indicator,
        event.event_outcome_description,
        event.purposes_of_use,
    )
    return Part(part.added, {**part.body, "date_time": event.event_date_time})


def _gathered(add: Callable[[FieldValues], object], texts: Texts) -> Added:
    values = FieldValues(maxsize, maxsize, maxsize)
    add(values)
    values.add_text(texts)
    return values.added()


def _timeless_event(
    event_id: CodedValue,
    types: tuple[CodedValue, ...],
    action: str | None,
    outcome: str,
    description: str | None,
    purposes: tuple[CodedValue, ...],
) -> Part:
    event = EventIdentification(
        event_id=event_id,
        event_date_time="",
        event_outcome_indicator=outcome,
        event_action_code=action,
        event_type_codes=types,
        event_outcome_description=description,
        purposes_of_use=purposes,
    )
    return Part(
        _gathered(lambda values: add_event(values, event), event_texts(event)), event_body(event)
    )


def _participant(one: ActiveParticipant) -> Part:
    return Part(
        _gathered(lambda values: add_participant(values, one), participant_texts(one)),
        participant_body(one),
    )


def _source(one: AuditSource) -> Part:
    return Part(
        _gathered(lambda values: add_source(values, one), source_texts(one)), source_body(one)
    )


def _subject(one: ParticipantObject, assigner: str) -> Part:
    keys = decode_query(one) if one.participant_object_query else ()
    return Part(
        _gathered(lambda values: add_object(values, one, assigner), object_texts(one, keys)),
        object_body(one, keys),
        keys,
    )


@dataclass(frozen=True, slots=True)
class _Makers:
    event: Callable[..., Part]
    participant: Callable[[ActiveParticipant], Part]
    source: Callable[[AuditSource], Part]
    subject: Callable[[ParticipantObject, str], Part]


_remember = lru_cache(maxsize=REMEMBERED)
_AFRESH = _Makers(_timeless_event, _participant, _source, _subject)
_REMEMBERING = _Makers(
    _remember(_timeless_event),
    _remember(_participant),
    _remember(_source),
    _remember(_subject),
)
