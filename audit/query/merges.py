"""Merges of patients, learned from Patient Record events in the trail.

A patient identity feed tells a merge (HL7 A40) as two Patient Record events about one message:
the identifier that is no longer used is deleted, the surviving one is updated (IHE ITI TF-2 3.8,
3.44). Both carry the message's control id as the detail MSH-10.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from audit.index.criteria import And, Criteria, Range, Term, Text, words_of
from audit.index.document import IndexedRecord
from audit.index.port import Place, SearchIndex
from audit.state.aliases import Link, Name

_PATIENT_RECORD = "110110"
_CONTROL_ID = "MSH-10"
_DELETED, _UPDATED = "D", "U"
_PAGE = 200
_PARTNERS = 20
_ASSIGNER_PART = 3


@dataclass(frozen=True, slots=True)
class Learned:
    """What one step found: links, and the first sequence it hasn't looked at."""

    links: tuple[Link, ...]
    position: int


def learn_merges(index: SearchIndex, position: int, most: int = 2_000) -> Learned:
    """Links of merges in what became searchable since.

    Args:
        index: the whole index, as the repository itself sees it.
        position: the first journal sequence to look at.
        most: Patient Record events that one step looks at; the rest is left to the next.
    """
    end = index.position()
    found = And((Term("event", _PATIENT_RECORD), Range("sequence", position, end)))
    records = list(_records(index, found, most + 1))
    if len(records) > most:
        # Pages come by time, not by place: look at a shorter stretch instead.
        middle = position + (end - position) // 2
        if middle > position:
            return _within(index, position, middle, most)
    return Learned(tuple(_links(index, records, end)), end)


def _within(index: SearchIndex, position: int, end: int, most: int) -> Learned:
    found = And((Term("event", _PATIENT_RECORD), Range("sequence", position, end)))
    records = list(_records(index, found, most + 1))
    if len(records) > most and end - position > most:
        return _within(index, position, position + (end - position) // 2, most)
    return Learned(tuple(_links(index, records, end)), end)


def _records(index: SearchIndex, found: Criteria, most: int) -> Iterator[IndexedRecord]:
    place: Place | None = None
    while most > 0:
        page = index.search(found, limit=min(_PAGE, most), after=place)
        yield from page.records
        most -= len(page.records)
        place = page.next_place
        if place is None:
            return


def _links(index: SearchIndex, records: Iterable[IndexedRecord], end: int) -> Iterator[Link]:
    for record in records:
        if record.first("action") in {_DELETED, _UPDATED} and record.first("outcome") == "success":
            for control_id in _control_ids(record):
                yield from _merge(index, record, control_id, end)


def _merge(index: SearchIndex, record: IndexedRecord, control_id: str, end: int) -> Iterator[Link]:
    """The link that the record and its partner make."""
    if not words_of(control_id):
        return
    wanted = _UPDATED if record.first("action") == _DELETED else _DELETED
    criteria = (
        Term("event", _PATIENT_RECORD),
        Term("node", record.first("node")),
        Text(control_id),
        Range("sequence", None, end),
    )
    for other in index.search(And(criteria), limit=_PARTNERS).records:
        is_partner = other.first("action") == wanted and control_id in _control_ids(other)
        names = (*_patients(record), *_patients(other))
        if is_partner and other.first("outcome") == "success" and len(names) == _PAIR:
            yield Link(names, f"{record.id} {other.id}")


_PAIR = 2


def _objects(record: IndexedRecord) -> list[dict[str, Any]]:
    return list((record.body.get("message") or {}).get("objects", ()))


def _control_ids(record: IndexedRecord) -> set[str]:
    return {
        detail["value"].strip()
        for one in _objects(record)
        for detail in one["details"]
        if detail["type"].strip().upper() == _CONTROL_ID and detail["value"].strip()
    }


def _patients(record: IndexedRecord) -> tuple[Name, ...]:
    """The patients of the record as names: ``P1^^^&1.2.3&ISO`` names its assigner."""
    return tuple(
        Name(one["patients"][0], assigner_of(one["id"]))
        for one in _objects(record)
        if one["type"] == "1" and one["patients"]
    )


def assigner_of(identifier: str) -> str:
    """The assigning authority of an identifier in CX form (HL7 v2.5 2.A.14); may be empty.

    Its universal id where it has one, else its namespace.
    """
    parts = identifier.split("^")
    if len(parts) <= _ASSIGNER_PART:
        return ""
    namespace, _, rest = parts[_ASSIGNER_PART].partition("&")
    return rest.partition("&")[0] or namespace
