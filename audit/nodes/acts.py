"""What people do in the hospital, step by step, so that several can do it at the same time.

Each act is a generator: between two steps somebody else may act.
"""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

from audit.nodes import media
from audit.nodes.directory import Directory
from audit.nodes.facts import text_of
from audit.nodes.instances import Examination, instances, new_uid, utc_now
from audit.nodes.media import Medium
from audit.nodes.modality import Modality
from audit.nodes.order_desk import OrderDesk
from audit.nodes.outsider import STRANGE_AE_TITLES, Outsider
from audit.nodes.people import Patient, Staff, outside_patient
from audit.nodes.planning import PROCEDURES, Planner
from audit.nodes.registry import VIEWER_ED
from audit.nodes.seat import Seat, studies_like
from audit.nodes.viewer import Retrieval, Viewer
from audit.record.build import MediaType

Act = Generator[None]

EXPORT_MEDIA: Final = (MediaType.CD, MediaType.USB, MediaType.DVD)
OTHER_HOSPITAL: Final = "St. Elsewhere"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what takes part. The roster is the staff in three shifts, clerks apart."""

    modalities: tuple[Modality, ...]
    viewers: tuple[Viewer, ...]
    desk: OrderDesk
    outsider: Outsider
    patients: tuple[Patient, ...]
    staff: tuple[Staff, ...]
    clerks: tuple[Staff, ...]
    directory: Directory
    post: Path
    """Folder in which media from other hospitals arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """How somebody reads: ``opened`` studies, perhaps after a mistyped secret, perhaps a copy."""

    opened: int = 2
    how: Retrieval = Retrieval.MOVE
    mistyped: bool = False
    copy_to: MediaType | None = None


class Acts:
    """Plays the acts with one cast; choices come from ``chance``."""

    def __init__(self, cast: Cast, planner: Planner, chance: Random, seed: int) -> None:
        self._cast = cast
        self._chance = chance
        self._planner = planner
        self._seed = seed
        self._arrivals = count(1)

    def examination(self, modality: Modality) -> Act:
        """A patient comes, is registered and examined."""
        desk = self._cast.desk
        yield from self._log_in(desk.seat, self._on_duty(self._cast.clerks))
        patient = self._chance.choice(self._cast.patients)
        desk.register(patient)
        yield
        desk.priors(patient)
        yield
        planned = self._planner.plan(modality.station, patient)
        desk.order(planned)
        yield
        modality.perform(planned, self._on_duty(self._members("Imaging")))
        yield

    def reading(self, viewer: Viewer, sitting: Sitting) -> Act:
        """A doctor logs in, looks for studies, opens some and leaves."""
        yield from self._log_in(viewer.seat, self._reader(viewer), mistyped=sitting.mistyped)
        kind = self._chance.choice(tuple(PROCEDURES))
        found = viewer.seat.find(studies_like(modality=kind))
        yield
        studies = [text_of(answer, "StudyInstanceUID") for answer in found]
        chosen = self._chance.sample(studies, min(sitting.opened, len(studies)))
        for study in chosen:
            viewer.open(study, sitting.how)
            yield
        if sitting.copy_to is not None and chosen:
            viewer.export(chosen[0], sitting.copy_to)
            yield
        viewer.seat.logout()

    def arrival(self, viewer: Viewer, kind: MediaType = MediaType.CD) -> Act:
        """A patient brings images from another hospital; they are read in and archived."""
        medium = self._from_outside(kind)
        yield from self._log_in(viewer.seat, self._reader(viewer))
        viewer.take_in(medium)
        yield
        viewer.seat.logout()

    def emergency(self, viewer: Viewer) -> Act:
        """A doctor opens what they may not open otherwise, says why, and stops."""
        yield from self._log_in(viewer.seat, self._reader(viewer))
        found = viewer.seat.find(studies_like())
        yield
        wanted = self._chance.choice(found)
        reason = f"unconscious patient {text_of(wanted, 'PatientID')}"
        with viewer.glass_broken(reason):
            viewer.open(text_of(wanted, "StudyInstanceUID"), Retrieval.GET)
            yield
        viewer.seat.logout()

    def intrusion(self, syslog: tuple[str, int] | None = None) -> Act:
        """Somebody tries the doors: archive twice, then the audit repository."""
        self._cast.outsider.with_wrong_certificate()
        yield
        self._cast.outsider.with_unknown_title(self._chance.choice(STRANGE_AE_TITLES))
        yield
        if syslog is not None:
            self._cast.outsider.at_collector(*syslog)

    def _from_outside(self, kind: MediaType) -> Medium:
        index = next(self._arrivals)
        patient = outside_patient(self._seed, index)
        examination = Examination(
            patient=patient,
            accession=f"SE{index:05d}",
            modality="CT",
            description="CT chest of another hospital",
            at=utc_now(),
            study_uid=new_uid(),
            series_uid=new_uid(),
            slices=2,
            issuer=OTHER_HOSPITAL,
            issuer_oid="",
        )
        label = f"ELSEWHERE-{index:04d}"
        medium = Medium(kind, label, self._cast.post / label)
        media.write(medium, list(instances(examination)))
        return medium

    def _log_in(self, seat: Seat, user: Staff, *, mistyped: bool = False) -> Act:
        secret = self._cast.directory.secret_of(user)
        if mistyped:
            seat.login(user.user_id, secret[1:])
            yield
        if not seat.taken or seat.user != user:
            seat.login(user.user_id, secret)
            yield

    def _reader(self, viewer: Viewer) -> Staff:
        if viewer.station == VIEWER_ED:
            return self._on_duty(self._members("Emergency"))
        return self._on_duty(self._members("Radiology") + self._members("Neurology"))

    def _members(self, department: str) -> tuple[Staff, ...]:
        return tuple(one for one in self._cast.staff if one.department == department)

    def _on_duty(self, members: tuple[Staff, ...]) -> Staff:
        hour = datetime.now(UTC).hour
        return self._chance.choice([one for one in members if one.on_duty(hour)])
