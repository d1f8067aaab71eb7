"""Both search indices, each empty."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from audit.index import sqlite_counts
from audit.index.document import IndexedRecord
from audit.index.elastic_client import ElasticIndexOptions
from audit.index.elastic_index import ElasticIndex
from audit.index.port import SearchIndex
from audit.index.sqlite_directory import month_in
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from audit.index.sqlite_key import IndexKeys, OperatorKey
from audit.index.sqlite_sealed import build_sealed
from tests.elasticsearch_server import ElasticsearchServer


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[SearchIndex]:
    index = SqliteIndex(SqliteIndexOptions(directory=tmp_path / "index"))
    yield index
    index.close()


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[SearchIndex]:
    keys = IndexKeys([OperatorKey(b"contract", bytes(32))])
    index = SqliteIndex(SqliteIndexOptions(directory=tmp_path / "index", keys=keys))
    yield index
    index.close()


class AlwaysSealed(SqliteIndex):
    """Seals every month, also the newest, after each put, in this process."""

    def __init__(self, options: SqliteIndexOptions) -> None:
        super().__init__(options)
        self._sealer.build = build_sealed

    @override
    def put(self, records: Sequence[IndexedRecord], position: int) -> None:
        super().put(records, position)
        for month in {month_in(name) for name in self._directory.parts()}:
            assert self._sealer.seal(month)


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SearchIndex]:
    """Also a few matches are counted as many are."""
    monkeypatch.setattr(sqlite_counts, "_WORTH_A_RUN", 1)
    index = AlwaysSealed(SqliteIndexOptions(directory=tmp_path / "index"))
    yield index
    index.close()


@pytest.fixture
def elastic(elasticsearch_server: ElasticsearchServer) -> Iterator[SearchIndex]:
    index = ElasticIndex(ElasticIndexOptions(urls=(elasticsearch_server.url,)))
    index.clear()
    yield index
    index.close()


@pytest.fixture(
    params=[
        "embedded",
        "sealed",
        "encrypted",
        pytest.param("elastic", marks=[pytest.mark.elastic, pytest.mark.slow]),
    ]
)
def index(request: pytest.FixtureRequest) -> SearchIndex:
    """The backend under test; Elasticsearch is started only where it is asked for."""
    backend: SearchIndex = request.getfixturevalue(request.param)
    return backend
