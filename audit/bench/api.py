"""What a caller of the web process waits for: over HTTP, each look journaled as always."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
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
    SEALED_AT_ONCE_H,
    Running,
    SearchableCount,
    Site,
    cores,
    free_port,
    running,
    seal_past,
    temporary_site,
)
from audit.bench.senders import SenderPlan, sending
from audit.bench.traffic import TWO_YEARS, batches, received
from audit.errors import AuditError
from audit.journal.writer import JournalOptions, JournalWriter
from audit.query.access import READ_SCOPES
from audit.service.backends import open_index
from audit.service.web import state_url
from audit.service.web_options import state_options
from audit.settings import Settings
from audit.state.store import StateStore

_BATCH = 1_000
_SAMPLES = 200
_REQUESTS_PER_S = 1_000_000.0
_FILLED_WITHIN_S = 7_200.0
_SESSION_H = 24.0
_OFFICER = "bench"
_PACE_S = 0.25
_DIFFERENT_S = 100
"""Seconds until arriving messages come again: sooner, they would be of a handful of patients."""
_PIVOTS = {"patient": "patient", "user": "requestor", "study": "study", "node": "node"}
"""Kind of a pivot, and the field whose values it is asked for."""
_NAMING = ("patient", "requestor", "study", "user")
"""What the figures of questions that name somebody or a study begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """What is asked.

    Attributes:
        events: simulated, in journal and index.
        days: over how many days before now.
        times: requests of each kind.
        arriving_per_s: messages that arrive over mutual TLS meanwhile.
        workers: processes that project while the index is filled.
        folder: where the temporary folder is made.
    """

    events: int = 20_000
    days: int = TWO_YEARS
    times: int = 100
    arriving_per_s: int = 0
    workers: int = field(default_factory=cores)
    folder: Path | None = None


def run(options: ApiOptions) -> dict[str, Any]:
    """p50 and p99 of searches, pivots, facets, histograms, single events and the home page."""
    with temporary_site(options.folder) as site:
        settings = site.settings(
            web__port=free_port(),
            web__requests_per_s=_REQUESTS_PER_S,
            web__session_idle_min=_SESSION_H * 60,
            web__session_absolute_h=_SESSION_H,
            index__workers=options.workers,
            index__seal_after_h=SEALED_AT_ONCE_H,
        )
        _fill_journal(site, options)
        with running(site, settings, "receive", "project"):
            filled_s = _wait_until_searchable(site, settings, options.events)
        with closing(open_index(settings, site.paths)) as index:
            seal_past(index, settings)
        with running(site, settings, "receive", "project") as repository:
            access = _grant(settings, site)  # no session outlasts the filling of a large index
            repository.start("web")
            with (
                _arriving(site, repository, options.arriving_per_s) as arrived,
                closing(Caller(settings.web.port, access)) as caller,
            ):
                queries = _ask(caller, options.times)
                arriving_per_s = arrived()
    named = [one["p99_ms"] for name, one in queries.items() if name.startswith(_NAMING)]
    return {
        "events": options.events,
        "days": options.days,
        "arriving_per_s": options.arriving_per_s,
        "arrived_per_s": arriving_per_s,
        "queries": queries,
        "named_p99_ms": max(named),
        "searchable_from_journal_per_s": round(options.events / filled_s),
        "machine": machine(),
    }


def _fill_journal(site: Site, asked: ApiOptions) -> None:
    """As if they had come in over the years: the index is then made from the journal."""
    options = JournalOptions(key_file=site.paths.signing_key, position_file=site.paths.position)
    with JournalWriter.open(site.paths.journal, options) as writer:
        for batch in batches(received(asked.events, asked.days), _BATCH):
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
def _arriving(site: Site, repository: Running, per_s: int) -> Iterator[Callable[[], float]]:
    """While this holds, messages arrive at that pace; gives how many a second did until now."""
    if per_s == 0:
        yield lambda: 0.0
        return
    began, sent = monotonic(), 0
    plan = SenderPlan(
        host=LOOPBACK,
        port=repository.tls_port,
        tls=site.client_tls(),
        seed=2,
        messages=_DIFFERENT_S * per_s,
    )
    stop = threading.Event()
    block = max(1, round(per_s * _PACE_S))
    with sending([plan], block) as senders:

        def send() -> None:
            nonlocal sent
            while not stop.is_set():
                begun = monotonic()
                try:
                    senders.send(block)
                except AuditError:
                    return
                sent += block
                stop.wait(max(0.0, block / per_s - (monotonic() - begun)))

        thread = threading.Thread(target=send, name="arriving")
        thread.start()
        try:
            yield lambda: round(sent / (monotonic() - began), 1)
        finally:
            stop.set()
            thread.join()


def _ask(caller: Caller, times: int) -> dict[str, Any]:
    items = caller.search("", _SAMPLES)["items"]
    return {name: latencies(list(_timed(ask, times))) for name, ask in _asks(caller, items)}


def _asks(
    caller: Caller, items: Sequence[dict[str, Any]]
) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is asked, by the name of the figure; values are those of the newest events."""
    ids = cycle([item["id"] for item in items])
    for field_name in ("patient", "requestor", "study", "address"):
        values = _values(items, field_name)
        yield field_name, _each(caller.search, f'{field_name}:"{{}}"', values)
        yield f"{field_name}_facets", _each(caller.facets, f'{field_name}:"{{}}"', values)
        yield f"{field_name}_histogram", _each(caller.histogram, f'{field_name}:"{{}}"', values)
    for kind, field_name in _PIVOTS.items():
        values = _values(items, field_name)
        yield f"{kind}_pivot", _each(partial(caller.pivot, kind), "{}", values)
    yield "patient_name", _each(caller.search, '"{}"', _values(items, "patient_name"))
    combined = 'requestor:"{}" -category:query -outcome:success'
    yield "combined", _each(caller.search, combined, _values(items, "requestor"))
    yield "event", lambda: caller.event(next(ids))
    yield "facets", lambda: caller.facets("")
    yield "histogram", lambda: caller.histogram("")
    yield "home_page", caller.home


def _values(items: Sequence[dict[str, Any]], field_name: str) -> list[str]:
    values = (value for item in items for value in item.get(field_name) or ())
    return list(dict.fromkeys(value.replace('"', "") for value in values)) or ["none"]


def _each(
    ask: Callable[[str], object], question: str, values: Sequence[str]
) -> Callable[[], object]:
    source = cycle(values)
    return lambda: ask(question.format(next(source)))


def _timed(ask: Callable[[], object], times: int) -> Iterator[float]:
    """Seconds of each; the first one warms up and doesn't count."""
    ask()
    for _ in range(times):
        start = perf_counter()
        ask()
        yield perf_counter() - start
