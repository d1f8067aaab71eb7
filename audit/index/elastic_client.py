"""Talking to Elasticsearch: how to reach it, and what its faults mean to us.

The client library is imported when the first index is made, so that an installation without the
``elastic`` extra loses nothing.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from audit.errors import ConfigurationError, IndexUnavailable
from audit.index.elastic_waiting import let_go

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch
    from elasticsearch.serializer import TextSerializer

RETRIED: Final = frozenset({408, 429, 502, 503, 504})
"""HTTP answers after which the same request may succeed."""


def _wait(seconds: float) -> None:
    Event().wait(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticIndexOptions:
    """How to reach Elasticsearch and how to write to it.

    Attributes:
        urls: of one or more nodes of one cluster, for example ``https://es1:9200``.
        prefix: what the names of all indices begin with.
        api_key: for authentication; instead of user and password.
        username: for basic authentication.
        password: for basic authentication.
        ca_file: what the nodes' certificates are checked against; None for the system's.
        request_timeout_s: how long one request may take.
        merge_timeout_s: how long the segments of removed records may take to be rewritten.
        retry_for_s: how long a write is tried again before it fails; the caller may go on later.
        first_pause_s: pause before the first retry; doubled each time, to at most 5 s.
        bulk_octets: size of one bulk request.
        replicas: copies of each index on other nodes.
        dead_letters: most refused records that are listed with their reason.
        pause: how to wait between tries.
    """

    urls: tuple[str, ...]
    prefix: str = "arr"
    api_key: str | None = None
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    request_timeout_s: float = 30.0
    merge_timeout_s: float = 3600.0
    retry_for_s: float = 30.0
    first_pause_s: float = 0.1
    bulk_octets: int = 8 * 1024 * 1024
    replicas: int = 0
    dead_letters: int = 10_000
    pause: Callable[[float], None] = _wait


def connect(options: ElasticIndexOptions) -> "Elasticsearch":
    """A client; no request is made yet.

    Raises:
        ConfigurationError: the client library isn't installed, or the addresses can't be used.
    """
    try:
        from elasticsearch import Elasticsearch
    except ImportError as error:
        raise ConfigurationError(
            "the Elasticsearch client isn't installed: pip install"
            " 'atna-audit-record-repository[elastic]'"
        ) from error
    given: dict[str, Any] = {}
    if options.api_key:
        given["api_key"] = options.api_key
    elif options.username:
        named = f"{options.username}:{options.password or ''}"
        given["basic_auth"] = b64encode(named.encode()).decode()
    if options.ca_file is not None:
        given["ca_certs"] = str(options.ca_file)
    try:
        client = Elasticsearch(
            list(options.urls),
            request_timeout=options.request_timeout_s,
            max_retries=len(options.urls) - 1,  # as many other nodes as there are
            retry_on_timeout=False,
            serializers={"text/*": not_elasticsearch()},
            **given,
        )
    except (ValueError, OSError) as error:
        raise ConfigurationError(f"Elasticsearch at {options.urls}: {error}") from error
    let_go(client)
    return client


def not_elasticsearch() -> "TextSerializer":
    """What reads answers in text: a sign-in page, say, of something between us and the cluster."""
    from elasticsearch import SerializationError
    from elasticsearch.serializer import TextSerializer

    class NotElasticsearch(TextSerializer):
        @override
        def loads(self, data: bytes) -> str:
            raise SerializationError(f"an answer that is not Elasticsearch's: {data[:60]!r}")

    return NotElasticsearch()


@contextmanager
def failing_plainly() -> Iterator[None]:
    """Turn every fault of client and server into IndexUnavailable."""
    from elasticsearch import ApiError, TransportError

    try:
        yield
    except ApiError as error:
        raise IndexUnavailable(f"Elasticsearch answered {error.status_code}: {error}") from error
    except TransportError as error:
        raise IndexUnavailable(f"Elasticsearch can't be reached: {error}") from error


def hits_of(answer: Any) -> list[dict[str, Any]]:
    """What a search found.

    Raises:
        IndexUnavailable: that is no answer to a search: something stands between.
    """
    found = answer.get("hits") if isinstance(answer, dict) else None
    hits = found.get("hits") if isinstance(found, dict) else None
    if not isinstance(hits, list):
        raise IndexUnavailable("an answer to a search that is not Elasticsearch's")
    return hits


def pauses(options: ElasticIndexOptions) -> Iterator[float]:
    """The pauses between tries, until ``retry_for_s`` is used up."""
    pause, left = options.first_pause_s, options.retry_for_s
    while left > 0:
        yield min(pause, left)
        left -= pause
        pause = min(2 * pause, 5.0)
