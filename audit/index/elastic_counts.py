"""Aggregations: what is asked of Elasticsearch, and how its answer reads. Pure."""

from collections.abc import Iterator
from typing import Any, Final

from audit.index import tokens
from audit.index.elastic_mapping import TIMESTAMP
from audit.index.port import Span
from audit.index.ranking import bucket_starts

MILLISECOND: Final = 1_000_000
MOST_BUCKETS: Final = 1_000
"""Buckets of one request when they are asked for one by one, or split by a field.

Elasticsearch gives 65,536 in all (``search.max_buckets``), those of the split included.
"""

MOST_PLAIN_BUCKETS: Final = 50_000
"""Buckets of one date histogram that isn't split."""

SHARD_SIZES: Final = (1_000, 30_000, 1_000_000)
"""Values each shard reports of a facet: more are asked for while the answer isn't exact."""

PAIRS_PAGE: Final = 10_000
_MOST_SPLIT_VALUES: Final = 1_000


def facet(name: str, size: int, shard_size: int) -> dict[str, Any]:
    """The commonest values of a field; falling count, then value."""
    tokens.field_prefix(name)
    return {
        "terms": {
            "field": name,
            "size": size,
            "shard_size": max(size, shard_size),
            "order": [{"_count": "desc"}, {"_key": "asc"}],
        }
    }


def is_exact(answer: dict[str, Any]) -> bool:
    """Whether a facet's counts and choice of values are sure."""
    return int(answer.get("doc_count_error_upper_bound", 0)) == 0


def split_terms(split: str) -> dict[str, Any]:
    """The values of a split field; records without one stand under the empty string."""
    tokens.field_prefix(split)
    return {"split": {"terms": {"field": split, "size": _MOST_SPLIT_VALUES, "missing": ""}}}


def has_more_values(bucket: dict[str, Any]) -> bool:
    """Whether a split bucket has values that the answer leaves out."""
    return int(bucket["split"].get("sum_other_doc_count", 0)) > 0


def pieces(span: Span, split: str | None) -> Iterator[tuple[int, Span]]:
    """The span in parts that one request each can answer, and the number of their first bucket."""
    starts = bucket_starts(span)
    most = MOST_PLAIN_BUCKETS if split is None and is_in_milliseconds(span) else MOST_BUCKETS
    for first in range(0, len(starts), most):
        part = starts[first : first + most]
        end = min(span.end, part[-1] + span.interval)
        yield first, Span(start=part[0], end=end, interval=span.interval)


def is_in_milliseconds(span: Span) -> bool:
    """Whether buckets are cut at whole milliseconds, as a date histogram needs it."""
    return span.start % MILLISECOND == 0 and span.interval % MILLISECOND == 0


def date_histogram(span: Span) -> dict[str, Any]:
    """Buckets as a date histogram."""
    interval = span.interval // MILLISECOND
    return {
        "date_histogram": {
            "field": TIMESTAMP,
            "fixed_interval": f"{interval}ms",
            "offset": f"{span.start // MILLISECOND % interval}ms",
            "min_doc_count": 1,
        }
    }


def filters(starts: range) -> dict[str, Any]:
    """Buckets one by one, exact to the nanosecond."""
    return {
        "filters": {
            "filters": [
                {"range": {"time": {"gte": start, "lt": start + starts.step}}} for start in starts
            ]
        }
    }


def pairs(group: str, distinct: str, after: dict[str, str] | None) -> dict[str, Any]:
    """One page of the pairs of values that stand in one record."""
    sources = [
        {"group": {"terms": {"field": group}}},
        {"distinct": {"terms": {"field": distinct}}},
    ]
    asked: dict[str, Any] = {"size": PAIRS_PAGE, "sources": sources}
    return {"composite": asked | ({"after": after} if after else {})}


def values_from(name: str, begin: str, after: str | None, size: int) -> dict[str, Any]:
    """One page of the values of a field in order, from the first that can begin so."""
    start = after if after is not None else _before(begin)
    asked: dict[str, Any] = {"size": size, "sources": [{"value": {"terms": {"field": name}}}]}
    return {"composite": asked | ({"after": {"value": start}} if start is not None else {})}


def _before(begin: str) -> str | None:
    """A value just below every one that begins so; None when there is nothing below."""
    if not begin:
        return None
    last = ord(begin[-1]) - 1
    if 0xD800 <= last <= 0xDFFF:  # noqa: PLR2004 - surrogates are no characters
        last = 0xD7FF
    return begin[:-1] + chr(last) + "\U0010ffff" * 3
