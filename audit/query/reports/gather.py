"""Gather: records for one report, bounded, repeats left out, and what is to be said of that."""

from collections.abc import Iterator

from audit.index.criteria import And, Criteria, Exists, Range
from audit.index.document import IndexedRecord
from audit.index.port import Page, Place
from audit.query.home import NOT_REPEATED
from audit.query.reports.asked import ReportOptions
from audit.query.reports.names import OtherNames
from audit.query.view import PrincipalView

_PAGE = 500


class Gather:
    """Asks the index as one principal may. Not for two threads at once.

    Attributes:
        view: the index as the principal may see it.
        options: bounds.
        names: other names of patients and people.
        cut: questions whose answers were cut at the bound.
        partial: a part of the index did not answer.
        warnings: why.
        repeats: records left out because they repeat an earlier one byte for byte.
    """

    def __init__(
        self,
        view: PrincipalView,
        options: ReportOptions,
        names: OtherNames,
        *,
        start: int,
        end: int,
    ) -> None:
        self.view = view
        self.names = names
        self.options = options
        self.period = Range("time", start, end)
        self.cut: list[str] = []
        self.partial = False
        self.warnings: list[str] = []
        self.repeats = 0

    def records(self, criteria: Criteria, name: str) -> list[IndexedRecord]:
        """Those of the period, oldest first; beyond the bound the newest ones.

        Args:
            criteria: which.
            name: what they are, for the report's words when it was cut.
        """
        within = And((self.period, criteria))
        self.repeats += self.view.count(And((within, Exists("repeat_of")))).value
        found = list(self._pages(And((within, NOT_REPEATED))))
        if len(found) > self.options.records:
            self.cut.append(name)
            found = found[: self.options.records]
        return found[::-1]

    def count(self, criteria: Criteria) -> int:
        """How many of the period match, repeats left out."""
        return self.view.count(And((self.period, NOT_REPEATED, criteria))).value

    def newest(self, criteria: Criteria, limit: int) -> list[IndexedRecord]:
        """The newest of the period, newest first, repeats left out."""
        page = self.view.search(And((self.period, NOT_REPEATED, criteria)), limit=limit)
        self._mind(page)
        return list(page.records)

    def facets(self, criteria: Criteria, *fields: str) -> dict[str, tuple[tuple[str, int], ...]]:
        """Commonest values of the period, repeats left out."""
        within = And((self.period, NOT_REPEATED, criteria))
        return self.view.facets(within, fields, self.options.sources)

    def _pages(self, criteria: Criteria) -> Iterator[IndexedRecord]:
        place: Place | None = None
        left = self.options.records + 1
        while left > 0:
            page = self.view.search(criteria, limit=min(_PAGE, left), after=place)
            yield from page.records
            left -= len(page.records)
            self._mind(page)
            place = page.next_place
            if place is None:
                return

    def _mind(self, page: Page) -> None:
        self.partial = self.partial or page.partial
        self.warnings += [one for one in page.warnings if one not in self.warnings]
