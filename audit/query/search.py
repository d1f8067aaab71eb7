"""SearchService: questions in, answers out; every look is journaled before it is answered.

An answer never pretends: it says how far the index is behind the journal and whether a part of
it is missing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from secrets import token_bytes
from time import time_ns

from audit.errors import Denied, NotFound, RequestError
from audit.frame.syslog import read_header
from audit.index.criteria import And, Criteria, Exists, Not, Or, Phrase, Range
from audit.index.port import Page, SearchIndex, Span, Total
from audit.journal.entry import EntryKind
from audit.journal.reader import JournalReader
from audit.query.access import Principal, Scope, require
from audit.query.answers import (
    Answer,
    EventAnswer,
    HomeAnswer,
    IndexLag,
    MessageAnswer,
    Overview,
)
from audit.query.cursor import Cursor, query_digest, seal, unseal
from audit.query.excerpts import with_excerpts
from audit.query.home import NOT_REPEATED, HomeOptions, home_figures
from audit.query.language import DEFAULT_LIMITS, LanguageLimits, parse_query
from audit.query.self_audit import Append, RepositoryIdentity, SelfAudit
from audit.query.senders import Period, SenderOptions, SenderReporter, SendersAnswer

_RECORD_ID = re.compile("(?:(?P<origin>[a-z0-9]+)-)?(?P<sequence>[0-9]{1,19})")
_LARGEST_SEQUENCE = 2**63 - 1
_NS_PER_DAY = 86_400 * 1_000_000_000

Details = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """How searches are answered.

    Attributes:
        identity: how the repository names itself in the records of its own use.
        cursor_key: authenticates cursors; processes that serve the same clients share it. By
            default each service has its own.
        max_limit: most records on a page.
        max_facet_size: most values named of one field.
        max_buckets: most bars of a histogram.
        count_at_most: counting stops there, and the total says so.
        count_phrases_at_most: the same for a query with a phrase, for which an index has to look
            at each document.
        language: bounds of a query's text.
        home: how much the home page shows.
        senders: bounds of the report on senders.
        clock: UTC nanoseconds.
    """

    identity: RepositoryIdentity
    cursor_key: bytes = field(default_factory=lambda: token_bytes(32), repr=False)
    max_limit: int = 1_000
    max_facet_size: int = 1_000
    max_buckets: int = 1_000
    count_at_most: int = 10_000
    count_phrases_at_most: int = 1_000
    language: LanguageLimits = DEFAULT_LIMITS
    home: HomeOptions = field(default_factory=HomeOptions)
    senders: SenderOptions = field(default_factory=SenderOptions)
    clock: Callable[[], int] = time_ns


@dataclass(frozen=True, slots=True)
class Shape:
    """What an overview should hold.

    Attributes:
        facets: keyword fields whose commonest values are asked for.
        size: how many values of each.
        span: time and interval of the histogram; without it there is none.
        split: single-valued keyword field by which the bars are divided.
    """

    facets: tuple[str, ...] = ()
    size: int = 10
    span: Span | None = None
    split: str | None = None


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
    ) -> None:
        self._index = index
        self._reader = reader
        self._options = options
        self._self_audit = SelfAudit(append, options.identity, options.clock)

    def index_lag(self) -> IndexLag:
        """How far the index is behind the journal: shows no record, so isn't journaled."""
        position = self._index.position()
        return IndexLag(self._reader.durable_count(), position)

    def search(
        self,
        principal: Principal,
        query: str | Criteria,
        *,
        limit: int = 100,
        cursor: str | None = None,
        include_repeats: bool = False,
    ) -> Answer:
        """One page of the records that match, newest first; stable while records arrive.

        Args:
            principal: who asks; needs ``events:read``.
            query: the one-line language, or criteria.
            limit: records on the page.
            cursor: ``next_cursor`` of the page before, for the same query.
            include_repeats: show byte-identical re-deliveries too.

        Raises:
            QuerySyntaxError: the query can't be read.
            InvalidCursor: the cursor isn't one of this query's.
            RequestError: the limit is out of bounds.
        """
        asked: Details = (("query", _words(query)),)
        self._require(principal, Scope.EVENTS_READ, asked)
        _check_bound("limit", limit, self._options.max_limit)
        digest = query_digest(f"{include_repeats} {query!r}")
        start = self._start(cursor, digest)
        found = And(
            (self._criteria(query, start.asked_at), Range("sequence", None, start.snapshot))
        )
        shown = found if include_repeats else And((found, NOT_REPEATED))
        page = self._index.search(shown, limit=limit, after=start.place)
        answer = Answer(
            records=page.records,
            next_cursor=self._next_cursor(page, start, digest),
            total=self._count(shown),
            repeats_hidden=self._hidden(found, include_repeats=include_repeats),
            index_lag=self.index_lag(),
            partial=page.partial,
            warnings=page.warnings,
        )
        self._self_audit.used(principal, (*asked, ("records shown", str(len(page.records)))))
        return answer

    def overview(self, principal: Principal, query: str | Criteria, shape: Shape) -> Overview:
        """Commonest values and course over time of the records that match, repeats left out.

        Needs ``events:read``; raises QuerySyntaxError, and RequestError for a shape out of bounds.
        """
        asked: Details = (("query", _words(query)), ("overview of", " ".join(shape.facets)))
        self._require(principal, Scope.EVENTS_READ, asked)
        _check_bound("size", shape.size, self._options.max_facet_size)
        if shape.span is not None:
            _check_bound("buckets", _buckets(shape.span), self._options.max_buckets)
        found = And((self._criteria(query, self._options.clock()), NOT_REPEATED))
        index = self._index
        overview = Overview(
            facets=index.facets(found, shape.facets, shape.size) if shape.facets else {},
            histogram=index.histogram(found, shape.span, shape.split) if shape.span else (),
            total=self._count(found),
            index_lag=self.index_lag(),
        )
        self._self_audit.used(principal, asked)
        return overview

    def event(self, principal: Principal, record_id: str) -> EventAnswer:
        """One record; ``record_id`` may be its bare sequence. Needs ``events:read``.

        Raises:
            NotFound: there is no such record, or it isn't searchable yet.
        """
        asked: Details = (("record", record_id),)
        self._require(principal, Scope.EVENTS_READ, asked)
        sequence = self._sequence(record_id)
        record = self._index.get(f"{self._reader.origin}-{sequence}")
        lag = self.index_lag()
        if record is None:
            late = lag.index_seq <= sequence < lag.journal_seq
            raise NotFound(
                f"there is no record {record_id}"
                + ("; it is journaled but not searchable yet, try again soon" if late else "")
            )
        self._self_audit.used(principal, asked)
        return EventAnswer(record, lag)

    def message(self, principal: Principal, record_id: str) -> MessageAnswer:
        """The octets of a message exactly as received, read from the journal, not the index.

        Needs ``events:raw``.

        Raises:
            NotFound: there is no such message.
        """
        asked: Details = (("record", record_id), ("view", "octets as received"))
        self._require(principal, Scope.EVENTS_RAW, asked)
        sequence = self._sequence(record_id)
        entry = self._reader.read(sequence)
        received = entry.received
        if received.kind is EntryKind.CERTIFICATE:
            raise NotFound(f"{record_id} is a peer's certificate, not a message")
        if entry.is_removed:
            raise NotFound(f"the message of {record_id} was lawfully removed; its proof remains")
        self._self_audit.used(principal, asked)
        return MessageAnswer(
            id=f"{self._reader.origin}-{sequence}",
            received=received.raw,
            msg_offset=read_header(received.raw).msg_offset,
            original_length=received.sent_length,
        )

    def home(self, principal: Principal) -> HomeAnswer:
        """The home page's figures, with the state of journal and index. Needs ``events:read``."""
        asked: Details = (("view", "figures of the home page"),)
        self._require(principal, Scope.EVENTS_READ, asked)
        answer = HomeAnswer(
            figures=home_figures(self._index, self._options.clock(), self._options.home),
            index=self._index.describe(),
            origin=self._reader.origin,
            index_lag=self.index_lag(),
        )
        self._self_audit.used(principal, asked)
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
        self._require(principal, Scope.EVENTS_RAW if excerpts else Scope.EVENTS_READ, asked)
        if excerpts:
            self._require(principal, Scope.EVENTS_READ, asked)
        _check_bound("days", days, self._options.senders.days)
        if excerpts and node is None:
            raise RequestError("excerpts are given of one sender at a time")
        end = self._options.clock() + 1
        period = Period(end - days * _NS_PER_DAY, end)
        reporter = SenderReporter(self._index, period, self._options.senders)
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
        self._self_audit.used(principal, (*asked, *raw))
        return answer

    def _octets(self, looked_at: list[str]) -> Callable[[str], bytes]:
        """Reads octets as received, and notes of which records."""

        def read(record_id: str) -> bytes:
            looked_at.append(record_id)
            return self._reader.read(self._sequence(record_id)).received.raw

        return read

    def _require(self, principal: Principal, scope: Scope, asked: Details) -> None:
        try:
            require(principal, scope)
        except Denied as error:
            self._self_audit.denied(principal, asked, str(error))
            raise

    def _criteria(self, query: str | Criteria, now: int) -> Criteria:
        if isinstance(query, str):
            return parse_query(query, now=now, limits=self._options.language)
        return query

    def _start(self, cursor: str | None, digest: bytes) -> Cursor:
        if cursor is not None:
            return unseal(cursor, digest, self._options.cursor_key)
        return Cursor(None, self._index.position(), self._options.clock())

    def _next_cursor(self, page: Page, start: Cursor, digest: bytes) -> str | None:
        if page.next_place is None:
            return None
        return seal(replace(start, place=page.next_place), digest, self._options.cursor_key)

    def _count(self, criteria: Criteria) -> Total:
        options = self._options
        at_most = options.count_phrases_at_most if _has_phrase(criteria) else options.count_at_most
        return self._index.count(criteria, at_most=at_most)

    def _hidden(self, found: Criteria, *, include_repeats: bool) -> Total:
        if include_repeats:
            return Total(0)
        return self._count(And((found, Exists("repeat_of"))))

    def _sequence(self, record_id: str) -> int:
        """The sequence of ``ORIGIN-SEQUENCE`` or of a bare sequence; NotFound for any other."""
        named = _RECORD_ID.fullmatch(record_id.strip())
        if named is not None and named["origin"] in {None, self._reader.origin}:
            sequence = int(named["sequence"])
            if sequence <= _LARGEST_SEQUENCE:
                return sequence
        raise NotFound(f"there is no record {record_id[:64]}")


def _words(query: str | Criteria) -> str:
    """The query as the audit trail names it."""
    return query if isinstance(query, str) else str(query)


def _has_phrase(criteria: Criteria) -> bool:
    match criteria:
        case Phrase():
            return True
        case And(parts) | Or(parts):
            return any(map(_has_phrase, parts))
        case Not(part):
            return _has_phrase(part)
        case _:
            return False


def _check_bound(name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise RequestError(f"{name} is {value}; allowed are 1 to {most}")


def _buckets(span: Span) -> int:
    return -(-(span.end - span.start) // span.interval) if span.interval > 0 else 0
