"""A whole repository in one folder: journal, index, search, state, and the application on it."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time_ns
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from audit.api.access import Doorkeeper
from audit.api.administration import create_administration_routes
from audit.api.app import create_api_routes
from audit.api.exports import create_export_routes
from audit.api.fhir import create_fhir_routes
from audit.api.identities import create_identity_routes
from audit.api.log import PublishedLog, create_log_routes
from audit.api.reports import create_report_routes
from audit.api.siem import SiemFeedOptions, create_siem_routes
from audit.api.syslog_search import create_syslog_search_routes
from audit.dashboard.app import Pages, create_page_routes
from audit.dashboard.options import PageOptions
from audit.dashboard.sign_in import SignIn
from audit.errors import JournalUnavailable
from audit.fhir.options import FhirOptions
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from audit.journal.entry import Received
from audit.journal.note import Signer
from audit.journal.reader import JournalReader
from audit.journal.writer import JournalOptions, JournalWriter
from audit.projector.follow import Follower
from audit.query.access import READ_SCOPES, Principal, Scope
from audit.query.evidence.options import EvidenceOptions
from audit.query.export_forms import ExportMaker
from audit.query.exports.jobs import ExportJobOptions, ExportJobs
from audit.query.identities import Identities
from audit.query.reports.service import ReportService
from audit.query.search import SearchOptions, SearchService
from audit.query.self_audit import RepositoryIdentity
from audit.record.build import Alert
from audit.service.access import sign_in_recorder
from audit.service.own_records import OwnRecords
from audit.service.siem import original_of
from audit.simulate.hospital import HospitalShape, simulate
from audit.state.database import Database
from audit.state.options import PasswordOptions, StateOptions
from audit.state.store import StateStore
from audit.web.application import create_app
from audit.web.options import WebOptions

PASSWORD = "correct horse battery"
PEER_CERTIFICATE = bytes(32)
PLAIN = WebOptions(https=False, allowed_hosts=("testserver", "127.0.0.1"))
IDENTITY = RepositoryIdentity(
    source_id="arr", hostname="arr.test", process_id="1", log_uri="urn:test:log"
)


@dataclass
class Stack:
    """Everything behind the web faces.

    Attributes:
        journal_fails: the journal refuses.
        journals_all: sign-ins and changes are journaled, too, not only looks.
    """

    writer: JournalWriter
    reader: JournalReader
    index: SqliteIndex
    search: SearchService
    state: StateStore
    follower: Follower
    signed_in: list[SignIn] = field(default_factory=list)
    changes: list[tuple[str, str]] = field(default_factory=list)
    journal_fails: bool = False
    journals_all: bool = False
    folder: Path = Path()

    def append(self, raw: bytes, *, listener: str = "internal", at: int | None = None) -> int:
        """Journal one message; its sequence."""
        if self.journal_fails:
            raise JournalUnavailable("the journal can't be reached")
        received = Received(raw, at or time_ns(), listener, "192.0.2.7:50100")
        return self.writer.append([received])[0]

    def append_fed(self, raws: Sequence[bytes], _peer: str) -> tuple[int, ...]:
        """Journal what came over FHIR."""
        return tuple(self.append(raw, listener="fhir") for raw in raws)

    def add(self, messages: Iterable[bytes], *, at: int | None = None) -> list[int]:
        """Journal messages of senders and make them searchable; their sequences."""
        sequences = [self.append(raw, listener="tls", at=at) for raw in messages]
        self.catch_up()
        return sequences

    def catch_up(self) -> None:
        """Make searchable whatever is journaled."""
        while self.follower.step():
            pass

    def own_records(self) -> list[bytes]:
        """The repository's own records, in order."""
        entries = self.reader.iterate(0)
        return [e.received.raw for e in entries if e.received.listener == "internal"]

    def record_sign_in(self, facts: SignIn) -> None:
        """Note it, and journal it as the service does where ``journals_all``."""
        self._journal_beside(lambda append: sign_in_recorder(append, self.own)(facts))
        self.signed_in.append(facts)

    def record_change(self, principal: Principal, what: str) -> None:
        """Note a change, and journal it as the service does where ``journals_all``."""
        kind = Alert.USER_SECURITY_ATTRIBUTES_CHANGED
        changed = self.own.configuration(principal.name, what, kind)
        self._journal_beside(lambda append: append(changed))
        self.changes.append((principal.name, what))

    def _journal_beside(self, journal: Callable[[Callable[[bytes], int]], object]) -> None:
        """Most tests count records of looks: to them, others are a call that may fail."""
        if self.journals_all:
            journal(self.append)
        elif self.journal_fails:
            raise JournalUnavailable("the journal can't be reached")

    @property
    def own(self) -> OwnRecords:
        """Makes the repository's own records."""
        return OwnRecords(IDENTITY)

    def token(self, *scopes: str) -> str:
        """A new API token with these scopes; all that read when none is named."""
        held = scopes or READ_SCOPES
        return self.state.tokens.create("reader", "officer", held, 3600).secret

    def account(self, name: str = "officer", scopes: Iterable[str] = tuple(Scope)) -> str:
        """A new account, known by PASSWORD; its name."""
        account = self.state.accounts.create(
            name, PASSWORD, display_name=name.title(), scopes=scopes
        )
        return account.name


@cache
def empty_state() -> bytes:
    """The file of a state store that nothing was put into: its tables take a while to make."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "state.db"
        Database(f"sqlite:///{file}").close()
        return file.read_bytes()


@contextlib.contextmanager
def stack(
    folder: Path, clock: Callable[[], int] = time_ns, reason_for: frozenset[str] = frozenset()
) -> Iterator[Stack]:
    """A repository in an empty folder."""
    position = folder / "journal.position"
    options = JournalOptions(key_file=folder / "key", position_file=position)
    writer = JournalWriter.open(folder / "journal", options)
    reader = JournalReader(folder / "journal", position)
    index = SqliteIndex(SqliteIndexOptions(directory=folder / "index"))
    quick = PasswordOptions(memory_kib=64, passes=1, lanes=1)
    (folder / "state.db").write_bytes(empty_state())
    state = StateStore(f"sqlite:///{folder / 'state.db'}", StateOptions(passwords=quick), clock)

    def append(raw: bytes) -> int:
        return made.append(raw)

    asking = SearchOptions(identity=IDENTITY, clock=clock, reason_for=reason_for)
    search = SearchService(index, reader, append, asking, Identities(state.aliases))
    made = Stack(writer, reader, index, search, state, Follower(reader, index), folder=folder)
    try:
        yield made
    finally:
        state.close()
        index.close()
        reader.close()
        writer.close()


def application(
    stack: Stack,
    web: WebOptions | None = None,
    pages: PageOptions | None = None,
    siem: SiemFeedOptions | None = None,
    jobs_per_owner: int = 10,
) -> FastAPI:
    """The composition that the service makes: API and pages, one application."""
    web = web or PLAIN
    made = _pages(stack, web, pages)
    door = Doorkeeper.of(stack.state, web)
    api = create_api_routes(stack.search, door, web)
    exports = create_export_routes(maker_of(stack), jobs_of(stack, jobs_per_owner), door)
    reporting = ReportService(stack.search.trail, aliases=stack.state.aliases)
    reports = create_report_routes(reporting, door)
    feed = create_siem_routes(stack.search.trail, door, siem or siem_options(stack))
    identities = create_identity_routes(
        stack.search.trail, stack.state.aliases, door, stack.record_change
    )
    administration = create_administration_routes(
        stack.state, door, stack.record_change, stack.search.trail.audit
    )
    log = create_log_routes(
        PublishedLog(stack.folder / "journal", stack.reader), door, stack.search.trail
    )
    fhir = create_fhir_routes(stack.search.trail, stack.append_fed, door, FhirOptions())
    syslog = create_syslog_search_routes(stack.search.trail, door, FhirOptions())
    looks = [api, exports, reports, identities, feed, syslog, fhir, log]
    return create_app(web, [*looks, administration, made.router], page_error=made.error)


def dashboard(
    stack: Stack, web: WebOptions | None = None, pages: PageOptions | None = None
) -> FastAPI:
    """The pages alone: the routes of the API take as long again to make."""
    web = web or PLAIN
    made = _pages(stack, web, pages)
    return create_app(web, [made.router], page_error=made.error)


def _pages(stack: Stack, web: WebOptions, pages: PageOptions | None) -> Pages:
    options = pages or PageOptions(https=web.https)
    return create_page_routes(stack.search, stack.state, stack.record_sign_in, options)


def siem_options(stack: Stack, **changes: Any) -> SiemFeedOptions:
    """The feed as the default settings make it, but for what is named."""
    given: dict[str, Any] = {
        "pseudonym_key": bytes(32),
        "read_original": original_of(stack.reader),
        "poll_s": 0.01,
    }
    return SiemFeedOptions(**(given | changes))


def maker_of(stack: Stack) -> ExportMaker:
    """Makes exports; for bundles the test publishes heads."""
    signer = Signer("test/exporter", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    journal = stack.folder / "journal"
    options = EvidenceOptions(journal_dir=journal, signer=signer, head_patience_s=0.0)
    return ExportMaker(stack.search.trail, lambda: options)


def jobs_of(stack: Stack, most_per_owner: int = 10) -> ExportJobs:
    """Keeps exports beside the rest."""
    folder = stack.folder / "exports"
    return ExportJobs(ExportJobOptions(folder=folder, most_per_owner=most_per_owner))


def hospital_day(events: int, seed: int = 7) -> list[bytes]:
    """Messages of a simulated hospital in the last 20 hours."""
    start = datetime.now(UTC) - timedelta(hours=20)
    shape = HospitalShape(wrongdoing_every=200)
    messages = simulate(seed, start, days=0.8, events=events, shape=shape)
    return [message.syslog for message in messages]
