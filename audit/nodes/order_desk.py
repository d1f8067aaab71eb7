"""The order desk: registers patients, looks for earlier studies, takes and schedules orders."""

from pydicom.dataset import Dataset

from audit.nodes import people
from audit.nodes.calls import Line, Peer, entity
from audit.nodes.dicom_tls import Credentials
from audit.nodes.directory import Directory
from audit.nodes.instances import Examination
from audit.nodes.registry import ORDER_DESK, PATIENT_ID_OID
from audit.nodes.seat import Seat, studies_like
from audit.nodes.trail import Emit, Trail
from audit.record.build import SCHEDULED, Action, Patient, SourceType, Study


class OrderDesk:
    """A running order desk; ``seat`` is the clerk's."""

    def __init__(
        self, credentials: Credentials, emit: Emit, archive: Peer, directory: Directory
    ) -> None:
        self.trail = Trail(ORDER_DESK, SourceType.APPLICATION_SERVER, emit)
        line = Line(entity(ORDER_DESK.ae_title), credentials)
        self.seat = Seat(self.trail, line, directory, archive)
        self._registered: set[str] = set()
        self._running = False

    def start(self) -> None:
        """Tell that the desk is open."""
        self._running = True
        self.trail.started()

    def stop(self) -> None:
        """Log out, and tell that the desk is closed."""
        if self._running:
            self._running = False
            self.seat.logout()
            self.trail.stopped()

    def register(self, patient: people.Patient) -> None:
        """Make the patient's record, or look it up when there is one."""
        known = patient.patient_id in self._registered
        self._registered.add(patient.patient_id)
        action = Action.READ if known else Action.CREATE
        self.trail.patient(action, self.seat.user, _named(patient))

    def priors(self, patient: people.Patient) -> list[Dataset]:
        """Earlier studies of the patient in the archive.

        Raises:
            ConnectionFailed: the archive can't be reached.
        """
        return self.seat.find(studies_like(patient_id=patient.patient_id))

    def order(self, examination: Examination) -> None:
        """Take the order and plan the procedure."""
        patient = _named(examination.patient)
        user = self.seat.user
        self.trail.order(Action.CREATE, user, patient)
        study = Study(
            uid=examination.study_uid,
            description=examination.description,
            accessions=(examination.accession,),
            sop_classes=SCHEDULED,
        )
        self.trail.procedure(Action.CREATE, patient, (study,), user)


def _named(patient: people.Patient) -> Patient:
    return Patient(id=patient.patient_id, name=patient.name, assigner=PATIENT_ID_OID)
