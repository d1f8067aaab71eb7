"""What a caller says about an event: people, processes, media, patients, studies.

Each refuses what no audit message may hold when it is made, naming the clause.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from audit.record.audit_message import AuditSource, CodedValue
from audit.record.build.codes import (
    AccessPointType,
    IdType,
    LifeCycle,
    MediaType,
    Outcome,
    SourceType,
    SubjectRole,
)
from audit.record.build.wording import require_ae_title, require_list, require_uid, required


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """Where on a network a participant is: NetworkAccessPointID and its type (A.5.1)."""

    id: str
    type: AccessPointType

    def __post_init__(self) -> None:
        required(self.id, "NetworkAccessPointID", "A.5.1")
        if self.type is AccessPointType.IP_ADDRESS:
            ip_address(self.id)
        if self.type is AccessPointType.EMAIL and "@" not in self.id:
            raise ValueError(f"{self.id!r} is no e-mail address (PS3.15 A.5.1, type 4)")
        if self.type is AccessPointType.URI and ":" not in self.id:
            raise ValueError(f"{self.id!r} is no URI (PS3.15 A.5.1, type 5)")

    @classmethod
    def of(cls, text: str) -> "AccessPoint":
        """An IP address, a URI with ``//``, an e-mail address, else a machine name."""
        try:
            return cls(str(ip_address(text)), AccessPointType.IP_ADDRESS)
        except ValueError:
            pass
        if "://" in text:
            return cls(text, AccessPointType.URI)
        if "@" in text:
            return cls(text, AccessPointType.EMAIL)
        return cls(text, AccessPointType.MACHINE_NAME)


Address = AccessPoint | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user. ``user_id`` is ``login@domain``; ``address`` the machine he or she sits at (A.5.2).

    ``requestor`` None leaves UserIsRequestor to the event: the first person is the requestor
    unless another participant is said to be.
    """

    user_id: str
    name: str | None = None
    alternative_user_id: str | None = None
    address: Address | None = None
    roles: tuple[CodedValue, ...] = ()
    requestor: bool | None = None

    def __post_init__(self) -> None:
        required(self.user_id, "UserID of a person", "A.5.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A running program. ``process_id`` is what local logs call it (A.5.2).

    ``ae_titles`` become ``AETITLES=A;B`` in AlternativeUserID; a process that speaks no DICOM may
    give an ``alternative_user_id`` instead.
    """

    process_id: str
    name: str | None = None
    ae_titles: tuple[str, ...] = ()
    alternative_user_id: str | None = None
    address: Address | None = None
    roles: tuple[CodedValue, ...] = ()
    requestor: bool | None = None

    def __post_init__(self) -> None:
        required(self.process_id, "UserID of a process", "A.5.1")
        require_list(self.ae_titles, "ae_titles", "A.5.2")
        for title in self.ae_titles:
            require_ae_title(title)
        if self.ae_titles and self.alternative_user_id is not None:
            raise ValueError("give ae_titles or alternative_user_id, not both (PS3.15 A.5.2)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine or system as a whole; ``node_id`` is its name (A.5.2)."""

    node_id: str
    name: str | None = None
    alternative_user_id: str | None = None
    address: Address | None = None
    roles: tuple[CodedValue, ...] = ()
    requestor: bool | None = None

    def __post_init__(self) -> None:
        required(self.node_id, "UserID of a node", "A.5.1")


Agent = Person | Process | Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What is written to or read from (A.5.3.4, A.5.3.5).

    ``media_id`` is a URI, a ``mailto:``, or free text naming label or printer; ``label`` a serial
    number, volume label or DICOMDIR SOP Instance UID. Media that is a network destination (e-mail,
    URI) must say at which address.
    """

    media_id: str
    type: MediaType
    label: str | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        required(self.media_id, "UserID of the media", "A.5.3.4")
        if not isinstance(self.type, MediaType):
            raise TypeError("media type must be a MediaType (PS3.15 A.5.3.4, CID 405)")
        if self.type in {MediaType.EMAIL, MediaType.URI} and self.address is None:
            raise ValueError(
                f"{self.type.value.original_text} isn't physical media: say its network access "
                "point (PS3.15 A.5.3.4)"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A patient. Without a name the object's name repeats the id.

    ``assigner`` (an OID, or a namespace) makes the id an HL7 CX value, ``id^^^&OID&ISO``, as IHE
    asks; delimiters inside the id are then escaped the HL7 way.
    """

    id: str
    name: str = ""
    assigner: str = ""
    sensitivity: str | None = None
    life_cycle: LifeCycle | None = None

    def __post_init__(self) -> None:
        required(self.id, "patient id", "A.5.1")


@dataclass(frozen=True, slots=True)
class SOPInstances:
    """How many instances of a SOP class; ``sop_class_uid`` None when none is known yet."""

    sop_class_uid: str | None
    count: int
    instance_uids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.sop_class_uid is not None:
            require_uid(self.sop_class_uid, "SOP Class UID", "A.5.1")
        if isinstance(self.count, bool) or not isinstance(self.count, int):
            raise TypeError("NumberOfInstances must be an integer (PS3.15 A.5.1)")
        if self.count < 0:
            raise ValueError("NumberOfInstances must not be negative (PS3.15 A.5.1)")
        for uid in self.instance_uids:
            require_uid(uid, "SOP Instance UID", "A.5.1")


SCHEDULED = (SOPInstances(None, 0),)
"""``sop_classes`` of a study for which nothing has been acquired yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A study. Without a description the object's name repeats the UID.

    ``accessions``, ``mpps``, ``encrypted`` and ``anonymized`` need ``sop_classes``, be it
    ``SCHEDULED`` (A.5.3: SOPClass is mandatory as soon as one of them is given).
    """

    uid: str
    description: str = ""
    accessions: tuple[str, ...] = ()
    sop_classes: tuple[SOPInstances, ...] = ()
    mpps: tuple[str, ...] = ()
    encrypted: bool | None = None
    anonymized: bool | None = None
    sensitivity: str | None = None
    life_cycle: LifeCycle | None = None

    def __post_init__(self) -> None:
        require_uid(self.uid, "Study Instance UID", "A.5.3")
        require_list(self.accessions, "accessions", "A.5.1")
        require_list(self.mpps, "mpps", "A.5.1")
        for number in self.accessions:
            required(number, "accession number", "A.5.1")
        for uid in self.mpps:
            require_uid(uid, "MPPS UID", "A.5.1")
        if self._needs_sop_classes and not self.sop_classes:
            raise ValueError(
                f"study {self.uid} tells accession, MPPS, encryption or anonymity without SOP "
                "classes (PS3.15 A.5.3); use SCHEDULED when there are none yet"
            )

    @property
    def _needs_sop_classes(self) -> bool:
        flags = (self.encrypted, self.anonymized)
        return bool(self.accessions or self.mpps) or any(flag is not None for flag in flags)


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomQuery:
    """A C-FIND: its identifier as encoded in ``transfer_syntax_uid`` (A.5.3.10)."""

    sop_class_uid: str
    identifier: bytes
    transfer_syntax_uid: str

    def __post_init__(self) -> None:
        require_uid(self.sop_class_uid, "SOP Class UID of the query", "A.5.3.10")
        require_uid(self.transfer_syntax_uid, "transfer syntax UID", "A.5.3.10")
        if not isinstance(self.identifier, bytes):
            raise TypeError("a query's identifier is bytes (PS3.15 A.5.3.10)")
        if not self.identifier:
            raise ValueError("a query's identifier must not be empty (PS3.15 A.5.3.10)")


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlQuery:
    """A query over HTTP, such as QIDO-RS: the URL asked for (A.5.3.10, id type URI)."""

    url: str

    def __post_init__(self) -> None:
        required(self.url, "URL of the query", "A.5.3.10")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSubject:
    """What a security alert is about, and the free text that describes it (A.5.3.11).

    ``id`` is a URI, or for ``IdType.NODE_ID`` a node name or IP address.
    """

    id: str
    description: str
    id_type: IdType = IdType.NODE_ID
    name: str = ""
    role: SubjectRole = SubjectRole.SECURITY_RESOURCE

    def __post_init__(self) -> None:
        required(self.id, "id of the alert's subject", "A.5.3.11")
        required(self.description, "description of the alert", "A.5.3.11")
        if self.id_type not in {IdType.URI, IdType.NODE_ID}:
            raise ValueError("an alert's subject is a URI or a Node ID (PS3.15 A.5.3.11)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Who sends to whom. In a query the issuer is the source, the answerer the destination.

    ``others`` are third parties, above all who asked for it: the user, or a C-MOVE's issuer.
    """

    source: Agent
    destination: Agent
    others: tuple[Agent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """When it happened, who reports it, and how it ended.

    Attributes:
        when: aware; written with its own offset, in milliseconds unless it has finer digits.
        source: the audit source that reports.
        outcome: EventOutcomeIndicator.
        outcome_description: EventOutcomeDescription, free text.
        event_types: EventTypeCodes beyond those that the event itself asks for.
    """

    when: datetime
    source: AuditSource
    outcome: Outcome = Outcome.SUCCESS
    outcome_description: str | None = None
    event_types: tuple[CodedValue, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.when, datetime):
            raise TypeError("when must be a datetime (PS3.15 A.5.2.5)")
        if self.when.utcoffset() is None:
            raise ValueError("when must carry a time zone (PS3.15 A.5.2.5)")
        if not isinstance(self.source, AuditSource):
            raise TypeError("source must be an AuditSource (PS3.15 A.5.1)")
        required(self.source.audit_source_id, "AuditSourceID", "A.5.1")
        if not isinstance(self.outcome, Outcome):
            raise TypeError("outcome must be an Outcome (PS3.15 A.5.1)")


def audit_source(
    source_id: str, site: str | None = None, types: Sequence[SourceType] = ()
) -> AuditSource:
    """The AuditSourceIdentification of whoever reports (A.5.1)."""
    return AuditSource(
        audit_source_id=required(source_id, "AuditSourceID", "A.5.1"),
        audit_enterprise_site_id=site,
        audit_source_type_codes=tuple(CodedValue(str(kind)) for kind in types),
    )
