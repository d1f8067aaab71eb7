"""Report: one shape for every kind, so that JSON, CSV, PDF and pages say the same."""

from dataclasses import dataclass, field
from typing import Any, Literal

from audit.record.times import format_ns

Kind = Literal["disclosures", "access", "patients", "user", "study", "activity", "senders"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in JSON, its heading, and its share of a page's width."""

    name: str
    title: str
    share: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table.

    Attributes:
        name: in JSON and CSV.
        title: its heading.
        columns: in order.
        rows: a text for each column.
        note: what to know about it.
        empty: what is said when there are no rows; never that nothing happened.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    empty: str = "No records."

    def as_dict(self) -> dict[str, Any]:
        """The JSON form: each row an object by column name."""
        names = [column.name for column in self.columns]
        rows = [dict(zip(names, row, strict=True)) for row in self.rows]
        return {"name": self.name, "title": self.title, "note": self.note, "rows": rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report.

    Attributes:
        kind: which.
        title: for its head.
        basis: the law or norm it serves, and what it is.
        start: first time that it covers, UTC nanoseconds.
        end: end of the period.
        made_at: when it was made.
        made_by: for whom.
        reason: why; may be empty.
        asked: what was asked, as pairs for people: patient, user, study …
        record: id of the journal's record that it was made; None before it is journaled.
        sections: its own tables.
        reliance: tables on which the answer rests: identities, sources, clocks, index.
        qualifications: sentences on how far it can be relied on; never empty.
        partial: something that should be in it is not.
    """

    kind: Kind
    title: str
    basis: str
    start: int
    end: int
    made_at: int
    made_by: str
    reason: str = ""
    asked: tuple[tuple[str, str], ...] = ()
    record: str | None = None
    sections: tuple[Section, ...] = ()
    reliance: tuple[Section, ...] = field(default=())
    qualifications: tuple[str, ...] = ()
    partial: bool = False

    @property
    def rows(self) -> int:
        """Rows of its own tables."""
        return sum(len(section.rows) for section in self.sections)

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What stands under the title, as pairs for people."""
        return (
            *self.asked,
            ("Period", f"{format_ns(self.start)} to {format_ns(self.end)}"),
            ("Made", f"{format_ns(self.made_at)} for {self.made_by}"),
            *((("Reason", self.reason),) if self.reason else ()),
            *((("Recorded as", self.record),) if self.record else ()),
        )

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that API and command line give."""
        return {
            "kind": self.kind,
            "title": self.title,
            "basis": self.basis,
            "from": format_ns(self.start),
            "to": format_ns(self.end),
            "made_at": format_ns(self.made_at),
            "made_by": self.made_by,
            "reason": self.reason,
            "asked": [{"name": name, "value": value} for name, value in self.asked],
            "record": self.record,
            "sections": [section.as_dict() for section in self.sections],
            "reliance": [section.as_dict() for section in self.reliance],
            "qualifications": list(self.qualifications),
            "partial": self.partial,
        }
