"""Snapshots as docs/elasticsearch.md has them: the position first, then the months."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from audit.index.criteria import Everything, Term
from audit.index.document import IndexedRecord
from audit.index.elastic_client import ElasticIndexOptions
from audit.index.elastic_index import ElasticIndex
from audit.index.port import Total
from tests.elasticsearch_server import ElasticsearchServer
from tests.index.records import MONTH_START

pytestmark = [pytest.mark.elastic, pytest.mark.slow]
PREFIX = "snapped"


def ask(server: ElasticsearchServer, method: str, path: str, body: object = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - http on loopback
        server.url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        return json.loads(answer.read())


def record(sequence: int) -> IndexedRecord:
    time = MONTH_START + sequence
    return IndexedRecord(
        id=f"k3f9-{sequence}",
        sequence=sequence,
        time=time,
        received=time,
        fields={"user": (f"u{sequence % 3}",)},
    )


def put(index: ElasticIndex, upto: int) -> None:
    """As the follower does, from where the index is."""
    start = index.position()
    index.put([record(n) for n in range(start, upto)], upto)


@pytest.fixture
def repository(elasticsearch_server: ElasticsearchServer) -> Iterator[str]:
    """The path of a snapshot repository."""
    path = "/_snapshot/arr-backup"
    settings = {"location": str(elasticsearch_server.snapshots)}
    ask(elasticsearch_server, "PUT", path, {"type": "fs", "settings": settings})
    yield path
    for name in ("position", "months"):
        ask(elasticsearch_server, "DELETE", f"{path}/{name}")
    ask(elasticsearch_server, "DELETE", path)


def take(server: ElasticsearchServer, repository: str, name: str, indices: str) -> None:
    asked = {"indices": indices, "include_global_state": False}
    told = ask(server, "PUT", f"{repository}/{name}?wait_for_completion=true", asked)
    assert told["snapshot"]["state"] == "SUCCESS"


def restore(server: ElasticsearchServer, repository: str, name: str) -> None:
    asked = {"indices": f"{PREFIX}-*", "include_global_state": False}
    path = f"{repository}/{name}/_restore?wait_for_completion=true"
    told = ask(server, "POST", path, asked)
    assert told["snapshot"]["shards"]["failed"] == 0


def test_what_came_after_a_snapshot_comes_from_the_journal(
    elasticsearch_server: ElasticsearchServer, repository: str
) -> None:
    index = ElasticIndex(ElasticIndexOptions(urls=(elasticsearch_server.url,), prefix=PREFIX))
    index.clear()
    put(index, 20)
    take(elasticsearch_server, repository, "position", f"{PREFIX}-state,{PREFIX}-dead-letters")
    put(index, 30)  # records go on arriving between the two
    take(elasticsearch_server, repository, "months", f"{PREFIX}-events-*")
    put(index, 40)
    for name in ("events-2026.02", "state", "dead-letters"):
        ask(elasticsearch_server, "DELETE", f"/{PREFIX}-{name}")
    assert index.position() == 0
    for name in ("position", "months"):
        restore(elasticsearch_server, repository, name)
    assert index.position() == 20, "never ahead of what was restored"
    assert index.count(Everything()) == Total(30)
    put(index, 40)
    assert index.count(Everything()) == Total(40)
    assert index.count(Term("user", "u0")) == Total(14)
    found = index.search(Everything(), limit=50, newest_first=False).records
    assert list(found) == [record(n) for n in range(40)]
    assert index.position() == 40
    index.clear()
    index.close()
