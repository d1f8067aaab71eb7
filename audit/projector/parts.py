"""Parts of a message → what each adds to the record.

Senders name the same people, machines, patients and codes all day. What a part of a small message
adds is therefore remembered by the part's own values; a fresh answer would be the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from sys import maxsize
from typing import NamedTuple, TypeAlias

from audit.projector.body import (
    Body,
    event_body,
    object_body,
    participant_body,
    source_body,
)
from audit.projector.event_fields import add_event, kind_of
from audit.projector.field_values import Added, FieldValues
from audit.projector.objects import Asked, add_object, add_query_keys
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
    Setting,
)
from audit.record.dicom_dataset import DEFAULT_LIMITS, DataSetLimits
from audit.record.query_content import decode_query
from audit.record.remembered import PerPart

EventFacts: TypeAlias = tuple[
    CodedValue, tuple[CodedValue, ...], str | None, str, str | None, tuple[CodedValue, ...]
]
"""EventIdentification without its time: id, types, action, outcome, its description, purposes."""

REMEMBERED = 2_048
"""Parts of each sort that are remembered."""

SMALL_OCTETS = 8_192
"""The parts of a longer message are not remembered: strangers must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a message adds: values and texts to search, its share of the body.

    Nobody changes the body: records share it. ``asked`` are the identities that a query names;
    ``kind`` is that of a setting at a site that says nothing about destinations.
    """

    added: Added
    body: Body
    asked: Asked = ()
    kind: str = ""


class Parts(NamedTuple):
    """A message as its parts.

    Attributes:
        setting: who reports, who takes part, and what happens, without its time.
        objects: what is acted upon, in order.
        event_date_time: the time, as sent.
    """

    setting: Part
    objects: tuple[Part, ...]
    event_date_time: str

    def in_order(self) -> tuple[Part, ...]:
        """All of them, the weightier first."""
        return (self.setting, *self.objects)

    def body(self) -> Body:
        """The message as JSON."""
        setting = self.setting.body
        return {
            **setting,
            "event": {**setting["event"], "date_time": self.event_date_time},
            "objects": [part.body for part in self.objects],
        }


def parts_of(
    message: AuditMessage,
    assigner: str = "",
    *,
    is_small: bool = False,
    limits: DataSetLimits = DEFAULT_LIMITS,
) -> Parts:
    """Take a message apart.

    Args:
        message: any.
        assigner: assigning authority of bare patient identifiers; empty when none is known.
        is_small: it came from at most ``SMALL_OCTETS``, so its parts may be remembered.
        limits: how much of a query is decoded.
    """
    event = message.event_identification
    makers = _usual_makers if limits is DEFAULT_LIMITS else _makers(limits)
    if is_small and message.setting is not None and not assigner:
        subject_of = makers.shared_subject
        return Parts(
            makers.shared_setting(message.setting),
            tuple([subject_of(one) for one in message.participant_objects]),
            event.event_date_time,
        )
    make = makers.remembering if is_small else makers.afresh
    facts = (
        event.event_id,
        event.event_type_codes,
        event.event_action_code,
        event.event_outcome_indicator,
        event.event_outcome_description,
        event.purposes_of_use,
    )
    return Parts(
        make.setting(facts, message.active_participants, message.audit_sources),
        tuple([make.subject(one, assigner) for one in message.participant_objects]),
        event.event_date_time,
    )


def _gathered(add: Callable[[FieldValues], object], texts: Texts) -> Added:
    values = FieldValues(maxsize, maxsize, maxsize)
    add(values)
    values.add_text(texts)
    return values.added()


def _timeless(facts: EventFacts) -> EventIdentification:
    event_id, types, action, outcome, description, purposes = facts
    return EventIdentification(
        event_id=event_id,
        event_date_time="",
        event_outcome_indicator=outcome,
        event_action_code=action,
        event_type_codes=types,
        event_outcome_description=description,
        purposes_of_use=purposes,
    )


def _event(event: EventIdentification) -> Part:
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


def _subject(one: ParticipantObject, assigner: str, limits: DataSetLimits) -> Part:
    keys = decode_query(one, limits) if one.participant_object_query else ()
    values = FieldValues(maxsize, maxsize, maxsize)
    add_object(values, one, assigner)
    asked = add_query_keys(values, keys) if keys else ()
    values.add_text(object_texts(one, keys))
    return Part(values.added(), object_body(one, keys), asked)


class _Maker:
    """Makes parts; ``remember`` wraps what makes each sort."""

    def __init__(
        self, remember: Callable[[Callable[..., Part]], Callable[..., Part]], limits: DataSetLimits
    ) -> None:
        self._event = remember(_event)
        self._participant = remember(_participant)
        self._source = remember(_source)
        self.subject = remember(partial(_subject, limits=limits))
        self.setting = remember(self._setting)

    def _setting(
        self,
        facts: EventFacts,
        participants: tuple[ActiveParticipant, ...],
        sources: tuple[AuditSource, ...],
    ) -> Part:
        return self.timeless_setting(_timeless(facts), participants, sources)

    def timeless_setting(
        self,
        event: EventIdentification,
        participants: tuple[ActiveParticipant, ...],
        sources: tuple[AuditSource, ...],
    ) -> Part:
        """What happens, who takes part, and who reports."""
        happening = self._event(event)
        taking_part = [self._participant(one) for one in participants]
        reporting = [self._source(one) for one in sources]
        values = FieldValues(maxsize, maxsize, maxsize)
        for part in (happening, *taking_part, *reporting):
            values.take(part.added)
            values.take_texts(part.added)
        body = {
            "event": happening.body,
            "participants": [part.body for part in taking_part],
            "sources": [part.body for part in reporting],
        }
        return Part(values.added(), body, kind=kind_of(event, participants, {}))


class _Makers(NamedTuple):
    """All that makes parts within one site's limits."""

    afresh: _Maker
    remembering: _Maker
    shared_setting: PerPart[Setting, Part]
    shared_subject: PerPart[ParticipantObject, Part]


@cache
def _makers(limits: DataSetLimits) -> _Makers:
    """One for each set of limits; a process has one."""
    remembering = _Maker(lru_cache(maxsize=REMEMBERED), limits)

    def setting_of(shared: Setting) -> Part:
        return remembering.timeless_setting(shared.event, shared.participants, shared.sources)

    return _Makers(
        _Maker(lambda make: make, limits),
        remembering,
        PerPart(setting_of, REMEMBERED),
        PerPart(lambda shared: _subject(shared, "", limits), REMEMBERED),
    )


_usual_makers = _makers(DEFAULT_LIMITS)
