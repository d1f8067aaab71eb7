"""What both backends do the same way with counted values. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from audit.index.port import Bucket, Span

_SEQUENCE: Final = re.compile(r"-([0-9]{1,18})\Z", re.ASCII)


def sequence_in(record_id: str) -> int | None:
    """The journal sequence at the end of a record id; None when it isn't one."""
    found = _SEQUENCE.search(record_id)
    return int(found[1]) if found else None


def commonest(counts: Mapping[str, int], size: int) -> tuple[tuple[str, int], ...]:
    """The values with the highest counts: falling count, then value."""
    ranked = sorted(((v, n) for v, n in counts.items() if n > 0), key=lambda vn: (-vn[1], vn[0]))
    return tuple(ranked[:size])


def bucket_starts(span: Span) -> range:
    """Where the buckets of a span start; the last one may reach beyond the span's end."""
    return range(span.start, span.end, span.interval)


def buckets_of(span: Span, rows: Iterable[tuple[int, str, int]]) -> tuple[Bucket, ...]:
    """Buckets from (number of the bucket, value, records)."""
    buckets = [Bucket(start) for start in bucket_starts(span)]
    for number, value, n in rows:
        counts = buckets[number].counts
        counts[value] = counts.get(value, 0) + n
    return tuple(buckets)
