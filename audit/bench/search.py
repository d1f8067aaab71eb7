"""Searches over simulated years in the index, beside Elasticsearch where it is named."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from audit.bench.arriving import arriving
from audit.bench.clocks import Watch
from audit.bench.filling import ORIGIN, Filled, fill
from audit.bench.into_elasticsearch import local_address
from audit.bench.machine import machine
from audit.bench.progress import Progress, untold
from audit.bench.questions import AskingOptions, ask_all
from audit.bench.repository import SEALED_AT_ONCE_H, Site, cores, seal_past, temporary_site
from audit.bench.traffic import TWO_YEARS, batches, entries, received
from audit.errors import RequestError
from audit.garbage import spare_collections
from audit.index.criteria import Everything
from audit.index.document import IndexedRecord
from audit.index.port import SearchIndex
from audit.projector.project import record_id
from audit.service.backends import open_index
from audit.service.paths import DataPaths
from audit.settings import Settings, load

_SAMPLES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchBenchOptions:
    """What is searched.

    Attributes:
        events: simulated, received when they happened.
        days: over how many days before now.
        elasticsearch: its address on this machine, to be measured beside; None for not.
        data: a repository's data folder to search instead; nothing is put into it.
        batch: records put at once.
        arriving_per_s: records that arrive while questions are asked.
        workers: processes that project while the index is filled.
        folder: where the temporary folder is made.
        asking: how often is asked.
        progress: told how far it is; it takes minutes for a million.
    """

    events: int = 100_000
    days: int = TWO_YEARS
    elasticsearch: str | None = None
    data: Path | None = None
    batch: int = 2000
    arriving_per_s: int = 0
    workers: int = field(default_factory=cores)
    folder: Path | None = None
    asking: AskingOptions = field(default_factory=AskingOptions)
    progress: Progress = untold


def run(options: SearchBenchOptions) -> dict[str, Any]:
    """p50 and p99 of each kind of question, records put a second, octets a record.

    Raises:
        RequestError: Elasticsearch is not on this machine: nothing is sent elsewhere.
    """
    if options.data is not None:
        return _search_there(options.data, options.asking)
    with temporary_site(options.folder) as site:
        backends = {"embedded": site.settings(index__seal_after_h=SEALED_AT_ONCE_H)}
        if options.elasticsearch is not None:
            backends["elasticsearch"] = _elastic_settings(site, options.elasticsearch)
        with _opened(site, backends) as indices:
            filled = _filled(indices, options)
            options.progress("sealing months that are past", 0, 1)
            _seal(indices["embedded"], backends["embedded"], filled)
            samples = _samples(indices["embedded"], options.events)
        asked = {}
        for number, (name, settings) in enumerate(backends.items()):
            options.progress(f"asking {name}", number, len(backends))
            asked[name] = _ask(site, settings, samples, options)
            asked[name]["ingest_per_s"] = round(options.events / filled.put_s[name])
        cleared = backends.get("elasticsearch")
        if cleared is not None:
            with closing(open_index(cleared, site.paths)) as index:
                index.clear()
    return {
        "events": options.events,
        "days": options.days,
        "arriving_per_s": options.arriving_per_s,
        **asked["embedded"],
        "elasticsearch": asked.get("elasticsearch"),
        "filled_per_s": round(options.events / filled.fill_s),
        "bytes_per_event_unsealed": round(filled.octets_unsealed / options.events, 1),
        "seal_s": round(filled.seal_s, 1),
        "machine": machine(),
    }


def _elastic_settings(site: Site, url: str) -> Settings:
    local_address(url)
    return site.settings(
        index__backend="elasticsearch",
        index__elasticsearch_url=url,
        index__elasticsearch_prefix=f"arr-bench-{token_hex(4)}",
    )


@contextmanager
def _opened(site: Site, backends: dict[str, Settings]) -> Iterator[dict[str, SearchIndex]]:
    indices = {name: open_index(settings, site.paths) for name, settings in backends.items()}
    try:
        yield indices
    finally:
        for index in indices.values():
            index.close()


def _filled(indices: dict[str, SearchIndex], options: SearchBenchOptions) -> Filled:
    source = entries(received(options.events, options.days))
    return fill(
        indices,
        batches(source, options.batch),
        max(1, options.workers),
        lambda done: options.progress("putting records", done, options.events),
    )


def _samples(index: SearchIndex, events: int) -> list[IndexedRecord]:
    """Records from all over the years."""
    sequences = range(0, events, max(1, events // _SAMPLES))
    found = (index.get(record_id(ORIGIN, sequence)) for sequence in sequences)
    return [one for one in found if one is not None]


def _seal(index: SearchIndex, settings: Settings, filled: Filled) -> None:
    """What the projector does with months that are past."""
    filled.octets_unsealed = int(index.describe().get("octets", 0))
    watch = Watch()
    seal_past(index, settings)
    filled.seal_s = watch.spent().wall_s


def _ask(
    site: Site,
    settings: Settings,
    samples: Sequence[IndexedRecord],
    options: SearchBenchOptions,
) -> dict[str, Any]:
    with closing(open_index(settings, site.paths)) as index:
        octets = int(index.describe().get("octets", 0))
        with arriving(site, settings, options.events, options.arriving_per_s):
            queries = _asked(index, samples, options.asking)
    return {
        "queries": queries,
        "bytes_per_event": round(octets / options.events, 1),
    }


def _asked(
    index: SearchIndex, samples: Sequence[IndexedRecord], asking: AskingOptions
) -> dict[str, dict[str, Any]]:
    """As in the web process, which looks for cyclic garbage seldom: a look takes 50 ms."""
    spare_collections()
    return ask_all(index, samples, asking)


def _search_there(data: Path, asking: AskingOptions) -> dict[str, Any]:
    """Ask the index of a repository as it is."""
    with closing(open_index(load(None, {"data": data}), DataPaths(data))) as index:
        about = index.describe()
        records = int(about.get("records", 0))
        samples = index.search(Everything(), limit=_SAMPLES).records
        if not samples:
            raise RequestError(f"{data}: its index holds no record")
        queries = _asked(index, samples, asking)
    return {
        "events": records,
        "queries": queries,
        "ingest_per_s": None,
        "bytes_per_event": round(int(about.get("octets", 0)) / records, 1),
        "elasticsearch": None,
        "machine": machine(),
    }
