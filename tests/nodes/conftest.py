from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition

import pytest

from audit.nodes.archive import Archive, ArchiveOptions
from audit.nodes.calls import Peer
from audit.nodes.dicom_tls import Credentials
from audit.nodes.directory import Directory
from audit.nodes.people import Staff, clerks, staff
from audit.nodes.registry import FOREIGN_AE_TITLES, STATIONS, AeRegistry, Station
from audit.record.assess import assess
from audit.record.audit_message import AuditMessage
from audit.record.serialise import serialise
from audit.transport.pki import CertificateAuthority, KeyKind, Purpose, Request

WAIT_S = 10.0


class Sink:
    """Keeps what is emitted, and lets a test wait for it."""

    def __init__(self) -> None:
        self.messages: list[AuditMessage] = []
        self._changed = Condition()

    def emit(self, message: AuditMessage) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def of(self, code: str, kind: str | None = None) -> list[AuditMessage]:
        with self._changed:
            return [message for message in self.messages if _is(message, code, kind)]

    def wait_for(self, count: int, code: str, kind: str | None = None) -> list[AuditMessage]:
        with self._changed:
            self._changed.wait_for(lambda: len(self.of(code, kind)) >= count, WAIT_S)
        found = self.of(code, kind)
        assert len(found) >= count, [codes(message) for message in self.messages]
        return found


def verdicts(messages: list[AuditMessage]) -> set[tuple[str, str]]:
    """Tier and verdict of each message as the repository will see it."""
    found = [assess(serialise(message)) for message in messages]
    return {(str(one.tier), str(one.verdict)) for one in found}


def codes(message: AuditMessage) -> tuple[str, ...]:
    event = message.event_identification
    return (event.event_id.csd_code, *(kind.csd_code for kind in event.event_type_codes))


def _is(message: AuditMessage, code: str, kind: str | None) -> bool:
    found = codes(message)
    return found[0] == code and (kind is None or kind in found[1:])


@dataclass(frozen=True)
class Pki:
    """A hospital's authority, and one that nobody here trusts."""

    folder: Path
    authority: CertificateAuthority
    foreign: CertificateAuthority
    trusted: Path
    made: dict[str, Credentials] = field(default_factory=dict)

    def node(self, station: Station) -> Credentials:
        if station.ae_title not in self.made:
            self.made[station.ae_title] = self._write(
                self.authority, station.ae_title, (station.machine, "localhost", "127.0.0.1")
            )
        return self.made[station.ae_title]

    def stranger(self) -> Credentials:
        return self._write(self.foreign, "STRANGER", ("localhost",))

    def client(self, name: str) -> Credentials:
        return self._write(self.authority, name, ())

    def _write(
        self, authority: CertificateAuthority, name: str, hosts: tuple[str, ...]
    ) -> Credentials:
        issued = authority.issue(Request(name, hosts, Purpose.NODE))
        return Credentials(*issued.write(self.folder, name), self.trusted)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder = tmp_path_factory.mktemp("pki")
    authority = CertificateAuthority.create("Demo hospital CA")
    foreign = CertificateAuthority.create("Somebody else's CA", KeyKind.EC_P256)
    trusted, _ = authority.credentials.write(folder, "ca")
    return Pki(folder, authority, foreign, trusted)


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def registry() -> AeRegistry:
    known = {station.ae_title for station in STATIONS}
    return AeRegistry(frozenset(known | set(FOREIGN_AE_TITLES)))


@pytest.fixture
def people() -> tuple[Staff, ...]:
    return staff(1)


@pytest.fixture
def directory(people: tuple[Staff, ...]) -> Directory:
    return Directory(people + clerks(1))


MakeArchive = Callable[..., tuple[Archive, Peer]]


@pytest.fixture
def make_archive(
    pki: Pki, registry: AeRegistry, sink: Sink, people: tuple[Staff, ...]
) -> Iterator[MakeArchive]:
    running: list[Archive] = []

    def make(options: ArchiveOptions | None = None) -> tuple[Archive, Peer]:
        options = options or ArchiveOptions()
        archive = Archive(options, pki.node(options.station), registry, sink.emit, people)
        running.append(archive)
        return archive, archive.start()

    yield make
    for archive in running:
        archive.stop()
