"""A modality: acquires, sends to the archive over TLS, and asks it to commit to what it got."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Condition
from typing import Any, Final

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.ae import ApplicationEntity

from audit.errors import ConnectionFailed
from audit.nodes.calls import Line, Peer, entity
from audit.nodes.dicom_tls import LOOPBACK, Credentials, TlsAssociationServer, listening
from audit.nodes.facts import Tally, text_of
from audit.nodes.instances import Examination, instances, new_uid
from audit.nodes.people import Staff
from audit.nodes.registry import AeRegistry, Station
from audit.nodes.sending import Sender
from audit.nodes.sentry import Sentry
from audit.nodes.sop_classes import (
    COMMITMENT,
    COMMITMENT_INSTANCE,
    UNCOMPRESSED,
    VERIFICATION,
    contexts_of,
)
from audit.nodes.trail import Emit, Trail
from audit.record.build import Action, SourceType

COMMITMENT_TIMEOUT_S: Final = 5.0
REQUEST: Final = 1
ALL_KEPT: Final = 1


@dataclass(frozen=True, slots=True)
class Performed:
    """How an examination ended: instances stored, and whether the archive committed to all."""

    stored: int
    committed: bool


class Modality:
    """A running modality that sends to one archive."""

    def __init__(
        self,
        station: Station,
        credentials: Credentials,
        registry: AeRegistry,
        emit: Emit,
        archive: Peer,
    ) -> None:
        self.station = station
        self.trail = Trail(station, SourceType.ACQUISITION_DEVICE, emit)
        self._credentials = credentials
        self._registry = registry
        self._archive = archive
        self._entity = _modality_entity(station, archive.station)
        self._line = Line(self._entity, credentials)
        self._sender = Sender(self._line, self.trail)
        self._sentry = Sentry(self.trail, frozenset({archive.station.ae_title}))
        self._committed: dict[str, bool] = {}
        self._told = Condition()
        self._server: TlsAssociationServer | None = None

    def start(self) -> None:
        """Listen for commitment results, and tell that the modality is there."""
        server = listening(
            self._entity,
            (LOOPBACK, 0),
            self._credentials.accepting(),
            self._sentry.handshake_refused,
            self._handlers(),
        )
        self._server = server
        self._registry.enrol(self.station.ae_title, LOOPBACK, server.port)
        self.trail.started()

    def stop(self) -> None:
        """Stop listening, and tell that the modality is gone."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server = None
        with self._told:
            self._told.notify_all()
        self._entity.shutdown()
        self.trail.stopped()

    def perform(self, examination: Examination, operator: Staff | None = None) -> Performed:
        """Acquire, send, have it committed, and record the procedure as done."""
        datasets = list(instances(examination))
        stored = self._sender.send(self._archive, datasets, operator)
        committed = stored == len(datasets) and self._commit(datasets)
        for group in Tally(datasets).groups():
            self.trail.procedure(Action.UPDATE, group.patient, group.studies, operator)
        return Performed(stored, committed)

    def _commit(self, datasets: Sequence[Dataset]) -> bool:
        """Ask the archive to commit and wait for its word (PS3.4 J.3)."""
        request = Dataset()
        request.TransactionUID = transaction = new_uid()
        request.ReferencedSOPSequence = [_reference(dataset) for dataset in datasets]
        try:
            with self._line.to(self._archive, contexts_of([COMMITMENT])) as association:
                answer, _ = association.send_n_action(
                    request, REQUEST, COMMITMENT, COMMITMENT_INSTANCE
                )
        except (ConnectionFailed, RuntimeError, ValueError):
            return False
        return answer.get("Status") == 0 and self._word_on(transaction)

    def _word_on(self, transaction: str) -> bool:
        with self._told:
            self._told.wait_for(
                lambda: transaction in self._committed or self._server is None,
                COMMITMENT_TIMEOUT_S,
            )
            return self._committed.pop(transaction, False)

    def _reported(self, event: evt.Event) -> tuple[int, None]:
        transaction = text_of(event.event_information, "TransactionUID")
        with self._told:
            self._committed[transaction] = event.event_type == ALL_KEPT
            self._told.notify_all()
        return 0x0000, None

    def _handlers(self) -> list[Any]:
        return [
            (evt.EVT_N_EVENT_REPORT, self._reported),
            (evt.EVT_REJECTED, self._sentry.rejected),
        ]


def _modality_entity(station: Station, archive: Station) -> ApplicationEntity:
    made = entity(station.ae_title)
    made.require_calling_aet = [archive.ae_title]
    made.add_supported_context(VERIFICATION, list(UNCOMPRESSED))
    made.add_supported_context(COMMITMENT, list(UNCOMPRESSED), scu_role=True, scp_role=True)
    return made


def _reference(dataset: Dataset) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = dataset.SOPClassUID
    reference.ReferencedSOPInstanceUID = dataset.SOPInstanceUID
    return reference
