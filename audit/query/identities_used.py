"""Which identities an answer used, and what of it is inferred by them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from audit.index.criteria import fold
from audit.index.document import IndexedRecord


@dataclass(frozen=True, slots=True)
class UsedName:
    """A name that an answer used beside the one that was asked for.

    Attributes:
        field: of the query language.
        asked: the name in the question.
        identifier: the other name.
        assigner: who assigned it; may be empty.
        source: csv, api or trail.
    """

    field: str
    asked: str
    identifier: str
    assigner: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitiesUsed:
    """Which identities an answer used.

    Attributes:
        version: of the alias table.
        names: other names that were asked for.
        studies: that the trail knows to be the patient's.
        documents: likewise.
        warnings: what to know about it.
    """

    version: int
    names: tuple[UsedName, ...] = ()
    studies: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def inferred(self, record: IndexedRecord) -> str:
        """Why a record that names no patient is in the answer; empty for one that names some."""
        if record.values("patient"):
            return ""
        for word, known, name in (
            ("study", self.studies, "study"),
            ("document", self.documents, "object"),
        ):
            there = {fold(value) for value in record.values(name)}
            found = next((one for one in known if fold(one) in there), None)
            if found is not None:
                return f"{word} {found}"
        return ""

    def identifiers(self, *asked: str) -> tuple[str, ...]:
        """The patients' identifiers: those asked for and the others."""
        others = (name.identifier for name in self.names if name.field == "patient")
        return tuple(dict.fromkeys((*asked, *others)))

    def as_dict(self, records: Iterable[IndexedRecord]) -> dict[str, Any]:
        """The JSON form that the API gives, with the inferred ones of these records."""
        inferred = {record.id: why for record in records if (why := self.inferred(record))}
        return {
            "version": self.version,
            "names": [
                {
                    "field": one.field,
                    "asked": one.asked,
                    "identifier": one.identifier,
                    "assigner": one.assigner,
                    "source": one.source,
                }
                for one in self.names
            ],
            "studies": list(self.studies),
            "documents": list(self.documents),
            "inferred": inferred,
            "warnings": list(self.warnings),
        }

    def words(self) -> str:
        """As the audit trail names it."""
        counted = (
            (len(self.names), "other names"),
            (len(self.studies), "studies"),
            (len(self.documents), "documents"),
        )
        told = [f"{count} {word}" for count, word in counted if count]
        return f"version {self.version}" + "".join(f", {one}" for one in told)
