"""What an event must hold: PS3.15 A.5.3 and the IHE transactions, as frozen data.

Read from ``schemas/events-dicom.toml`` and from ``schemas/ihe``: the tables of the framework, the
profiles for FHIR AuditEvents, and what is common practice where no table is public.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from audit.standards.files import read_json, read_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRow:
    """One row of participants.

    Attributes:
        name: what the standard calls it.
        role: code of the RoleIDCode; empty when the table leaves the role open.
        minimum: how many there must be.
        maximum: how many the table foresees; 0 is no upper bound.
        requestor: the fixed UserIsRequestor, or empty.
        required: attributes that must be there (``MediaType`` stands for the element).
        one_of: at least one of these must be there.
        alternative_roles: a participant in one of these roles that has one of ``one_of`` will do.
        access_point_types: allowed NetworkAccessPointTypeCode; empty is any.
    """

    name: str
    role: str
    minimum: int
    maximum: int
    requestor: str = ""
    required: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    alternative_roles: frozenset[str] = frozenset()
    access_point_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What tells one object of a row from others alike: the value of a ParticipantObjectDetail.

    Attributes:
        type: type of the detail.
        values: what it may say, decoded; each a spelling of the same.
    """

    type: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """One row of participant objects.

    Attributes:
        name: what the standard calls it.
        types: allowed ParticipantObjectTypeCode; empty is any, as in the next two.
        roles: allowed ParticipantObjectTypeCodeRole.
        id_types: allowed codes of ParticipantObjectIDTypeCode.
        minimum: how many there must be.
        maximum: how many the table foresees; 0 is no upper bound.
        tolerated_roles: roles that count as well, with a warning.
        life_cycles: allowed ParticipantObjectDataLifeCycle; empty is any.
        required: attributes and elements that must be there.
        details: types of ParticipantObjectDetail that must occur; each a set of spellings.
        names: the fixed ParticipantObjectName; empty is any.
        actions: EventActionCodes with which the row holds; empty is any.
        mark: the detail by which its objects are told; None where type and role tell them.
    """

    name: str
    types: tuple[str, ...]
    roles: tuple[str, ...]
    id_types: tuple[str, ...]
    minimum: int
    maximum: int
    tolerated_roles: tuple[str, ...] = ()
    life_cycles: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    details: tuple[frozenset[str], ...] = ()
    names: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    mark: Mark | None = None

    @property
    def is_patient(self) -> bool:
        """Whether the row is a patient: person in the role of patient."""
        return self.types == ("1",) and self.roles == ("1",)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """What one event, or one side of one IHE transaction, must hold.

    Attributes:
        event: code of the EventID.
        name: what the standard calls it.
        clause: where it stands.
        transaction: code of the EventTypeCode that selects it; empty for DICOM's own events.
        actor: who sends it, for IHE transactions.
        binding: False where the source was read at second hand, or is a profile of FHIR: breaches
            are then warnings.
        practice: it tells what is common, not what is prescribed: breaches are informations.
        profile: the FHIR profile that it stands for; empty for messages by PS3.15.
        actions: allowed EventActionCode.
        type_codes: EventTypeCodes of which one must be there; empty is none needed.
        type_codes_extensible: other codes may stand instead, with a warning.
        requestors: ``exactly-one`` or empty.
    """

    event: str
    name: str
    clause: str
    actions: tuple[str, ...]
    participants: tuple[ParticipantRow, ...]
    objects: tuple[ObjectRow, ...]
    transaction: str = ""
    actor: str = ""
    binding: bool = True
    practice: bool = False
    profile: str = ""
    type_codes: tuple[str, ...] = ()
    type_codes_extensible: bool = False
    requestors: str = ""


def _participant(entry: Mapping[str, Any]) -> ParticipantRow:
    return ParticipantRow(
        name=entry["name"],
        role=entry["role"],
        minimum=entry["min"],
        maximum=entry["max"],
        requestor=entry.get("requestor", ""),
        required=tuple(entry.get("required", ())),
        one_of=tuple(entry.get("one_of", ())),
        alternative_roles=frozenset(entry.get("alternative_roles", ())),
        access_point_types=tuple(entry.get("access_point_types", ())),
    )


def _object(entry: Mapping[str, Any]) -> ObjectRow:
    return ObjectRow(
        name=entry["name"],
        types=tuple(entry["types"]),
        roles=tuple(entry["roles"]),
        id_types=tuple(entry["id_types"]),
        minimum=entry["min"],
        maximum=entry["max"],
        tolerated_roles=tuple(entry.get("tolerated_roles", ())),
        life_cycles=tuple(entry.get("life_cycles", ())),
        required=tuple(entry.get("required", ())),
        details=tuple(frozenset(spelling.split("|")) for spelling in entry.get("details", ())),
        names=tuple(entry.get("names", ())),
        actions=tuple(entry.get("actions", ())),
        mark=_mark(entry["mark"]) if "mark" in entry else None,
    )


def _mark(entry: Mapping[str, Any]) -> Mark:
    return Mark(type=entry["type"], values=frozenset(entry["values"]))


def _row(entry: Mapping[str, Any]) -> EventRow:
    return EventRow(
        event=entry["event"],
        name=entry["name"],
        clause=entry["clause"],
        actions=tuple(entry["actions"]),
        participants=tuple(map(_participant, entry.get("participants", ()))),
        objects=tuple(map(_object, entry.get("objects", ()))),
        transaction=entry.get("transaction", ""),
        actor=entry.get("actor", ""),
        binding=entry.get("binding", True),
        practice=entry.get("practice", False),
        profile=entry.get("profile", ""),
        type_codes=tuple(entry.get("type_codes", ())),
        type_codes_extensible=entry.get("type_codes_extensible", False),
        requestors=entry.get("requestors", ""),
    )


@cache
def dicom_events() -> Mapping[str, EventRow]:
    """The rows of PS3.15 A.5.3 by code of the EventID."""
    rows = map(_row, read_toml("events-dicom.toml")["set"])
    return {row.event: row for row in rows}


@cache
def transactions() -> Mapping[str, tuple[EventRow, ...]]:
    """The rows of the IHE transactions by EventTypeCode; one row a side and a variant."""
    return _by_transaction("ihe/transactions.json")


@cache
def common_practice() -> Mapping[str, tuple[EventRow, ...]]:
    """What is commonly sent for transactions of which no table is public, by EventTypeCode."""
    return _by_transaction("ihe/common-practice.json")


@cache
def fhir_transactions() -> Mapping[str, tuple[EventRow, ...]]:
    """The rows of IHE's AuditEvent profiles by the transaction's code in the subtype."""
    return _by_transaction("ihe/fhir-transactions.json")


@cache
def fhir_profiles() -> Mapping[str, EventRow]:
    """The rows of IHE's AuditEvent profiles by their name."""
    rows = map(_row, read_json("ihe/fhir-transactions.json")["sets"])
    return {row.profile: row for row in rows}


def _by_transaction(file: str) -> Mapping[str, tuple[EventRow, ...]]:
    found: dict[str, list[EventRow]] = {}
    for row in map(_row, read_json(file)["sets"]):
        if row.transaction:
            found.setdefault(row.transaction, []).append(row)
    return {code: tuple(rows) for code, rows in found.items()}
