"""Lessons: the records of a patient from which studies and documents are learned.

A patient of an intensive care unit has thousands, nearly all of the same few studies: after the
newest, only such are read that carry something not yet told.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from audit.errors import IndexUnavailable
from audit.index.criteria import And, Criteria, Exists, Not, Or, Range, Term, fold
from audit.index.document import IndexedRecord
from audit.index.port import Page, Place
from audit.query.view import PrincipalView

_TEACHING = And((Not(Exists("repeat_of")), Not(Term("category", "audit-log-used"))))
"""A look at the trail names many patients and carries only the trail; a repeat teaches nothing
that the first one didn't."""

_NAMES = ("study", "object")
_NEWEST = 100
_PAGE = 500
_FEW = 50
_ASKED_FOR = 50
_MOST_DIFFERENT = 200


@dataclass(slots=True)
class Lessons:
    """Iterates over them, the newest first; who iterates says what each one told.

    Args:
        view: where they are.
        named: what says that a record names the patient.
        below: the first journal sequence that nothing is learned from.
        most: records to read.

    Attributes:
        are_all: nothing was left out; known at the end.
    """

    view: PrincipalView
    named: Criteria
    below: int
    most: int
    are_all: bool = True
    _told: set[tuple[str, str]] = field(default_factory=set)
    _left: int = 0

    def tell(self, values: Iterable[tuple[str, str]]) -> None:
        """What these values are is known, by field: no other record is needed for it."""
        self._told |= {(name, fold(one)) for name, one in values}

    def __iter__(self) -> Iterator[IndexedRecord]:
        teaching = And((self.named, Or(tuple(map(Exists, _NAMES))), _TEACHING))
        carrying = And((teaching, Range("sequence", None, self.below)))
        self._left = self.most
        if not self.most:
            self.are_all = False
            return
        page = self._page(carrying, _NEWEST, None)
        yield from page.records
        if page.next_place is None:
            return
        terms = self._carried(teaching)
        if terms is None:
            yield from self._newest(carrying, page.next_place)
        else:
            yield from self._of_each(carrying, terms)

    def _carried(self, teaching: Criteria) -> list[Term] | None:
        """Every value that they carry, whenever; None when those are many, or some not known."""
        try:
            values = self.view.facets(teaching, _NAMES, _MOST_DIFFERENT)
        except IndexUnavailable:  # a part of the index is missing, and records of others aren't
            return None
        if any(len(one) == _MOST_DIFFERENT for one in values.values()):
            return None
        return [Term(name, one) for name in _NAMES for one, _ in values[name]]

    def _page(self, criteria: Criteria, limit: int, after: Place | None) -> Page:
        page = self.view.search(criteria, limit=min(limit, self._left), after=after)
        self._left -= len(page.records)
        return page

    def _newest(self, carrying: Criteria, place: Place | None) -> Iterator[IndexedRecord]:
        while place is not None and self._left > 0:
            page = self._page(carrying, _PAGE, place)
            yield from page.records
            place = page.next_place
        self.are_all = place is None

    def _of_each(self, carrying: Criteria, terms: list[Term]) -> Iterator[IndexedRecord]:
        """Some records of each value, until one told it or none can."""
        place: Place | None = None
        pending = self._untold(terms)
        while pending and self._left > 0:
            asked, others = pending[:_ASKED_FOR], pending[_ASKED_FOR:]
            page = self._page(And((carrying, Or(tuple(asked)))), _FEW, place)
            yield from page.records
            still = self._untold(asked)
            if page.next_place is None:
                pending, place = others, None
            elif len(still) < len(asked):
                pending, place = still + others, None
            else:
                place = page.next_place
        self.are_all = not pending

    def _untold(self, terms: list[Term]) -> list[Term]:
        return [one for one in terms if (one.field, one.value) not in self._told]
