"""The push process: the index's records to the receivers of a SIEM."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, Thread

from prometheus_client.metrics_core import Metric

from audit.errors import ConfigurationError, QuerySyntaxError
from audit.index.port import SearchIndex
from audit.journal.reader import JournalReader
from audit.query.access import ALL_SCOPES, Principal
from audit.query.audited_trail import AuditedTrail
from audit.query.language import parse_query
from audit.query.pseudonyms import Pseudonyms
from audit.query.search_options import SearchOptions
from audit.service.backends import open_index, wait_for_reader
from audit.service.metrics import counter, gauge, labelled, render
from audit.service.own_records import identity_of
from audit.service.paths import DataPaths
from audit.service.siem import disclosure_of, original_of, syslog_form
from audit.service.status import Status
from audit.service.web_options import own_key
from audit.settings import Settings
from audit.settings.siem import SiemDestination
from audit.siem.delivery import TlsDelivery
from audit.siem.disclosure import Discloser
from audit.siem.feed import Feed
from audit.siem.formats import Formatter, SiemFormat
from audit.siem.kept_place import DeadLetters, KeptPlace
from audit.siem.push import Push, PushCounters, PushOptions, PushParts
from audit.transport.append_socket import AppendClient
from audit.transport.tls import ClientTls, Trust

ROLE = "push"
NICENESS = 10
"""Intake, index and answers come first where the processor is scarce."""

_STOP_WITHIN_S = 0.8


class PushRole:
    """Serves every destination from a thread of its own."""

    def __init__(self, settings: Settings, paths: DataPaths) -> None:
        self._settings = settings
        self._paths = paths
        self._appends = AppendClient(paths.append_socket)
        self._stop = Event()
        self._index: SearchIndex | None = None
        self._reader: JournalReader | None = None
        self._deliveries: dict[str, TlsDelivery] = {}
        self._pushes: dict[str, Push] = {}
        self._threads: list[Thread] = []

    async def start(self) -> None:
        """Check the destinations, open the index."""
        with suppress(OSError):  # a courtesy, not a need
            os.nice(NICENESS)
        for name, destination in self._settings.siem.destinations.items():
            check_query(name, destination)
            self._deliveries[name] = delivery_of(name, destination)
        if not self._deliveries:
            raise ConfigurationError("there is nowhere to push to: set siem.destinations")
        self._index = open_index(self._settings, self._paths)

    async def run(self, stop: asyncio.Event) -> None:
        """Push, as soon as there is a journal to read, until asked to stop."""
        reader = await wait_for_reader(self._paths, stop)
        if reader is None or self._index is None:
            return
        self._reader = reader
        trail = AuditedTrail(
            self._index,
            reader,
            lambda raw: self._appends.append(raw, ROLE),
            SearchOptions(
                identity=identity_of(self._settings, ROLE),
                cursor_key=own_key(self._paths.cursor_key),
                pseudonym_key=own_key(self._paths.pseudonym_key),
            ),
        )
        for name in self._deliveries:
            push = self._push(name, trail, reader)
            self._pushes[name] = push
            thread = Thread(target=push.run, args=(self._stop,), name=f"push-{name}", daemon=True)
            self._threads.append(thread)
            thread.start()
        await stop.wait()

    async def stop(self) -> None:
        """Let the receivers confirm what they have, in bounded time, and close what was opened."""
        self._stop.set()
        end = time.monotonic() + _STOP_WITHIN_S
        for thread in self._threads:
            await asyncio.to_thread(thread.join, max(0.0, end - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            return  # it ends with the process, and its place is on disk
        self._appends.close()
        for part in (self._index, self._reader):
            if part is not None:
                part.close()

    def status(self) -> Status:
        """How far each destination is behind, and what it can't be told."""
        found = {name: push.counters for name, push in self._pushes.items()}
        failing = [name for name, one in found.items() if one.last_failure]
        detail = {name: _shown(one) for name, one in found.items()}
        return Status(
            role=ROLE,
            ready=bool(found) and not failing,
            pid=os.getpid(),
            updated=time.time_ns(),
            detail=detail or {"reason": "waits for the journal"},
            metrics=render(_metrics(found)),
        )

    def _push(self, name: str, trail: AuditedTrail, reader: JournalReader) -> Push:
        siem = self._settings.siem
        destination = siem.destinations[name]
        principal = Principal(
            f"push-{name}", f"push to {destination.host}", frozenset(ALL_SCOPES), "process"
        )
        discloser = Discloser(
            Pseudonyms(own_key(self._paths.pseudonym_key)), disclosure_of(self._settings)
        )
        parts = PushParts(
            Feed(trail, principal, destination.query, include_repeats=siem.repeats),
            Formatter(
                SiemFormat(destination.format),
                discloser,
                syslog_form(self._settings),
                original_of(reader),
                siem.max_values,
                siem.ocsf_version,
            ),
            self._deliveries[name],
            KeptPlace(self._paths.push / f"{name}.json", reader.origin),
            DeadLetters(self._paths.push / f"{name}.dead.ndjson"),
        )
        return Push(parts, push_options(name, self._settings))


def push_options(name: str, settings: Settings) -> PushOptions:
    """How a destination is served."""
    siem = settings.siem
    destination = siem.destinations[name]
    return PushOptions(
        name=name,
        begin_now=destination.begin == "now",
        max_octets=destination.max_octets,
        batch_records=siem.batch_records,
        confirm_records=siem.confirm_records,
        confirm_s=destination.confirm_s,
        confirms=destination.confirms,
        poll_s=siem.poll_s,
        longest_backoff_s=siem.longest_backoff_s,
    )


def check_query(name: str, destination: SiemDestination) -> None:
    """Whether the destination's query can be read.

    Raises:
        ConfigurationError: it can't.
    """
    try:
        parse_query(destination.query, now=time.time_ns())
    except QuerySyntaxError as error:
        raise ConfigurationError(f"siem.destinations.{name}.query: {error}") from error


def delivery_of(name: str, destination: SiemDestination) -> TlsDelivery:
    """The way to a destination.

    Raises:
        ConfigurationError: nobody vouches for the receiver, or a file can't be used.
    """
    if destination.ca is None and destination.enrolled is None:
        raise ConfigurationError(
            f"siem.destinations.{name}: set ca, or enrolled, so that the receiver can be trusted"
        )
    trust = Trust(
        ca_files=(destination.ca,) if destination.ca else (), enrolled_dir=destination.enrolled
    )
    tls = ClientTls(
        trust=trust,
        certificate=destination.certificate,
        private_key=destination.private_key,
        server_name=destination.server_name,
    )
    return TlsDelivery(destination.host, destination.port, tls)


def _shown(one: PushCounters) -> dict[str, str | int | bool]:
    known: dict[str, str | int | bool] = {
        "position": one.position,
        "confirmed": one.confirmed,
        "lag": one.lag_records,
        "connected": one.connected,
        "dead_letters": one.dead,
    }
    return known | ({"reason": one.last_failure} if one.last_failure else {})


_MEASURES: tuple[tuple[Metric, Callable[[PushCounters], float]], ...] = (
    (
        gauge("arr_siem_push_lag_records", "searchable entries that are not confirmed", 0),
        lambda one: one.lag_records,
    ),
    (
        gauge("arr_siem_push_lag_seconds", "age of the oldest record that waits to be sent", 0),
        lambda one: one.lag_s,
    ),
    (
        gauge("arr_siem_push_connected", "1 when a connection is open", 0),
        lambda one: float(one.connected),
    ),
    (
        counter("arr_siem_push_messages", "messages sent, those sent again included", 0),
        lambda one: one.sent,
    ),
    (
        counter("arr_siem_push_confirmations", "times that the receiver confirmed", 0),
        lambda one: one.confirmations,
    ),
    (
        counter("arr_siem_push_failures", "attempts that failed and were repeated", 0),
        lambda one: one.failures,
    ),
    (
        gauge("arr_siem_push_dead_letters", "records that can't be sent, ever", 0),
        lambda one: one.dead,
    ),
)


def _metrics(found: dict[str, PushCounters]) -> Iterator[Metric]:
    for family, measure in _MEASURES:
        yield labelled(
            family, "destination", [(name, measure(one)) for name, one in sorted(found.items())]
        )
