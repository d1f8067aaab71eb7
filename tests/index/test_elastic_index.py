"""The Elasticsearch index when Elasticsearch doesn't do as it should."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from audit.errors import ConfigurationError, IndexUnavailable
from audit.index.criteria import Everything, Term, Text
from audit.index.document import IndexedRecord
from audit.index.elastic_client import ElasticIndexOptions, connect, pauses
from audit.index.elastic_documents import to_json
from audit.index.elastic_index import ElasticIndex
from tests.index.fake_elasticsearch import FakeElasticsearch, fake_elasticsearch, refused
from tests.index.records import MONTH_START


def record(sequence: int, text: str = "x") -> IndexedRecord:
    return IndexedRecord(
        id=f"k3f9-{sequence}",
        sequence=sequence,
        time=MONTH_START,
        received=MONTH_START,
        fields={"text": (text,)},
    )


@pytest.fixture
def fake() -> Iterator[FakeElasticsearch]:
    with fake_elasticsearch() as started:
        yield started


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def index(fake: FakeElasticsearch, waited: list[float]) -> Iterator[ElasticIndex]:
    options = ElasticIndexOptions(
        urls=(fake.url,),
        retry_for_s=2.0,
        bulk_octets=2_000,
        request_timeout_s=5.0,
        pause=waited.append,
    )
    made = ElasticIndex(options)
    yield made
    made.close()


def test_a_busy_server_is_asked_again_for_what_it_did_not_take(
    index: ElasticIndex, fake: FakeElasticsearch, waited: list[float]
) -> None:
    def half(actions: list[dict[str, Any]]) -> tuple[int, Any]:
        items = [fake.take(a) if n % 2 else refused(a, 429, "busy") for n, a in enumerate(actions)]
        return 200, {"errors": True, "items": items}

    fake.bulk_script = [lambda _: (429, {"error": "busy"}), half, lambda _: (503, {"error": "no"})]
    index.put([record(n) for n in range(4)], 4)
    assert sorted(fake.taken) == [f"k3f9-{n}" for n in range(4)]
    assert fake.bulk_sizes == [4, 4, 2, 2]
    assert waited == sorted(waited)
    assert len(waited) == 3


def test_a_server_that_stays_busy_fails_the_put_and_leaves_the_position(
    index: ElasticIndex, fake: FakeElasticsearch, waited: list[float]
) -> None:
    fake.bulk_script = [lambda _: (429, {"error": "busy"})] * 50
    with pytest.raises(IndexUnavailable, match="did not take 1 record"):
        index.put([record(1)], 2)
    assert ("PUT", "/arr-state/_doc/position") not in fake.asked
    assert sum(waited) == pytest.approx(2.0)


def test_a_record_that_is_refused_for_good_goes_to_the_dead_letters(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    def one_bad(actions: list[dict[str, Any]]) -> tuple[int, Any]:
        items = [
            refused(a, 400, "strict mapping") if a["_id"] == "k3f9-1" else fake.take(a)
            for a in actions
        ]
        return 200, {"errors": True, "items": items}

    fake.bulk_script = [one_bad]
    index.put([record(n) for n in range(3)], 3)
    assert set(fake.taken) == {"k3f9-0", "k3f9-2"}
    letter = fake.letters["k3f9-1"]
    assert letter.pop("refused") > MONTH_START
    assert letter == {
        "sequence": 1,
        "reason": "document_parsing_exception: strict mapping: deeper",
        "repeat_of": "",
    }
    assert index.letters.count == 1
    assert "time" in fake.taken["k3f9-2"]


def test_too_large_a_request_is_halved(index: ElasticIndex, fake: FakeElasticsearch) -> None:
    def at_most_two(actions: list[dict[str, Any]]) -> tuple[int, Any]:
        return fake.take_all(actions) if len(actions) <= 2 else (413, {"error": "too large"})

    fake.bulk_script = [at_most_two] * 7
    index.put([record(n) for n in range(4)], 4)
    assert len(fake.taken) == 4
    fake.bulk_script = [lambda _: (413, {"error": "too large"})]
    index.put([record(9)], 10)
    assert fake.letters["k3f9-9"]["reason"].startswith("too large")


def test_bulks_are_cut_by_size(index: ElasticIndex, fake: FakeElasticsearch) -> None:
    index.put([record(n, text="word " * 200) for n in range(6)], 6)
    assert fake.bulk_sizes == [1] * 6


@pytest.mark.parametrize(
    "answer", [(200, "<html>hello</html>"), (200, {"items": []}), (200, ["x"])]
)
def test_an_answer_that_is_not_elasticsearchs_fails_the_put(
    index: ElasticIndex, fake: FakeElasticsearch, answer: tuple[int, Any]
) -> None:
    fake.bulk_script = [lambda _: answer] * 50
    with pytest.raises(IndexUnavailable):
        index.put([record(1)], 2)


def test_refusals_of_the_whole_request_are_told(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    fake.bulk_script = [lambda _: (401, {"error": "who are you"})]
    with pytest.raises(IndexUnavailable, match="401"):
        index.put([record(1)], 2)


def test_shards_that_do_not_answer_make_a_page_partial(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    path = "/arr-events-*/_search"
    failure = {"index": "arr-events-2026.02", "reason": {"type": "t", "reason": "disk"}}
    whole = {"hits": {"hits": [], "total": {"value": 0}}}
    shards = {"failed": 2, "failures": [failure]}
    fake.answers["POST", path] = (200, whole | {"timed_out": True, "_shards": shards})
    page = index.search(Everything(), limit=3)
    assert page.partial
    assert page.warnings == (
        "arr-events-2026.02 did not answer: disk",
        "1 shards did not answer",
        "Elasticsearch ran out of time",
    )
    for ask in (
        lambda: index.count(Everything()),
        lambda: index.count(Term("text", "x")),
        lambda: index.get("k3f9-1"),
        lambda: index.facets(Text("x"), ["user"]),
    ):
        with pytest.raises(IndexUnavailable, match="disk"):
            ask()


def test_a_server_that_is_down_is_unavailable_and_unhealthy() -> None:
    with fake_elasticsearch() as gone:
        url = gone.url
    index = ElasticIndex(ElasticIndexOptions(urls=(url,), retry_for_s=0.0))
    for ask in (index.position, lambda: index.search(Everything(), limit=1), index.clear):
        with pytest.raises(IndexUnavailable, match="reached"):
            ask()
    told = index.describe()
    assert told["healthy"] is False
    assert "reached" in str(told["fault"])
    index.close()


def test_an_index_of_another_format_is_made_anew(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    state = {"_index": "arr-state", "_id": "position", "found": True}
    fake.answers["GET", "/arr-state/_doc/position"] = (
        200,
        state | {"_source": {"position": 7, "format": 99}, "_seq_no": 1, "_primary_term": 1},
    )
    fake.answers["GET", "/arr-events-*"] = (200, {"arr-events-2026.01": {}})
    assert index.position() == 0
    index.put([record(0)], 1)
    assert ("DELETE", "/arr-events-2026.01") in fake.asked
    assert ("PUT", "/arr-state/_doc/position") in fake.asked
    assert list(fake.taken) == ["k3f9-0"]


def test_pauses_double_and_end() -> None:
    options = ElasticIndexOptions(urls=("http://x:1",), retry_for_s=12.0, first_pause_s=1.0)
    assert list(pauses(options)) == [1.0, 2.0, 4.0, 5.0]
    assert list(pauses(ElasticIndexOptions(urls=("http://x:1",), retry_for_s=0.0))) == []


def test_ways_to_authenticate() -> None:
    url = "http://127.0.0.1:9"
    keyed = connect(ElasticIndexOptions(urls=(url,), api_key="abc"))
    assert keyed._headers["authorization"] == "ApiKey abc"
    named = connect(ElasticIndexOptions(urls=(url,), username="u", password="p"))
    assert named._headers["authorization"].startswith("Basic ")
    keyed.close()
    named.close()


def test_settings_that_can_not_work_are_told() -> None:
    with pytest.raises(ConfigurationError, match="nonsense"):
        connect(ElasticIndexOptions(urls=("nonsense",)))


def test_a_missing_client_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "elasticsearch", None)
    with pytest.raises(ConfigurationError, match="elastic"):
        connect(ElasticIndexOptions(urls=("http://127.0.0.1:9",)))


def test_lone_surrogates_are_replaced() -> None:
    assert to_json({"a": "x\ud800y"}).decode() == '{"a": "x\ufffd\ufffd\ufffdy"}'
    assert to_json({"a": 1 << 70}) == b'{"a": %d}' % (1 << 70)
