"""What removals leave in Elasticsearch: nothing, once what held the records is rewritten."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.index.criteria import Everything
from audit.index.document import IndexedRecord
from audit.index.elastic_client import ElasticIndexOptions
from audit.index.elastic_index import ElasticIndex
from audit.index.port import Total
from audit.service.backends import upkeep_of
from audit.settings import load
from tests.crash.campaign import LONG
from tests.elasticsearch_server import ElasticsearchServer
from tests.index.fake_elasticsearch import FakeElasticsearch, fake_elasticsearch
from tests.index.records import MONTH_START
from tests.waiting import until

LEASE = "index.soft_deletes.retention_lease.period"
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


def test_what_held_removed_records_is_rewritten_until_nothing_is_left(
    fake: FakeElasticsearch,
) -> None:
    month = "arr-events-2026.02"
    hit = {"_index": month, "_id": "k3f9-0"}
    whole = {"hits": {"hits": [hit], "total": {"value": 1}}, "_shards": {"failed": 0}}
    fake.answers["POST", "/arr-events-*/_search"] = (200, whole)
    fake.answers["POST", f"/{month}/_count"] = (200, {"count": 7})
    asked = ("GET", f"/arr-events-*/_settings/{LEASE}")
    fake.answers[asked] = (200, {month: {"settings": {}}})
    index = ElasticIndex(ElasticIndexOptions(urls=(fake.url,)))
    for number in range(5):
        index.remove([f"k3f9-{number}"])
    marks = ("PUT", f"/{month}/_settings")
    merges = ("POST", f"/{month}/_forcemerge")
    assert (fake.asked.count(marks), fake.asked.count(merges)) == (5, 0)
    assert index.expunge() == 0  # nothing is marked
    fake.answers[asked] = (200, {month: {"settings": {LEASE: "1s"}}})
    for deleted, left in ((3, 1), (0, 0)):
        told = {"_all": {"primaries": {"docs": {"count": 7, "deleted": deleted}}}}
        fake.answers["GET", f"/{month}/_stats/docs"] = (200, told)
        assert index.expunge() == left
    assert (fake.asked.count(marks), fake.asked.count(merges)) == (6, 2)
    index.close()


def test_the_upkeep_of_elasticsearch_takes_removed_records_off_the_disk(
    fake: FakeElasticsearch, tmp_path: Path
) -> None:
    month = "arr-events-2026.02"
    asked = ("GET", f"/arr-events-*/_settings/{LEASE}")
    fake.answers[asked] = (200, {month: {"settings": {LEASE: "1s"}}})
    fake.answers["GET", f"/{month}/_stats/docs"] = (
        200,
        {"_all": {"primaries": {"docs": {"deleted": 0}}}},
    )
    index = ElasticIndex(ElasticIndexOptions(urls=(fake.url,)))
    upkeep = upkeep_of(index, load(None, {"data": tmp_path}, {}))
    assert upkeep is not None
    assert upkeep() == 0
    assert ("POST", f"/{month}/_forcemerge") in fake.asked
    index.close()


def deleted_in(index: ElasticIndex) -> int:
    """Deleted records that are still on the disk."""
    stats = index._client.indices.stats(index="gone-events-*", metric="docs")
    return int(stats["_all"]["primaries"]["docs"]["deleted"])


@pytest.mark.elastic
@pytest.mark.slow
def test_nothing_is_left_of_a_month_or_of_single_records(
    elasticsearch_server: ElasticsearchServer,
) -> None:
    index = ElasticIndex(ElasticIndexOptions(urls=(elasticsearch_server.url,), prefix="gone"))
    index.clear()
    index.put([record(n) for n in range(RECORDS)], RECORDS)
    for start in range(0, RECORDS, 10):  # a whole month, and every fourth of the other
        gone = [n for n in range(start, start + 10) if n % 2 or n % 8 == 0]
        assert index.remove([f"k3f9-{n}" for n in gone]) == len(gone)
    assert index.describe()["months"] == 1
    kept = [n for n in range(RECORDS) if n % 2 == 0 and n % 8]
    assert index.count(Everything()) == Total(len(kept))
    stats = index._client.indices.stats(index="gone-events-*", metric="docs")
    (docs,) = (told["primaries"]["docs"] for told in stats["indices"].values())
    assert docs["count"] == len(kept)
    if LONG:  # Elasticsearch looks every 30 s for what it may forget
        until(lambda: index.expunge() == 0, within_s=200, every_s=3)
        assert (deleted_in(index), index.expunge()) == (0, 0)
    assert index.distinct("user", "u1") == tuple(sorted(f"u{n}" for n in kept if f"{n}"[0] == "1"))
    index.clear()
    index.close()
