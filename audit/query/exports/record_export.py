"""RecordExport: what every form of export shares.

The begin of an export is journaled before anything is given, its end when it ends, however. The
last piece tells number and digest of what came before it; where it is missing, the export is
incomplete, for HTTP can't signal a fault once an answer has begun.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import ClassVar, Literal

from audit.errors import IndexUnavailable
from audit.index.criteria import And, Criteria, Range
from audit.index.document import IndexedRecord
from audit.index.port import Page, Place
from audit.query.access import Principal, Scope
from audit.query.audited_trail import AuditedTrail, Details, words_of_names, words_of_query
from audit.query.home import NOT_REPEATED
from audit.query.identities import Asked, ByAllNames
from audit.query.patients_shown import COUNT, PatientsShown

MOST_PATIENTS = 10_000
"""Patients that the record of an export's end counts; it names the few (``patients_shown``)."""

Form = Literal["ndjson", "csv", "original", "evidence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """How an export is to be made, whatever its form.

    Attributes:
        include_repeats: byte-identical re-deliveries too.
        oldest_first: the other order.
        reason: why, as the audit trail will name it; may be empty.
        by_all_names: patients and people are asked for by all their names.
    """

    include_repeats: bool = False
    oldest_first: bool = False
    reason: str = ""
    by_all_names: bool = False


DEFAULT_ORDER = ExportOrder()


class RecordExport(ABC):
    """One export; its beginning is journaled when it is made. Whoever takes it must close it.

    Attributes:
        count: records given so far.
        identities: by which other names was asked; None when by those in the query alone.
        begun: the journal's sequence of the record of its beginning.

    Raises:
        Denied: the principal lacks a scope; the attempt is journaled.
        QuerySyntaxError: the query can't be read.
        JournalUnavailable: its beginning can't be journaled.
    """

    form: ClassVar[Form]
    media_type: ClassVar[str]
    suffix: ClassVar[str]
    scopes: ClassVar[tuple[Scope, ...]] = (Scope.EVENTS_EXPORT,)

    def __init__(
        self,
        trail: AuditedTrail,
        principal: Principal,
        query: Asked,
        order: ExportOrder = DEFAULT_ORDER,
    ) -> None:
        if order.by_all_names and not isinstance(query, ByAllNames):
            query = ByAllNames(query)
        asked: Details = (("query", words_of_query(query)), *self._told())
        principal = replace(principal, reason=order.reason or principal.reason)
        for scope in self.scopes:
            trail.require(principal, scope, asked)
        self.asked_at = trail.options.clock()
        end = trail.index.position()
        criteria, self.identities = trail.asked(principal, query, self.asked_at, below=end)
        asked = (*asked, *words_of_names(self.identities))
        found = And((trail.visible(principal, criteria), Range("sequence", None, end)))
        self._criteria: Criteria = found if order.include_repeats else And((found, NOT_REPEATED))
        self._trail = trail
        self._principal = principal
        self._order = order
        self._asked = asked
        self._digest = sha256()
        self._ended = False
        self._patients = PatientsShown()
        self.count = 0
        self.begun = trail.audit.used(principal, (*asked, ("export", "begun"), *self._begin()))

    def chunks(self) -> Iterator[bytes]:
        """The export, piece by piece; the last one says that it is whole.

        Raises:
            IndexUnavailable: a part of the index did not answer: no last piece follows.
            JournalUnavailable: the end can't be journaled: no last piece follows.
        """
        yield from self._taken(self._first())
        for records in self._pages():
            self._note_patients(records)
            yield from self._taken(self._piece(records))
        yield from self._taken(self._last())
        self._end(complete=True)
        yield self._trailer(self.count, self._digest.hexdigest())

    def close(self) -> None:
        """Journal that the export was cut short, unless it came to its end."""
        if not self._ended:
            self._end(complete=False)

    def _begin(self) -> Details:
        """What else the record of its beginning says."""
        return ()

    def _told(self) -> Details:
        return () if self.form == "ndjson" else (("format", self.form),)

    def _first(self) -> Iterator[bytes]:
        """What comes before the records."""
        return iter(())

    @abstractmethod
    def _piece(self, records: tuple[IndexedRecord, ...]) -> Iterator[bytes]:
        """A page of records; adds to ``count`` what it gives."""

    def _last(self) -> Iterator[bytes]:
        """What comes after the records and is part of the digest."""
        return iter(())

    @abstractmethod
    def _trailer(self, count: int, digest: str) -> bytes:
        """What says that the export is whole; not part of the digest."""

    def _taken(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._digest.update(piece)
            yield piece

    def _pages(self) -> Iterator[tuple[IndexedRecord, ...]]:
        place: Place | None = None
        while True:
            page = self._page(place)
            if page.records:
                yield page.records
            place = page.next_place
            if place is None:
                return

    def _page(self, place: Place | None) -> Page:
        page = self._trail.index.search(
            self._criteria,
            limit=self._trail.options.export_page,
            after=place,
            newest_first=not self._order.oldest_first,
        )
        if page.partial:
            raise IndexUnavailable(
                "a part of the index did not answer: " + "; ".join(page.warnings)
            )
        shown = tuple(self._trail.shown(self._principal, one) for one in page.records)
        return replace(page, records=shown)

    def _note_patients(self, records: tuple[IndexedRecord, ...]) -> None:
        if len(self._patients) <= MOST_PATIENTS:
            for record in records:
                self._patients.add(record.values("patient"))

    def _end(self, *, complete: bool) -> None:
        self._ended = True
        details: Details = (
            *self._asked,
            ("export", "ended" if complete else "cut short"),
            ("records exported", str(self.count)),
            ("sha256", self._digest.hexdigest()),
        )
        patients = self._patients
        if len(patients) > MOST_PATIENTS:
            details = (*details, (COUNT, f"more than {MOST_PATIENTS}"))
            patients = PatientsShown()
        self._trail.audit.used(self._principal, details, patients)
