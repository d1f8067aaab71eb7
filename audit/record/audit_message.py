"""AuditMessage and its parts, named as DICOM PS3.15 A.5.1 names them.

An attribute is the snake_case of the XML attribute. Values are kept as they were sent: a date-time
stays text, base64 stays text, so that serialising a parsed message loses nothing. Messages share
their parts, so nobody changes what was made once. Python itself forbids that, but for what is
made anew for each message: there it would take most of the time of making it.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field

_WHITE_SPACE = b" \t\r\n"


def octets_of(base64_text: str) -> bytes | None:
    """Decode xsd:base64Binary, white space inside allowed; None when it isn't base64."""
    try:
        octets = base64_text.encode("ascii").translate(None, _WHITE_SPACE)
        return b64decode(octets, validate=True)
    except (Base64Error, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class CodedValue:
    """A coded value: EventID, EventTypeCode, RoleIDCode, MediaType … (PS3.15 A.5.1).

    An AuditSourceTypeCode may carry ``csd_code`` alone; the other parts are then empty.
    """

    csd_code: str
    code_system_name: str = ""
    original_text: str = ""
    display_name: str | None = None


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class EventIdentification:
    """What happened, when and how it ended (PS3.15 A.5.1)."""

    event_id: CodedValue
    event_date_time: str
    event_outcome_indicator: str
    event_action_code: str | None = None
    event_type_codes: tuple[CodedValue, ...] = ()
    event_outcome_description: str | None = None
    purposes_of_use: tuple[CodedValue, ...] = ()
    """IHE ITI-20 extension, absent from base DICOM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveParticipant:
    """A person, process, node or medium that took part (PS3.15 A.5.1)."""

    user_id: str
    user_is_requestor: bool = False
    alternative_user_id: str | None = None
    user_name: str | None = None
    role_id_codes: tuple[CodedValue, ...] = ()
    network_access_point_id: str | None = None
    network_access_point_type_code: str | None = None
    media_type: CodedValue | None = None
    """MediaIdentifier/MediaType."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSource:
    """AuditSourceIdentification: who reports (PS3.15 A.5.1)."""

    audit_source_id: str
    audit_enterprise_site_id: str | None = None
    audit_source_type_codes: tuple[CodedValue, ...] = ()


@dataclass(frozen=True, slots=True)
class ParticipantObjectDetail:
    """A type and a value; ``value`` is the base64 text as sent."""

    type: str
    value: str

    @property
    def octets(self) -> bytes | None:
        """The decoded value, None when it isn't base64."""
        return octets_of(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class SOPClass:
    """SOPClass inside a ParticipantObjectDescription."""

    uid: str | None
    number_of_instances: str | None
    instances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantObjectDescription:
    """What a study object held."""

    mpps: tuple[str, ...] = ()
    accessions: tuple[str, ...] = ()
    sop_classes: tuple[SOPClass, ...] = ()
    contains_study: tuple[str, ...] | None = None
    """ParticipantObjectContainsStudy/StudyIDs; None when the element is absent, () when empty."""
    encrypted: str | None = None
    anonymized: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantObject:
    """ParticipantObjectIdentification: what was acted upon (PS3.15 A.5.1)."""

    participant_object_id: str
    participant_object_id_type_code: CodedValue
    participant_object_type_code: str | None = None
    participant_object_type_code_role: str | None = None
    participant_object_data_life_cycle: str | None = None
    participant_object_sensitivity: str | None = None
    participant_object_name: str | None = None
    participant_object_query: str | None = None
    """Base64 text as sent."""
    participant_object_details: tuple[ParticipantObjectDetail, ...] = ()
    participant_object_descriptions: tuple[ParticipantObjectDescription, ...] = ()

    @property
    def query_octets(self) -> bytes | None:
        """The decoded ParticipantObjectQuery, None when absent or not base64."""
        query = self.participant_object_query
        return None if query is None else octets_of(query)

    @property
    def is_patient(self) -> bool:
        """Person in the role of patient (PS3.15 A.5.2.6: type 1, role 1)."""
        return (
            self.participant_object_type_code == "1"
            and self.participant_object_type_code_role == "1"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What happens, without its time, who takes part and who reports; known by its identity."""

    event: EventIdentification
    participants: tuple[ActiveParticipant, ...]
    sources: tuple[AuditSource, ...]


@dataclass(slots=True, kw_only=True)
class AuditMessage:
    """One audit message (PS3.15 A.5.1).

    ``audit_sources`` holds one AuditSource since 2017c, one or more in RFC 3881 and older schemas.
    """

    event_identification: EventIdentification
    active_participants: tuple[ActiveParticipant, ...]
    audit_sources: tuple[AuditSource, ...]
    participant_objects: tuple[ParticipantObject, ...] = ()
    setting: Setting | None = field(default=None, compare=False, repr=False)
    """All but time and objects, when it and the objects are small and shared with the messages
    that say the same, so that what follows from them may be remembered by them; else None."""
