"""Other names of patients and people, from the table of merged identities."""

from collections.abc import Iterable
from typing import Protocol

from audit.query.reports.asked import PatientIdentity
from audit.state.aliases import Kind, Name, Somebody


class AliasTable(Protocol):
    """What is asked of ``audit.state.aliases.Aliases``."""

    def version(self) -> int:
        """The newest version."""

    def find(self, kind: Kind, name: Name, version: int | None = None) -> tuple[Somebody, ...]:
        """Whoever has this name."""


class OtherNames:
    """Looks names up for one report, and remembers which it used. Not for two threads at once.

    Args:
        table: merged identities; None where there is no such table.

    Attributes:
        used: further names that were used: where each is known from, and the name.
    """

    def __init__(self, table: AliasTable | None) -> None:
        self._table = table
        self._version = 0 if table is None else table.version()
        self.used: dict[tuple[str, str], None] = {}

    @property
    def basis(self) -> str:
        """By what identities are taken for one patient or person, in words."""
        if self._table is None or not self._version:
            return "No table of merged identities is kept: only what is listed was looked for."
        return f"Merged identities by the table of other names, version {self._version}."

    def patients(self, given: Iterable[PatientIdentity]) -> tuple[PatientIdentity, ...]:
        """The identifiers and all others of the same patients."""
        found = dict.fromkeys(given)
        for one in list(found):
            for name in self._others("patient", Name(one.identifier, one.assigner)):
                found.setdefault(PatientIdentity(name.identifier, name.assigner))
        return tuple(found)

    def users(self, user: str) -> tuple[str, ...]:
        """The user's name and all others of the same person."""
        others = (name.identifier for name in self._others("person", Name(user)))
        return tuple(dict.fromkeys((user, *others)))

    def _others(self, kind: Kind, name: Name) -> list[Name]:
        if self._table is None or not self._version:
            return []
        found = []
        for somebody in self._table.find(kind, name, self._version):
            for known in somebody.names:
                if known.name.key != name.key:
                    source = f"the same {kind}, by {known.evidence or known.source}"
                    shown = PatientIdentity(known.name.identifier, known.name.assigner)
                    self.used.setdefault((source, str(shown)))
                    found.append(known.name)
        return found
