"""Messages put together from parts that were seen before: what repeats is read and judged once.

In a message that the strict grammar accepts, without comments, CDATA sections and processing
instructions, a ``<`` stands nowhere but at a tag. So its octets can be cut into the children of
AuditMessage, and as the grammar says of each child by itself what it may hold, and of all only
their order, octets that were such a child once are one again wherever they stand in that order. A
message of known parts is therefore well-formed, of tier dicom and known in content before any
parser has seen it. For the same reason a part that is new can be parsed and judged alone. Whether
the rules have anything to say of it follows from the shapes of its parts
(`audit.record.shapes`); where they do, all is done at length.
"""

import re
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from audit.record import grammar
from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    AuditSource,
    EventIdentification,
    ParticipantObject,
    Setting,
)
from audit.record.known_frames import learn_frame, object_in_frame
from audit.record.message_rules import (
    event_faults,
    object_faults,
    participant_faults,
    source_faults,
)
from audit.record.parse import read_event, read_object, read_participant, read_source
from audit.record.remembered import Remembered
from audit.record.shapes import event_shape, number_of, object_shape, participant_shape
from audit.record.times import is_usual
from audit.record.xml_input import USUAL_DECLARATION, XmlLimits
from audit.record.xml_tree import Element, read_part

_K = TypeVar("_K")
_T = TypeVar("_T")
_MAX_MESSAGE_OCTETS = 16 * 1024
"""A larger message would push out what many smaller ones share."""
_MAX_PART_OCTETS = 1024
_MAX_SETTING_OCTETS = 4096
_BOM = b"\xef\xbb\xbf"
_HEAD = re.compile(
    rb"(?:%b[ \t\r\n]*)?<AuditMessage>[ \t\r\n]*"
    rb"(<EventIdentification(?:\s(?!EventDateTime)[A-Za-z]+=\"[^\"<]*\")*\sEventDateTime=\")"
    rb"([0-9T:.Z+-]{1,40})\"" % USUAL_DECLARATION
)
_END = b"</AuditMessage>"
_PARTICIPANT = b"<ActiveParticipant"
_SOURCE = b"<AuditSourceIdentification"
_OBJECT = b"<ParticipantObjectIdentification"
_UNSURE = re.compile(rb"<[!?]|xmlns")
"""What may hold a tag that is none, or change what a name means."""
_FAULTY = 0


class Part(NamedTuple, Generic[_T]):
    """A child of AuditMessage, and the number of its shape; 0 if it breaks a rule by itself."""

    value: _T
    shape: int


class Pieces(NamedTuple):
    """The octets of a message, cut; only a message that a grammar accepts is surely cut right.

    Attributes:
        setting: the octets before and after the value of EventDateTime, up to the objects.
        time: that value.
        objects: the octets of each object, less the name of the tag.
    """

    setting: tuple[bytes, bytes]
    time: str
    objects: list[bytes]


class Parts(NamedTuple):
    """The parts of a message, and the numbers of their shapes in the order of the message."""

    setting: Setting
    objects: tuple[ParticipantObject, ...]
    shapes: tuple[int, ...]


class _SettingPieces(NamedTuple):
    event: tuple[bytes, bytes]
    participants: list[bytes]
    source: bytes


_settings: Remembered[tuple[bytes, bytes], tuple[Setting, tuple[int, ...]]] = Remembered()
_events: Remembered[tuple[bytes, bytes], Part[EventIdentification]] = Remembered()
_participants: Remembered[bytes, Part[ActiveParticipant]] = Remembered()
_sources: Remembered[bytes, Part[AuditSource]] = Remembered()
_objects: Remembered[bytes, Part[ParticipantObject]] = Remembered()
_clean: Remembered[tuple[int, ...], bool] = Remembered()
"""The shapes of messages of which no rule had anything to say."""


def cut_up(msg: bytes, limits: XmlLimits) -> Pieces | None:
    """The pieces of a message in the usual form; None for all that needs a closer look.

    Such is also a message of a size at which its elements and attributes are to be counted.
    """
    most = min(_MAX_MESSAGE_OCTETS, limits.max_octets, limits.max_nodes, limits.max_attributes)
    if len(msg) > most:
        return None
    body, _, behind = msg.removeprefix(_BOM).rpartition(_END)
    if behind.strip(b" \t\r\n") or not (head := _HEAD.match(body)):
        return None
    after, *objects = body[head.end() :].split(_OBJECT)
    return Pieces((head[1], after), head[2].decode("ascii"), objects)


def known_message(pieces: Pieces) -> AuditMessage | None:
    """The message, if all its parts are known, it is of tier dicom, and no rule finds anything."""
    setting = _settings.get(pieces.setting) or _known_setting(pieces.setting)
    objects = _all_of(_objects, pieces.objects)
    if setting is None or objects is None:
        return None
    parts = _parts(setting, objects)
    return _message(pieces, parts) if is_clean(pieces, parts) else None


def _parts(
    setting: tuple[Setting, tuple[int, ...]], objects: list[Part[ParticipantObject]]
) -> Parts:
    return Parts(
        setting[0],
        tuple([part.value for part in objects]),
        (*setting[1], *[part.shape for part in objects]),
    )


def _known_setting(octets: tuple[bytes, bytes]) -> tuple[Setting, tuple[int, ...]] | None:
    """A setting that is new, but all of whose parts are known."""
    pieces = _cut_setting(octets)
    if pieces is None:
        return None
    event, source = _events.get(pieces.event), _sources.get(pieces.source)
    participants = _all_of(_participants, pieces.participants)
    if event is None or source is None or participants is None:
        return None
    return _remember_setting(octets, event, participants, source)


def _cut_setting(octets: tuple[bytes, bytes]) -> _SettingPieces | None:
    after, *participants = octets[1].split(_PARTICIPANT)
    if not participants or len(octets[1]) > _MAX_SETTING_OCTETS:
        return None
    participants[-1], _, source = participants[-1].partition(_SOURCE)
    return _SettingPieces((octets[0], after), participants, source)


def _remember_setting(
    octets: tuple[bytes, bytes],
    event: Part[EventIdentification],
    participants: list[Part[ActiveParticipant]],
    source: Part[AuditSource],
) -> tuple[Setting, tuple[int, ...]]:
    setting = Setting(event.value, tuple([part.value for part in participants]), (source.value,))
    shapes = (event.shape, source.shape, *[part.shape for part in participants])
    _settings.put(octets, (setting, shapes))
    return setting, shapes


def _all_of(known: Remembered[bytes, Part[_T]], pieces: list[bytes]) -> list[Part[_T]] | None:
    found: list[Part[_T]] = []
    for octets in pieces:
        part = known.get(octets)
        if part is None:
            return None
        found.append(part)
    return found


def learn(pieces: Pieces) -> bool:
    """Read those participants, sources and objects that aren't known, each by itself.

    False when one of them isn't what the strict grammar wants, or is to be looked at in its
    place: it is too large, holds what makes a cut unsure, or a rule has something to say of it.
    """
    inner = _cut_setting(pieces.setting)
    if inner is None or not (event := _events.get(inner.event)) or not event.shape:
        return False
    return (
        _learn(_participants, inner.participants, _new_participant)
        and _learn(_sources, [inner.source], _new_source)
        and _learn(_objects, pieces.objects, _new_object)
    )


def _learn(
    known: Remembered[bytes, Part[_T]],
    pieces: list[bytes],
    new: Callable[[bytes], Part[_T] | None],
) -> bool:
    for octets in pieces:
        part = known.get(octets)
        if part is None:
            part = new(octets)
            if part is None:
                return False
            known.put(octets, part)
        if part.shape == _FAULTY:
            return False
    return True


def _new_participant(octets: bytes) -> Part[ActiveParticipant] | None:
    return _read_alone(_PARTICIPANT + octets, _participant_part)


def _new_source(octets: bytes) -> Part[AuditSource] | None:
    return _read_alone(_SOURCE + octets, _source_part)


def _new_object(octets: bytes) -> Part[ParticipantObject] | None:
    """An object that is new, by its frame where that is known."""
    if len(octets) <= _MAX_PART_OCTETS and (found := object_in_frame(octets)) is not None:
        return Part(*found)
    part = _read_alone(_OBJECT + octets, _object_part)
    if part is not None and part.shape != _FAULTY:
        learn_frame(octets, part.value, part.shape)
    return part


def _read_alone(octets: bytes, read: Callable[[Element], Part[_T]]) -> Part[_T] | None:
    if len(octets) > _MAX_PART_OCTETS or _UNSURE.search(octets):
        return None
    element = read_part(octets)
    if element is None:
        return None
    with grammar.borrowed() as grammars:
        accepted = grammars.accepts("dicom-part", element)
    return read(element) if accepted else None


def read_known(pieces: Pieces, root: Element, octets: bytes) -> tuple[AuditMessage, Parts] | None:
    """The message that the tree holds and its parts, read where they aren't known.

    None when a part is too large to be remembered, or holds what makes a cut unsure.

    Args:
        pieces: what the octets were cut into.
        root: the root, which the grammar ``dicom`` accepts, unchanged.
        octets: what it was parsed from.
    """
    inner = _cut_setting(pieces.setting)
    if inner is None or octets.find(b"<?", 1) >= 0 or b"<!" in octets or b"xmlns" in octets:
        return None
    cut = (*inner.event, *inner.participants, inner.source, *pieces.objects)
    if max(map(len, cut)) > _MAX_PART_OCTETS:
        return None
    place = 1 + len(inner.participants)
    setting = _settings.get(pieces.setting) or _remember_setting(
        pieces.setting,
        _read(_events, [inner.event], _event_part, root, 0)[0],
        _read(_participants, inner.participants, _participant_part, root, 1),
        _read(_sources, [inner.source], _source_part, root, place)[0],
    )
    parts = _parts(setting, _read(_objects, pieces.objects, _object_part, root, place + 1))
    return _message(pieces, parts), parts


def is_clean(pieces: Pieces, parts: Parts) -> bool:
    """Whether no rule has anything to say of the message; False when that isn't known yet."""
    return bool(_clean.get(parts.shapes)) and is_usual(pieces.time)


def remember_clean(parts: Parts) -> None:
    """Remember that no rule had anything to say of a message of these parts."""
    if _FAULTY not in parts.shapes:
        _clean.put(parts.shapes, True)


def _read(
    known: Remembered[_K, Part[_T]],
    pieces: list[_K],
    read: Callable[[Element], Part[_T]],
    root: Element,
    first: int,
) -> list[Part[_T]]:
    found: list[Part[_T]] = []
    for index, octets in enumerate(pieces, first):
        part = known.get(octets)
        if part is None:
            part = read(root[index])
            known.put(octets, part)
        found.append(part)
    return found


def _event_part(element: Element) -> Part[EventIdentification]:
    event = read_event(element, with_time=False)
    return Part(event, _FAULTY if event_faults(event) else number_of(event_shape(event)))


def _participant_part(element: Element) -> Part[ActiveParticipant]:
    one = read_participant(element)
    return Part(one, _FAULTY if participant_faults(one) else number_of(participant_shape(one)))


def _source_part(element: Element) -> Part[AuditSource]:
    source = read_source(element)
    return Part(source, _FAULTY if source_faults(source) else number_of(("source",)))


def _object_part(element: Element) -> Part[ParticipantObject]:
    one = read_object(element)
    return Part(one, _FAULTY if object_faults(one) else number_of(object_shape(one)))


def _message(pieces: Pieces, parts: Parts) -> AuditMessage:
    setting = parts.setting
    event = setting.event
    return AuditMessage(
        event_identification=EventIdentification(
            event_id=event.event_id,
            event_date_time=pieces.time,
            event_outcome_indicator=event.event_outcome_indicator,
            event_action_code=event.event_action_code,
            event_type_codes=event.event_type_codes,
            event_outcome_description=event.event_outcome_description,
            purposes_of_use=event.purposes_of_use,
        ),
        active_participants=setting.participants,
        audit_sources=setting.sources,
        participant_objects=parts.objects,
        setting=setting,
    )
