"""SearchService: questions in, answers out; every look is journaled before it is answered.

An answer never pretends: it says how far the index is behind the journal and whether a part of
it is missing.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from audit.errors import IndexUnavailable, NotFound, RequestError
from audit.frame.syslog import read_header
from audit.index.criteria import And, Range
from audit.index.document import IndexedRecord
from audit.index.port import Page, SearchIndex, Span
from audit.journal.entry import EntryKind
from audit.journal.reader import JournalReader
from audit.query.access import Principal, Scope
from audit.query.answers import (
    Answer,
    EventAnswer,
    HomeAnswer,
    IndexLag,
    MessageAnswer,
    Overview,
)
from audit.query.audited_trail import (
    AuditedTrail,
    Details,
    check_bound,
    rows_seen,
    words_of_names,
    words_of_query,
)
from audit.query.cursor import Cursor, query_digest, seal, unseal
from audit.query.excerpts import with_excerpts
from audit.query.export import Export
from audit.query.home import NOT_REPEATED, home_figures
from audit.query.identities import Asked, Identities
from audit.query.neighbours import Neighbourhood, neighbours
from audit.query.one_patient import AboutPatient
from audit.query.patients_shown import PatientsShown
from audit.query.search_options import PageAsked, SearchOptions, Shape
from audit.query.self_audit import Append
from audit.query.senders import Period, SenderReporter, SendersAnswer
from audit.query.tail import Tail

__all__ = ["PageAsked", "SearchOptions", "SearchService", "Shape"]

_NS_PER_DAY = 86_400 * 1_000_000_000


_LATE = "the index is being made anew and hasn't come to where this answer began"


def _nobody(_answer: Answer) -> Iterable[str]:
    return ()


class SearchService:
    """Answers questions about the trail. Safe to use from several threads.

    Every method but ``index_lag`` may raise Denied (the principal lacks the scope; the attempt is
    journaled), JournalUnavailable (the look can't be journaled: there is no answer) and
    IndexUnavailable.
    """

    def __init__(
        self,
        index: SearchIndex,
        reader: JournalReader,
        append: Append,
        options: SearchOptions,
        identities: Identities | None = None,
    ) -> None:
        self._trail = AuditedTrail(index, reader, append, options, identities)
        self._index = index
        self._reader = reader
        self._options = options

    @property
    def trail(self) -> AuditedTrail:
        """What other kinds of answers are made from."""
        return self._trail

    def index_lag(self) -> IndexLag:
        """How far the index is behind the journal: shows no record, so isn't journaled."""
        return self._trail.lag()

    def search(
        self,
        principal: Principal,
        query: Asked | AboutPatient,
        *,
        limit: int = 100,
        cursor: str | None = None,
        include_repeats: bool = False,
        oldest_first: bool = False,
    ) -> Answer:
        """One page of the records that match, newest first; stable while records arrive.

        Args:
            principal: who asks; needs ``events:read``.
            query: the one-line language, or criteria, perhaps by all names; about one patient,
                each record is shown without other patients.
            limit: records on the page.
            cursor: ``next_cursor`` of the page before, for the same query and order.
            include_repeats: show byte-identical re-deliveries too.
            oldest_first: the other order.

        Raises:
            QuerySyntaxError: the query can't be read.
            InvalidCursor: the cursor isn't one of this query's.
            RequestError: the limit is out of bounds.
        """
        page = PageAsked(limit, cursor, include_repeats, oldest_first)
        return self.page(principal, query, page)

    def page(
        self,
        principal: Principal,
        query: Asked | AboutPatient,
        wanted: PageAsked,
        beside: Callable[[Answer], Iterable[str]] = _nobody,
    ) -> Answer:
        """As ``search``; ``beside`` tells which patients are shown beside it, in the same look."""
        about = query if isinstance(query, AboutPatient) else None
        query = query.query if isinstance(query, AboutPatient) else query
        asked: Details = (("query", words_of_query(query)),)
        self._trail.require(principal, Scope.EVENTS_READ, asked)
        check_bound("limit", wanted.limit, self._options.max_limit)
        digest = query_digest(
            f"{principal.name} {wanted.include_repeats} {wanted.oldest_first} {query!r}"
        )
        start = self._start(wanted.cursor, digest)
        view = self._trail.view(principal)
        criteria, used = self._trail.asked(
            principal, query, start.asked_at, below=start.snapshot, version=start.names_at
        )
        found = And((criteria, Range("sequence", None, start.snapshot)))
        shown = found if wanted.include_repeats else And((found, NOT_REPEATED))
        page = view.search(
            shown, limit=wanted.limit, after=start.place, newest_first=not wanted.oldest_first
        )
        records = about.shares(page.records, used) if about else page.records
        late = self._index.position() < start.snapshot
        answer = Answer(
            records=records,
            next_cursor=self._next_cursor(page, start, digest),
            total=self._trail.total(page, shown, view, is_first=start.place is None),
            repeats_hidden=self._trail.repeats(found, view, shown=wanted.include_repeats),
            index_lag=self.index_lag(),
            partial=page.partial or late,
            warnings=(*page.warnings, *((_LATE,) if late else ())),
            identities=used,
        )
        told = (*asked, *words_of_names(used), ("records shown", str(len(records))))
        self._trail.audit.used(principal, told, PatientsShown(records, beside(answer)))
        return answer

    def overview(self, principal: Principal, query: Asked, shape: Shape) -> Overview:
        """Commonest values and course over time of the records that match, repeats left out.

        Needs ``events:read``; raises QuerySyntaxError, and RequestError for a shape out of bounds.
        """
        asked: Details = (
            ("query", words_of_query(query)),
            ("overview of", " ".join(shape.facets)),
        )
        self._trail.require(principal, Scope.EVENTS_READ, asked)
        check_bound("size", shape.size, self._options.max_facet_size)
        if shape.span is not None:
            check_bound("buckets", _buckets(shape.span), self._options.max_buckets)
        criteria, used = self._trail.asked(principal, query, self._options.clock())
        found = And((criteria, NOT_REPEATED))
        view = self._trail.view(principal)
        overview = Overview(
            facets=view.facets(found, shape.facets, shape.size) if shape.facets else {},
            histogram=view.histogram(found, shape.span, shape.split) if shape.span else (),
            total=self._trail.count(found, view),
            index_lag=self.index_lag(),
            identities=used,
        )
        named = [value for value, _ in overview.facets.get("patient", ())]
        told = (*asked, *words_of_names(used))
        self._trail.audit.used(principal, told, PatientsShown(identifiers=named))
        return overview

    def event(
        self, principal: Principal, record_id: str, *, with_message: bool = False
    ) -> EventAnswer:
        """One record; ``record_id`` may be its bare sequence. Needs ``events:read``.

        Args:
            principal: who asks.
            record_id: which.
            with_message: with the octets as received, when the principal has ``events:raw`` (and a
                reason, where policy wants one) and the journal still has them; one record of the
                look tells of both.

        Raises:
            NotFound: there is no such record, or it isn't searchable yet.
        """
        asked: Details = (("record", record_id),)
        self._trail.require(principal, Scope.EVENTS_READ, asked)
        record, lag = self._trail.record(principal, record_id)
        message: MessageAnswer | None = None
        if with_message and self._trail.permits(principal, Scope.EVENTS_RAW):
            with suppress(NotFound):
                message = self._octets_of(record_id)
        told: Details = (("view", "record and octets as received"),) if message else ()
        self._trail.audit.used(principal, (*asked, *told), (record,))
        return EventAnswer(record, lag, message)

    def message(self, principal: Principal, record_id: str) -> MessageAnswer:
        """The octets of a message exactly as received, read from the journal, not the index.

        Needs ``events:raw``.

        Raises:
            NotFound: there is no such message.
        """
        asked: Details = (("record", record_id), ("view", "octets as received"))
        self._trail.require(principal, Scope.EVENTS_RAW, asked)
        if rows_seen(principal) is not None:
            self._trail.record(principal, record_id)
        answer = self._octets_of(record_id)
        self._trail.audit.used(principal, asked, self._indexed(answer.id))
        return answer

    def _indexed(self, record_id: str) -> tuple[IndexedRecord, ...]:
        """The record as indexed, to name its patients; none while the index can't answer."""
        with suppress(IndexUnavailable):
            record = self._index.get(record_id)
            return () if record is None else (record,)
        return ()

    def _octets_of(self, record_id: str) -> MessageAnswer:
        sequence = self._trail.sequence(record_id)
        entry = self._reader.read(sequence)
        received = entry.received
        if received.kind is EntryKind.CERTIFICATE:
            raise NotFound(f"{record_id} is a peer's certificate, not a message")
        if entry.is_removed:
            raise NotFound(f"the message of {record_id} was lawfully removed; its proof remains")
        return MessageAnswer(
            id=f"{self._reader.origin}-{sequence}",
            received=received.raw,
            msg_offset=read_header(received.raw).msg_offset,
            original_length=received.sent_length,
        )

    def check(self, principal: Principal, query: str) -> None:
        """Whether the principal may look, and whether the query can be read; shows nothing.

        Needs ``events:read``; raises QuerySyntaxError.
        """
        self._trail.require(principal, Scope.EVENTS_READ, (("query", query),))
        self._trail.visible(principal, self._trail.criteria(query, self._options.clock()))

    def neighbours(
        self, principal: Principal, record_id: str, asked: Neighbourhood, *, limit: int = 100
    ) -> Answer:
        """The records nearest in time to one, itself included; see ``audit.query.neighbours``."""
        return neighbours(self._trail, principal, record_id, asked, limit=limit)

    def export(
        self,
        principal: Principal,
        query: Asked,
        *,
        include_repeats: bool = False,
        oldest_first: bool = False,
    ) -> Export:
        """Every record that matches, as NDJSON; its beginning is journaled before it is given.

        Needs ``events:export``; raises QuerySyntaxError. Whoever takes it must close it.
        """
        return Export(
            self._trail,
            principal,
            query,
            include_repeats=include_repeats,
            oldest_first=oldest_first,
        )

    def tail(
        self,
        principal: Principal,
        query: Asked,
        *,
        since: int | None = None,
        recorded: bool = False,
    ) -> Tail:
        """Records as they become searchable, the principal's own looks left out.

        Args:
            principal: who asks; needs ``events:read``.
            query: which of them; by all names as they are known now.
            since: the first journal sequence to look at; by default whatever comes next.
            recorded: this use has its record already: the feed goes on after a short break.
        """
        return Tail(self._trail, principal, query, since=since, recorded=recorded)

    def home(self, principal: Principal) -> HomeAnswer:
        """The home page's figures, with the state of journal and index. Needs ``events:read``."""
        asked: Details = (("view", "figures of the home page"),)
        self._trail.require(principal, Scope.EVENTS_READ, asked)
        answer = HomeAnswer(
            figures=home_figures(
                self._trail.view(principal), self._options.clock(), self._options.home
            ),
            index=self._index.describe(),
            origin=self._reader.origin,
            index_lag=self.index_lag(),
        )
        self._trail.audit.used(principal, asked, answer.figures.failures)
        return answer

    def senders(
        self,
        principal: Principal,
        days: int = 7,
        *,
        node: str | None = None,
        excerpts: bool = False,
    ) -> SendersAnswer:
        """Conformance of each sender over the last days; see ``audit.query.senders``.

        Args:
            principal: who asks; needs ``events:read``, and ``events:raw`` for excerpts.
            days: how far back, by time of receipt.
            node: only senders with this AuditSourceID; empty for those that name none.
            excerpts: show masked lines of messages that break rules; only of one ``node``.

        Raises:
            RequestError: the days are out of bounds, or excerpts are asked for of all senders.
        """
        asked: Details = (
            ("view", "conformance of senders"),
            ("days", str(days)),
            *((("sender", node),) if node is not None else ()),
        )
        self._trail.require(principal, Scope.EVENTS_RAW if excerpts else Scope.EVENTS_READ, asked)
        if excerpts:
            self._trail.require(principal, Scope.EVENTS_READ, asked)
        check_bound("days", days, self._options.senders.days)
        if excerpts and node is None:
            raise RequestError("excerpts are given of one sender at a time")
        end = self._options.clock() + 1
        period = Period(end - days * _NS_PER_DAY, end)
        view = self._trail.view(principal)
        reporter = SenderReporter(view, period, self._options.senders)
        senders = reporter.report(node)
        looked_at: list[str] = []
        if excerpts:
            senders = tuple(with_excerpts(one, self._octets(looked_at)) for one in senders)
        answer = SendersAnswer(
            period=period,
            senders=senders,
            index_lag=self.index_lag(),
            partial=reporter.partial,
            warnings=tuple(reporter.warnings),
        )
        raw: Details = (("masked lines of", " ".join(looked_at)),) if looked_at else ()
        self._trail.audit.used(principal, (*asked, *raw))
        return answer

    def _octets(self, looked_at: list[str]) -> Callable[[str], bytes]:
        """Reads octets as received, and notes of which records."""

        def read(record_id: str) -> bytes:
            looked_at.append(record_id)
            return self._reader.read(self._trail.sequence(record_id)).received.raw

        return read

    def _start(self, cursor: str | None, digest: bytes) -> Cursor:
        if cursor is not None:
            return unseal(cursor, digest, self._options.cursor_key)
        identities = self._trail.identities
        names_at = 0 if identities is None else identities.version()
        return Cursor(None, self._index.position(), self._options.clock(), names_at)

    def _next_cursor(self, page: Page, start: Cursor, digest: bytes) -> str | None:
        if page.next_place is None:
            return None
        return seal(replace(start, place=page.next_place), digest, self._options.cursor_key)


def _buckets(span: Span) -> int:
    return -(-(span.end - span.start) // span.interval) if span.interval > 0 else 0
