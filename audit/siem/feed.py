"""Feed: every record once, in the order of the journal, from any place on."""

import re
from dataclasses import dataclass

from audit.errors import IndexUnavailable, RequestError
from audit.index.criteria import And, Criteria, Everything, Not, Range
from audit.index.document import IndexedRecord
from audit.query.access import Principal, Scope
from audit.query.answers import IndexLag
from audit.query.audited_trail import AuditedTrail, Details
from audit.query.home import NOT_REPEATED
from audit.query.tail import own_looks

_CURSOR = re.compile("(?P<origin>[a-z0-9]{1,16})-(?P<position>[0-9]{1,18})")
_WIDEST = 65_536
"""Journal entries that one question to the index spans at most."""


@dataclass(frozen=True, slots=True)
class FeedPiece:
    """A piece of a feed.

    Attributes:
        records: in the order of the journal.
        position: the first journal sequence not looked at: there the next piece begins.
        caught_up: whether all that is searchable has been looked at.
        index_lag: how far the index is behind the journal.
    """

    records: tuple[IndexedRecord, ...]
    position: int
    caught_up: bool
    index_lag: IndexLag


class Feed:
    """What one principal may follow, its own looks left out. Safe to use from several threads.

    Args:
        trail: where records are found.
        principal: who follows.
        query: which records, in the query language; empty for all.
        include_repeats: byte-identical re-deliveries too.

    Raises:
        Denied: it lacks ``siem:read``; the attempt is journaled.
        QuerySyntaxError: the query can't be read.
    """

    def __init__(
        self,
        trail: AuditedTrail,
        principal: Principal,
        query: str = "",
        *,
        include_repeats: bool = False,
    ) -> None:
        self._asked: Details = (("view", "SIEM feed"),)
        trail.require(principal, Scope.SIEM_READ, self._asked)
        asked = trail.criteria(query, trail.options.clock())
        wanted: Criteria = Everything() if include_repeats else NOT_REPEATED
        wanted = And((asked, wanted, Not(own_looks(principal))))
        self._criteria = trail.visible(principal, wanted)
        self._trail = trail
        self._principal = principal

    def record_use(self, *details: tuple[str, str]) -> None:
        """Journal that the feed is used; raises JournalUnavailable: nothing may be given."""
        self._trail.audit.used(self._principal, (*self._asked, *details))

    def position(self) -> int:
        """The first journal sequence that isn't searchable yet."""
        return self._trail.index.position()

    def journal_end(self) -> int:
        """How many entries the journal has: no place of a feed lies behind it."""
        return self._trail.reader.durable_count()

    def read(self, position: int, limit: int) -> FeedPiece:
        """The next records at or behind a place, ``limit`` at most.

        A place behind all that is searchable, as while an index is built anew, gives nothing and
        stays.

        Raises:
            IndexUnavailable: the index can't answer, or a part of it.
        """
        lag = self._trail.lag()
        found: list[IndexedRecord] = []
        width = max(limit, 1)
        while position < lag.index_seq and len(found) < limit:
            room = limit - len(found)
            stop = min(lag.index_seq, position + width)
            page = self._page(position, stop, room)
            if page is None:  # more than there is room for: look at a narrower stretch
                width = max(room, (stop - position) // 2)
                continue
            found += page
            position = stop
            width = min(width * 2, _WIDEST)
        return FeedPiece(tuple(found), position, position >= lag.index_seq, lag)

    def _page(self, start: int, stop: int, room: int) -> list[IndexedRecord] | None:
        piece = And((self._criteria, Range("sequence", start, stop)))
        page = self._trail.index.search(piece, limit=room)
        if page.partial:
            raise IndexUnavailable(
                "a part of the index did not answer: " + "; ".join(page.warnings)
            )
        if page.next_place is not None and stop - start > room:
            return None
        return sorted(page.records, key=lambda record: record.sequence)


def cursor_of(origin: str, position: int) -> str:
    """The place in a feed as text for a consumer; it names nobody and needs no secret."""
    return f"{origin}-{position}"


def position_of(cursor: str | None, origin: str) -> int:
    """The place that a cursor of this log names; the oldest without one.

    Raises:
        RequestError: it is no cursor, or that of another log.
    """
    if cursor is None:
        return 0
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise RequestError("after: this is no cursor of a feed; leave it out to begin anew")
    if found["origin"] != origin:
        raise RequestError(
            f"after: the cursor belongs to the log {found['origin']}, not to {origin}; "
            "leave it out to begin anew"
        )
    return int(found["position"])
