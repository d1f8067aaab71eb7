"""What many removals leave in Elasticsearch: nothing, and one rewrite."""

from collections.abc import Iterator

import pytest

from audit.index.criteria import Everything
from audit.index.document import IndexedRecord
from audit.index.elastic_client import ElasticIndexOptions
from audit.index.elastic_index import ElasticIndex
from audit.index.port import Total
from tests.elasticsearch_server import ElasticsearchServer
from tests.index.fake_elasticsearch import FakeElasticsearch, fake_elasticsearch
from tests.index.records import MONTH_START

MONTH = 32 * 86_400 * 1_000_000_000
RECORDS = 60


def record(sequence: int) -> IndexedRecord:
    received = MONTH_START + sequence % 2 * MONTH
    return IndexedRecord(
        id=f"k3f9-{sequence}",
        sequence=sequence,
        time=received,
        received=received,
        fields={"user": (f"u{sequence}",)},
    )


@pytest.fixture
def fake() -> Iterator[FakeElasticsearch]:
    with fake_elasticsearch() as started:
        yield started


def test_segments_are_rewritten_once_for_many_removals(fake: FakeElasticsearch) -> None:
    month = "arr-events-2026.02"
    hit = {"_index": month, "_id": "k3f9-0"}
    whole = {"hits": {"hits": [hit], "total": {"value": 1}}, "_shards": {"failed": 0}}
    fake.answers["POST", "/arr-events-*/_search"] = (200, whole)
    fake.answers["POST", f"/{month}/_count"] = (200, {"count": 7})
    docs = {"primaries": {"docs": {"count": 7, "deleted": 3}}}
    fake.answers["GET", "/arr-events-*/_stats/docs"] = (200, {"indices": {month: docs}})
    index = ElasticIndex(ElasticIndexOptions(urls=(fake.url,)))
    with index.removing():
        for number in range(5):
            index.remove([f"k3f9-{number}"])
        assert ("POST", f"/{month}/_forcemerge") not in fake.asked
    assert fake.asked.count(("POST", f"/{month}/_forcemerge")) == 1
    index.remove(["k3f9-9"])
    assert fake.asked.count(("POST", f"/{month}/_forcemerge")) == 2
    index.close()


@pytest.mark.elastic
@pytest.mark.slow
def test_nothing_is_left_of_a_month_or_of_single_records(
    elasticsearch_server: ElasticsearchServer,
) -> None:
    index = ElasticIndex(ElasticIndexOptions(urls=(elasticsearch_server.url,), prefix="gone"))
    index.clear()
    index.put([record(n) for n in range(RECORDS)], RECORDS)
    with index.removing():
        for start in range(0, RECORDS, 10):  # a whole month, and every fourth of the other
            gone = [n for n in range(start, start + 10) if n % 2 or n % 8 == 0]
            assert index.remove([f"k3f9-{n}" for n in gone]) == len(gone)
    assert index.describe()["months"] == 1
    kept = [n for n in range(RECORDS) if n % 2 == 0 and n % 8]
    assert index.count(Everything()) == Total(len(kept))
    stats = index._client.indices.stats(index="gone-events-*", metric="docs")
    (docs,) = (told["primaries"]["docs"] for told in stats["indices"].values())
    assert docs["count"] == len(kept)
    assert index.distinct("user", "u1") == tuple(sorted(f"u{n}" for n in kept if f"{n}"[0] == "1"))
    index.clear()
    index.close()
