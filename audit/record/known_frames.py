"""Objects that differ from a known one in a few values only: told without parsing them.

The octets of an object less its identifier, name, query, accession numbers, UIDs of studies and
MPPS, and numbers of instances are its frame. A sender writes thousands of objects in a handful of
frames. Where an object in a frame was read, accepted by the strict grammar and without fault, so
is any other in that frame as long as its values are in the usual form: such values can't end the
attribute or text that they stand in, the grammar allows them there, and the rules about each are
asked again. All else is left to the parser.
"""

import re
from typing import NamedTuple

from audit.record.audit_message import (
    ParticipantObject,
    ParticipantObjectDescription,
    SOPClass,
)
from audit.record.message_rules import UID_ID_TYPES
from audit.record.object_rules import faults_of_query
from audit.record.remembered import Remembered
from audit.record.shapes import is_free_name
from audit.record.value_faults import identifier_faults, uid_faults

_IDENTIFIER, _NAME = b'ParticipantObjectID="', b"<ParticipantObjectName>"
_QUERY, _NUMBER = b"<ParticipantObjectQuery>", b'NumberOfInstances="'
_ACCESSION, _MPPS, _STUDY = b'<Accession Number="', b'<MPPS UID="', b'<StudyIDs UID="'
_VALUES = re.compile(
    rb"(%b)([^\"<]*)" % b"|".join((_IDENTIFIER, _NAME, _QUERY, _ACCESSION, _MPPS, _STUDY, _NUMBER))
)
_BASE64 = re.compile(
    r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?"
)
_MOST_VALUES = 16
_SEPARATOR = '"'
"""No value holds it."""


class _Frame(NamedTuple):
    """An object that was read, and where in its frame the values stand.

    Attributes:
        model: the object.
        shape: the number of its shape, which all objects of the frame have.
        query_faults: what the rules about queries say of it.
        identifier: index of its value; the others are None or empty where there is none.
    """

    model: ParticipantObject
    shape: int
    query_faults: tuple[bool, bool]
    identifier: int
    name: int | None
    query: int | None
    accessions: tuple[int, ...]
    mpps: tuple[int, ...]
    studies: tuple[int, ...]
    numbers: tuple[int, ...]


_frames: Remembered[tuple[bytes, ...], _Frame] = Remembered()


def object_in_frame(octets: bytes) -> tuple[ParticipantObject, int] | None:
    """The object and the number of its shape, when it is one without fault in a known frame.

    Args:
        octets: of the element, its tag's name included or not, as in `learn_frame`.
    """
    pieces = _VALUES.split(octets)
    values = pieces[2::3]
    del pieces[2::3]
    frame = _frames.get(tuple(pieces))
    texts = _texts(values) if frame is not None else None
    if frame is None or texts is None or not _are_faultless(frame, texts):
        return None
    one = _filled(frame, texts)
    if frame.query is not None and faults_of_query(one) != frame.query_faults:
        return None
    return one, frame.shape


def learn_frame(octets: bytes, one: ParticipantObject, shape: int) -> None:
    """Remember the frame of an object that the grammar accepts and that is without fault."""
    pieces = _VALUES.split(octets)
    prefixes, values = pieces[1::3], pieces[2::3]
    del pieces[2::3]
    places = {
        prefix: tuple(index for index, there in enumerate(prefixes) if there == prefix)
        for prefix in prefixes
    }
    first = {prefix: indices[0] for prefix, indices in places.items()}
    if _IDENTIFIER not in first or len(values) > _MOST_VALUES or _holds_apostrophe(pieces):
        return
    frame = _Frame(
        model=one,
        shape=shape,
        query_faults=faults_of_query(one),
        identifier=first[_IDENTIFIER],
        name=first.get(_NAME),
        query=first.get(_QUERY),
        accessions=places.get(_ACCESSION, ()),
        mpps=places.get(_MPPS, ()),
        studies=places.get(_STUDY, ()),
        numbers=places.get(_NUMBER, ()),
    )
    texts = _texts(values)
    if texts and _are_faultless(frame, texts) and _is_told(frame, texts):
        _frames.put(tuple(pieces), frame)


def _holds_apostrophe(pieces: list[bytes]) -> bool:
    """Whether a value might stand in an attribute that an apostrophe ends."""
    return any(b"'" in piece for piece in pieces)


def _is_told(frame: _Frame, texts: list[str]) -> bool:
    """Whether the values put into the frame give the very object that was read."""
    descriptions = frame.model.participant_object_descriptions
    told = len(frame.accessions) + len(frame.mpps) + len(frame.studies) + len(frame.numbers)
    if told and len(descriptions) != 1:
        return False
    return _filled(frame, texts) == frame.model


def _texts(values: list[bytes]) -> list[str] | None:
    """The values as text; None when one is empty or needs the parser to be understood."""
    octets = b'"'.join(values)
    if b"&" in octets:
        if octets.count(b"&") != octets.count(b"&amp;"):
            return None
        octets = octets.replace(b"&amp;", b"&")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return None
    texts = text.split(_SEPARATOR)
    return texts if text.isprintable() and "]]>" not in text and all(texts) else None


def _are_faultless(frame: _Frame, texts: list[str]) -> bool:
    """Whether each value is one that the grammar allows in its place, and breaks no rule."""
    identifier = texts[frame.identifier]
    if identifier_faults(identifier) or (
        frame.model.participant_object_id_type_code.csd_code in UID_ID_TYPES
        and uid_faults(identifier)
    ):
        return False
    if frame.name is not None and not is_free_name(texts[frame.name]):
        return False
    if frame.query is not None and not _BASE64.fullmatch(texts[frame.query]):
        return False
    for index in frame.numbers:
        if not (texts[index].isascii() and texts[index].isdigit()):
            return False
    return not any(uid_faults(texts[index]) for index in (*frame.mpps, *frame.studies))


def _filled(frame: _Frame, texts: list[str]) -> ParticipantObject:
    """The object of the frame that has these values."""
    model = frame.model
    descriptions = model.participant_object_descriptions
    if descriptions:
        descriptions = (_described(descriptions[0], frame, texts), *descriptions[1:])
    return ParticipantObject(
        participant_object_id=texts[frame.identifier],
        participant_object_id_type_code=model.participant_object_id_type_code,
        participant_object_type_code=model.participant_object_type_code,
        participant_object_type_code_role=model.participant_object_type_code_role,
        participant_object_data_life_cycle=model.participant_object_data_life_cycle,
        participant_object_sensitivity=model.participant_object_sensitivity,
        participant_object_name=None if frame.name is None else texts[frame.name],
        participant_object_query=None if frame.query is None else texts[frame.query],
        participant_object_details=model.participant_object_details,
        participant_object_descriptions=descriptions,
    )


def _described(
    model: ParticipantObjectDescription, frame: _Frame, texts: list[str]
) -> ParticipantObjectDescription:
    classes = model.sop_classes
    if frame.numbers:
        numbers = [texts[index] for index in frame.numbers]
        classes = tuple(
            [
                SOPClass(uid=one.uid, number_of_instances=number)
                for one, number in zip(classes, numbers, strict=False)
            ]
        )
    return ParticipantObjectDescription(
        mpps=tuple([texts[index] for index in frame.mpps]),
        accessions=tuple([texts[index] for index in frame.accessions]),
        sop_classes=classes,
        contains_study=tuple([texts[index] for index in frame.studies])
        if frame.studies
        else model.contains_study,
        encrypted=model.encrypted,
        anonymized=model.anonymized,
    )
