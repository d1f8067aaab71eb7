"""Export: every record that matches, as lines of JSON, in constant memory.

The last line tells number and digest of what came before it; where it is missing, the export is
incomplete, for HTTP can't signal a fault once an answer has begun.
"""

from collections.abc import Iterator
from hashlib import sha256

import orjson

from audit.errors import IndexUnavailable
from audit.index.criteria import And, Criteria, Range
from audit.index.port import Page, Place
from audit.query.access import Principal, Scope
from audit.query.audited_trail import AuditedTrail, Details, words_of_query
from audit.query.home import NOT_REPEATED
from audit.query.presentation import item

TRAILER = "_trailer"
MEDIA_TYPE = "application/x-ndjson"


class Export:
    """One export; its beginning is journaled when it is made, its end when it ends, however.

    Attributes:
        count: records given so far.

    Raises:
        Denied: the principal lacks ``events:export``; the attempt is journaled.
        QuerySyntaxError: the query can't be read.
        JournalUnavailable: its beginning can't be journaled.
    """

    def __init__(
        self,
        trail: AuditedTrail,
        principal: Principal,
        query: str | Criteria,
        *,
        include_repeats: bool = False,
        oldest_first: bool = False,
    ) -> None:
        asked: Details = (("query", words_of_query(query)),)
        trail.require(principal, Scope.EVENTS_EXPORT, asked)
        snapshot = Range("sequence", None, trail.index.position())
        found = And((trail.criteria(query, trail.options.clock()), snapshot))
        self._criteria = found if include_repeats else And((found, NOT_REPEATED))
        self._newest_first = not oldest_first
        self._trail = trail
        self._principal = principal
        self._asked = asked
        self._digest = sha256()
        self._ended = False
        self.count = 0
        trail.audit.used(principal, (*asked, ("export", "begun")))

    def chunks(self) -> Iterator[bytes]:
        """The lines, several at a time, and the trailer when all are out.

        Raises:
            IndexUnavailable: a part of the index did not answer: no trailer follows.
            JournalUnavailable: the end can't be journaled: no trailer follows.
        """
        place: Place | None = None
        while True:
            page = self._page(place)
            if page.records:
                lines = b"".join(orjson.dumps(item(record)) + b"\n" for record in page.records)
                self._digest.update(lines)
                self.count += len(page.records)
                yield lines
            place = page.next_place
            if place is None:
                break
        self._end(complete=True)
        told = {"count": self.count, "sha256": self._digest.hexdigest(), "complete": True}
        yield orjson.dumps({TRAILER: told}) + b"\n"

    def close(self) -> None:
        """Journal that the export was cut short, unless it came to its end."""
        if not self._ended:
            self._end(complete=False)

    def _page(self, place: Place | None) -> Page:
        page = self._trail.index.search(
            self._criteria,
            limit=self._trail.options.export_page,
            after=place,
            newest_first=self._newest_first,
        )
        if page.partial:
            raise IndexUnavailable(
                "a part of the index did not answer: " + "; ".join(page.warnings)
            )
        return page

    def _end(self, *, complete: bool) -> None:
        self._ended = True
        self._trail.audit.used(
            self._principal,
            (
                *self._asked,
                ("export", "ended" if complete else "cut short"),
                ("records exported", str(self.count)),
                ("sha256", self._digest.hexdigest()),
            ),
        )
