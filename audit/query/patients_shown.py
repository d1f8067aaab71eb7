"""PatientsShown: which patients an answer named, as the record of the look says it."""

from collections.abc import Iterable
from hashlib import sha256

from audit.index.criteria import fold
from audit.index.document import IndexedRecord

MOST_NAMED = 50
"""Beyond so many, a record gives their number and the digest of their manifest."""

COUNT, MANIFEST = "patients shown", "manifest sha256"


class PatientsShown:
    """Patients that records name, each once, as they were shown: pseudonyms stay such.

    Args:
        records: what was shown.
        identifiers: of patients that were shown otherwise.
    """

    def __init__(
        self, records: Iterable[IndexedRecord] = (), identifiers: Iterable[str] = ()
    ) -> None:
        self._identifiers: dict[str, str] = {}
        for record in records:
            self.add(record.values("patient"))
        self.add(identifiers)

    def add(self, identifiers: Iterable[str]) -> None:
        """Note further patients."""
        for identifier in identifiers:
            if fold(identifier):
                self._identifiers.setdefault(fold(identifier), identifier)

    def __len__(self) -> int:
        return len(self._identifiers)

    @property
    def named(self) -> tuple[str, ...]:
        """Their identifiers in the order in which they were shown; none when they are too many."""
        return tuple(self._identifiers.values()) if len(self) <= MOST_NAMED else ()

    @property
    def manifest(self) -> bytes:
        """Their folded identifiers in order of their octets, each ended by LF (UTF-8)."""
        octets = sorted(one.encode("utf-8", "surrogatepass") for one in self._identifiers)
        return b"".join(one + b"\n" for one in octets)

    def details(self) -> tuple[tuple[str, str], ...]:
        """What the record says of them besides naming them."""
        if not self:
            return ()
        count = (COUNT, str(len(self)))
        if self.named:
            return (count,)
        return (count, (MANIFEST, sha256(self.manifest).hexdigest()))
