"""A little hospital made by hand, with answers that are known beforehand.

Patient Ann Example is P1 of the hospital and, before records were merged, X9 of the clinic. Bob
Other is P2. Times are in hours after MONDAY; records arrive when they happen.
"""

from datetime import UTC, datetime
from typing import Any

from audit.record.audit_message import (
    ActiveParticipant,
    AuditMessage,
    CodedValue,
    ParticipantObject,
)
from tests.projector.messages import (
    DESTINATION,
    SOURCE,
    event,
    message,
    patient,
    person,
    study,
    syslog,
)
from tests.query.trail import Trail

HOUR = 3_600_000_000_000
DAY = 24 * HOUR
MONDAY = 1_779_667_200_000_000_000  # 2026-05-25T00:00:00Z
NEXT_MONDAY = MONDAY + 7 * DAY
DOCUMENT = "urn:oid:1.2.3.4.5.100"
STUDY = "1.2.840.99.7"
HOSPITAL, CLINIC = "2.999.1", "2.999.2"
ANN, OLD_ANN, BOB = f"P1^^^&{HOSPITAL}&ISO", f"X9^^^&{CLINIC}&ISO", f"P2^^^&{HOSPITAL}&ISO"

REPORT_NUMBER = CodedValue("9", "RFC-3881", "Report Number")
DISCLOSURE = CodedValue("IHE0006", "IHE", "Disclosure")
RETRIEVE = CodedValue("ITI-43", "IHE Transactions", "Retrieve Document Set")
RESEARCH = CodedValue("HRESCH", "2.16.840.1.113883.5.8", "healthcare research")
TREATMENT = CodedValue("TREAT", "2.16.840.1.113883.5.8", "treatment")
LOGIN, LOGOUT = CodedValue("110122", "DCM", "Login"), CodedValue("110123", "DCM", "Logout")
OVERRIDE = CodedValue("110127", "DCM", "Emergency Override Started")

VERA = person("vera@hospital", user_name="Dr. Vera Klein")
NILS = person("nils@hospital", user_name="Nils Arndt")


def when(hours: float) -> str:
    """The time as messages write it."""
    at = datetime.fromtimestamp((MONDAY + round(hours * HOUR)) / 1e9, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def system(title: str, *roles: CodedValue, address: str = "10.0.0.9") -> ActiveParticipant:
    """A DICOM application."""
    return ActiveParticipant(
        user_id=title.lower(),
        alternative_user_id=f"AETITLES={title}",
        user_is_requestor=False,
        role_id_codes=roles,
        network_access_point_id=address,
        network_access_point_type_code="2",
    )


def agent(user_id: str, name: str, role: CodedValue, **changes: Any) -> ActiveParticipant:
    """A person in a role."""
    return person(user_id, user_name=name, role_id_codes=(role,), **changes)


def document(name: str = "Discharge letter") -> ParticipantObject:
    """A document of Ann's."""
    return ParticipantObject(
        participant_object_id=DOCUMENT,
        participant_object_id_type_code=REPORT_NUMBER,
        participant_object_type_code="2",
        participant_object_type_code_role="3",
        participant_object_name=name,
    )


def patients(*identifiers: str) -> tuple[ParticipantObject, ...]:
    """Patient objects with names."""
    named = {ANN: "Example^Ann", OLD_ANN: "Example^Ann", BOB: "Other^Bob"}
    return tuple(patient(one, named[one]) for one in identifiers)


class Hospital:
    """Tells a trail what happened."""

    def __init__(self, trail: Trail) -> None:
        self.trail = trail

    def tell(self, hours: float, told: AuditMessage) -> int:
        """Receive a message at that hour; its sequence."""
        return self.trail.take(syslog(told), at=MONDAY + round(hours * HOUR))

    def event(
        self,
        hours: float,
        code: str,
        who: tuple[ActiveParticipant, ...],
        objects: tuple[ParticipantObject, ...] = (),
        *,
        node: str = "viewer-3",
        **changes: Any,
    ) -> int:
        """One event."""
        said = event(code, event_date_time=when(hours), **changes)
        return self.tell(hours, message(said, who, objects, node))

    def week(self) -> None:
        """What happened, day by day. ``lab-gate`` falls silent before the week begins."""
        self.event(-30, "110103", (NILS,), patients(BOB), node="lab-gate")
        self._monday()
        self._tuesday()
        self._wednesday()
        self._thursday()
        self.trail.follow()
        self.trail.now = MONDAY + 5 * DAY

    def _monday(self) -> None:
        self.event(8, "110114", (VERA,), event_type_codes=(LOGIN,))
        self.event(9, "110103", (VERA,), (study(), *patients(ANN)), purposes_of_use=(TREATMENT,))
        # Before the merge the clinic knew her as X9.
        self.event(10, "110103", (NILS,), patients(OLD_ANN), node="clinic-1")
        # Another patient of the same bare number, but of the clinic's assigner.
        other = patient(f"P1^^^&{CLINIC}&ISO", "Namesake^Nora")
        self.event(10.5, "110103", (NILS,), (other,), node="clinic-1")
        self.event(11, "110114", (VERA,), event_type_codes=(LOGOUT,))

    def _tuesday(self) -> None:
        # One event about two patients, with a study that could be either's.
        both = (study("1.2.840.99.8", participant_object_name="Bob's knee"), *patients(ANN, BOB))
        self.event(32, "110103", (NILS,), both)
        # The same message delivered twice.
        said = event("110103", event_date_time=when(33))
        self.tell(33, message(said, (VERA,), patients(ANN)))
        self.tell(33.1, message(said, (VERA,), patients(ANN)))
        # Bob alone.
        self.event(34, "110103", (VERA,), patients(BOB))

    def _wednesday(self) -> None:
        # ITI-41 names patient and document, ITI-43 the document alone.
        self.event(56, "110107", (system("REPO"),), (document(), *patients(ANN)), node="xds")
        self.event(
            57,
            "110106",
            (
                system("REPO", SOURCE),
                agent(
                    "guest@outside", "Dr. Out Side", DESTINATION, network_access_point_id="x.org"
                ),
            ),
            (document("Letter"),),
            node="xds",
            event_type_codes=(RETRIEVE,),
            purposes_of_use=(RESEARCH,),
        )

    def _thursday(self) -> None:
        given = {"event_type_codes": (DISCLOSURE,), "event_action_code": "R"}
        releasing = (
            agent("vera@hospital", "Dr. Vera Klein", SOURCE),
            agent("omar@hospital", "Omar Clerk", SOURCE),
        )
        receiving = agent(
            "lawyer@firm.example",
            "Law Firm",
            DESTINATION,
            user_is_requestor=False,
            network_access_point_id="firm.example",
        )
        for hours in (80, 81):  # two of them, to one recipient for one purpose
            self.event(
                hours,
                "110106",
                (*releasing, receiving),
                (document(), *patients(ANN)),
                node="registry",
                purposes_of_use=(CodedValue("HLEGAL", "2.16.840.1.113883.5.8", "legal"),),
                **given,
            )
        for hours, purpose, outcome in (
            (82, TREATMENT, "0"),
            (83, CodedValue("PATRQT", "2.16.840.1.113883.5.8", "patient requested"), "0"),
            (84, RESEARCH, "8"),
        ):
            self.event(
                hours,
                "110106",
                (*releasing, receiving),
                patients(ANN),
                node="registry",
                purposes_of_use=(purpose,),
                event_outcome_indicator=outcome,
                **given,
            )
        self.trail.take(b"<85>1 - host app - - - <not xml", at=MONDAY + 85 * HOUR)
