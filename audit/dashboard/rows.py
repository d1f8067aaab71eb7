"""Records as rows of a list: one sentence and what stands beside it."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.index.document import IndexedRecord
from audit.query.about_summary import broke_glass
from audit.query.presentation import Sentence, sentences


@dataclass(frozen=True, slots=True)
class Row:
    """One record in a list.

    Attributes:
        time: UTC nanoseconds.
        findings: how many findings the message has.
        severity: the gravest of them.
        node: who sent it.
        emergency: it set access rules aside.
        repeat: it repeats an earlier record octet by octet.
    """

    id: str
    time: int
    category: str
    outcome: str
    sentence: Sentence
    findings: int
    severity: str
    node: str
    emergency: bool
    repeat: bool


def rows_of(records: Iterable[IndexedRecord]) -> list[Row]:
    """The records as rows, in the same order."""
    return [
        Row(
            id=record.id,
            time=record.time,
            category=record.first("category"),
            outcome=record.first("outcome"),
            sentence=sentences(record)[0],
            findings=len(record.values("finding")),
            severity=record.first("severity"),
            node=record.first("node"),
            emergency=broke_glass(record),
            repeat=bool(record.first("repeat_of")),
        )
        for record in records
    ]
