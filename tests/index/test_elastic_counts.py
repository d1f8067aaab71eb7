"""Histograms that Elasticsearch can't give in one answer, or not at all."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from audit.errors import IndexUnavailable
from audit.index.criteria import Everything
from audit.index.elastic_client import ElasticIndexOptions
from audit.index.elastic_counts import MOST_BUCKETS, MOST_PLAIN_BUCKETS, pieces
from audit.index.elastic_index import ElasticIndex
from audit.index.port import Span
from tests.index.fake_elasticsearch import FakeElasticsearch, fake_elasticsearch
from tests.index.records import MONTH_START, SECOND

SEARCH = ("POST", "/arr-events-*/_search")


@pytest.fixture
def fake() -> Iterator[FakeElasticsearch]:
    with fake_elasticsearch() as started:
        yield started


@pytest.fixture
def index(fake: FakeElasticsearch) -> Iterator[ElasticIndex]:
    made = ElasticIndex(ElasticIndexOptions(urls=(fake.url,), retry_for_s=0.0))
    yield made
    made.close()


@pytest.mark.parametrize("split", [None, "category"])
@pytest.mark.parametrize("interval", [SECOND, SECOND + 1])
@pytest.mark.parametrize("buckets", [1, 999, 1_000, 1_001, 50_001, 60_000])
def test_pieces_cover_a_span_without_a_gap(split: str | None, interval: int, buckets: int) -> None:
    span = Span(start=7 * SECOND, end=7 * SECOND + buckets * interval - 3, interval=interval)
    made = list(pieces(span, split))
    assert made[0][1].start == span.start
    assert made[-1][1].end == span.end
    for (first, one), (following, other) in pairwise(made):
        assert one.end == other.start == span.start + following * interval
        assert following - first in (MOST_BUCKETS, MOST_PLAIN_BUCKETS)


def hit(sequence: int, value: str) -> dict[str, Any]:
    fields = {"node": [value]}
    source = {
        "time": MONTH_START,
        "received": MONTH_START,
        "sequence": sequence,
        "record": {"fields": fields, "body": {}},
    }
    return {"_id": f"k3f9-{sequence}", "_source": source, "sort": [MONTH_START, sequence]}


def test_values_that_an_answer_leaves_out_are_counted_one_by_one(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    cut = {"buckets": [{"key": "a", "doc_count": 1}], "sum_other_doc_count": 2}
    bucket = {"key": MONTH_START // 1_000_000, "doc_count": 3, "split": cut}
    hits = {"hits": [hit(n, f"N{n}") for n in range(3)], "total": {"value": 3}}
    told = {"hits": hits, "aggregations": {"asked": {"buckets": [bucket]}}, "_shards": {}}
    fake.answers[SEARCH] = (200, told)
    span = Span(start=MONTH_START, end=MONTH_START + SECOND, interval=SECOND)
    (found,) = index.histogram(Everything(), span, "node")
    assert found.counts == {"n0": 1, "n1": 1, "n2": 1}


@pytest.mark.parametrize(
    "shards", [{"total": 2, "successful": 1, "failed": 0}, {"total": 2, "failed": 1}]
)
def test_shards_without_an_answer_fail_every_count(
    index: ElasticIndex, fake: FakeElasticsearch, shards: dict[str, int]
) -> None:
    whole = {"hits": {"hits": [], "total": {"value": 0}}}
    fake.answers[SEARCH] = (200, whole | {"_shards": shards})
    span = Span(start=MONTH_START, end=MONTH_START + SECOND, interval=SECOND)
    assert index.search(Everything(), limit=3).partial
    for ask in (
        lambda: index.count(Everything()),
        lambda: index.facets(Everything(), ["user"]),
        lambda: index.histogram(Everything(), span),
        lambda: index.histogram(Everything(), span, "category"),
        lambda: index.top_by_distinct(Everything(), "user", "patient"),
        lambda: index.distinct("user"),
        lambda: index.get("k3f9-1"),
    ):
        with pytest.raises(IndexUnavailable, match="1 shards"):
            ask()


@pytest.mark.parametrize("answer", [[], {}, {"hits": None}, {"hits": {"hits": {}}}, "x"])
def test_an_answer_of_another_shape_is_no_answer(
    index: ElasticIndex, fake: FakeElasticsearch, answer: Any
) -> None:
    fake.answers[SEARCH] = (200, answer)
    for ask in (
        lambda: index.count(Everything()),
        lambda: index.search(Everything(), limit=1),
        lambda: index.get("k3f9-1"),
    ):
        with pytest.raises(IndexUnavailable):
            ask()


def test_a_value_that_was_removed_while_it_was_counted_is_told(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    long = "x" * 512 + "\x02#" + "0" * 64
    found = {"buckets": [{"key": long, "doc_count": 1}]}
    hits: dict[str, Any] = {"hits": [], "total": {"value": 0}}
    fake.answers[SEARCH] = (200, {"hits": hits, "aggregations": {"asked": found}, "_shards": {}})
    with pytest.raises(IndexUnavailable, match="ask again"):
        index.facets(Everything(), ["user"])


def test_the_health_of_other_indices_is_not_ours(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    fake.answers["GET", "/_cluster/health"] = (200, {"status": "red"})
    fake.answers["GET", "/_cluster/health/arr-events-*"] = (200, {"status": "yellow"})
    stats: dict[str, Any] = {"_all": {"primaries": {}}, "indices": {}}
    fake.answers["GET", "/arr-events-*/_stats/docs,store"] = (200, stats)
    fake.answers["POST", "/arr-dead-letters/_count"] = (200, {"count": 0})
    assert index.describe()["healthy"] is True
    fake.answers["GET", "/_cluster/health/arr-events-*"] = (200, {"status": "red"})
    told = index.describe()
    assert (told["healthy"], "red" in str(told["fault"])) == (False, True)
