"""What a caller of the web process waits for: over HTTP, each look journaled as always."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from secrets import token_urlsafe
from time import monotonic, perf_counter
from typing import Any

from audit.bench.caller import Access, Caller
from audit.bench.clocks import Watch, latencies, wait_until
from audit.bench.machine import machine
from audit.bench.repository import (
    LOOPBACK,
    Running,
    SearchableCount,
    Site,
    cores,
    free_port,
    running,
    temporary_site,
)
from audit.bench.senders import SenderPlan, sending
from audit.bench.traffic import batches, received
from audit.errors import AuditError
from audit.journal.writer import JournalOptions, JournalWriter
from audit.query.access import READ_SCOPES
from audit.service.web import state_url
from audit.service.web_options import state_options
from audit.settings import Settings
from audit.state.store import StateStore

DAYS = 730
_BATCH = 1_000
_SAMPLES = 200
_REQUESTS_PER_S = 1_000_000.0
_FILLED_WITHIN_S = 7_200.0
_OFFICER = "bench"
_PACE_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """What is asked.

    Attributes:
        events: simulated over two years, in journal and index.
        times: requests of each kind.
        arriving_per_s: messages that arrive over mutual TLS meanwhile.
        workers: processes that project while the index is filled.
        folder: where the temporary folder is made.
    """

    events: int = 20_000
    times: int = 100
    arriving_per_s: int = 0
    workers: int = field(default_factory=cores)
    folder: Path | None = None


def run(options: ApiOptions) -> dict[str, Any]:
    """p50 and p99 of searches, pivots, single events and the home page."""
    with temporary_site(options.folder) as site:
        settings = site.settings(
            web__port=free_port(),
            web__requests_per_s=_REQUESTS_PER_S,
            index__workers=options.workers,
        )
        _fill_journal(site, options.events)
        access = _grant(settings, site)
        with running(site, settings, "receive", "project") as repository:
            filled_s = _wait_until_searchable(site, settings, options.events)
            repository.start("web")
            with (
                _arriving(site, repository, options.arriving_per_s),
                closing(Caller(settings.web.port, access)) as caller,
            ):
                queries = _ask(caller, options.times)
    return {
        "events": options.events,
        "arriving_per_s": options.arriving_per_s,
        "queries": queries,
        "searchable_from_journal_per_s": round(options.events / filled_s),
        "machine": machine(),
    }


def _fill_journal(site: Site, events: int) -> None:
    """As if they had come in over the years: the index is then made from the journal."""
    options = JournalOptions(key_file=site.paths.signing_key, position_file=site.paths.position)
    with JournalWriter.open(site.paths.journal, options) as writer:
        for batch in batches(received(events, DAYS), _BATCH):
            writer.append(batch)


def _grant(settings: Settings, site: Site) -> Access:
    with StateStore(state_url(site.paths), state_options(settings)) as state:
        account = state.accounts.create(
            _OFFICER, token_urlsafe(16), display_name="Bench", scopes=READ_SCOPES
        )
        token = state.tokens.create("bench", _OFFICER, READ_SCOPES, 86_400.0)
        return Access(token.secret, state.sessions.begin(account, LOOPBACK))


def _wait_until_searchable(site: Site, settings: Settings, events: int) -> float:
    watch = Watch()
    index = SearchableCount(site, settings)
    try:
        wait_until(lambda: index() >= events, _FILLED_WITHIN_S, "the index is filled")
    finally:
        index.close()
    return watch.spent().wall_s


@contextmanager
def _arriving(site: Site, repository: Running, per_s: int) -> Iterator[None]:
    """While this holds, messages arrive at that pace; none when it is 0."""
    if per_s == 0:
        yield
        return
    plan = SenderPlan(
        host=LOOPBACK, port=repository.tls_port, tls=site.client_tls(), seed=2, messages=5_000
    )
    stop = threading.Event()
    block = max(1, round(per_s * _PACE_S))
    with sending([plan], block) as senders:

        def send() -> None:
            while not stop.is_set():
                begun = monotonic()
                try:
                    senders.send(block)
                except AuditError:
                    return
                stop.wait(max(0.0, block / per_s - (monotonic() - begun)))

        thread = threading.Thread(target=send, name="arriving")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _ask(caller: Caller, times: int) -> dict[str, Any]:
    items = caller.search("", _SAMPLES)["items"]
    ids = cycle([item["id"] for item in items])

    def pivot() -> None:
        """From an event to all that happened around its patient or, without one, its user."""
        event = caller.event(next(ids))
        name = "patient" if event.get("patient") else "requestor"
        caller.search(f'{name}:"{_values([event], name)[0]}"')

    asks: dict[str, Callable[[], object]] = {
        name: _searching(caller, query, _values(items, name))
        for name, query in (
            ("patient", 'patient:"{}"'),
            ("requestor", 'requestor:"{}"'),
            ("study", 'study:"{}"'),
            ("address", 'address:"{}"'),
            ("patient_name", '"{}"'),
        )
    }
    asks["combined"] = _searching(
        caller, 'requestor:"{}" -category:query -outcome:success', _values(items, "requestor")
    )
    asks["event"] = lambda: caller.event(next(ids))
    asks["pivot"] = pivot
    asks["home_page"] = caller.home
    return {name: latencies(list(_timed(ask, times))) for name, ask in asks.items()}


def _values(items: Sequence[dict[str, Any]], field_name: str) -> list[str]:
    values = (value for item in items for value in item.get(field_name) or ())
    return list(dict.fromkeys(value.replace('"', "") for value in values)) or ["none"]


def _searching(caller: Caller, query: str, values: Sequence[str]) -> Callable[[], object]:
    source = cycle(values)
    return lambda: caller.search(query.format(next(source)))


def _timed(ask: Callable[[], object], times: int) -> Iterator[float]:
    """Seconds of each; the first one warms up and doesn't count."""
    ask()
    for _ in range(times):
        start = perf_counter()
        ask()
        yield perf_counter() - start
