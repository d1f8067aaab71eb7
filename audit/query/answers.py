"""What a search answers."""

from dataclasses import dataclass, field
from typing import Any

from audit.index.document import IndexedRecord
from audit.index.port import Bucket, Total
from audit.query.home import HomeFigures
from audit.query.identities_used import IdentitiesUsed
from audit.query.presentation import detail, item

Facets = dict[str, tuple[tuple[str, int], ...]]


@dataclass(frozen=True, slots=True)
class IndexLag:
    """How far the index is behind the journal.

    Attributes:
        journal_seq: entries that are durable.
        index_seq: entries that the index has taken in.
    """

    journal_seq: int
    index_seq: int

    @property
    def behind(self) -> int:
        """Entries not yet searchable."""
        return max(0, self.journal_seq - self.index_seq)

    def as_dict(self) -> dict[str, int]:
        """The JSON form."""
        seqs = {"journal_seq": self.journal_seq, "index_seq": self.index_seq}
        return seqs | {"behind": self.behind}


def total_as_dict(total: Total) -> dict[str, int | str]:
    """``value`` and ``relation``: ``eq``, or ``gte`` when counting stopped at a bound."""
    return {"value": total.value, "relation": "eq" if total.exact else "gte"}


def item_found(record: IndexedRecord, used: IdentitiesUsed | None) -> dict[str, Any]:
    """The record as a row; one that names no patient says by what it was found for one."""
    why = "" if used is None else used.inferred(record)
    return item(record) | ({"inferred": why} if why else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One page of an answer.

    Attributes:
        records: newest first unless asked otherwise.
        next_cursor: for the next page; None when this is the last.
        total: records that match, repeats left out unless asked for.
        repeats_hidden: repeats that match and were left out.
        index_lag: how far the index is behind the journal.
        partial: a part of the index did not answer.
        warnings: what to know about the answer.
        identities: by which other names it was asked for; None when only by those in the query.
    """

    records: tuple[IndexedRecord, ...]
    next_cursor: str | None
    total: Total
    repeats_hidden: Total
    index_lag: IndexLag
    partial: bool = False
    warnings: tuple[str, ...] = ()
    identities: IdentitiesUsed | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that the API gives."""
        used = self.identities
        return {
            "items": [item(record) for record in self.records],
            "next_cursor": self.next_cursor,
            "total": total_as_dict(self.total),
            "repeats_hidden": total_as_dict(self.repeats_hidden),
            "index_lag": self.index_lag.as_dict(),
            "partial": self.partial,
            "warnings": list(self.warnings),
            "identities": None if used is None else used.as_dict(self.records),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAnswer:
    """A message's octets exactly as received.

    Attributes:
        id: the record's id.
        received: the whole SYSLOG-MSG: header and MSG, without the transport's framing (the
            octet count of RFC 5425, the trailer of RFC 6587), which isn't kept.
        msg_offset: where MSG, the audit message itself, begins.
        original_length: octets that the sender sent; more than were kept when truncated.
    """

    id: str
    received: bytes
    msg_offset: int
    original_length: int

    @property
    def msg(self) -> bytes:
        """The octets of MSG, a byte order mark included."""
        return self.received[self.msg_offset :]

    @property
    def is_truncated(self) -> bool:
        """Whether only the head was kept."""
        return self.original_length > len(self.received)


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """One record, and how far the index is behind the journal.

    Attributes:
        record: as the principal may see it.
        index_lag: how far the index is behind the journal.
        message: its octets, when they were asked for and may be shown.
    """

    record: IndexedRecord
    index_lag: IndexLag
    message: MessageAnswer | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that the API gives, without the octets."""
        return detail(self.record) | {"index_lag": self.index_lag.as_dict()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The shape of an answer: commonest values and course over time, repeats left out."""

    facets: Facets = field(default_factory=dict)
    histogram: tuple[Bucket, ...] = ()
    total: Total
    index_lag: IndexLag
    identities: IdentitiesUsed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAnswer:
    """The home page's figures, and the state of journal and index.

    Attributes:
        figures: what goes on.
        index: what the index says of itself (``SearchIndex.describe``).
        origin: the journal's short name.
        index_lag: durable entries, and how many of them are searchable.
    """

    figures: HomeFigures
    index: dict[str, str | int | bool]
    origin: str
    index_lag: IndexLag
