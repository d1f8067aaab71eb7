"""How searches are answered, and the shape of an overview."""

from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_bytes
from time import time_ns

from audit.index.port import Span
from audit.query.home import HomeOptions
from audit.query.language import DEFAULT_LIMITS, LanguageLimits
from audit.query.self_audit import RepositoryIdentity
from audit.query.senders import SenderOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """How searches are answered.

    Attributes:
        identity: how the repository names itself in the records of its own use.
        cursor_key: authenticates cursors; processes that serve the same clients share it. By
            default each service has its own.
        reason_for: scopes for whose use a principal must give a reason.
        pseudonym_key: makes the pseudonyms of patients; processes that serve the same people
            share it. By default each service has its own.
        pseudonyms_tried: values of one field among which that of a pseudonym is looked for, when
            somebody searches by one.
        people_tried: names of people with one beginning that are told apart from patients', when
            somebody who sees pseudonyms searches by it; a shorter beginning is refused.
        max_limit: most records on a page.
        max_facet_size: most values named of one field.
        max_buckets: most bars of a histogram.
        count_at_most: counting stops there, and the total says so.
        count_phrases_at_most: the same for a query with a phrase, for which an index has to look
            at each document.
        max_neighbour_window_s: how far from a record its neighbours in time may lie.
        max_about_records: newest records that a page about one patient, user, study, node or
            address sums up; it says when there are more.
        export_page: records that an export reads at a time; its memory is bounded by them.
        tail_page: journal entries that a live tail looks at in one step.
        language: bounds of a query's text.
        home: how much the home page shows.
        senders: bounds of the report on senders.
        clock: UTC nanoseconds.
    """

    identity: RepositoryIdentity
    cursor_key: bytes = field(default_factory=lambda: token_bytes(32), repr=False)
    reason_for: frozenset[str] = frozenset()
    pseudonym_key: bytes = field(default_factory=lambda: token_bytes(32), repr=False)
    pseudonyms_tried: int = 500_000
    people_tried: int = 1_000
    max_limit: int = 1_000
    max_facet_size: int = 1_000
    max_buckets: int = 1_000
    count_at_most: int = 10_000
    count_phrases_at_most: int = 1_000
    max_neighbour_window_s: int = 86_400
    max_about_records: int = 2_000
    export_page: int = 500
    tail_page: int = 500
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


@dataclass(frozen=True, slots=True)
class PageAsked:
    """Which page of an answer is wanted; see ``SearchService.search``."""

    limit: int
    cursor: str | None = None
    include_repeats: bool = False
    oldest_first: bool = False
