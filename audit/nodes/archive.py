"""The image archive: stores, answers queries, sends on demand, commits, and tells the trail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association

from audit.nodes.callers import Callers, encoded
from audit.nodes.calls import Line, Peer, entity
from audit.nodes.commitment import Commitments
from audit.nodes.dicom_tls import LOOPBACK, Credentials, TlsAssociationServer, listening
from audit.nodes.facts import Tally, text_of
from audit.nodes.find import IdentifierRefused, answers, root_of
from audit.nodes.people import Staff
from audit.nodes.receptions import Reception, Receptions
from audit.nodes.registry import ARCHIVE, AeRegistry, Station
from audit.nodes.retrieve import Retrievals
from audit.nodes.sentry import Sentry
from audit.nodes.sop_classes import (
    COMMITMENT,
    PATIENT_FIND,
    PATIENT_GET,
    PATIENT_MOVE,
    STORAGE,
    STUDY_FIND,
    STUDY_GET,
    STUDY_MOVE,
    TRANSFER_SYNTAXES,
    UNCOMPRESSED,
    VERIFICATION,
)
from audit.nodes.study_store import StoreLimits, Study, StudyStore
from audit.nodes.trail import WELL, Emit, Outcomes, Trail, caller
from audit.record.build import DicomQuery, Exchange, Outcome, SourceType
from audit.record.build.wording import require_uid

SUCCESS: Final = 0x0000
PENDING: Final = 0xFF00
CANCELLED: Final = 0xFE00
OUT_OF_RESOURCES: Final = 0xA700
DOES_NOT_FIT: Final = 0xA900
UNANSWERED: Final = Outcomes(Outcome.SERIOUS_FAILURE, "the identifier could not be answered")
TOO_MANY: Final = Outcomes(Outcome.MINOR_FAILURE, "too many answers")
SERVICES: Final = (
    VERIFICATION,
    COMMITMENT,
    PATIENT_FIND,
    PATIENT_GET,
    PATIENT_MOVE,
    STUDY_FIND,
    STUDY_GET,
    STUDY_MOVE,
)
NEEDED_UIDS: Final = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveOptions:
    """Where the archive listens (port 0: a free one), its title, its bounds.

    ``max_answers`` bounds the answers to one query; beyond it the query fails as too broad.
    """

    host: str = LOOPBACK
    port: int = 0
    station: Station = ARCHIVE
    limits: StoreLimits = field(default_factory=StoreLimits)
    max_answers: int = 500


class Archive:
    """A running archive; ``registry`` says who may call and where images may go."""

    def __init__(
        self,
        options: ArchiveOptions,
        credentials: Credentials,
        registry: AeRegistry,
        emit: Emit,
        staff: tuple[Staff, ...] = (),
    ) -> None:
        self._options = options
        self._credentials = credentials
        self.trail = Trail(options.station, SourceType.DATABASE_SERVER, emit)
        self.store = StudyStore(options.limits, self._deleted)
        self._callers = Callers(staff)
        self._entity = _archive_entity(options.station, registry)
        self._commitments = Commitments(self.store, Line(self._entity, credentials), registry)
        self._receptions = Receptions(self._received)
        self._retrievals = Retrievals(self.store, self.trail, self._callers, registry, credentials)
        self._sentry = Sentry(self.trail, registry.callers)
        self._server: TlsAssociationServer | None = None

    def start(self) -> Peer:
        """Listen, and tell that the archive is there; returns where it listens."""
        options = self._options
        server = listening(
            self._entity,
            (options.host, options.port),
            self._credentials.accepting(),
            self._sentry.handshake_refused,
            self._handlers(),
        )
        self._server = server
        self._commitments.start()
        self.trail.started()
        return Peer(options.station, options.host, server.port)

    def stop(self) -> None:
        """Stop listening, end open associations, and tell that the archive is gone."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server = None
        self._commitments.stop()
        self._entity.shutdown()
        self.trail.stopped()

    def _handlers(self) -> list[Any]:
        return [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_MOVE, self._retrievals.move),
            (evt.EVT_C_GET, self._retrievals.get),
            (evt.EVT_N_ACTION, self._commitments.requested),
            (evt.EVT_USER_ID, _claimed),
            (evt.EVT_REJECTED, self._sentry.rejected),
            *self._receptions.handlers(),
        ]

    def _store(self, event: evt.Event) -> int:
        """Keep an instance that can be told apart by valid UIDs, if it is not too large."""
        dataset = event.dataset
        if not _identified(dataset):
            self._receptions.failed(event)
            return DOES_NOT_FIT
        octets = len(encoded(event, "DataSet"))
        if not self.store.fits(text_of(dataset, "StudyInstanceUID"), octets):
            self._receptions.failed(event)
            return OUT_OF_RESOURCES
        dataset.file_meta = event.file_meta
        self._receptions.count(event, dataset, new=self.store.add(dataset, octets))
        return SUCCESS

    def _find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        ended = UNANSWERED
        try:
            found = answers(
                self.store,
                root_of(event.context.abstract_syntax),
                event.identifier,
                self._options.station.ae_title,
            )
            ended = TOO_MANY if len(found) > self._options.max_answers else WELL
        except IdentifierRefused as refusal:
            ended = Outcomes(Outcome.MINOR_FAILURE, str(refusal))
            yield DOES_NOT_FIT, None
            return
        finally:
            self._queried(event, ended)
        yield from _answer(event, found, ended)

    def _queried(self, event: evt.Event, ended: Outcomes) -> None:
        """Tell of the query with its identifier exactly as it came over the network."""
        identifier = encoded(event, "Identifier")
        if not identifier:
            return
        asked = DicomQuery(
            sop_class_uid=str(event.context.abstract_syntax),
            identifier=identifier,
            transfer_syntax_uid=str(event.context.transfer_syntax),
        )
        exchange = self._callers.exchange_in(event.assoc, self.trail.process)
        self.trail.queried(exchange, asked, ended)

    def _received(self, association: Association, reception: Reception) -> None:
        told = self._callers.exchange_in(association, self.trail.process)
        address = str(association.requestor.address)
        movers = [caller(title, address) for title in sorted(reception.originators)]
        exchange = Exchange(
            source=told.source, destination=told.destination, others=(*told.others, *movers)
        )
        self.trail.transferred(reception.action, exchange, reception.tally.groups())

    def _deleted(self, study: Study) -> None:
        self.trail.deleted(Tally(study.instances.values()).groups())


def _archive_entity(station: Station, registry: AeRegistry) -> ApplicationEntity:
    made = entity(station.ae_title)
    made.require_calling_aet = sorted(registry.callers)
    for service in SERVICES:
        made.add_supported_context(service, list(UNCOMPRESSED))
    for storage in STORAGE:
        made.add_supported_context(storage, list(TRANSFER_SYNTAXES), scu_role=True, scp_role=True)
    return made


def _answer(
    event: evt.Event, found: Sequence[Dataset], ended: Outcomes
) -> Iterator[tuple[int, Dataset | None]]:
    if ended is TOO_MANY:
        yield OUT_OF_RESOURCES, None
        return
    for answer in found:
        if event.is_cancelled:
            yield CANCELLED, None
            return
        yield PENDING, answer


def _identified(dataset: Dataset) -> bool:
    try:
        for keyword in NEEDED_UIDS:
            require_uid(text_of(dataset, keyword), keyword, "A.5.3.7")
    except ValueError:
        return False
    return True


def _claimed(_event: evt.Event) -> tuple[bool, None]:
    """A user's name is taken on the word of the node, whose certificate vouches for it."""
    return True, None
