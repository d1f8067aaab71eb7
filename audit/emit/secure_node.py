"""SecureNode: what a DICOM application holds to report its acts (PS3.15 A.5, IHE ITI-20)."""

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from audit.emit.outbox import Loss, Outbox, OutboxOptions, Sink
from audit.frame.syslog import format_message
from audit.record.audit_message import AuditMessage, AuditSource
from audit.record.build import (
    Action,
    Agent,
    Alert,
    AlertSubject,
    ApplicationActivity,
    Authentication,
    DicomQuery,
    Exchange,
    Media,
    NetworkEntry,
    Node,
    Occurrence,
    Outcome,
    Patient,
    Person,
    Process,
    Study,
    UrlQuery,
    application_activity,
    audit_log_used,
    begin_transferring,
    data_export,
    data_import,
    instances_accessed,
    instances_transferred,
    network_entry,
    order_record,
    patient_record,
    procedure_record,
    query,
    security_alert,
    study_deleted,
    user_authentication,
)
from audit.record.serialise import serialise

_NOTICE, _WARNING = 5, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an act ended, and when if not just now."""

    outcome: Outcome = Outcome.SUCCESS
    description: str | None = None
    when: datetime | None = None


WELL = Ending()


def _now() -> datetime:
    return datetime.now(UTC).astimezone()


class SecureNode:
    """Reports what this application does. Thread-safe; no method waits for disk or network.

    Each method builds one message, strict by construction, and raises TypeError or ValueError for
    arguments that no message can hold (see `audit.record.build`); ``emit`` takes a message built
    elsewhere. What can't be handed on for lack of room is counted in ``lost``, and reported as
    Audit Recording Stopped and Started (110133, 110134) once the sink takes messages again.

    Args:
        source: the audit source that reports.
        process: this application: process id, name, AE titles, address.
        sink: where messages go; closed with the node.
        options: limits of the queue before the sink.
        clock: gives an aware time.
    """

    def __init__(
        self,
        source: AuditSource,
        process: Process,
        sink: Sink,
        options: OutboxOptions | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.source = source
        self.process = process
        self._clock = clock
        self._host = socket.gethostname()
        self._procid = str(os.getpid())
        self._outbox = Outbox(sink, self._loss_reports, options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -------- delivery

    @property
    def waiting(self) -> int:
        """Messages not yet handed to the sink."""
        return self._outbox.waiting

    @property
    def lost(self) -> int:
        """Messages that could be neither sent nor kept, since the start."""
        return self._outbox.lost

    @property
    def last_error(self) -> str:
        """Why messages aren't handed on at the moment; empty when they are."""
        return self._outbox.last_error

    def emit(self, message: AuditMessage) -> None:
        """Take one message."""
        self._outbox.put(self._framed(message))

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything is delivered; False when the time was too short."""
        return self._outbox.flush(timeout_s)

    def close(self, drain_s: float = 2.0) -> int:
        """Deliver what the time allows, then end; how many messages were not delivered."""
        return self._outbox.close(drain_s)

    def _framed(self, message: AuditMessage) -> bytes:
        outcome = message.event_identification.event_outcome_indicator
        return format_message(
            severity=_NOTICE if outcome == Outcome.SUCCESS else _WARNING,
            hostname=self._host,
            app_name=self.process.name or self.source.audit_source_id,
            procid=self._procid,
            timestamp=self._clock(),
            msg=serialise(message),
        )

    def _loss_reports(self, loss: Loss) -> tuple[bytes, ...]:
        about = f"{loss.count} audit messages were lost"
        span = f"{about} from {loss.since.isoformat()} to {loss.until.isoformat()}"
        return tuple(
            self._framed(
                security_alert(
                    Occurrence(when=when, source=self.source, outcome=Outcome.SERIOUS_FAILURE),
                    alert,
                    (self.process,),
                    (AlertSubject(id=self._host, description=span),),
                )
            )
            for alert, when in (
                (Alert.AUDIT_RECORDING_STOPPED, loss.since),
                (Alert.AUDIT_RECORDING_STARTED, self._clock()),
            )
        )

    def _occurrence(self, ending: Ending) -> Occurrence:
        return Occurrence(
            when=ending.when or self._clock(),
            source=self.source,
            outcome=ending.outcome,
            outcome_description=ending.description,
        )

    def _with(self, user: Person | None) -> tuple[Agent, ...]:
        return (self.process,) if user is None else (user, self.process)

    # -------- the application and its users

    def started(self, launchers: Sequence[Agent] = (), ending: Ending = WELL) -> None:
        """This application started (A.5.3.1)."""
        self._activity(ApplicationActivity.START, launchers, ending)

    def stopped(self, launchers: Sequence[Agent] = (), ending: Ending = WELL) -> None:
        """This application stops (A.5.3.1)."""
        self._activity(ApplicationActivity.STOP, launchers, ending)

    def _activity(
        self, activity: ApplicationActivity, launchers: Sequence[Agent], ending: Ending
    ) -> None:
        occurrence = self._occurrence(ending)
        self.emit(application_activity(occurrence, activity, self.process, launchers))

    def joined_network(self, node: Node) -> None:
        """The machine came onto the network (A.5.3.9)."""
        self.emit(network_entry(self._occurrence(WELL), NetworkEntry.ATTACH, node))

    def left_network(self, node: Node) -> None:
        """The machine leaves the network (A.5.3.9)."""
        self.emit(network_entry(self._occurrence(WELL), NetworkEntry.DETACH, node))

    def logged_in(self, user: Person, ending: Ending = WELL) -> None:
        """A user logged in, or by ``ending`` tried to (A.5.3.12)."""
        self._authenticated(Authentication.LOGIN, user, ending)

    def logged_out(self, user: Person, *, by_inactivity: bool = False) -> None:
        """A user logged out, or was logged out after a time without activity (A.5.3.12)."""
        requestor = False if by_inactivity else user.requestor
        self._authenticated(Authentication.LOGOUT, replace(user, requestor=requestor), WELL)

    def _authenticated(self, activity: Authentication, user: Person, ending: Ending) -> None:
        self.emit(user_authentication(self._occurrence(ending), activity, user, self.process))

    # -------- queries and transfers

    def queried(
        self,
        responder: Process,
        asked: DicomQuery | UrlQuery,
        user: Person | None = None,
        ending: Ending = WELL,
    ) -> None:
        """This application sent a query (A.5.3.10)."""
        self.emit(query(self._occurrence(ending), self._to(responder, user), asked))

    def answered(
        self, issuer: Process, asked: DicomQuery | UrlQuery, ending: Ending = WELL
    ) -> None:
        """This application received a query (A.5.3.10)."""
        self.emit(query(self._occurrence(ending), self._from(issuer), asked))

    def sending(
        self,
        receiver: Process,
        patient: Patient,
        studies: Sequence[Study],
        user: Agent | None = None,
    ) -> None:
        """This application begins to send instances; ``user`` asked for it (A.5.3.3)."""
        exchange = self._to(receiver, user)
        self.emit(begin_transferring(self._occurrence(WELL), exchange, patient, studies))

    def sent(
        self,
        receiver: Process,
        patient: Patient,
        studies: Sequence[Study],
        user: Agent | None = None,
        ending: Ending = WELL,
    ) -> None:
        """This application sent instances, or by ``ending`` failed to (A.5.3.7)."""
        self.emit(
            instances_transferred(
                self._occurrence(ending), Action.READ, self._to(receiver, user), patient, studies
            )
        )

    def received(
        self,
        sender: Process,
        patient: Patient,
        studies: Sequence[Study],
        action: Action = Action.CREATE,
        ending: Ending = WELL,
    ) -> None:
        """This application received instances; UPDATE when it held other copies (A.5.3.7)."""
        self.emit(
            instances_transferred(
                self._occurrence(ending), action, self._from(sender), patient, studies
            )
        )

    def _to(self, other: Process, user: Agent | None) -> Exchange:
        others = () if user is None else (user,)
        return Exchange(source=self.process, destination=other, others=others)

    def _from(self, other: Process) -> Exchange:
        return Exchange(source=other, destination=self.process)

    # -------- what is done to studies

    def accessed(
        self,
        action: Action,
        patient: Patient,
        studies: Sequence[Study],
        user: Person | None = None,
        ending: Ending = WELL,
    ) -> None:
        """Instances were made, shown, changed or deleted here (A.5.3.6)."""
        self.emit(
            instances_accessed(
                self._occurrence(ending), action, self._with(user), patient, studies
            )
        )

    def deleted(
        self,
        patient: Patient,
        studies: Sequence[Study],
        user: Person | None = None,
        ending: Ending = WELL,
    ) -> None:
        """Whole studies were deleted here (A.5.3.8)."""
        self.emit(study_deleted(self._occurrence(ending), self._with(user), patient, studies))

    def exported(
        self,
        media: Media,
        patients: Sequence[Patient],
        studies: Sequence[Study] = (),
        user: Person | None = None,
        ending: Ending = WELL,
    ) -> None:
        """Data was written to media or printed (A.5.3.4)."""
        agents = self._with(user)
        self.emit(data_export(self._occurrence(ending), agents, media, patients, studies))

    def imported(
        self,
        media: Media,
        patients: Sequence[Patient],
        studies: Sequence[Study] = (),
        user: Person | None = None,
        ending: Ending = WELL,
    ) -> None:
        """Data was read from media (A.5.3.5)."""
        agents = self._with(user)
        self.emit(data_import(self._occurrence(ending), agents, media, patients, studies))

    # -------- records, alerts, the audit log

    def order(
        self, action: Action, patient: Patient, user: Person | None = None, ending: Ending = WELL
    ) -> None:
        """An order was made, read, changed or deleted here (A.5.3.13)."""
        self.emit(order_record(self._occurrence(ending), action, self._with(user), patient))

    def patient(
        self, action: Action, patient: Patient, user: Person | None = None, ending: Ending = WELL
    ) -> None:
        """A patient's record was made, read, changed or deleted here (A.5.3.14)."""
        self.emit(patient_record(self._occurrence(ending), action, self._with(user), patient))

    def procedure(
        self,
        action: Action,
        patient: Patient,
        studies: Sequence[Study] = (),
        user: Person | None = None,
        ending: Ending = WELL,
    ) -> None:
        """A procedure was made, read, changed or deleted here (A.5.3.15)."""
        agents = self._with(user)
        self.emit(procedure_record(self._occurrence(ending), action, agents, patient, studies))

    def alert(
        self,
        kind: Alert,
        subjects: Sequence[AlertSubject] = (),
        performers: Sequence[Agent] = (),
        ending: Ending = WELL,
    ) -> None:
        """Something that concerns security; the outcome tells its gravity (A.5.3.11)."""
        self.emit(
            security_alert(self._occurrence(ending), kind, (self.process,), subjects, performers)
        )

    def used_log(self, log_uri: str, user: Person | None = None, ending: Ending = WELL) -> None:
        """The audit log at that URI was read here (A.5.3.2)."""
        self.emit(audit_log_used(self._occurrence(ending), self._with(user), log_uri))
