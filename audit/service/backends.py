"""The only place that names an index backend, and how the journal is waited for."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from audit.errors import ConfigurationError, JournalUnavailable
from audit.index.port import SearchIndex
from audit.journal.master_keys import in_use
from audit.journal.reader import JournalReader
from audit.service.paths import DataPaths
from audit.settings import Settings

if TYPE_CHECKING:
    from audit.index.elastic_index import ElasticIndex
    from audit.index.sqlite_key import IndexKeys

WAIT_FOR_JOURNAL_S = 0.1
OPTIMISE_S = 1.0
"""How long the month that grows is brought into better order each time."""


Backend: TypeAlias = Literal["embedded", "elasticsearch"]


def open_index(settings: Settings, paths: DataPaths) -> SearchIndex:
    """The configured search index: the one that answers.

    Raises:
        ConfigurationError: the Elasticsearch client is not installed, or its key can't be read.
    """
    return open_backend(settings.index.backend, settings, paths)


def beside_of(settings: Settings) -> Backend | None:
    """The backend that is filled beside the one that answers, if any."""
    beside = settings.index.beside
    if beside == "none":
        return None
    return None if beside == settings.index.backend else beside


def open_backend(backend: Backend, settings: Settings, paths: DataPaths) -> SearchIndex:
    """A search index of that kind; raises as `open_index`."""
    if backend == "embedded":
        from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions

        return SqliteIndex(
            SqliteIndexOptions(
                directory=paths.index,
                column_octets=settings.index.column_octets,
                keys=_index_keys(),
            )
        )
    return _open_elastic(settings)


def _index_keys() -> "IndexKeys":
    """The journal's keys, which the embedded index is encrypted with too."""
    from audit.index.sqlite_key import IndexKeys, OperatorKey

    return IndexKeys([OperatorKey(key.key_id, key.octets) for key in in_use().keys])


@dataclass(frozen=True, slots=True)
class Successor:
    """An empty index, and what puts it in the place of the one that answers, or deletes it."""

    index: SearchIndex
    promote: Callable[[], None]
    discard: Callable[[], None]


def successor_of(index: SearchIndex) -> Successor | None:
    """What an index can be rebuilt in while it answers; None when it is rebuilt in place."""
    from audit.index.sqlite_index import SqliteIndex

    if not isinstance(index, SqliteIndex):
        return None
    made = index.successor()
    return Successor(made, partial(index.promote, made), made.discard)


def why_rebuild(index: SearchIndex) -> str:
    """Why an index is to be built anew without being asked; empty when there is no reason."""
    from audit.index.sqlite_index import SqliteIndex

    return index.why_rebuild() if isinstance(index, SqliteIndex) else ""


def upkeep_of(index: SearchIndex, settings: Settings) -> Callable[[], int] | None:
    """What the writing process does now and then, apart from putting records; None when nothing.

    It puts the month that grows in better order and seals those that are past. It returns how
    many months it sealed, may take minutes, and raises IndexUnavailable.
    """
    from audit.index.elastic_index import ElasticIndex
    from audit.index.sqlite_index import SqliteIndex

    if isinstance(index, ElasticIndex):
        return partial(_expunge, index)
    if not isinstance(index, SqliteIndex):
        return None

    def keep_up() -> int:
        index.optimise(OPTIMISE_S)
        idle_h = settings.index.seal_after_h
        return index.seal(idle_h * 3600) if idle_h else 0

    return keep_up


def _expunge(index: "ElasticIndex") -> int:
    index.expunge()
    return 0  # nothing is sealed


def interrupt_upkeep(index: SearchIndex) -> None:
    """Break off an upkeep that runs, because the process is to end."""
    from audit.index.sqlite_index import SqliteIndex

    if isinstance(index, SqliteIndex):
        index.stop_sealing()


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
            request_timeout_s=index.elasticsearch_timeout_s,
            merge_timeout_s=index.elasticsearch_merge_timeout_s,
            retry_for_s=index.elasticsearch_retry_s,
            bulk_octets=index.elasticsearch_bulk_octets,
            replicas=index.elasticsearch_replicas,
            dead_letters=index.elasticsearch_dead_letters,
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
