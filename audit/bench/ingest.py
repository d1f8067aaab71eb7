"""From mutual-TLS sockets to durable and to searchable, beside rsyslog's receipt.

All in the product's own processes. Three stretches, one after the other, with the same senders:
receipt alone, rsyslog alone, and receipt with projection (`searchable`). On demand a fourth one,
by number of records, shows whether that rate stays as the index grows.
"""

from typing import Any

from audit.bench.clocks import MeasurementFailed, Watch, wait_until
from audit.bench.ingest_options import CAUGHT_UP_WITHIN_S, IngestOptions, plans, warm_up
from audit.bench.into_elasticsearch import measure_into_elasticsearch
from audit.bench.machine import machine
from audit.bench.repository import cores, running, temporary_site
from audit.bench.rsyslog import installed, running_rsyslog
from audit.bench.searchable import measure_searchable, measure_sustained
from audit.bench.senders import sending


def run(options: IngestOptions) -> dict[str, Any]:
    """Durable, searchable and rsyslog's records a second, and what each cost the processor."""
    workers = cores() if options.workers is None else options.workers
    durable = _measure_durable(options)
    beside = _measure_rsyslog(options)
    into_elasticsearch = measure_into_elasticsearch(options)
    searchable = measure_searchable(options, workers)
    sustained = measure_sustained(options, workers) if options.sustain else {}
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
        **sustained,
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
