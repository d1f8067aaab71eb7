"""Going through all pages of an answer."""

from audit.index.criteria import Criteria
from audit.index.document import IndexedRecord
from audit.index.port import Place, SearchIndex


def all_pages(
    index: SearchIndex, criteria: Criteria, limit: int, *, newest_first: bool
) -> list[IndexedRecord]:
    got: list[IndexedRecord] = []
    after: Place | None = None
    while True:
        page = index.search(criteria, limit=limit, after=after, newest_first=newest_first)
        assert not page.partial
        assert not page.warnings
        got += page.records
        after = page.next_place
        if after is None:
            return got
