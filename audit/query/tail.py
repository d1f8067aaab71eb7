"""Tail: records as they become searchable, in the order of the journal."""

from dataclasses import dataclass
from typing import Any

from audit.index.criteria import And, Criteria, Not, Range, Term
from audit.index.document import IndexedRecord
from audit.query.access import Principal, Scope
from audit.query.answers import IndexLag, item_found
from audit.query.audited_trail import AuditedTrail, Details, words_of_names, words_of_query
from audit.query.home import NOT_REPEATED
from audit.query.identities import Asked
from audit.query.roles import OWN_USE
from audit.query.self_audit import agent_of


@dataclass(frozen=True, slots=True)
class TailStep:
    """What came in one step.

    Attributes:
        records: those that match, in the order of the journal.
        position: the first journal sequence not looked at yet.
        caught_up: whether all that is searchable has been looked at.
        index_lag: how far the index is behind the journal.
    """

    records: tuple[IndexedRecord, ...]
    position: int
    caught_up: bool
    index_lag: IndexLag


def own_looks(principal: Principal) -> Criteria:
    """The records of this repository of the principal's own looks at the trail.

    A consumer that reads what it is told of would else wake itself for ever. What came from
    outside is never taken for one of them, whatever name it holds; nor are looks of somebody else
    of the same name, such as a token that another owner has named like this one.
    """
    called = agent_of(principal).name
    whose = (Term("user", principal.name), *((Term("user_name", called),) if called else ()))
    return And((OWN_USE, *whose))


class Tail:
    """A live feed of one principal, repeats and its own looks left out. Not for several threads.

    The record of the look is journaled when it is made, unless this use has one already.

    Raises:
        Denied: the principal lacks ``events:read``; the attempt is journaled.
        QuerySyntaxError: the query can't be read.
        JournalUnavailable: the look can't be journaled.
    """

    def __init__(
        self,
        trail: AuditedTrail,
        principal: Principal,
        query: Asked,
        *,
        since: int | None = None,
        recorded: bool = False,
    ) -> None:
        asked: Details = (("query", words_of_query(query)), ("view", "live tail"))
        trail.require(principal, Scope.EVENTS_READ, asked)
        criteria, self.identities = trail.asked(principal, query, trail.options.clock())
        self._criteria = And((criteria, NOT_REPEATED, Not(own_looks(principal))))
        self._trail = trail
        self._view = trail.view(principal)
        self._view.visible(self._criteria)  # refused before it begins
        end = trail.index.position()
        self.position = end if since is None else min(since, end)
        if not recorded:
            trail.audit.used(principal, (*asked, *words_of_names(self.identities)))

    def item(self, record: IndexedRecord) -> dict[str, Any]:
        """A record of a step as a row, marked where it is inferred by another name."""
        return item_found(record, self.identities)

    def step(self) -> TailStep:
        """What became searchable since the last step, a bounded piece of it.

        Raises:
            IndexUnavailable: the index can't answer; the place is kept.
        """
        lag = self._trail.lag()
        stop = min(lag.index_seq, self.position + self._trail.options.tail_page)
        records: tuple[IndexedRecord, ...] = ()
        if stop > self.position:
            piece = And((self._criteria, Range("sequence", self.position, stop)))
            page = self._view.search(piece, limit=stop - self.position)
            records = tuple(sorted(page.records, key=lambda record: record.sequence))
            self.position = stop
        return TailStep(records, self.position, stop >= lag.index_seq, lag)
