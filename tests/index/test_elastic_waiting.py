"""A search of Elasticsearch is cancelled when whoever asked has left."""

import contextvars
import socket
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from audit.errors import IndexUnavailable
from audit.index.criteria import Everything
from audit.index.elastic_client import ElasticIndexOptions, connect
from audit.index.elastic_index import ElasticIndex
from audit.index.elastic_reader import ElasticReader
from audit.index.elastic_waiting import NobodyWaits, Watch
from audit.index.giving_up import LEFT
from tests.elasticsearch_server import ElasticsearchServer
from tests.waiting import until

INDEX = "slow-events"
SEGMENTS = 40


def leaving(left: Event, ask: Any) -> list[BaseException]:
    """What asking raises in a thread whose asker is there until ``left``."""
    raised: list[BaseException] = []

    def run() -> None:
        LEFT.set(left.is_set)
        try:
            ask()
        except BaseException as error:  # noqa: BLE001 - handed on
            raised.append(error)

    thread = Thread(target=contextvars.copy_context().run, args=(run,))
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    return raised


@pytest.fixture
def silent() -> Iterator[tuple[str, list[socket.socket]]]:
    """A server that takes requests and never answers: its address, and who came."""
    came: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    came.append(server.accept()[0])
                except OSError:
                    return

        thread = Thread(target=take, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", came
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for one in came:
        one.close()


def test_the_connection_of_somebody_who_leaves_is_closed(
    silent: tuple[str, list[socket.socket]],
) -> None:
    url, came = silent
    left = Event()
    index = ElasticIndex(ElasticIndexOptions(urls=(url,), request_timeout_s=60))

    def leave() -> None:
        until(lambda: came and b"_search" in came[0].recv(65_536, socket.MSG_PEEK))
        left.set()

    Thread(target=leave).start()
    (error,) = leaving(left, lambda: index.search(Everything(), limit=1))
    assert isinstance(error, NobodyWaits)
    assert isinstance(error, IndexUnavailable)
    while came[0].recv(65_536):
        pass  # the request, and then the connection's end
    assert len(came) == 1
    index.close()


def test_nothing_is_asked_for_somebody_who_has_left(
    silent: tuple[str, list[socket.socket]],
) -> None:
    url, _ = silent
    left = Event()
    left.set()
    index = ElasticIndex(ElasticIndexOptions(urls=(url, url.replace("127.0.0.1", "localhost"))))
    (error,) = leaving(left, lambda: index.count(Everything()))
    assert isinstance(error, NobodyWaits)
    index.close()


def test_faults_that_nobody_left_for_are_told_as_they_are() -> None:
    here, there = socket.socketpair()
    with here, there, pytest.raises(ConnectionResetError), Watch().over(here):
        raise ConnectionResetError


@pytest.mark.elastic
@pytest.mark.slow
def test_elasticsearch_stops_a_search_that_nobody_waits_for(
    elasticsearch_server: ElasticsearchServer,
) -> None:
    client = connect(ElasticIndexOptions(urls=(elasticsearch_server.url,), request_timeout_s=120))
    fill(client)
    reader = ElasticReader(client, INDEX)
    left = Event()

    def leave() -> None:
        until(lambda: searches(client), within_s=60)
        left.set()

    Thread(target=leave).start()
    (error,) = leaving(left, lambda: reader.aggregate({"match_all": {}}, slow_question()))
    assert isinstance(error, NobodyWaits)
    until(lambda: not searches(client), within_s=20)  # it would take minutes
    client.indices.delete(index=INDEX)
    client.close()


def searches(client: Elasticsearch) -> list[str]:
    """Searches that the server works on."""
    headers = {"accept": "application/json"}
    path = "/_tasks?actions=indices:data/read/search*"
    found: dict[str, Any] = client.perform_request("GET", path, headers=headers).body
    return [task for node in found["nodes"].values() for task in node["tasks"]]


def clumsy_filters(most: int) -> list[dict[str, Any]]:
    """Conditions that the server has to look at each record for."""
    return [
        {"bool": {"should": [{"range": {"number": {"gt": n * 10 + m}}} for m in range(8)]}}
        for n in range(most)
    ]


def slow_question() -> dict[str, Any]:
    """An aggregation that takes minutes, in steps well below a second."""
    inner = {"filters": {"filters": clumsy_filters(60)}}
    return {"filters": {"filters": clumsy_filters(1_000)}, "aggs": {"inner": inner}}


def fill(client: Elasticsearch) -> None:
    """Records in many small segments: between two the server looks whether it is to go on."""
    client.indices.create(
        index=INDEX,
        mappings={"properties": {"number": {"type": "long", "index": False}}},
        settings={
            "number_of_replicas": 0,
            "index.merge.policy.segments_per_tier": 1_000,
            "index.refresh_interval": "-1",
        },
    )
    for _ in range(SEGMENTS):
        lines: list[dict[str, Any]] = [{"index": {}}, {"number": 1_000_000}] * 50
        client.bulk(index=INDEX, operations=lines, refresh=True)
