"""The only place that names an index backend, and how the journal is waited for."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from audit.errors import ConfigurationError, JournalUnavailable
from audit.index.port import SearchIndex
from audit.journal.reader import JournalReader
from audit.service.paths import DataPaths
from audit.settings import Settings

WAIT_FOR_JOURNAL_S = 0.1


def open_index(settings: Settings, paths: DataPaths) -> SearchIndex:
    """The configured search index.

    Raises:
        ConfigurationError: the Elasticsearch client is not installed, or its key can't be read.
    """
    if settings.index.backend == "embedded":
        from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions

        return SqliteIndex(
            SqliteIndexOptions(directory=paths.index, column_octets=settings.index.column_octets)
        )
    return _open_elastic(settings)


def upkeep_of(index: SearchIndex, settings: Settings) -> Callable[[], int] | None:
    """What the writing process does now and then, apart from putting records; None when nothing.

    It returns how many months it sealed, may take minutes, and raises IndexUnavailable.
    """
    from audit.index.sqlite_index import SqliteIndex

    if not isinstance(index, SqliteIndex) or settings.index.seal_after_h == 0:
        return None
    return partial(index.seal, settings.index.seal_after_h * 3600)


def _open_elastic(settings: Settings) -> SearchIndex:
    from audit.index.elastic_client import ElasticIndexOptions
    from audit.index.elastic_index import ElasticIndex

    index = settings.index
    return ElasticIndex(
        ElasticIndexOptions(
            urls=tuple(
                part.strip() for part in index.elasticsearch_url.split(",") if part.strip()
            ),
            prefix=index.elasticsearch_prefix,
            api_key=_secret(index.elasticsearch_api_key_file),
            username=index.elasticsearch_user,
            password=_secret(index.elasticsearch_password_file),
            ca_file=index.elasticsearch_ca,
        )
    )


def _secret(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"{file}: the key can't be read: {error.strerror}") from error


def open_reader(paths: DataPaths) -> JournalReader:
    """The journal as other processes than its writer read it: durable entries only.

    Raises:
        JournalUnavailable: there is no journal yet, or it can't be read.
    """
    return JournalReader(paths.journal, paths.position)


async def wait_for_reader(paths: DataPaths, stop: asyncio.Event) -> JournalReader | None:
    """The journal, as soon as its writer has made it; None when asked to stop before."""
    while not stop.is_set():
        try:
            return open_reader(paths)
        except JournalUnavailable:
            await asyncio.sleep(WAIT_FOR_JOURNAL_S)
    return None
