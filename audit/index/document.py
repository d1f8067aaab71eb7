"""IndexedRecord: the flat searchable form of one journal entry.

One record is one document with all its participants and objects. Field meanings stand in
``schemas/index/fields.toml``.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class IndexedRecord:
    """One journal entry as the index holds it. Nobody changes it, for its parts are shared.

    Attributes:
        id: ``ORIGIN-SEQUENCE``, the place in the journal.
        sequence: the journal sequence.
        time: UTC nanoseconds; what a search by time means.
        received: UTC nanoseconds of receipt; decides the month a record lives in.
        fields: searchable values by field name: keyword and text fields of ``fields.toml`` only,
            each a tuple of strings as sent (backends fold them); absent means none.
        body: what pages and API show and nothing searches: JSON-able, made by the projector
            (times, header, peer, message, findings, decoded queries).
    """

    id: str
    sequence: int
    time: int
    received: int
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    def values(self, name: str) -> tuple[str, ...]:
        """The values of a keyword or text field; () when there are none."""
        return self.fields.get(name, ())

    def first(self, name: str) -> str:
        """The first value of a field, or the empty string."""
        return next(iter(self.values(name)), "")
