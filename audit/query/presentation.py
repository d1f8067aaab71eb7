"""Records as the API gives them: JSON-able dicts, times in RFC 3339, a sentence for each."""

from typing import Any

from audit.index.document import IndexedRecord
from audit.query.sentences import Part, Sentence, sentences, summary
from audit.record.times import format_ns
from audit.standards.fields import FIELDS

__all__ = ["Part", "Sentence", "detail", "item", "sentences", "summary"]

_SHOWN_APART = frozenset({"time", "received", "sequence", "text"})


def item(record: IndexedRecord) -> dict[str, Any]:
    """One row of an answer.

    ``id``, ``sequence``, ``time`` and ``received`` (RFC 3339), ``summary`` (one sentence), and
    every keyword field of ``schemas/index/fields.toml`` by its name: a list where a record may
    hold several values, else a string or None.
    """
    shown: dict[str, Any] = {
        "id": record.id,
        "sequence": record.sequence,
        "time": format_ns(record.time),
        "received": format_ns(record.received),
        "summary": summary(record),
    }
    for field in FIELDS:
        if field.name not in _SHOWN_APART:
            values = record.values(field.name)
            shown[field.name] = list(values) if field.many else next(iter(values), None)
    return shown


def detail(record: IndexedRecord) -> dict[str, Any]:
    """One event whole: its ``item``, ``sentences`` (lists of parts) and its ``body``."""
    said = [
        [{"text": part.text, "field": part.field, "value": part.value} for part in sentence]
        for sentence in sentences(record)
    ]
    return item(record) | {"sentences": said, "body": record.body}
