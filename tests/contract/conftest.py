"""Both search indices, each empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.index.elastic_client import ElasticIndexOptions
from audit.index.elastic_index import ElasticIndex
from audit.index.port import SearchIndex
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from tests.elasticsearch_server import ElasticsearchServer, elasticsearch_server

__all__ = ["elasticsearch_server"]


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[SearchIndex]:
    index = SqliteIndex(SqliteIndexOptions(directory=tmp_path / "index"))
    yield index
    index.close()


@pytest.fixture
def elastic(elasticsearch_server: ElasticsearchServer) -> Iterator[SearchIndex]:
    index = ElasticIndex(ElasticIndexOptions(urls=(elasticsearch_server.url,)))
    index.clear()
    yield index
    index.close()


@pytest.fixture(
    params=["embedded", pytest.param("elastic", marks=[pytest.mark.elastic, pytest.mark.slow])]
)
def index(request: pytest.FixtureRequest) -> SearchIndex:
    """The backend under test; Elasticsearch is started only where it is asked for."""
    backend: SearchIndex = request.getfixturevalue(request.param)
    return backend
