"""Merges of patients, learned from Patient Record events in the trail.

Three forms are known, each from how IHE has its transactions audited:

- two events about one message (HL7 A40: ITI-8, ITI-30, ITI-31; HL7 V3: ITI-44): the identifier
  that is no longer used is deleted, the surviving one updated. Both carry the message's id as the
  detail MSH-10, or II for HL7 V3;
- one event with the identifier that survives and the one it subsumes (HL7 A43: ITI-64), told
  apart by the detail ``urn:ihe:iti:xpid:2017:patientIdentifierType``;
- one event with all identifiers of a patient (PIX Update Notification: ITI-10, ITI-46).

Nothing else is taken for a merge: an update alone, of whatever trigger, names one patient only.
Source: IHE ITI TF-2 3.8, 3.10, 3.30, 3.31, 3.44, 3.46; ITI Cross-Community Patient Discovery and
XAD-PID Change Management (3.64); DICOM PS3.15 A.5.3.14 for the event.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from audit.index.criteria import And, Criteria, Or, Range, Term, Text, fold, words_of
from audit.index.document import IndexedRecord
from audit.index.port import Place, SearchIndex
from audit.state.aliases import Link, Name

_MESSAGE_IDS = frozenset({"MSH-10", "II"})
_DELETED, _UPDATED = "D", "U"
_LINK_CHANGE = "iti-64"
_NOTIFICATIONS = frozenset({"iti-10", "iti-46"})
_PATIENT_EVENT = Term("event", "110110")
_DELETION, _UPDATE = Term("action", _DELETED), Term("action", _UPDATED)
_OF_ONE_EVENT = tuple(Term("event_type", one) for one in (_LINK_CHANGE, *sorted(_NOTIFICATIONS)))
_PART = "urn:ihe:iti:xpid:2017:patientidentifiertype"
_SURVIVING = "localpatientid"
_SUBSUMED = frozenset({"subsumedpatientid", "subsumedlocalpatientid"})
"""The framework calls the object by the one and the detail's value by the other name."""
_PAGE = 200
_PARTNERS = 20
_PAIR = 2
_ASSIGNER_PART = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeOptions:
    """Bounds of learning.

    Attributes:
        window_ns: the two records of one merge lie at most so far apart; ids of messages come
            again after a while, and are then another message's.
        most: Patient Record events that one step reads; the rest is left to the next.
    """

    window_ns: int = 300_000_000_000
    most: int = 2_000


@dataclass(frozen=True, slots=True)
class Learned:
    """What one step found: links, and the first sequence it hasn't looked at."""

    links: tuple[Link, ...]
    position: int


def learn_merges(
    index: SearchIndex, position: int, options: MergeOptions | None = None
) -> Learned:
    """Links of merges in what became searchable since.

    Args:
        index: the whole index, as the repository itself sees it.
        position: the first journal sequence to look at.
        options: bounds.
    """
    options = options or MergeOptions()
    end = index.position()
    while True:
        records = _telling(index, Range("sequence", position, end), options)
        if records is not None:
            links = _links(index, records, end, options.window_ns)
            return Learned(tuple(dict.fromkeys(links)), end)
        # Pages come by time, not by place: look at a shorter stretch instead.
        end = position + (end - position) // 2


def _telling(
    index: SearchIndex, stretch: Range, options: MergeOptions
) -> list[IndexedRecord] | None:
    """Records by which merges of a stretch of the journal are found; None when too many.

    Identifiers are updated all the time and merged seldom. So an update is not asked what was
    deleted with it: a deletion is asked, also one from before, when updates came since.
    """

    def few(found: Criteria) -> bool:
        return index.count(found, at_most=options.most).exact

    fresh = And((_PATIENT_EVENT, Or((_DELETION, *_OF_ONE_EVENT)), stretch))
    if not few(fresh):
        return None
    updates = And((_PATIENT_EVENT, _UPDATE, stretch))
    span = _span(index, updates)
    if span is None:
        return list(_records(index, fresh, options.most))
    near = Range("time", span[0] - options.window_ns, span[1] + options.window_ns + 1)
    before = Range("sequence", None, stretch.at_least)
    other = And((_PATIENT_EVENT, _DELETION, before, near))
    if not few(other):
        other = updates
        if not few(other):
            return None
    return [record for one in (fresh, other) for record in _records(index, one, options.most)]


def _span(index: SearchIndex, found: Criteria) -> tuple[int, int] | None:
    """The times of the first and the last of them."""
    ends = [
        record.time
        for newest in (False, True)
        for record in index.search(found, limit=1, newest_first=newest).records
    ]
    return (min(ends), max(ends)) if ends else None


def _records(index: SearchIndex, found: Criteria, most: int) -> Iterator[IndexedRecord]:
    place: Place | None = None
    while most > 0:
        page = index.search(found, limit=min(_PAGE, most), after=place)
        yield from page.records
        most -= len(page.records)
        place = page.next_place
        if place is None:
            return


def _links(
    index: SearchIndex, records: Iterable[IndexedRecord], end: int, window: int
) -> Iterator[Link]:
    for record in records:
        if record.first("outcome") != "success":
            continue
        types = {fold(one) for one in record.values("event_type")}
        if _LINK_CHANGE in types:
            yield from _subsumed(record)
        elif types & _NOTIFICATIONS:
            yield from _listed(record)
        elif record.first("action") in {_DELETED, _UPDATED}:
            for message_id in _message_ids(record):
                yield from _merge(index, record, message_id, end, window)


def _subsumed(record: IndexedRecord) -> Iterator[Link]:
    """The local identifier and the one that it takes the place of."""
    surviving = [name for part, name in _parts(record) if part == _SURVIVING]
    subsumed = [name for part, name in _parts(record) if part in _SUBSUMED]
    if len(surviving) == len(subsumed) == 1:
        yield from _link((*surviving, *subsumed), record.id)


def _parts(record: IndexedRecord) -> Iterator[tuple[str, Name]]:
    """Each patient of the record, and which part of the message it is."""
    for one in _objects(record):
        parts = [d["value"] for d in one["details"] if fold(d["type"]) == _PART]
        names = _names(one)
        if len(parts) == 1 and len(names) == 1:
            yield fold(parts[0]), names[0]


def _listed(record: IndexedRecord) -> Iterator[Link]:
    """All identifiers of the one patient that a notification is about."""
    if len(_message_ids(record)) == 1:
        yield from _link(_patients(record), record.id)


def _merge(
    index: SearchIndex, record: IndexedRecord, message_id: str, end: int, window: int
) -> Iterator[Link]:
    """The links of the message that the record tells of; none when several survive."""
    if not words_of(message_id):
        return
    criteria = (
        _PATIENT_EVENT,
        Or((_DELETION, _UPDATE)),
        Term("node", record.first("node")),
        Text(message_id),
        Range("sequence", None, end),
        Range("time", record.time - window, record.time + window + 1),
    )
    found = index.search(And(criteria), limit=_PARTNERS)
    told = [
        other
        for other in found.records
        if other.first("outcome") == "success"
        and message_id in _message_ids(other)
        and other.values("event_type") == record.values("event_type")
        and len(_patients(other)) == 1
    ]
    deleted = [other for other in told if other.first("action") == _DELETED]
    updated = [other for other in told if other.first("action") == _UPDATED]
    if found.next_place is not None or len({_patients(other) for other in updated}) != 1:
        return
    for other in deleted:
        if record.id in {other.id, *(one.id for one in updated)}:
            survivor = record if record in updated else updated[0]
            yield from _link(
                (*_patients(other), *_patients(survivor)), f"{other.id} {survivor.id}"
            )


def _link(names: tuple[Name, ...], evidence: str) -> Iterator[Link]:
    different = {name.key: name for name in names}
    if len(different) >= _PAIR:
        yield Link(tuple(different.values()), evidence)


def _objects(record: IndexedRecord) -> list[dict[str, Any]]:
    return list((record.body.get("message") or {}).get("objects", ()))


def _message_ids(record: IndexedRecord) -> set[str]:
    return {
        detail["value"].strip()
        for one in _objects(record)
        for detail in one["details"]
        if detail["type"].strip().upper() in _MESSAGE_IDS and detail["value"].strip()
    }


def _patients(record: IndexedRecord) -> tuple[Name, ...]:
    """The patients of the record as names: ``P1^^^&1.2.3&ISO`` names its assigner."""
    return tuple(name for one in _objects(record) for name in _names(one))


def _names(one: dict[str, Any]) -> tuple[Name, ...]:
    """The identifiers of a patient: one, or several as repetitions of a field of HL7."""
    identifiers: list[str] = one["patients"]
    written = [text for text in one["id"].split("~") if text.partition("^")[0].strip()]
    if one["type"] != "1" or len(identifiers) != len(written):
        return ()
    return tuple(
        Name(identifier, _assigner_of(text))
        for identifier, text in zip(identifiers, written, strict=True)
    )


def _assigner_of(identifier: str) -> str:
    """The assigning authority of an identifier in CX form (HL7 v2.5 2.A.14); may be empty.

    Its universal id where it has one, else its namespace.
    """
    parts = identifier.split("^")
    if len(parts) <= _ASSIGNER_PART:
        return ""
    namespace, _, rest = parts[_ASSIGNER_PART].partition("&")
    return rest.partition("&")[0] or namespace
