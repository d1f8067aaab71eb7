"""A viewing workstation: opens studies, exports and imports them, and can break the glass."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any, Final

from pydicom.dataset import Dataset
from pynetdicom import build_role, evt
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association

from audit.errors import ConnectionFailed
from audit.nodes import media
from audit.nodes.callers import encoded
from audit.nodes.calls import Line, Peer, entity
from audit.nodes.dicom_tls import LOOPBACK, Credentials, TlsAssociationServer, listening
from audit.nodes.directory import Directory
from audit.nodes.facts import Group, Tally
from audit.nodes.instances import IMAGE_STORAGE
from audit.nodes.media import Medium
from audit.nodes.receptions import Reception, Receptions
from audit.nodes.registry import AeRegistry, Station
from audit.nodes.seat import Seat
from audit.nodes.sending import Sender
from audit.nodes.sentry import Sentry
from audit.nodes.sop_classes import STUDY_GET, STUDY_MOVE, UNCOMPRESSED, VERIFICATION, contexts_of
from audit.nodes.study_store import StoreLimits, Study, StudyStore
from audit.nodes.trail import Emit, Trail, process_of
from audit.record.build import Alert, AlertSubject, Exchange, MediaType, Outcome, SourceType

CACHE: Final = StoreLimits(max_studies=8, max_octets=64 * 1024 * 1024)
PENDING: Final = (0xFF00, 0xFF01)


class Retrieval(StrEnum):
    """How images come to the screen."""

    MOVE = "C-MOVE"
    GET = "C-GET"


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a workstation is set up with; ``shelf`` is the folder of its written media."""

    registry: AeRegistry
    archive: Peer
    directory: Directory
    shelf: Path


class Viewer:
    """A running workstation with one archive; ``seat`` is who sits there and what they ask."""

    def __init__(
        self,
        station: Station,
        credentials: Credentials,
        emit: Emit,
        workplace: Workplace,
    ) -> None:
        self.station = station
        self.trail = Trail(station, SourceType.USER_INTERFACE, emit)
        self._credentials = credentials
        self._registry = workplace.registry
        self._archive = workplace.archive
        self._entity = _viewer_entity(station, self._archive.station)
        self._line = Line(self._entity, credentials)
        self.seat = Seat(self.trail, self._line, workplace.directory, workplace.archive)
        self._sender = Sender(self._line, self.trail)
        self._sentry = Sentry(self.trail, frozenset({self._archive.station.ae_title}))
        self._receptions = Receptions(self._received)
        self._cache = StudyStore(CACHE, _forgotten)
        self._shelf = workplace.shelf
        self._labels = count(1)
        self._server: TlsAssociationServer | None = None

    def start(self) -> None:
        """Listen for images, and tell that the workstation is there."""
        handlers = [(evt.EVT_REJECTED, self._sentry.rejected), *self._receiving()]
        tls = self._credentials.accepting()
        refused = self._sentry.handshake_refused
        self._server = listening(self._entity, (LOOPBACK, 0), tls, refused, handlers)
        self._registry.enrol(self.station.ae_title, LOOPBACK, self._server.port)
        self.trail.started()

    def stop(self) -> None:
        """Log out, stop listening, and tell that the workstation is gone."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server = None
        self._entity.shutdown()
        self.seat.logout()
        self.trail.stopped()

    def open(self, study_uid: str, how: Retrieval = Retrieval.MOVE) -> tuple[Group, ...]:
        """Bring a study to the screen in the name of who sits here.

        Raises:
            ConnectionFailed: the archive can't be reached, or didn't send the study.
        """
        user = self.seat.user
        groups = Tally(self._fetched(study_uid, how)).groups()
        self.trail.accessed(user, groups)
        return groups

    def export(self, study_uid: str, kind: MediaType) -> Medium:
        """Write a study to a new medium.

        Raises:
            ConnectionFailed: the study couldn't be fetched.
        """
        datasets = self._fetched(study_uid, Retrieval.GET)
        label = f"{self.station.host.upper()}-{next(self._labels):04d}"
        medium = Medium(kind, label, self._shelf / label)
        media.write(medium, datasets)
        self.trail.exported(self.seat.user, medium.as_media, Tally(datasets).groups())
        return medium

    def take_in(self, medium: Medium) -> int:
        """Read a medium and send what it holds to the archive; how many instances it took."""
        datasets = media.read(medium)
        self.trail.imported(self.seat.user, medium.as_media, Tally(datasets).groups())
        return self._sender.send(self._archive, datasets, self.seat.user)

    @contextmanager
    def glass_broken(self, reason: str) -> Iterator[None]:
        """Access beyond one's rights in an emergency, told at its start and at its end."""
        self._override(Alert.EMERGENCY_OVERRIDE_STARTED, f"Emergency access begun: {reason}")
        try:
            yield
        finally:
            self._override(Alert.EMERGENCY_OVERRIDE_STOPPED, f"Emergency access ended: {reason}")

    def _override(self, alert: Alert, description: str) -> None:
        subject = AlertSubject(id=self.station.machine, description=description)
        self.trail.alert(alert, subject, user=self.seat.user, outcome=Outcome.SUCCESS)

    def _fetched(self, study_uid: str, how: Retrieval) -> list[Dataset]:
        identifier = Dataset()
        identifier.QueryRetrieveLevel = "STUDY"
        identifier.StudyInstanceUID = study_uid
        if how is Retrieval.MOVE:
            self._move(identifier)
        else:
            self._get(identifier)
        datasets = self._cache.select(identifier, ("StudyInstanceUID",))
        if not datasets:
            raise ConnectionFailed(f"{self._archive.station.ae_title} did not send {study_uid}")
        return datasets

    def _move(self, identifier: Dataset) -> None:
        contexts = contexts_of([STUDY_MOVE])
        with self._line.to(self._archive, contexts, user=self.seat.user) as association:
            _exhaust(association.send_c_move(identifier, self.station.ae_title, STUDY_MOVE))

    def _get(self, identifier: Dataset) -> None:
        roles = [build_role(storage, scp_role=True) for storage in IMAGE_STORAGE]
        with self._line.to(
            self._archive,
            contexts_of([STUDY_GET, *IMAGE_STORAGE]),
            user=self.seat.user,
            negotiation=roles,
            handlers=self._receiving(),
        ) as association:
            _exhaust(association.send_c_get(identifier, STUDY_GET))

    def _receiving(self) -> list[Any]:
        return [(evt.EVT_C_STORE, self._store), *self._receptions.handlers()]

    def _store(self, event: evt.Event) -> int:
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        new = self._cache.add(dataset, len(encoded(event, "DataSet")))
        self._receptions.count(event, dataset, new=new)
        return 0x0000

    def _received(self, _association: Association, reception: Reception) -> None:
        others = (self.trail.person(self.seat.user),) if self.seat.taken else ()
        exchange = Exchange(
            source=process_of(self._archive.station),
            destination=self.trail.process,
            others=others,
        )
        self.trail.transferred(reception.action, exchange, reception.tally.groups())


def _exhaust(answers: Iterator[Any]) -> Sequence[Any]:
    return list(answers)


def _forgotten(_study: Study) -> None:
    """A copy that leaves a workstation's cache is no deletion of the study."""


def _viewer_entity(station: Station, archive: Station) -> ApplicationEntity:
    made = entity(station.ae_title)
    made.require_calling_aet = [archive.ae_title]
    made.add_supported_context(VERIFICATION, list(UNCOMPRESSED))
    for storage in IMAGE_STORAGE:
        made.add_supported_context(storage, list(UNCOMPRESSED))
    return made
