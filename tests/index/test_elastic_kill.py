"""``kill -9`` of Elasticsearch while records are put: afterwards it holds each of them once.

``ARR_ELASTIC_KILLS`` tells how often: 1 in the short form, 100 in the long one.
"""

import threading

import pytest
from typing_extensions import override

from audit.errors import IndexUnavailable
from audit.index.criteria import Everything
from audit.index.document import IndexedRecord
from audit.index.elastic_client import ElasticIndexOptions
from audit.index.elastic_index import ElasticIndex
from audit.index.port import SearchIndex, Total
from tests.contract.paging import all_pages
from tests.crash.campaign import TIMEOUT, count, report, seeded
from tests.elasticsearch_server import ElasticsearchServer
from tests.index.records import MONTH_START
from tests.waiting import until

pytestmark = [pytest.mark.elastic, pytest.mark.slow, TIMEOUT]
BATCH = 40
MONTH = 32 * 86_400 * 1_000_000_000
STATE_WITHIN_S = 200.0


def record(sequence: int) -> IndexedRecord:
    """Records of two months by turns, so that a batch is of two indices."""
    time = MONTH_START + sequence % 2 * MONTH + sequence
    return IndexedRecord(
        id=f"k3f9-{sequence}",
        sequence=sequence,
        time=time,
        received=time,
        fields={"user": (f"u{sequence % 7}",), "text": ("some words " * 20,)},
    )


class Writer(threading.Thread):
    """Puts batches as the follower does: from where the index is, again and again."""

    def __init__(self, index: SearchIndex) -> None:
        super().__init__()
        self.index = index
        self.ending = threading.Event()
        self.position = 0

    @override
    def run(self) -> None:
        while not self.ending.is_set() or self.position == 0:
            try:
                self.step()
            except IndexUnavailable:
                self.ending.wait(0.05)

    def step(self) -> None:
        start = self.index.position()
        self.index.put([record(n) for n in range(start, start + BATCH)], start + BATCH)
        self.position = start + BATCH


def opened(server: ElasticsearchServer) -> ElasticIndex:
    return ElasticIndex(
        ElasticIndexOptions(
            urls=(server.url,), prefix="killed", request_timeout_s=20.0, retry_for_s=0.2
        )
    )


def is_whole(index: SearchIndex) -> bool:
    """Whether all of it answers: shards are recovered one by one."""
    try:
        return index.count(Everything()).exact and index.position() > 0
    except IndexUnavailable:
        return False


def sequences(index: SearchIndex) -> list[int]:
    found = all_pages(index, Everything(), 500, newest_first=False)
    return sorted(one.sequence for one in found)


def test_each_record_stands_once_after_kills(
    elasticsearch_server: ElasticsearchServer, capsys: pytest.CaptureFixture[str]
) -> None:
    random = seeded("kill -9 of Elasticsearch")
    kills = count("ARR_ELASTIC_KILLS", 1, 100)
    index, looking = opened(elasticsearch_server), opened(elasticsearch_server)
    index.clear()
    writer = Writer(index)
    writer.start()
    try:
        for _ in range(kills):
            before = writer.position
            until(lambda: writer.position >= before + 3 * BATCH, within_s=STATE_WITHIN_S)  # noqa: B023
            threading.Event().wait(random.uniform(0.0, 0.1))
            elasticsearch_server.kill()
            told = writer.position
            elasticsearch_server.start_again()
            until(lambda: is_whole(looking), within_s=STATE_WITHIN_S)
            assert looking.position() >= told, "what was committed is gone"
    finally:
        writer.ending.set()
        if elasticsearch_server.process.poll() is not None:
            elasticsearch_server.start_again()  # others use it after this test
        writer.join()
    position = looking.position()
    held = sequences(looking)
    assert held[:position] == list(range(position)), "the position is ahead of the data"
    writer.step()  # what was put and not committed stands once as well
    assert sequences(looking) == list(range(looking.position()))
    assert looking.count(Everything()) == Total(looking.position())
    report(capsys, "kill -9 of Elasticsearch", kills=kills, records=len(held), missing=0)
    index.clear()
    for one in (index, looking):
        one.close()
