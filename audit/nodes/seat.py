"""A workstation at which one person sits: log-in, log-out, and queries in that person's name."""

from collections.abc import Sequence
from typing import Final

from pydicom.dataset import Dataset
from pynetdicom.association import Association
from pynetdicom.dsutils import encode
from pynetdicom.presentation import PresentationContext

from audit.errors import ConnectionFailed, Denied
from audit.nodes.calls import Line, Peer
from audit.nodes.directory import Directory
from audit.nodes.people import Staff
from audit.nodes.sop_classes import STUDY_FIND, contexts_of
from audit.nodes.trail import WELL, Outcomes, Trail, process_of
from audit.record.build import DicomQuery, Exchange, Outcome

PENDING: Final = (0xFF00, 0xFF01)
NOT_VERIFIED: Final = "user name and password don't match"
NO_ANSWER: Final = Outcomes(Outcome.SERIOUS_FAILURE, "the archive gave no complete answer")


class Seat:
    """One node's keyboard."""

    def __init__(self, trail: Trail, line: Line, directory: Directory, archive: Peer) -> None:
        self._trail = trail
        self._line = line
        self._directory = directory
        self._archive = archive
        self._user: Staff | None = None

    @property
    def user(self) -> Staff:
        """Who is logged in.

        Raises:
            Denied: nobody is.
        """
        if self._user is None:
            raise Denied(f"nobody is logged in at {self._trail.station.ae_title}")
        return self._user

    @property
    def taken(self) -> bool:
        """Whether somebody is logged in."""
        return self._user is not None

    def login(self, user_id: str, secret: str) -> bool:
        """Log in; whether it succeeded. Whoever sat here before is logged out first."""
        user = self._directory.verified(user_id, secret)
        if user is None:
            failed = Outcomes(Outcome.MINOR_FAILURE, NOT_VERIFIED)
            self._trail.login(self._directory.claimed(user_id), ended=failed)
            return False
        self.logout()
        self._user = user
        self._trail.login(user)
        return True

    def logout(self) -> None:
        """Leave; nothing happens when nobody is logged in."""
        if self._user is not None:
            self._trail.logout(self._user)
            self._user = None

    def find(self, identifier: Dataset) -> list[Dataset]:
        """Ask the archive (C-FIND, study root); the trail gets the identifier as it was sent.

        Raises:
            ConnectionFailed: the archive can't be reached or broke off.
        """
        contexts = contexts_of([STUDY_FIND])
        with self._line.to(self._archive, contexts, user=self.user) as association:
            context = association.accepted_contexts[0]
            found, ended = _ask(association, identifier)
            self._trail.queried(self._exchange(), _sent(identifier, context), ended)
        if ended is NO_ANSWER:
            raise ConnectionFailed(f"{self._archive.station.ae_title} broke off a query")
        return found

    def _exchange(self) -> Exchange:
        return Exchange(
            source=self._trail.process,
            destination=process_of(self._archive.station),
            others=(self._trail.person(self.user),),
        )


def _ask(association: Association, identifier: Dataset) -> tuple[list[Dataset], Outcomes]:
    found: list[Dataset] = []
    status = None
    for answer, dataset in association.send_c_find(identifier, STUDY_FIND):
        status = answer.get("Status")
        if status in PENDING and dataset is not None:
            found.append(dataset)
    return found, WELL if status == 0 else NO_ANSWER


def _sent(identifier: Dataset, context: PresentationContext) -> DicomQuery:
    syntax = context.transfer_syntax[0]
    octets = encode(identifier, syntax.is_implicit_VR, syntax.is_little_endian)
    return DicomQuery(
        sop_class_uid=str(STUDY_FIND), identifier=octets or b"", transfer_syntax_uid=str(syntax)
    )


def studies_like(patient_id: str = "", name: str = "", modality: str = "") -> Dataset:
    """An identifier that asks for studies, with the columns of a work list."""
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.PatientID = patient_id
    identifier.PatientName = name
    identifier.ModalitiesInStudy = modality
    columns: Sequence[str] = (
        "PatientBirthDate",
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "StudyDescription",
        "StudyInstanceUID",
        "NumberOfStudyRelatedInstances",
    )
    for column in columns:
        setattr(identifier, column, "")
    return identifier
