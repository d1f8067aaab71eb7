"""What the client answers: the members that everybody needs by name, the rest as it came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """One audit record.

    Attributes:
        data: every member, as docs/api.md has them.
    """

    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its place in the journal, ``ORIGIN-SEQUENCE``."""
        return str(self.data["id"])

    @property
    def sequence(self) -> int:
        """The sequence of its place."""
        return int(self.data["sequence"])

    @property
    def time(self) -> str:
        """Time of the event, RFC 3339 UTC."""
        return str(self.data["time"])

    @property
    def received(self) -> str:
        """Time of receipt, RFC 3339 UTC."""
        return str(self.data["received"])

    @property
    def summary(self) -> str:
        """What happened, in one sentence; holds whatever the sender wrote."""
        return str(self.data["summary"])

    def values(self, name: str) -> tuple[str, ...]:
        """The values of a field by its name in answers; () when there are none."""
        value = self.data.get(name)
        if value is None:
            return ()
        return tuple(value) if isinstance(value, list) else (str(value),)


@dataclass(frozen=True, slots=True)
class Total:
    """How many; ``exact`` False means at least so many."""

    value: int
    exact: bool

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Total":
        """From its JSON form."""
        return cls(int(data["value"]), data["relation"] == "eq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of an answer.

    Attributes:
        records: in the order asked for.
        next_cursor: for the next page; None when this is the last.
        total: records that match.
        repeats_hidden: repeats that match and were left out.
        behind: journal entries not searchable yet.
        partial: a part of the index did not answer.
        warnings: what to know about the answer.
        identities: by which other names it was asked for; None when by those in the question.
        data: every member, as docs/api.md has them.
    """

    records: tuple[Record, ...]
    next_cursor: str | None
    total: Total
    repeats_hidden: Total
    behind: int
    partial: bool
    warnings: tuple[str, ...]
    identities: Mapping[str, Any] | None
    data: Mapping[str, Any]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Page":
        """From its JSON form."""
        return cls(
            records=tuple(map(Record, data["items"])),
            next_cursor=data["next_cursor"],
            total=Total.of(data["total"]),
            repeats_hidden=Total.of(data["repeats_hidden"]),
            behind=int(data["index_lag"]["behind"]),
            partial=bool(data["partial"]),
            warnings=tuple(data["warnings"]),
            identities=data.get("identities"),
            data=data,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message's octets exactly as received, syslog header included.

    Attributes:
        received: the octets.
        msg_offset: where the audit message itself begins.
        original_length: octets that the sender sent; more than are here when truncated.
    """

    received: bytes
    msg_offset: int
    original_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Which bars to ask for; times as in the query language.

    Attributes:
        start: beginning, as ``-24h`` or ``2026-01-01``.
        interval_s: length of a bar.
        end: end, itself not included.
        split: field by whose values each bar is divided.
    """

    start: str
    interval_s: int
    end: str = "now"
    split: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The shape of an answer.

    Attributes:
        facets: values and numbers of records by field, the commonest first.
        bars: beginning (RFC 3339 UTC) and number of records by value of the split field, under
            the empty string without one.
        total: records that match, repeats left out.
        behind: journal entries not searchable yet.
        partial: a part of the index did not answer.
        warnings: what to know about the answer.
    """

    facets: Mapping[str, tuple[tuple[str, int], ...]]
    bars: tuple[tuple[str, Mapping[str, int]], ...]
    total: Total
    behind: int
    partial: bool
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Overview":
        """From its JSON form."""
        bars = data["histogram"]["bars"] if data["histogram"] else ()
        return cls(
            facets={
                name: tuple((one["value"], int(one["count"])) for one in values)
                for name, values in data["facets"].items()
            },
            bars=tuple((bar["start"], bar["counts"] or {"": bar["total"]}) for bar in bars),
            total=Total.of(data["total"]),
            behind=int(data["index_lag"]["behind"]),
            partial=bool(data["partial"]),
            warnings=tuple(data["warnings"]),
        )
