"""A node's side of the audit trail: its acts, told as the events of PS3.15 A.5.3."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from audit.nodes.facts import Group
from audit.nodes.people import Staff
from audit.nodes.registry import DOMAIN, SITE, Station, station_named
from audit.record.audit_message import AuditMessage
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
    SourceType,
    Study,
    application_activity,
    audit_source,
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

Emit = Callable[[AuditMessage], None]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How an act ended, with words when it didn't end well."""

    outcome: Outcome = Outcome.SUCCESS
    description: str | None = None


WELL = Outcomes()


class Trail:
    """Reports what one node did; each method builds one message and hands it to ``emit``."""

    def __init__(self, station: Station, kind: SourceType, emit: Emit) -> None:
        self.station = station
        self.process = process_of(station)
        self._source = audit_source(station.machine, SITE, [kind])
        self._emit = emit

    def started(self) -> None:
        """The application runs and the node is on the network."""
        self._activity(ApplicationActivity.START)
        self._entry(NetworkEntry.ATTACH)

    def stopped(self) -> None:
        """The node leaves the network and the application ends."""
        self._entry(NetworkEntry.DETACH)
        self._activity(ApplicationActivity.STOP)

    def login(self, user: Staff, *, ended: Outcomes = WELL) -> None:
        """A log-in at this node succeeded or failed."""
        self._authentication(Authentication.LOGIN, user, ended)

    def logout(self, user: Staff) -> None:
        """A user left."""
        self._authentication(Authentication.LOGOUT, user, WELL)

    def transfer_begins(self, exchange: Exchange, groups: Sequence[Group]) -> None:
        """This node starts to send; one message for each patient."""
        for group in groups:
            self._emit(begin_transferring(self._now(), exchange, group.patient, group.studies))

    def transferred(
        self,
        action: Action,
        exchange: Exchange,
        groups: Sequence[Group],
        ended: Outcomes = WELL,
    ) -> None:
        """A transfer ended, on either side; one message for each patient."""
        for group in groups:
            self._emit(
                instances_transferred(
                    self._now(ended), action, exchange, group.patient, group.studies
                )
            )

    def queried(self, exchange: Exchange, asked: DicomQuery, ended: Outcomes = WELL) -> None:
        """A C-FIND was sent or answered."""
        self._emit(query(self._now(ended), exchange, asked))

    def accessed(self, user: Staff, groups: Sequence[Group]) -> None:
        """A user opened images; one message for each patient."""
        accessors = (self.person(user), self.process)
        for group in groups:
            self._emit(
                instances_accessed(
                    self._now(), Action.READ, accessors, group.patient, group.studies
                )
            )

    def exported(self, user: Staff, media: Media, groups: Sequence[Group]) -> None:
        """A user wrote images to media."""
        self._emit(
            data_export(self._now(), (self.person(user), self.process), media, *_apart(groups))
        )

    def imported(self, user: Staff, media: Media, groups: Sequence[Group]) -> None:
        """A user read images from media."""
        self._emit(
            data_import(self._now(), (self.person(user), self.process), media, *_apart(groups))
        )

    def deleted(self, groups: Sequence[Group]) -> None:
        """This node removed whole studies of its own accord."""
        for group in groups:
            deleters = (self.initiating,)
            self._emit(study_deleted(self._now(), deleters, group.patient, group.studies))

    def alert(
        self,
        alert: Alert,
        subject: AlertSubject,
        *,
        user: Staff | None = None,
        performers: Sequence[Agent] = (),
        outcome: Outcome = Outcome.SERIOUS_FAILURE,
    ) -> None:
        """Something that concerns security; ``outcome`` is its gravity (A.5.3.11)."""
        reporters: tuple[Agent, ...] = (self.process,)
        if user is not None:
            reporters = (self.process, self.person(user))
        self._emit(
            security_alert(self._now(Outcomes(outcome)), alert, reporters, (subject,), performers)
        )

    def order(self, action: Action, user: Staff, patient: Patient) -> None:
        """An order was made, read, changed or deleted."""
        handlers = (self.person(user), self.process)
        self._emit(order_record(self._now(), action, handlers, patient))

    def patient(self, action: Action, user: Staff, patient: Patient) -> None:
        """A patient's record was made, read, changed or deleted."""
        handlers = (self.person(user), self.process)
        self._emit(patient_record(self._now(), action, handlers, patient))

    def procedure(
        self, action: Action, patient: Patient, studies: Sequence[Study], user: Staff | None = None
    ) -> None:
        """A procedure was planned, read, changed or done."""
        handlers: tuple[Agent, ...] = (self.initiating,)
        if user is not None:
            handlers = (self.person(user), self.process)
        self._emit(procedure_record(self._now(), action, handlers, patient, studies))

    @property
    def initiating(self) -> Process:
        """This node's process as the one at whose wish it happens."""
        return process_of(self.station, requestor=True)

    def person(self, user: Staff) -> Person:
        """A user who sits at this node."""
        return person_of(user, self.station.machine)

    def _activity(self, activity: ApplicationActivity) -> None:
        self._emit(application_activity(self._now(), activity, self.process))

    def _entry(self, entry: NetworkEntry) -> None:
        machine = self.station.machine
        node = Node(node_id=machine, name=self.station.description, address=machine)
        self._emit(network_entry(self._now(), entry, node))

    def _authentication(self, activity: Authentication, user: Staff, ended: Outcomes) -> None:
        self._emit(
            user_authentication(self._now(ended), activity, self.person(user), self.process)
        )

    def _now(self, ended: Outcomes = WELL) -> Occurrence:
        return Occurrence(
            when=datetime.now(UTC),
            source=self._source,
            outcome=ended.outcome,
            outcome_description=ended.description,
        )


def process_of(station: Station, *, requestor: bool | None = None) -> Process:
    """A station's DICOM application as a participant."""
    return Process(
        process_id=station.ae_title,
        name=station.description,
        ae_titles=(station.ae_title,),
        address=station.machine,
        requestor=requestor,
    )


def person_of(user: Staff, machine: str | None = None) -> Person:
    """A member of staff as a participant, at a machine when it is known."""
    return Person(
        user_id=f"{user.user_id}@{DOMAIN}",
        name=user.name,
        alternative_user_id=user.user_id,
        address=machine,
    )


def caller(
    ae_title: str, address: str, name: str = "", *, requestor: bool | None = None
) -> Process:
    """The process behind a calling AE title: a station of ours, else what is known of it."""
    station = station_named(ae_title)
    if station is not None:
        return process_of(station, requestor=requestor)
    return Process(
        process_id=ae_title,
        name=name or None,
        ae_titles=(ae_title,),
        address=address,
        requestor=requestor,
    )


def _apart(groups: Sequence[Group]) -> tuple[list[Patient], list[Study]]:
    patients = [group.patient for group in groups]
    return patients, [study for group in groups for study in group.studies]
