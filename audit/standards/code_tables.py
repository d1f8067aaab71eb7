"""Names of codes: EventID, EventTypeCode, RoleIDCode, media … from ``schemas/codes.toml``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from audit.standards.files import read_toml

DICOM_SYSTEMS = frozenset({"DCM", "1.2.840.10008.2.16.4"})
"""By name and by OID: the grammar takes both."""
_OID = re.compile(r"[0-2](?:\.[0-9]+)+", re.ASCII)
_TRANSACTION = re.compile(r"(?:CARD|EYECARE|ITI|LAB|PALM|PCC|PCD|PHARM|QRPH|RAD)-[0-9]{1,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTable:
    """One table of codes.

    Attributes:
        name: key in ``schemas/codes.toml``, for example ``role_id``.
        clause: where the standard lists the codes.
        system: codeSystemName the codes are written with; empty for plain enumerations.
        codes: code → name.
        deprecated: codes that new messages should not use.
    """

    name: str
    clause: str
    system: str
    codes: Mapping[str, str]
    deprecated: frozenset[str] = frozenset()

    def name_of(self, code: str) -> str:
        """The name of a code; the empty string when the table doesn't have it."""
        return self.codes.get(code, "")


@cache
def tables() -> Mapping[str, CodeTable]:
    """Every table by name."""
    return MappingProxyType(
        {
            name: CodeTable(
                name=name,
                clause=entry["clause"],
                system=entry.get("system", ""),
                codes=MappingProxyType(entry["codes"]),
                deprecated=frozenset(entry.get("deprecated", ())),
            )
            for name, entry in read_toml("codes.toml")["table"].items()
        }
    )


def table(name: str) -> CodeTable:
    """The table of that name; KeyError for a name that the file doesn't have."""
    return tables()[name]


@cache
def _systems_of() -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for one in tables().values():
        if one.system:
            found.setdefault(one.system, {}).update(one.codes)
    return found


def text_of(code: str, system: str) -> str:
    """The name of a code in a code system, whichever table it stands in; empty when unknown."""
    return _systems_of().get(system, {}).get(code, "")


def event_name(code: str) -> str:
    """The name of an EventID, DICOM's or IHE's; empty when unknown."""
    return table("event_id").name_of(code) or table("event_id_ihe").name_of(code)


def is_transaction(code: str, system: str) -> bool:
    """Whether an EventTypeCode names an IHE transaction or the IHE disclosure event.

    A transaction that no table has is told by its form, such as ``RAD-107``, unless its code
    system is another one; short words, such as Swiss ``ADR``, only by their code system.
    """
    if any(
        code in table(name).codes for name in ("transaction", "transaction_fhir", "event_type_ihe")
    ):
        return True
    if code in table("transaction_swiss").codes:
        return system == table("transaction_swiss").system or _OID.fullmatch(system) is not None
    of_ihe = not system or "ihe" in system.casefold() or _OID.fullmatch(system) is not None
    return of_ihe and _TRANSACTION.fullmatch(code) is not None


@cache
def dicom_tables() -> tuple[CodeTable, ...]:
    """The tables whose code system is DCM."""
    return tuple(one for one in tables().values() if one.system == "DCM")
