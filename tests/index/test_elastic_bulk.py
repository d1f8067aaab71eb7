"""Outcomes of bulk items: whose fault each one is, and what follows."""

from collections.abc import Iterator
from typing import Any

import pytest

from audit.errors import IndexUnavailable
from audit.index.document import IndexedRecord
from audit.index.elastic_bulk import LONGEST_REASON
from audit.index.elastic_client import ElasticIndexOptions
from audit.index.elastic_index import ElasticIndex
from tests.index.fake_elasticsearch import (
    Answer,
    FakeElasticsearch,
    fake_elasticsearch,
    refused,
)
from tests.index.records import MONTH_START

POSITION = ("PUT", "/arr-state/_doc/position")


def record(sequence: int) -> IndexedRecord:
    return IndexedRecord(
        id=f"k3f9-{sequence}", sequence=sequence, time=MONTH_START, received=MONTH_START
    )


@pytest.fixture
def fake() -> Iterator[FakeElasticsearch]:
    with fake_elasticsearch() as started:
        yield started


@pytest.fixture
def index(fake: FakeElasticsearch) -> Iterator[ElasticIndex]:
    made = ElasticIndex(
        ElasticIndexOptions(
            urls=(fake.url,), retry_for_s=0.5, dead_letters=3, pause=lambda _seconds: None
        )
    )
    yield made
    made.close()


def always(status: int, kind: str) -> Any:
    def answer(actions: list[dict[str, Any]]) -> Answer:
        items = [refused(action, status, "r", kind) for action in actions]
        return 200, {"errors": True, "items": items}

    return answer


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "validation_exception"),  # the cluster has as many shards as it may
        (400, "index_closed_exception"),
        (403, "cluster_block_exception"),  # the index was made read-only
        (404, "index_not_found_exception"),  # and may not be made by writing
        (500, "i_o_exception"),
        (0, "no_such_outcome"),
    ],
)
def test_what_ails_the_cluster_is_no_fault_of_a_record(
    index: ElasticIndex, fake: FakeElasticsearch, status: int, kind: str
) -> None:
    fake.bulk_script = [always(status, kind)] * 50
    with pytest.raises(IndexUnavailable, match=kind):
        index.put([record(1)], 2)
    assert POSITION not in fake.asked
    assert not fake.letters
    fake.bulk_script = [always(status, kind)]
    index.put([record(1)], 2)
    assert list(fake.taken) == ["k3f9-1"]


@pytest.mark.parametrize("item", [{}, {"index": {}}, {"index": None}, "x", None])
def test_an_item_that_tells_nothing_is_not_taken_for_done(
    index: ElasticIndex, fake: FakeElasticsearch, item: Any
) -> None:
    fake.bulk_script = [lambda _: (200, {"items": [item]})] * 50
    with pytest.raises(IndexUnavailable):
        index.put([record(1)], 2)
    assert POSITION not in fake.asked


def test_a_reason_is_bounded(index: ElasticIndex, fake: FakeElasticsearch) -> None:
    def long_reason(actions: list[dict[str, Any]]) -> Answer:
        return 200, {"items": [refused(actions[0], 400, "long " * 10_000)]}

    fake.bulk_script = [long_reason]
    index.put([record(1)], 2)
    assert len(fake.letters["k3f9-1"]["reason"]) == LONGEST_REASON


@pytest.mark.parametrize("error", [None, "plain", {"type": None, "caused_by": None}])
def test_a_refusal_without_a_proper_reason_is_kept_all_the_same(
    index: ElasticIndex, fake: FakeElasticsearch, error: Any
) -> None:
    fake.bulk_script = [lambda _: (200, {"items": [{"index": {"status": 400, "error": error}}]})]
    index.put([record(1)], 2)
    assert fake.letters["k3f9-1"]["reason"]


def test_the_list_is_bounded_and_tells_from_where_on_it_is_not_whole(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    fake.bulk_script = [always(400, "document_parsing_exception")]
    index.put([record(n) for n in range(5)], 5)
    assert sorted(fake.letters) == ["beyond", "k3f9-0", "k3f9-1", "k3f9-2"]
    assert [letter.id for letter in index.letters.listed()] == ["k3f9-0", "k3f9-1", "k3f9-2"]
    assert (index.letters.count, index.letters.first_beyond()) == (3, 3)
    assert index.position() == 5


def test_a_list_that_takes_no_letter_keeps_the_position_back(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    fake.bulk_script = [always(400, "document_parsing_exception")] * 2
    with pytest.raises(IndexUnavailable, match="takes no dead letter"):
        index.put([record(1)], 2)
    assert POSITION not in fake.asked


def test_a_rebuild_that_is_taken_whole_leaves_no_letters(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    fake.bulk_script = [always(400, "document_parsing_exception")]
    index.put([record(n) for n in range(5)], 5)
    again = ElasticIndex(ElasticIndexOptions(urls=(fake.url,)))  # after a restart
    again.put([], 0)
    assert again.letters.count == 3
    again.put([record(n) for n in range(5)], 5)
    assert (fake.letters, again.letters.count) == ({}, 0)
    assert len(fake.taken) == 5
    again.close()


def test_a_record_that_is_removed_leaves_no_letter(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    fake.bulk_script = [always(400, "document_parsing_exception")]
    index.put([record(1), record(2)], 3)
    assert index.remove(["k3f9-1", "k3f9-9"]) == 0
    assert list(fake.letters) == ["k3f9-2"]


def test_records_are_put_again_without_moving_the_position(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    fake.bulk_script = [always(400, "document_parsing_exception")]
    index.put([record(1), record(2)], 3)
    fake.bulk_script = [always(400, "document_parsing_exception")]
    assert index.put_again([record(1)]) == 1
    assert index.put_again([record(1), record(2)]) == 0
    assert (fake.letters, index.position()) == ({}, 3)
    assert sorted(fake.taken) == ["k3f9-1", "k3f9-2"]


def test_an_index_that_is_deleted_under_a_put_is_not_called_complete(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    index.put([record(1)], 2)
    assert index.position() == 2

    def deleted_meanwhile(actions: list[dict[str, Any]]) -> Answer:
        fake.kept.clear()
        fake.taken.clear()
        return fake.take_all(actions)

    fake.bulk_script = [deleted_meanwhile]
    with pytest.raises(IndexUnavailable, match="changed or deleted"):
        index.put([record(2)], 3)
    assert index.position() == 0
    index.put([record(1), record(2)], 3)
    assert (index.position(), sorted(fake.taken)) == (3, ["k3f9-1", "k3f9-2"])


def test_an_index_that_was_deleted_is_made_from_the_template_again(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    index.put([record(1)], 2)
    fake.kept.clear()
    fake.asked.clear()
    assert index.position() == 0
    index.put([record(1)], 2)
    assert ("PUT", "/_index_template/arr-events") in fake.asked


def test_shards_that_were_not_refreshed_keep_the_position_back(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    path = ("POST", "/arr-events-2026.02/_refresh")
    fake.answers[path] = (200, {"_shards": {"total": 2, "successful": 1, "failed": 1}})
    with pytest.raises(IndexUnavailable, match="searchable"):
        index.put([record(1)], 2)
    assert POSITION not in fake.asked
    del fake.answers[path]
    index.put([record(1)], 2)
    assert index.position() == 2


def test_monthly_indices_are_made_where_writing_alone_may_make_none(
    index: ElasticIndex, fake: FakeElasticsearch
) -> None:
    fake.answers["HEAD", "/arr-events-2026.02"] = (404, {})
    index.put([record(1)], 2)
    assert fake.asked.count(("PUT", "/arr-events-2026.02")) == 1
    index.put([record(2)], 3)
    assert fake.asked.count(("PUT", "/arr-events-2026.02")) == 1
