"""Random records and criteria: both backends answer as a scan by ``criteria.matches`` does."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.index.criteria import Criteria, fold
from audit.index.document import IndexedRecord
from audit.index.port import SearchIndex, Span, Total
from audit.index.row_ids import SECOND
from tests.contract.paging import all_pages
from tests.index import records as made
from tests.index.records import MONTH_START, scanned
from tests.properties import examples

HOUR = 3600 * SECOND

spans = st.builds(
    lambda start, interval, buckets, short: Span(
        start=MONTH_START + start * interval,
        interval=interval,
        end=MONTH_START + (start + buckets) * interval - short,
    ),
    st.integers(-3, 3),
    st.sampled_from([1, SECOND, SECOND + 1, HOUR // 4, HOUR, HOUR + 1, 24 * HOUR, 168 * HOUR]),
    st.integers(1, 30),
    st.sampled_from([0, 0, 1]),
)


def expected_histogram(
    found: Sequence[IndexedRecord], span: Span, split: str | None
) -> list[dict[str, int]]:
    buckets: list[dict[str, int]] = [{} for _ in range(span.start, span.end, span.interval)]
    for one in found:
        if span.start <= one.time < span.end:
            counts = buckets[(one.time - span.start) // span.interval]
            values = {fold(v) for v in one.values(split)} if split else set()
            for value in values or {""}:
                counts[value] = counts.get(value, 0) + 1
    return buckets


def check_same_as_scan(
    index: SearchIndex, held: list[IndexedRecord], asked: Criteria, span: Span, *, newest: bool
) -> None:
    want = scanned(asked, held, newest_first=newest)
    assert all_pages(index, asked, 4, newest_first=newest) == want
    assert index.count(asked) == Total(len(want))
    for split in (None, "category", "user"):
        got = index.histogram(asked, span, split)
        assert [b.counts for b in got] == expected_histogram(want, span, split)
    facets = index.facets(asked, ["user", "category"], 100)
    for name, ranked in facets.items():
        counted = Counter(v for r in want for v in {fold(x) for x in r.values(name)})
        assert ranked == tuple(sorted(counted.items(), key=lambda vn: (-vn[1], vn[0])))
    pairs = {
        (fold(u), fold(p)) for r in want for u in r.values("user") for p in r.values("patient")
    }
    beside = Counter(user for user, _ in pairs)
    assert dict(index.top_by_distinct(asked, "user", "patient", 100)) == dict(beside)


def check_distinct(index: SearchIndex, held: list[IndexedRecord], prefix: str) -> None:
    values = {fold(v) for r in held for v in r.values("user")}
    want = sorted(v for v in values if v.startswith(fold(prefix)))
    assert index.distinct("user", prefix, 5) == tuple(want[:5])


def put_in_pieces(index: SearchIndex, held: list[IndexedRecord]) -> None:
    """Some records twice, as after a crash."""
    index.clear()
    index.put(held[:6], 3)
    index.put(held[6:], 41)
    index.put(held[3:8], 41)


@given(
    held=made.records(),
    asked=made.criteria,
    span=spans,
    newest=st.booleans(),
    prefix=made.values,
)
def test_embedded_answers_as_a_scan_does(
    embedded: SearchIndex,
    held: list[IndexedRecord],
    asked: Criteria,
    span: Span,
    newest: bool,
    prefix: str,
) -> None:
    put_in_pieces(embedded, held)
    check_same_as_scan(embedded, held, asked, span, newest=newest)
    check_distinct(embedded, held, prefix)


@given(held=made.records(), asked=made.criteria, span=spans, newest=st.booleans())
def test_sealed_answers_as_a_scan_does(
    sealed: SearchIndex,
    held: list[IndexedRecord],
    asked: Criteria,
    span: Span,
    newest: bool,
) -> None:
    put_in_pieces(sealed, held)
    check_same_as_scan(sealed, held, asked, span, newest=newest)
    check_distinct(sealed, held, "m")


@pytest.mark.elastic
@pytest.mark.slow
@examples(6)
@given(
    held=made.records(least=5, most=30),
    questions=st.lists(made.criteria, min_size=8, max_size=12),
    span=spans,
    newest=st.booleans(),
)
def test_elasticsearch_answers_as_a_scan_does(
    elastic: SearchIndex,
    held: list[IndexedRecord],
    questions: list[Criteria],
    span: Span,
    newest: bool,
) -> None:
    put_in_pieces(elastic, held)
    for asked in questions:
        check_same_as_scan(elastic, held, asked, span, newest=newest)
    check_distinct(elastic, held, "m")
