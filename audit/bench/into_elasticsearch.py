"""rsyslog into Elasticsearch: what most sites run instead, in the same run as ours.

The raw message is one text field; nothing is parsed or validated. Counted is what Elasticsearch
can find.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

import httpx2

from audit.bench.clocks import Watch, wait_until
from audit.bench.ingest_options import CAUGHT_UP_WITHIN_S, IngestOptions, plans, warm_up
from audit.bench.repository import temporary_site
from audit.bench.rsyslog import (
    ElasticsearchTarget,
    has_elasticsearch,
    installed,
    running_rsyslog,
)
from audit.bench.senders import sending
from audit.errors import ConnectionFailed, RequestError

_REQUEST_S = 60.0
_MAPPING = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0},
    "mappings": {"properties": {"message": {"type": "text"}}},
}


class SearchableThere:
    """How many documents an index of Elasticsearch can find."""

    def __init__(self, client: httpx2.Client, index: str) -> None:
        self._client = client
        self._index = index

    def __call__(self) -> int:
        """The number now."""
        self._ask("POST", "_refresh")
        return int(self._ask("GET", "_count")["count"])

    def octets(self) -> int:
        """Its size."""
        return int(self._ask("GET", "_stats/store")["_all"]["primaries"]["store"]["size_in_bytes"])

    def _ask(self, method: str, what: str) -> Any:
        answer = self._client.request(method, f"/{self._index}/{what}")
        answer.raise_for_status()
        return answer.json()


def local_address(url: str) -> tuple[str, int]:
    """Host and port of an Elasticsearch on this machine.

    Raises:
        RequestError: it is elsewhere: nothing is sent there.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local or parts.port is None:
        raise RequestError(f"{url}: measured is only what listens on a port on this machine")
    return host, parts.port


@contextmanager
def _index_at(url: str, index: str) -> Iterator[SearchableThere]:
    """An empty index, deleted afterwards."""
    with httpx2.Client(base_url=url, timeout=_REQUEST_S) as client:
        try:
            client.put(f"/{index}", json=_MAPPING).raise_for_status()
        except httpx2.HTTPError as error:
            raise ConnectionFailed(f"Elasticsearch at {url}: {error}") from error
        try:
            yield SearchableThere(client, index)
        finally:
            client.delete(f"/{index}")


def measure_into_elasticsearch(options: IngestOptions) -> dict[str, Any]:
    """Rsyslog's messages a second until Elasticsearch finds them, and octets each; None without.

    Raises:
        RequestError: Elasticsearch is not on this machine.
        ConnectionFailed: it doesn't answer.
    """
    program = installed()
    none = {"rsyslog_elasticsearch_per_s": None, "rsyslog_elasticsearch_bytes": None}
    if options.elasticsearch is None:
        return none
    host, port = local_address(options.elasticsearch)
    if program is None or not has_elasticsearch():
        return none
    target = ElasticsearchTarget(host, port, f"arr-bench-{token_hex(4)}")
    with (
        _index_at(options.elasticsearch, target.index) as found,
        temporary_site(options.folder) as site,
        running_rsyslog(program, site, target) as rsyslog,
        sending(plans(options, site, rsyslog.port)) as senders,
    ):
        warm_up(senders)
        wait_until(lambda: found() >= senders.sent, CAUGHT_UP_WITHIN_S, "rsyslog has begun")
        before = senders.sent
        watch = Watch()
        senders.send_for(options.seconds)
        wait_until(
            lambda: found() >= senders.sent,
            CAUGHT_UP_WITHIN_S,
            "Elasticsearch finds every message",
        )
        count = senders.sent - before
        return {
            "rsyslog_elasticsearch_per_s": round(count / watch.spent().wall_s),
            "rsyslog_elasticsearch_bytes": round(found.octets() / senders.sent, 1),
        }
