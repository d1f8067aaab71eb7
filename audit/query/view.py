"""PrincipalView: the index as one principal may see it, row and field level applied.

Questions are narrowed to the rows that the principal may see, and to what it may ask by; answers
show it pseudonyms unless it may identify patients. What is asked through here can leak neither.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from audit.errors import Denied
from audit.index.criteria import And, Criteria, Not, Or, Phrase, Prefix, Term, Text, fold
from audit.index.document import IndexedRecord
from audit.index.port import Bucket, Page, Place, SearchIndex, Span, Total
from audit.query.access import Principal, Scope
from audit.query.disguise import (
    MASK,
    SHORTEST_WORD,
    Disguise,
    field_level,
    is_protected,
    is_senders,
    replacer,
)

Resolve = Callable[[str, str], str | None]
"""Field and pseudonym → the value behind it; None when there is none that can be found."""

Counts = tuple[tuple[str, int], ...]
"""Values and how many records have each."""

_THEMSELVES = {"user": "patient", "requestor": "patient", "user_name": "patient_name"}
"""Fields that name people, and the field that has the same value when they are the patient."""

_IDENTIFYING = ("patient", "patient_name", "study", "accession")
"""Protected fields whose values are told apart from what else senders write."""

_BETWEEN = re.compile(r"[\s|,;:/=()]+")
_MOST_WORDS = 16
"""A value of more is hidden whole."""
_ASKED_AT_ONCE = 400

Refuse = Callable[[str], Denied]
"""Journals that a question was refused, and why; gives what is to be raised."""


@dataclass(frozen=True, slots=True)
class FieldRules:
    """What is done to fields that identify patients.

    Attributes:
        disguise: makes pseudonyms.
        resolve: undoes one, for a search by it.
        refuse: journals the refusal of a question that would find a patient by other means.
        most_people: names with one beginning that are told apart from patients'.
    """

    disguise: Disguise
    resolve: Resolve
    refuse: Refuse
    most_people: int = 1_000


class PrincipalView:
    """What one principal may see of an index.

    Args:
        index: the whole.
        principal: who looks.
        seen: the records it may see at all; None for every one.
        fields: what is done to fields that identify patients.
    """

    def __init__(
        self,
        index: SearchIndex,
        principal: Principal,
        seen: Criteria | None,
        fields: "FieldRules",
    ) -> None:
        self._index = index
        self._principal = principal
        self._seen = seen
        self._disguise = fields.disguise
        self._fields = fields

    def visible(self, criteria: Criteria) -> Criteria:
        """The criteria with pseudonyms undone, narrowed to what the principal may see.

        Raises:
            Denied: they would find a patient by what the principal may not see.
        """
        asked = criteria if self._principal.identified else self._undone(criteria)
        return asked if self._seen is None else And((self._seen, asked))

    def shown(self, record: IndexedRecord) -> IndexedRecord:
        """The record as the principal may see it."""
        return record if self._principal.identified else self._disguise.record(record)

    def search(
        self,
        criteria: Criteria,
        *,
        limit: int,
        after: Place | None = None,
        newest_first: bool = True,
    ) -> Page:
        """As ``SearchIndex.search``; raises Denied as ``visible`` does."""
        page = self._index.search(
            self.visible(criteria), limit=limit, after=after, newest_first=newest_first
        )
        if self._principal.identified:
            return page
        return replace(page, records=tuple(map(self.shown, page.records)))

    def count(self, criteria: Criteria, *, at_most: int | None = None) -> Total:
        """As ``SearchIndex.count``; raises Denied as ``visible`` does."""
        return self._index.count(self.visible(criteria), at_most=at_most)

    def facets(
        self, criteria: Criteria, fields: Sequence[str], size: int = 10
    ) -> dict[str, tuple[tuple[str, int], ...]]:
        """As ``SearchIndex.facets``; raises Denied as ``visible`` does."""
        asked = self.visible(criteria)
        found = self._index.facets(asked, fields, size)
        return self._shown_so(asked, found)

    def histogram(
        self, criteria: Criteria, span: Span, split: str | None = None
    ) -> tuple[Bucket, ...]:
        """As ``SearchIndex.histogram``; raises Denied as ``visible`` does."""
        return self._index.histogram(self.visible(criteria), span, split)

    def top_by_distinct(
        self, criteria: Criteria, group: str, distinct: str, size: int = 10
    ) -> tuple[tuple[str, int], ...]:
        """As ``SearchIndex.top_by_distinct``; raises Denied as ``visible`` does."""
        asked = self.visible(criteria)
        found = self._index.top_by_distinct(asked, group, distinct, size)
        return self._shown_so(asked, {group: found})[group]

    def _shown_so(self, asked: Criteria, found: dict[str, Counts]) -> dict[str, Counts]:
        """Values by field as they may be seen: a sender's words, less what names a patient."""
        if self._principal.identified:
            return found
        said = [(name, one) for name in found if is_senders(name) for one, _ in found[name]]
        hidden = self._hidden_in(asked, said)
        return {
            name: tuple(
                (
                    self._disguise.of(name, value)
                    if is_protected(name)
                    else hidden.get((name, value), value),
                    count,
                )
                for value, count in counts
            )
            for name, counts in found.items()
        }

    def _hidden_in(
        self, asked: Criteria, said: list[tuple[str, str]]
    ) -> dict[tuple[str, str], str]:
        """Values in which one of a protected field of the same record stands, without it."""
        beside = [
            (And((Term(field, value), Term(name, part))), (field, value), name, part)
            for field, value in said
            for part in _parts(value)
            for name in _IDENTIFYING
        ]
        known: dict[tuple[str, str], dict[str, str]] = {}
        for start in range(0, len(beside), _ASKED_AT_ONCE):
            some = beside[start : start + _ASKED_AT_ONCE]
            if self._is_any(And((asked, Or(tuple(one[0] for one in some))))):
                for both, whose, name, part in some:
                    if self._is_any(And((asked, both))):
                        known.setdefault(whose, {})[fold(part)] = self._disguise.of(name, part)
        return {whose: replacer(hidden, ())(whose[1]) for whose, hidden in known.items()} | {
            (field, value): MASK for field, value in said if len(_parts(value)) > 1 + _MOST_WORDS
        }

    def _is_any(self, criteria: Criteria) -> bool:
        return bool(self._index.count(criteria, at_most=1).value)

    def _undone(self, criteria: Criteria) -> Criteria:
        match criteria:
            case And(parts):
                return And(tuple(map(self._undone, parts)))
            case Or(parts):
                return Or(tuple(map(self._undone, parts)))
            case Not(part):
                return Not(self._undone(part))
            case Term(field, value):
                return self._named_so(criteria, field, value)
            case Prefix(field, beginning):
                return self._beginning_so(criteria, field, beginning)
            case _:
                return self._saying_so(criteria)

    def _named_so(self, asked: Criteria, field: str, value: str) -> Criteria:
        if field in _THEMSELVES:
            return self._people(field, value)
        return self._term(field, value) if is_protected(field) else asked

    def _beginning_so(self, asked: Criteria, field: str, beginning: str) -> Criteria:
        if is_protected(field):
            raise self._refusal(f"the beginning of a {field}")
        return self._people_who_begin(field, beginning) if field in _THEMSELVES else asked

    def _saying_so(self, asked: Criteria) -> Criteria:
        is_plain = isinstance(asked, Phrase) and asked.words in field_level().plain_phrases
        if isinstance(asked, Text | Phrase) and not is_plain:
            raise self._refusal("words of the message")
        return asked

    def _term(self, field: str, value: str) -> Criteria:
        found = self._fields.resolve(field, value)
        if found is None:
            raise self._refusal(f"a {field} other than by a pseudonym that was shown")
        return Term(field, found)

    def _people(self, field: str, value: str) -> Criteria:
        """Whoever is named so, but no patient in their own record: a guess would be confirmed.

        There they are shown, and so found, by their pseudonym.
        """
        theirs = _THEMSELVES[field]
        found = self._fields.resolve(theirs, value)
        if found is not None:
            return And((Term(field, found), Term(theirs, found)))
        return And((Term(field, value), Not(Term(theirs, value))))

    def _people_who_begin(self, field: str, beginning: str) -> Criteria:
        """The same by the beginning of a name; raises Denied when there are too many to tell."""
        most = self._fields.most_people
        names = self._index.distinct(field, fold(beginning), most)
        if len(names) >= most:
            raise self._refusal(f"so short a beginning of a {field}")
        theirs = _THEMSELVES[field]
        if not any(self._index.count(Term(theirs, one), at_most=1).value for one in names):
            return Prefix(field, beginning)
        return Or(tuple(And((Term(field, one), Not(Term(theirs, one)))) for one in names))

    def _refusal(self, what: str) -> Denied:
        return self._fields.refuse(
            f"{self._principal.name} may not search by {what}: "
            f"it needs the scope {Scope.PATIENTS_IDENTIFY}"
        )


def _parts(value: str) -> tuple[str, ...]:
    """The value and the words in it, as far as they are asked for: one more than may stand."""
    words = (one for one in _BETWEEN.split(value) if len(one) >= SHORTEST_WORD and one != value)
    return (value, *islice(dict.fromkeys(words), _MOST_WORDS + 1))
