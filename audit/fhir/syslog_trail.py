"""SyslogTrail: Retrieve Syslog Event [ITI-82] on the trail; every look is journaled first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from audit.errors import IndexUnavailable, RequestError
from audit.fhir.dates import DateRange, date_range
from audit.fhir.options import FhirOptions
from audit.fhir.paging import PageLinks, PageState
from audit.fhir.question import Pairs
from audit.fhir.syslog_fields import SyslogParameter, has_value, narrowing, syslog_parameters
from audit.fhir.syslog_messages import message_parts
from audit.index.criteria import And, Criteria, Range
from audit.index.document import IndexedRecord
from audit.index.port import Place
from audit.query.access import Principal, Scope
from audit.query.audited_trail import AuditedTrail, Details
from audit.query.home import NOT_REPEATED

INTERFACE = "ITI-82"
_DATES = {"date": "time", "recorded": "time"}
_COUNT = "_count"
_FOR_HTTP = frozenset({"_format", "_page"})
_MOST_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogFound:
    """One page of messages.

    Attributes:
        messages: each as its parts, the newest first.
        next_page: opaque text that leads to the next page; None when this is the last.
    """

    messages: tuple[dict[str, str], ...]
    next_page: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A search as it was read."""

    pairs: Pairs
    criteria: Criteria
    values: tuple[tuple[SyslogParameter, str], ...]
    count: int


class SyslogTrail:
    """Answers consumers of syslog messages. Safe to use from several threads.

    Args:
        trail: index, journal and the record of every look.
        options: limits; those of FHIR searches hold here too.
    """

    def __init__(self, trail: AuditedTrail, options: FhirOptions) -> None:
        self._trail = trail
        self._options = options
        self._links = PageLinks(options.page_key, INTERFACE)

    def search(self, principal: Principal, asked: Pairs) -> SyslogFound:
        """The first page; needs ``events:read`` and ``events:raw``: messages are as received.

        Raises:
            RequestError: the search can't be read.
            Denied, JournalUnavailable, IndexUnavailable: as every look does.
        """
        self._admit(principal)
        now = self._trail.options.clock()
        state = PageState(pairs=asked, snapshot=self._trail.index.position(), asked_at=now)
        return self._page(principal, state)

    def page(self, principal: Principal, link: str) -> SyslogFound:
        """A further page; raises as ``search`` does, and InvalidCursor for a link of others."""
        self._admit(principal)
        return self._page(principal, self._links.unseal(link, principal))

    def _admit(self, principal: Principal) -> None:
        asked: Details = (("interface", INTERFACE),)
        self._trail.require(principal, Scope.EVENTS_READ, asked)
        self._trail.require(principal, Scope.EVENTS_RAW, asked)

    def _page(self, principal: Principal, state: PageState) -> SyslogFound:
        asked = _read(state, self._options)
        criteria = And((asked.criteria, Range("sequence", None, state.snapshot), NOT_REPEATED))
        found: list[dict[str, str]] = []
        shown: list[IndexedRecord] = []
        following = last = state.place
        looked_at = enumerate(self._matches(principal, asked, criteria, last), 1)
        for examined, (record, message) in looked_at:
            if message is not None:
                if len(found) == asked.count:
                    following = last
                    break
                found.append(message)
                shown.append(record)
            last = Place(record.time, record.sequence)
            if examined >= self._options.max_examined:
                following = last
                break
        else:
            following = None
        words = "&".join(f"{name}={value}" for name, value in asked.pairs)
        details = (("query", words), ("records shown", str(len(found))))
        self._trail.audit.used(principal, (("interface", INTERFACE), *details), shown)
        link = None
        if following is not None:
            link = self._links.seal(replace(state, place=following), principal)
        return SyslogFound(messages=tuple(found), next_page=link)

    def _matches(
        self, principal: Principal, asked: _Asked, criteria: Criteria, place: Place | None
    ) -> Iterator[tuple[IndexedRecord, dict[str, str] | None]]:
        """Records that may hold, in order, each with its message if it holds.

        Not as the principal would see the record: the message names everybody in it.
        """
        visible = self._trail.visible(principal, criteria)
        while True:
            page = self._trail.index.search(visible, limit=asked.count + 1, after=place)
            if page.partial:
                raise IndexUnavailable("a part of the index did not answer")
            for record in page.records:
                parts = message_parts(self._trail.reader.read(record.sequence).received.raw)
                holds = all(has_value(one, value, record, parts) for one, value in asked.values)
                yield record, parts if holds else None
            place = page.next_place
            if place is None:
                return


def _read(state: PageState, options: FhirOptions) -> _Asked:
    """Read a search; raises RequestError."""
    if sum(len(name) + len(value) for name, value in state.pairs) > options.max_parameter_chars:
        raise RequestError(f"the search is longer than {options.max_parameter_chars} characters")
    dates: list[tuple[str, DateRange]] = []
    values: list[tuple[SyslogParameter, str]] = []
    count = options.default_count
    for name, value in state.pairs:
        if name in _DATES:
            dates.append((name, date_range(value, state.asked_at)))
        elif name == _COUNT:
            count = _count(value, options)
        elif name in syslog_parameters():
            values.append((syslog_parameters()[name], value))
        elif name not in _FOR_HTTP:
            shown = name if name.isprintable() else "a parameter"
            raise RequestError(f"{shown[:64]} is not known here")
    _demand_dates(dates, options)
    criteria = [one.criteria(_DATES[name]) for name, one in dates]
    criteria += [narrowing(one, value) for one, value in values]
    return _Asked(
        pairs=state.pairs, criteria=And(tuple(criteria)), values=tuple(values), count=count
    )


def _count(value: str, options: FhirOptions) -> int:
    if (
        not (value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS)
        or int(value) < 1
    ):
        raise RequestError("_count is a number of at least 1")
    return min(int(value), options.max_count)


def _demand_dates(dates: list[tuple[str, DateRange]], options: FhirOptions) -> None:
    own = [one for name, one in dates if name == "date"]
    lower, upper = any(one.has_lower for one in own), any(one.has_upper for one in own)
    if options.date_bounds == "both" and not (lower and upper):
        raise RequestError("date must be bounded on both sides: date=ge…&date=le…")
    if not (lower or upper):
        raise RequestError("date must be bounded: date=ge… or date=le…")
