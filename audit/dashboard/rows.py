"""Records as rows of a list: one sentence and what stands beside it."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.index.document import IndexedRecord
from audit.query.presentation import Sentence, sentences


@dataclass(frozen=True, slots=True)
class Row:
    """One record in a list.

    Attributes:
        time: UTC nanoseconds.
        findings: how many findings the message has.
        severity: the gravest of them.
    """

    id: str
    time: int
    category: str
    outcome: str
    sentence: Sentence
    findings: int
    severity: str


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
        )
        for record in records
    ]
