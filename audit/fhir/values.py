"""Values of FHIR R4 data types: only what the standard allows leaves here.

A value that can't be told is left out, never written empty.

Source: FHIR R4 2.24 (data types).
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias
from urllib.parse import quote

from audit.record.audit_message import CodedValue
from audit.record.json_input import clean
from audit.standards.files import read_toml

Json: TypeAlias = dict[str, Any]

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
MINTED = "urn:arr:code-system:"
"""Before the name of a code system that has no URI: a Coding without system means nothing."""

NOT_TOLD = "not told"
"""Where FHIR demands a text and the message has none."""

_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_ABSOLUTE = re.compile(r"(?:urn:[a-z0-9][a-z0-9-]{1,31}:|[a-z][a-z0-9+.-]*://)\S+", re.IGNORECASE)
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BLANK = "".join(map(chr, range(33))) + "\u007f"
_SPACE = re.compile(r"\s+")


def string(text: str | None) -> str:
    """The text as a FHIR string; empty when nothing is left, and is then to be left out.

    Characters that FHIR forbids, and those that reorder what a reader sees, are replaced.
    """
    if not text:
        return ""
    if text.isascii() and text.isprintable():  # the same result, much sooner
        return text.strip()
    return _BIDI.sub("\ufffd", clean(text)).strip(_BLANK)


def code(text: str | None) -> str:
    """The text as a FHIR code: no space but single ones inside."""
    told = string(text)
    return told if told.isalnum() else _SPACE.sub(" ", told).strip()


def without_gaps(resource: Json) -> Json:
    """The object without members that say nothing."""
    return {name: value for name, value in resource.items() if value not in ("", None, [], {})}


def absent(reason: str = "unknown") -> list[Json]:
    """Says by extension why a value that must be there isn't (FHIR R4 data-absent-reason)."""
    return [{"url": ABSENT, "valueCode": reason}]


@cache
def _table() -> Json:
    return read_toml("fhir/answers.toml")


@cache
def agent_types() -> frozenset[str]:
    """Role codes that become agent.type."""
    return frozenset(_table()["agent"]["types"])


def is_oid(text: str) -> bool:
    """Whether the text is an OID in dotted form."""
    return _OID.fullmatch(text) is not None


def absolute_uri(text: str) -> str:
    """The text as an absolute URI, an OID as ``urn:oid:``; empty when it is neither."""
    told = string(text)
    if is_oid(told):
        return f"urn:oid:{told}"
    return told if _ABSOLUTE.fullmatch(told) else ""


def system_uri(name: str) -> str:
    """The URI of a code system by its codeSystemName; empty for none."""
    told = string(name)
    if not told:
        return ""
    known: Mapping[str, str] = _table()["system"]
    return known.get(told) or absolute_uri(told) or MINTED + quote(told, safe="")


def coding(value: CodedValue) -> Json:
    """A code of a message as Coding; empty when it says nothing."""
    written = code(value.csd_code)
    return without_gaps(
        {
            "system": system_uri(value.code_system_name) if written else "",
            "code": written,
            "display": string(value.original_text) or string(value.display_name),
        }
    )


def concept(value: CodedValue) -> Json:
    """A code of a message as CodeableConcept; empty when it says nothing."""
    told = coding(value)
    if not told:
        return {}
    return without_gaps({"coding": [told], "text": told.get("display", "")})


def enumerated(name: str, value: str | None) -> Json:
    """A code of one of the plain enumerations of PS3.15 A.5 as Coding.

    One that FHIR doesn't list (roles 25 and 26) is told under a system of its own.
    """
    written = code(value)
    if not written:
        return {}
    table = _table()["enumeration"][name]
    display = table["codes"].get(written)
    if display is None:
        return {"system": f"{MINTED}{name.replace('_', '-')}", "code": written}
    return {"system": table["system"], "code": written, "display": display}
