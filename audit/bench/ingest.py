"""From mutual-TLS sockets to durable and to searchable, beside rsyslog's receipt.

All in the product's own processes. Three stretches, one after the other, with the same senders:
receipt alone, rsyslog alone, and receipt with projection, where the senders are held back so that
the index is never far behind; that last rate is the one that can be kept up.
"""

from collections.abc import Sequence
from typing import Any

from audit.bench.clocks import MeasurementFailed, Watch, wait_until
from audit.bench.ingest_options import CAUGHT_UP_WITHIN_S, IngestOptions, plans, warm_up
from audit.bench.into_elasticsearch import measure_into_elasticsearch
from audit.bench.machine import machine
from audit.bench.repository import (
    Running,
    SearchableCount,
    cores,
    running,
    temporary_site,
)
from audit.bench.rsyslog import installed, running_rsyslog
from audit.bench.senders import Senders, sending

_BACKLOG = 6_000
"""Records between sockets and index: some batches, so that no stage waits for the other."""


def run(options: IngestOptions) -> dict[str, Any]:
    """Durable, searchable and rsyslog's records a second, and what each cost the processor."""
    workers = cores() if options.workers is None else options.workers
    durable = _measure_durable(options)
    beside = _measure_rsyslog(options)
    into_elasticsearch = measure_into_elasticsearch(options)
    searchable = _measure_searchable(options, workers)
    rsyslog_per_s = beside.get("rsyslog_per_s")
    return {
        "seconds": options.seconds,
        "senders": options.senders,
        "workers": workers,
        **durable,
        "searchable_per_s": searchable["searchable_per_s"],
        "rsyslog_per_s": rsyslog_per_s,
        "ratio_to_rsyslog": _ratio(durable["durable_per_s"], rsyslog_per_s),
        **into_elasticsearch,
        "ratio_to_rsyslog_elasticsearch": _ratio(
            searchable["searchable_per_s"], into_elasticsearch["rsyslog_elasticsearch_per_s"]
        ),
        **{k: v for k, v in searchable.items() if k != "searchable_per_s"},
        "machine": machine(),
    }


def _ratio(ours: float, theirs: float | None) -> float | None:
    return round(ours / theirs, 3) if theirs else None


def _measure_durable(options: IngestOptions) -> dict[str, Any]:
    with (
        temporary_site(options.folder) as site,
        running(site, site.settings(), "receive") as repository,
        sending(plans(options, site, repository.tls_port)) as senders,
    ):
        warm_up(senders)
        before, cpu = senders.sent, repository.cpu_s("receive")
        watch = Watch()
        senders.send_for(options.seconds)
        cpu = repository.cpu_s("receive") - cpu
        if not senders.finish():
            raise MeasurementFailed("the receiver did not confirm every message as durable")
        count = senders.sent - before
        return {
            "durable_per_s": round(count / watch.spent().wall_s),
            "durable_records": count,
            "receive_cpu_us": round(cpu / count * 1e6, 1),
        }


def _measure_rsyslog(options: IngestOptions) -> dict[str, Any]:
    program = installed()
    if program is None:
        return {}
    with (
        temporary_site(options.folder) as site,
        running_rsyslog(program, site) as rsyslog,
        sending(plans(options, site, rsyslog.port)) as senders,
    ):
        warm_up(senders)
        before = senders.sent
        watch = Watch()
        senders.send_for(options.seconds)
        wait_until(
            lambda: rsyslog.octets() >= senders.octets + senders.sent,
            CAUGHT_UP_WITHIN_S,
            "rsyslog has written every message",
        )
        return {"rsyslog_per_s": round((senders.sent - before) / watch.spent().wall_s)}


def _measure_searchable(options: IngestOptions, workers: int) -> dict[str, Any]:
    with temporary_site(options.folder) as site:
        settings = site.settings(index__workers=workers)
        with (
            running(site, settings, "receive", "project") as repository,
            sending(plans(options, site, repository.tls_port)) as senders,
        ):
            index = SearchableCount(site, settings)
            try:
                return _searchable(options.seconds, repository, senders, index)
            finally:
                index.close()


def _searchable(
    seconds: float, repository: Running, senders: Senders, index: SearchableCount
) -> dict[str, Any]:
    warm_up(senders)
    _wait_for(index, repository)
    before, start = senders.sent, repository.durable()
    cpu = _cpu(repository, ("receive", "project"))
    watch = Watch()
    senders.send_for(seconds, lambda: senders.sent - before - (index() - start) < _BACKLOG)
    if not senders.finish():
        raise MeasurementFailed("the receiver did not confirm every message as durable")
    _wait_for(index, repository)
    spent = watch.spent().wall_s
    count = senders.sent - before
    used = _cpu(repository, ("receive", "project"))
    return {
        "searchable_per_s": round(count / spent),
        "searchable_records": count,
        "searchable_cpu_us": {
            role: round((used[role] - cpu[role]) / count * 1e6, 1) for role in used
        },
    }


def _wait_for(index: SearchableCount, repository: Running) -> None:
    """Until all that is durable is searchable."""
    wait_until(
        lambda: index() >= repository.durable(), CAUGHT_UP_WITHIN_S, "every record is searchable"
    )


def _cpu(repository: Running, roles: Sequence[str]) -> dict[str, float]:
    return {role: repository.cpu_s(role) for role in roles}
