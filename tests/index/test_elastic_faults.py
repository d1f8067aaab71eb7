"""Elasticsearch behind faults: each record once, the position never ahead, no pretence."""

import random
import ssl
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from audit.errors import IndexUnavailable
from audit.index.criteria import Everything
from audit.index.document import IndexedRecord
from audit.index.elastic_client import ElasticIndexOptions
from audit.index.elastic_index import ElasticIndex
from audit.index.port import SearchIndex, Total
from tests.crash.campaign import count, report
from tests.elasticsearch_server import ElasticsearchServer
from tests.index.fake_elasticsearch import FakeElasticsearch, fake_elasticsearch
from tests.index.fault_proxy import FAULTS, PASS, SILENCE, FaultProxy, fault_proxy
from tests.index.records import MONTH_START

SCHEDULES = count("ARR_SCHEDULES", 20, 1000)
SCHEDULES_OF_A_REAL_ONE = count("ARR_ELASTIC_SCHEDULES", 4, 1000)
RECORDS = 30
BATCH = 7


def record(sequence: int) -> IndexedRecord:
    time = MONTH_START + sequence * 1_000_000_000
    return IndexedRecord(
        id=f"k3f9-{sequence}",
        sequence=sequence,
        time=time,
        received=time,
        fields={"user": (f"u{sequence}",), "text": ("x",)},
    )


def options(url: str, **more: object) -> ElasticIndexOptions:
    given: dict[str, object] = {
        "urls": (url,),
        "retry_for_s": 1.0,
        "request_timeout_s": 10.0,
        "pause": lambda _seconds: None,
        **more,
    }
    return ElasticIndexOptions(**given)  # type: ignore[arg-type]


def schedule(seed: int) -> Callable[[], str]:
    """Faults at a rate of its own, sometimes the same one many times over."""
    chosen = random.Random(seed)  # noqa: S311 - a test must do the same again
    rate = chosen.choice((0.1, 0.3, 0.6))
    run: list[str] = []

    def next_fault() -> str:
        if not run:
            fault = chosen.choice(FAULTS) if chosen.random() < rate else PASS
            run.extend([fault] * chosen.choice((1, 1, 1, 6, 6, 40)))
        return run.pop()

    return next_fault


def put_all(
    index: SearchIndex, proxy: FaultProxy, check: Callable[[int], None], attempts: int = 2000
) -> None:
    """As the follower does it: from the index's own position, again and again."""
    for _ in range(attempts):
        try:
            start = index.position()
            check(start)
            if start == RECORDS:
                return
            end = min(RECORDS, start + BATCH)
            index.put([record(n) for n in range(start, end)], end)
        except IndexUnavailable:
            continue
    pytest.fail(f"not done; the last faults were {proxy.seen[-40:]}")


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeElasticsearch]:
    with fake_elasticsearch() as started:
        yield started


def faults_of(proxy: FaultProxy) -> int:
    """How many it made since it was asked last."""
    made = sum(one != PASS for one in proxy.seen)
    proxy.seen.clear()
    return made


def clean(fake: FakeElasticsearch) -> None:
    fake.taken.clear()
    fake.kept.clear()
    fake.letters.clear()


def test_each_record_stands_once_and_the_position_is_never_ahead(
    fake: FakeElasticsearch, capsys: pytest.CaptureFixture[str]
) -> None:
    met: set[str] = set()
    faults = 0
    with fault_proxy(fake.url) as proxy:
        for seed in range(SCHEDULES):
            sys.stdout.write(f"schedule {seed}\n")
            clean(fake)
            proxy.next_fault = schedule(seed)
            index = ElasticIndex(options(proxy.url))

            def check(position: int) -> None:
                assert {f"k3f9-{n}" for n in range(position)} <= fake.taken.keys()

            put_all(index, proxy, check)
            index.close()
            assert len(fake.taken) == RECORDS
            assert not fake.letters
            assert all("time" in document for document in fake.taken.values())
            met.update(proxy.seen)
            faults += faults_of(proxy)
    assert met == {*FAULTS, PASS}
    report(capsys, "faults before a fake", schedules=SCHEDULES, faults=faults, missing=0, twice=0)


@pytest.mark.elastic
@pytest.mark.slow
def test_a_real_server_behind_faults(
    elasticsearch_server: ElasticsearchServer, capsys: pytest.CaptureFixture[str]
) -> None:
    direct = ElasticIndex(options(elasticsearch_server.url))
    told: Counter[str] = Counter()
    faults = 0
    with fault_proxy(elasticsearch_server.url) as proxy:
        for seed in range(SCHEDULES_OF_A_REAL_ONE):
            sys.stdout.write(f"schedule {seed}\n")
            direct.clear()
            proxy.next_fault = schedule(seed)
            index = ElasticIndex(options(proxy.url))

            def check(position: int) -> None:
                there = {r.sequence for r in direct.search(Everything(), limit=100).records}
                assert set(range(position)) <= there

            put_all(index, proxy, check)
            assert direct.count(Everything()) == Total(RECORDS)
            looked = Counter(look(index) for _ in range(20))
            assert set(looked) <= {"whole", "partial", "unavailable"}
            told += looked
            faults += faults_of(proxy)
            index.close()
    direct.close()
    report(
        capsys,
        "faults before Elasticsearch",
        schedules=SCHEDULES_OF_A_REAL_ONE,
        faults=faults,
        missing=0,
        twice=0,
        **told,
    )


def look(index: SearchIndex) -> str:
    """What a search was: never fewer records without saying so."""
    try:
        page = index.search(Everything(), limit=100)
    except IndexUnavailable:
        return "unavailable"
    if page.partial:
        assert page.warnings
        return "partial"
    assert [r.sequence for r in page.records] == list(range(RECORDS - 1, -1, -1))
    return "whole"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_search_behind_each_fault_never_pretends(fake: FakeElasticsearch, fault: str) -> None:
    whole = {"hits": {"hits": [], "total": {"value": 3}}, "_shards": {"failed": 0}}
    fake.answers["POST", "/arr-events-*/_search"] = (200, whole)
    with fault_proxy(fake.url) as proxy:
        proxy.next_fault = lambda: fault
        index = ElasticIndex(options(proxy.url))
        try:
            told = index.count(Everything())
        except IndexUnavailable:
            assert fault not in ("slow", "some items", "too large")
        else:
            assert told == Total(3)
            assert fault in ("slow", "some items", "too large")
        index.close()
    del fake.answers["POST", "/arr-events-*/_search"]


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"api_key": "c2VjcmV0"}, "ApiKey c2VjcmV0"),
        ({"username": "arr", "password": "pässword"}, basic("arr", "pässword")),
    ],
)
def test_tls_and_who_we_are(
    fake: FakeElasticsearch, tmp_path: Path, given: dict[str, str], wanted: str
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    ca_file = tmp_path / "ca.crt"
    authority.cert_pem.write_to_path(ca_file)
    clean(fake)
    with fault_proxy(fake.url, context) as proxy:
        proxy.authorization = wanted
        index = ElasticIndex(options(proxy.url, ca_file=ca_file, **given))
        index.put([record(1)], 2)
        assert (index.position(), list(fake.taken)) == (2, ["k3f9-1"])
        index.close()
        stranger = ElasticIndex(options(proxy.url, ca_file=ca_file, api_key="b3RoZXI="))
        with pytest.raises(IndexUnavailable, match="401"):
            stranger.position()
        stranger.close()
        distrusting = ElasticIndex(options(proxy.url, **given))
        with pytest.raises(IndexUnavailable, match="reached"):
            distrusting.position()
        distrusting.close()


def test_a_put_that_was_done_but_never_answered_stands_once(fake: FakeElasticsearch) -> None:
    clean(fake)
    faults = [PASS] * 12 + [SILENCE, PASS] * 3
    with fault_proxy(fake.url) as proxy:
        proxy.next_fault = lambda: faults.pop(0) if faults else PASS
        index = ElasticIndex(options(proxy.url, request_timeout_s=0.5))
        put_all(index, proxy, lambda _position: None)
        assert proxy.seen.count(SILENCE) == 3
        index.close()
    assert len(fake.taken) == RECORDS
    assert not fake.letters


def test_searches_go_on_while_a_node_is_down(fake: FakeElasticsearch) -> None:
    with fake_elasticsearch() as gone:
        down = gone.url
    for urls in ((down, fake.url), (fake.url, down)):
        index = ElasticIndex(options(down, urls=urls))
        for _ in range(4):
            assert index.search(Everything(), limit=1).records == ()
            assert index.count(Everything()) == Total(0)
        index.close()


def test_another_node_is_asked_when_one_is_down(fake: FakeElasticsearch) -> None:
    with fake_elasticsearch() as gone:
        down = gone.url
    clean(fake)
    index = ElasticIndex(options(down, urls=(down, fake.url)))
    put_all(index, FaultProxy(), lambda _position: None)
    assert len(fake.taken) == RECORDS
    index.close()
