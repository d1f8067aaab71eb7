"""The web process: API and pages."""

import asyncio
import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager

import structlog
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from typing_extensions import override

from audit.api.access import Doorkeeper
from audit.api.app import create_api_routes
from audit.api.exports import create_export_routes
from audit.api.log import PublishedLog, create_log_routes
from audit.api.reports import create_report_routes
from audit.api.siem import create_siem_routes
from audit.dashboard.app import create_page_routes
from audit.errors import AuditError
from audit.garbage import spare_collections
from audit.index.port import SearchIndex
from audit.journal.checkpoint_cosigned import CosignedHeads
from audit.journal.reader import JournalReader
from audit.query.audited_trail import AuditedTrail
from audit.query.exports.jobs import ExportJobs
from audit.query.identities import Identities
from audit.query.reports.service import ReportService
from audit.query.search import SearchService
from audit.service.access import (
    Access,
    administration_routes,
    ask_for_certificates,
    sign_in_recorder,
)
from audit.service.asking import identity_options, merge_options, search_options
from audit.service.backends import open_index, wait_for_reader
from audit.service.exports import export_jobs, export_maker
from audit.service.fhir import fhir_options, fhir_routes
from audit.service.identities import identity_routes, learner
from audit.service.ops import bind
from audit.service.own_records import OwnRecords, identity_of
from audit.service.paths import DataPaths
from audit.service.reports import report_options
from audit.service.siem import siem_feed_options
from audit.service.status import Status
from audit.service.web_options import (
    own_key,
    page_options,
    state_options,
    web_options,
    web_tls,
)
from audit.settings import Settings
from audit.state.aliases import Aliases
from audit.state.store import StateStore
from audit.transport.append_socket import AppendClient
from audit.web.application import create_app
from audit.web.middleware import RequestFacts
from audit.web.server import HttpServer

ROLE = "web"
CLEANUP_INTERVAL_S = 60.0

log = structlog.get_logger()


class _Server(HttpServer):
    """Leaves signals to the process."""

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


class WebRole:
    """Serves API and pages over one listener."""

    def __init__(self, settings: Settings, paths: DataPaths) -> None:
        self._settings = settings
        self._paths = paths
        self._own = OwnRecords(identity_of(settings, ROLE))
        self._appends = AppendClient(paths.append_socket)
        self._metrics = RequestMetrics()
        self._access: Access | None = None
        self._index: SearchIndex | None = None
        self._reader: JournalReader | None = None
        self._state: StateStore | None = None
        self._jobs: ExportJobs | None = None
        self._socket: socket.socket | None = None
        self._server: _Server | None = None

    async def start(self) -> None:
        """Check the settings, open index and state, bind the listener."""
        settings = self._settings
        self._access = Access.of(settings)
        self._options = self._access.web(web_options(settings))
        self._pages = self._access.pages(page_options(settings))
        self._tls = web_tls(settings)
        ask_for_certificates(self._tls, settings)
        self._index = open_index(settings, self._paths)
        self._state = StateStore(state_url(self._paths), state_options(settings))
        self._socket = await bind(settings.web.host, settings.web.port, "web.port")

    async def run(self, stop: asyncio.Event) -> None:
        """Serve, as soon as there is a journal to read, until asked to stop."""
        reader = await wait_for_reader(self._paths, stop)
        if reader is None or self._socket is None:
            return
        self._reader = reader
        self._server = _Server(self._application(reader), self._options, tls=self._tls)
        spare_collections()
        serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        cleaning = asyncio.create_task(self._clean())
        learning = asyncio.create_task(self._learn())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        self._server.stop()
        for task in (cleaning, learning, stopping):
            task.cancel()
        await serving

    async def stop(self) -> None:
        """Close what was opened."""
        if self._jobs is not None:
            await asyncio.to_thread(self._jobs.close)
        self._appends.close()
        if self._access is not None:
            self._access.close()
        for part in (self._index, self._reader, self._state, self._socket):
            if part is not None:
                part.close()

    def status(self) -> Status:
        """Whether pages and API are answered."""
        serving = self._server is not None and self._server.started
        detail: dict[str, str | int] = {} if serving else {"reason": "waits for the journal"}
        if self._socket is not None and self._socket.fileno() >= 0:
            detail["port"] = self._socket.getsockname()[1]
        return Status(
            role=ROLE,
            ready=serving,
            pid=os.getpid(),
            updated=time.time_ns(),
            detail=detail,
            metrics=self._metrics.text(),
        )

    def _application(self, reader: JournalReader) -> FastAPI:
        if self._index is None or self._state is None:
            raise AssertionError("started before it serves")
        search = SearchService(
            self._index,
            reader,
            self._append,
            search_options(self._settings, self._paths, self._own.identity),
            Identities(self._state.aliases, identity_options(self._settings)),
        )
        recorder = sign_in_recorder(self._append, self._own)
        pages = create_page_routes(search, self._state, recorder, self._pages)
        door = Doorkeeper.of(self._state, self._options)
        api = create_api_routes(search, door, self._options)
        feed = siem_feed_options(self._settings, self._paths, reader)
        siem = create_siem_routes(search.trail, door, feed)
        fhir = self._fhir_routes(search.trail, door)
        aliases = self._state.aliases
        return create_app(
            self._options,
            (
                api,
                *self._taken_out_routes(search.trail, aliases, door),
                identity_routes(search.trail, aliases, door, self._append, self._own),
                siem,
                *fhir,
                administration_routes(self._state, door, self._append, self._own),
                self._log_routes(search.trail, reader, door),
                pages.router,
            ),
            page_error=pages.error,
            observe=self._metrics.observe,
        )

    def _taken_out_routes(
        self, trail: AuditedTrail, aliases: Aliases, door: Doorkeeper
    ) -> tuple[APIRouter, ...]:
        """Exports and reports."""
        maker = export_maker(trail, self._settings, self._paths)
        self._jobs = export_jobs(self._settings, self._paths)
        reports = ReportService(trail, report_options(self._settings), aliases)
        return (
            create_export_routes(maker, self._jobs, door, self._options.tail_session_s),
            create_report_routes(reports, door),
        )

    def _fhir_routes(self, trail: AuditedTrail, door: Doorkeeper) -> tuple[APIRouter, ...]:
        options = fhir_options(self._settings, own_key(self._paths.cursor_key))
        return fhir_routes(trail, self._appends, door, options)

    def _log_routes(
        self, trail: AuditedTrail, reader: JournalReader, door: Doorkeeper
    ) -> APIRouter:
        witnessed = bool(self._settings.journal.witnesses)
        log_shown = PublishedLog(
            self._paths.journal, reader, CosignedHeads(self._paths.cosigned) if witnessed else None
        )
        return create_log_routes(log_shown, door, trail, self._options.tail_session_s)

    def _append(self, raw: bytes) -> int:
        return self._appends.append(raw, ROLE)

    async def _clean(self) -> None:
        while True:
            await asyncio.sleep(CLEANUP_INTERVAL_S)
            if self._state is not None:
                try:
                    await asyncio.to_thread(self._state.cleanup)
                    if self._jobs is not None:
                        await asyncio.to_thread(self._jobs.forget_expired)
                except AuditError as error:
                    log.warning("the state store was not cleaned", reason=str(error))

    async def _learn(self) -> None:
        """Take identities from what came in since; what fails is tried again the next time."""
        if self._index is None or self._state is None:
            return
        options = merge_options(self._settings)
        learn = learner(self._index, self._state, self._append, self._own, options)
        while True:
            await asyncio.sleep(self._settings.identities.learn_every_s)
            try:
                await asyncio.to_thread(learn)
            except AuditError as error:
                log.warning("no identities were learned", reason=str(error))


def state_url(paths: DataPaths) -> str:
    """The SQLAlchemy URL of the state store."""
    return f"sqlite:///{paths.state.absolute()}"


class RequestMetrics:
    """Counts requests by route; the labels name nobody."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "arr_http_requests",
            "requests answered",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._durations = Histogram(
            "arr_http_request_duration_seconds",
            "time until the answer was handed over",
            registry=self._registry,
        )

    def observe(self, facts: RequestFacts) -> None:
        """Count one request."""
        self._requests.labels(facts.route, facts.method, str(facts.status)).inc()
        self._durations.observe(facts.duration_s)

    def text(self) -> str:
        """Prometheus text."""
        return generate_latest(self._registry).decode()
