"""AuditedTrail: index and journal, and the record of every look, behind all kinds of answers."""

import re

from audit.errors import Denied, NotFound, RequestError
from audit.index.criteria import And, Criteria, Exists, Not, Or, Phrase, matches
from audit.index.document import IndexedRecord
from audit.index.port import Page, SearchIndex, Total
from audit.journal.reader import JournalReader
from audit.query.access import Principal, ReasonNeeded, Scope, require
from audit.query.answers import IndexLag
from audit.query.disguise import Disguise
from audit.query.identities import Asked, ByAllNames, Identities, Setting, bare
from audit.query.identities_used import IdentitiesUsed
from audit.query.language import parse_query
from audit.query.pseudonym_search import PseudonymSearch
from audit.query.pseudonyms import Pseudonyms
from audit.query.roles import OWN_USE
from audit.query.search_options import SearchOptions
from audit.query.self_audit import Append, SelfAudit
from audit.query.view import FieldRules, PrincipalView

_RECORD_ID = re.compile("(?:(?P<origin>[a-z0-9]+)-)?(?P<sequence>[0-9]{1,19})")
_LARGEST_SEQUENCE = 2**63 - 1

Details = tuple[tuple[str, str], ...]


class AuditedTrail:
    """What every kind of answer is made from. Safe to use from several threads.

    Attributes:
        index: where records are found.
        reader: the journal.
        options: bounds and clock.
        audit: journals that somebody looked.
        identities: other names of patients and people; None where no table is kept.
    """

    def __init__(
        self,
        index: SearchIndex,
        reader: JournalReader,
        append: Append,
        options: SearchOptions,
        identities: Identities | None = None,
    ) -> None:
        self.identities = identities
        self.index = index
        self.reader = reader
        self.options = options
        self.audit = SelfAudit(append, options.identity, options.clock)
        self._disguise = Disguise(Pseudonyms(options.pseudonym_key))
        self._undone = PseudonymSearch(index, self._disguise, options.pseudonyms_tried)

    def lag(self) -> IndexLag:
        """How far the index is behind the journal: shows no record, so isn't journaled."""
        position = self.index.position()
        return IndexLag(self.reader.durable_count(), position)

    def require(self, principal: Principal, scope: Scope, asked: Details) -> None:
        """Let the principal pass, or journal that it was refused.

        Raises:
            Denied: it lacks the scope.
            ReasonNeeded: it has to say why, and doesn't.
            JournalUnavailable: the refusal could not be journaled.
        """
        try:
            require(principal, scope)
            if self._lacks_reason(principal, scope):
                raise ReasonNeeded(f"say why: policy wants a reason for {scope}")
        except Denied as error:
            self.audit.denied(principal, asked, str(error))
            raise

    def permits(self, principal: Principal, scope: Scope) -> bool:
        """Whether ``require`` would let the principal pass; nothing is journaled."""
        return principal.may(scope) and not self._lacks_reason(principal, scope)

    def _lacks_reason(self, principal: Principal, scope: Scope) -> bool:
        return scope in self.options.reason_for and not principal.reason

    def criteria(self, query: str | Criteria, now: int) -> Criteria:
        """What the query asks; raises QuerySyntaxError when its text can't be read."""
        if isinstance(query, str):
            return parse_query(query, now=now, limits=self.options.language)
        return query

    def asked(
        self,
        principal: Principal,
        query: Asked,
        now: int,
        *,
        below: int | None = None,
        version: int | None = None,
    ) -> tuple[Criteria, IdentitiesUsed | None]:
        """What the query asks, and by which other names; None when by those in it alone.

        Args:
            principal: who asks.
            query: perhaps by all names of whoever is named in it.
            now: UTC nanoseconds that relative times count from.
            below: the first journal sequence that nothing is learned from; by default what isn't
                searchable yet.
            version: of the alias table; the newest by default.

        Raises:
            QuerySyntaxError: its text can't be read.
        """
        criteria = self.criteria(bare(query), now)
        if self.identities is None or not isinstance(query, ByAllNames):
            return criteria, None
        end = self.index.position() if below is None else below
        setting = Setting(self.view(principal), end, principal.identified, version)
        return self.identities.applied(criteria, setting)

    def view(self, principal: Principal) -> PrincipalView:
        """The index as the principal may see it: every question of a principal goes through it.

        Its criteria are narrowed and its records, facets and counts are made fit to be shown, so
        neither ``visible`` nor ``shown`` is needed beside it.
        """

        def refuse(why: str) -> Denied:
            self.audit.denied(principal, (("view", "search by what is shown as pseudonyms"),), why)
            return Denied(why)

        fields = FieldRules(self._disguise, self._undone.value, refuse, self.options.people_tried)
        return PrincipalView(self.index, principal, rows_seen(principal), fields)

    def visible(self, principal: Principal, criteria: Criteria) -> Criteria:
        """Of what is asked, what the principal may see, for questions to ``index`` itself.

        Raises:
            Denied: it would find patients by what the principal may not see.
        """
        return self.view(principal).visible(criteria)

    def shown(self, principal: Principal, record: IndexedRecord) -> IndexedRecord:
        """A record of ``index`` as the principal may see it: with pseudonyms where it must be."""
        return self.view(principal).shown(record)

    def require_whole(self, principal: Principal, asked: Details) -> None:
        """Let only a principal pass that may see every record.

        Raises:
            Denied: it may not; the attempt is journaled.
            JournalUnavailable: the refusal could not be journaled.
        """
        if rows_seen(principal) is not None:
            why = f"{principal.name} may not do this: it doesn't see every record"
            self.audit.denied(principal, asked, why)
            raise Denied(why)

    def count(self, criteria: Criteria, view: PrincipalView | None = None) -> Total:
        """How many match, of those in ``view`` if given, counted up to the bound for such."""
        options = self.options
        at_most = options.count_phrases_at_most if _has_phrase(criteria) else options.count_at_most
        return (view or self.index).count(criteria, at_most=at_most)

    def total(self, page: Page, found: Criteria, view: PrincipalView, *, is_first: bool) -> Total:
        """How many match: those of a first page without a next one, else counted."""
        if is_first and page.next_place is None and not page.partial:
            return Total(len(page.records))
        return self.count(found, view)

    def repeats(self, found: Criteria, view: PrincipalView | None = None, *, shown: bool) -> Total:
        """How many repeats match ``found`` and are hidden: none when they are shown."""
        return Total(0) if shown else self.count(And((found, Exists("repeat_of"))), view)

    def sequence(self, record_id: str) -> int:
        """The sequence of ``ORIGIN-SEQUENCE`` or of a bare sequence; NotFound for any other."""
        named = _RECORD_ID.fullmatch(record_id.strip())
        if named is not None and named["origin"] in {None, self.reader.origin}:
            sequence = int(named["sequence"])
            if sequence <= _LARGEST_SEQUENCE:
                return sequence
        raise NotFound(f"there is no record {record_id[:64]}")

    def record(self, principal: Principal, record_id: str) -> tuple[IndexedRecord, IndexLag]:
        """One record as the principal may see it, and how far the index was behind.

        Raises:
            NotFound: there is no such record, the principal may not see it (an answer that tells
                nobody whether it exists), or it isn't searchable yet.
        """
        sequence = self.sequence(record_id)
        record = self.index.get(f"{self.reader.origin}-{sequence}")
        lag = self.lag()
        if record is not None and not may_see(principal, record):
            raise NotFound(f"there is no record {record_id}")
        if record is None:
            late = lag.index_seq <= sequence < lag.journal_seq
            raise NotFound(
                f"there is no record {record_id}"
                + ("; it is journaled but not searchable yet, try again soon" if late else "")
            )
        return self.shown(principal, record), lag


def rows_seen(principal: Principal) -> Criteria | None:
    """The records that the principal may see; None for every one.

    Without ``audit:read`` the repository's records of its own use are no part of them.
    """
    if principal.may(Scope.AUDIT_READ):
        return principal.rows
    others = Not(OWN_USE)
    return others if principal.rows is None else And((principal.rows, others))


def may_see(principal: Principal, record: IndexedRecord) -> bool:
    """Whether the principal may see this record at all."""
    seen = rows_seen(principal)
    return seen is None or matches(seen, record)


def words_of_query(query: Asked) -> str:
    """The query as the audit trail names it."""
    asked = bare(query)
    return asked if isinstance(asked, str) else str(asked)


def words_of_names(used: IdentitiesUsed | None) -> Details:
    """By which other names was asked, as the audit trail tells it."""
    return () if used is None else (("identities", used.words()),)


def check_bound(name: str, value: int, most: int) -> None:
    """Refuse a number out of bounds; raises RequestError."""
    if not 1 <= value <= most:
        raise RequestError(f"{name} is {value}; allowed are 1 to {most}")


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
