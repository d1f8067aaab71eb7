"""FhirTrail: searches and reads of AuditEvents; every look is journaled before it is answered.

Source: IHE ITI TF-2 3.81 (Retrieve ATNA Audit Event).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from time import monotonic

from audit.errors import NotFound, RequestError
from audit.fhir.identities import by_all_names
from audit.fhir.options import FhirOptions
from audit.fhir.paging import PageLinks, PageState
from audit.fhir.parameters import Setting, condition, known_parameter
from audit.fhir.question import Pairs, Question, question
from audit.fhir.records import resource_of, resource_shown
from audit.fhir.values import Json
from audit.index.criteria import And, Criteria, Range
from audit.index.document import IndexedRecord
from audit.index.port import Place
from audit.query.access import Principal, Scope
from audit.query.audited_trail import AuditedTrail, Details, words_of_names
from audit.query.home import NOT_REPEATED
from audit.query.identities_used import IdentitiesUsed

INTERFACE = "ITI-81"
_LOOK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of an answer.

    Attributes:
        question: what was asked.
        resources: AuditEvents, in the order asked for.
        total: how many match; None when it isn't known or wanted.
        this_page: opaque text that leads to this page.
        next_page: the same for the next; None when this is the last.
        warnings: what to know about the answer.
    """

    question: Question
    resources: tuple[Json, ...]
    total: int | None
    this_page: str
    next_page: str | None
    warnings: tuple[str, ...] = ()


class FhirTrail:
    """Answers FHIR clients. Safe to use from several threads.

    Args:
        trail: index, journal and the record of every look.
        options: limits.
    """

    def __init__(self, trail: AuditedTrail, options: FhirOptions) -> None:
        self.trail = trail
        self.options = options
        self._links = PageLinks(options.page_key, INTERFACE)

    def search(self, principal: Principal, asked: Pairs, *, strict: bool = False) -> Found:
        """The first page of a search.

        Needs ``events:read``; without ``patients:identify`` patients are pseudonyms.

        Raises:
            RequestError: the search can't be read, or would cost too much.
            Denied, JournalUnavailable, IndexUnavailable: as every look does.
        """
        self._admit(principal, (("interface", INTERFACE),))
        now = self.trail.options.clock()
        state = PageState(pairs=asked, snapshot=self.trail.index.position(), asked_at=now)
        return self._page(principal, state, strict=strict)

    def page(self, principal: Principal, link: str) -> Found:
        """A further page, by the opaque text of its link.

        Raises:
            InvalidCursor: it isn't one of this principal's links.
            Denied, JournalUnavailable, IndexUnavailable: as every look does.
        """
        self._admit(principal, (("interface", INTERFACE),))
        return self._page(principal, self._links.unseal(link, principal), strict=False)

    def read(self, principal: Principal, record_id: str) -> Json:
        """One AuditEvent by its id; needs what ``search`` does.

        Raises:
            NotFound: there is none of that id, or the principal may not see it.
        """
        asked: Details = (("interface", INTERFACE), ("record", record_id[:64]))
        self._admit(principal, asked)
        if not record_id.startswith(f"{self.trail.reader.origin}-"):
            raise NotFound("there is no AuditEvent of that id")
        self._wait_for(record_id)
        record, _ = self.trail.record(principal, record_id)
        resource = self.resource(principal, record)
        self.trail.audit.used(principal, asked, (record,))
        return resource

    def _wait_for(self, record_id: str) -> None:
        """Give a record that is journaled, as one just created, a moment to be indexed."""
        sequence = self.trail.sequence(record_id)
        until = monotonic() + self.options.read_wait_s
        pause = Event()
        while monotonic() < until:
            lag = self.trail.lag()
            if not lag.index_seq <= sequence < lag.journal_seq:
                return
            pause.wait(_LOOK_AGAIN_S)

    def _admit(self, principal: Principal, asked: Details) -> None:
        self.trail.require(principal, Scope.EVENTS_READ, asked)

    def _page(self, principal: Principal, state: PageState, *, strict: bool) -> Found:
        setting = Setting(state.asked_at, self.trail.reader.origin)
        asked = question(state.pairs, self.options, setting, strict=strict)
        state = replace(state, pairs=asked.pairs)
        asked, used = self._by_all_names(principal, asked, setting)
        snapshot = Range("sequence", None, state.snapshot)
        page = _Page(self, principal, asked, And((asked.criteria, snapshot, NOT_REPEATED)))
        if asked.summary != "count":
            page.fill(state.place)
        total = state.total if state.place else page.total()
        details: Details = (
            ("interface", INTERFACE),
            ("query", asked.words()),
            *words_of_names(used),
            ("records shown", str(len(page.resources))),
        )
        self.trail.audit.used(principal, details, page.records)
        following = replace(state, place=page.next_place, total=total)
        return Found(
            question=asked,
            resources=tuple(page.resources),
            total=total,
            this_page=self._links.seal(replace(state, total=total), principal),
            next_page=self._links.seal(following, principal) if page.next_place else None,
            warnings=(*page.warnings, *_remarks(used)),
        )

    def _by_all_names(
        self, principal: Principal, asked: Question, setting: Setting
    ) -> tuple[Question, IdentitiesUsed | None]:
        """The question by other identifiers too; never for those who see pseudonyms."""
        identities = self.trail.identities
        if identities is None or not asked.by_all_names or not principal.identified:
            return asked, None
        pairs, used = by_all_names(asked.pairs, identities)
        conditions = tuple(
            condition(*known, text, setting)
            for name, text in pairs
            if (known := known_parameter(name)) is not None
        )
        return replace(asked, conditions=conditions), used

    def resource(self, principal: Principal, record: IndexedRecord) -> Json:
        """The AuditEvent of a record of the principal's view."""
        if not principal.identified:
            return resource_shown(record)
        received = self.trail.reader.read(record.sequence).received.raw
        return resource_of(record, received, self.options.assigners)


def _remarks(used: IdentitiesUsed | None) -> tuple[str, ...]:
    """What the answer says of other identifiers."""
    if used is None:
        return ()
    count = len(used.names)
    told = f"{count} other identifiers were asked for too, by version {used.version} of the table"
    return (*((told,) if count else ()), *used.warnings)


class _Page:
    """Gathers one page."""

    def __init__(
        self, trail: FhirTrail, principal: Principal, asked: Question, found: Criteria
    ) -> None:
        self._trail = trail
        self._principal = principal
        self._view = trail.trail.view(principal)
        self._asked = asked
        self._found = found
        self.resources: list[Json] = []
        self.records: list[IndexedRecord] = []
        self.next_place: Place | None = None
        self.warnings: list[str] = []
        self._is_whole = False

    def fill(self, place: Place | None) -> None:
        """Look at records until the page is full and it is known whether more match."""
        wanted = self._asked.count
        last = place
        looked_at = enumerate(self._matches(place, wanted + 1), 1)
        for examined, (record, resource) in looked_at:
            if resource is not None:
                if len(self.resources) == wanted:
                    self.next_place = last
                    return
                self.resources.append(resource)
                self.records.append(record)
            last = Place(record.time, record.sequence)
            if examined >= self._trail.options.max_examined:
                self.next_place = last
                return
        self._is_whole = place is None

    def _matches(
        self, place: Place | None, batch: int
    ) -> Iterator[tuple[IndexedRecord, Json | None]]:
        """Records that may hold, in order, each with its resource if it holds."""
        newest_first = not self._asked.oldest_first
        while True:
            page = self._view.search(
                self._found, limit=batch, after=place, newest_first=newest_first
            )
            if page.partial:
                self.warnings = list(page.warnings)
            for record in page.records:
                resource = self._trail.resource(self._principal, record)
                holds = self._asked.holds(resource)
                yield record, resource if holds else None
            place = page.next_place
            if place is None:
                return

    def total(self) -> int | None:
        """How many match, as far as that was asked for and can be told.

        Raises:
            RequestError: nothing but the number was asked for, and it would cost too much.
        """
        asked = self._asked
        if asked.total == "none" and asked.summary != "count":
            return None
        if self._is_whole:
            return len(self.resources)
        if asked.total == "estimate":
            return self._trail.trail.count(self._found, self._view).value
        total = self._counted()
        if total is None and asked.summary == "count":
            raise RequestError("too many records to count; ask for a shorter time")
        if total is None and asked.total == "accurate":
            self.warnings.append("too many records match to be counted; there is no total")
        return total

    def _counted(self) -> int | None:
        asked, view, options = self._asked, self._view, self._trail.options
        whole = asked.total == "accurate" or asked.summary == "count"
        if asked.exact:
            count = view.count if whole else partial(self._trail.trail.count, view=view)
            total = count(self._found)
            return total.value if total.exact else None
        most = options.max_counted if whole else min(options.max_examined, options.max_counted)
        if view.count(self._found, at_most=most + 1).value > most:
            return None
        return sum(resource is not None for _, resource in self._matches(None, options.max_count))
