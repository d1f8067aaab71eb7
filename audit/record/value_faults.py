"""Faults of single values: pure functions of the values, remembered, since senders repeat them.

A fault knows the rule, what was found, and where below its element; who judges a message adds the
path. Long values are judged afresh each time, so that strangers can't fill the memory.
"""

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple, TypeAlias

from audit.record.audit_message import CodedValue
from audit.standards import code_tables

_REMEMBERED = 4096
_MAX_REMEMBERED_CHARACTERS = 256

_UID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+", re.ASCII)
_MAX_UID = 64
_DICOM_CODE = re.compile(r"110[01][0-9]{2}", re.ASCII)
_TRANSACTION_TABLES = ("transaction", "transaction_fhir")
_TRANSACTION_SYSTEMS = frozenset({"IHE Transactions", "urn:ihe:event-type-code"})
"""What older messages write, and what transactions of FHIR do."""
_AE_TITLES = re.compile(r"\s*AE[ _-]?TITLES?\s*[=:]\s*(.*)", re.IGNORECASE | re.DOTALL)
_AE_TITLE = re.compile(r"[ -\[\]-~]{1,16}")
_MACHINE_NAME = re.compile(r"(?![A-Za-z][A-Za-z0-9+.-]*://)[^\s@]{1,255}")
"""Of DNS, of a Windows domain (``DOMAIN\\COMPUTER``, PS3.17 WW.3), or any other."""
_TELEPHONE = re.compile(r"(?:tel:)?\+?[0-9 ()/.;=a-zA-Z#*-]{2,40}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_LONGEST_ADDRESS = 80
"""An IPv6 address in brackets, with the name of an interface."""
_MAX_PLACEHOLDER = 12
_PLACEHOLDERS = frozenset(
    {"<none>", "none", "null", "(null)", "undefined", "unknown", "<unknown>", "n/a", "na", "nil"}
    | {"todo", "tbd", "dummy", "xxx", "?", "-"}
)
_PLACEHOLDER_UIDS = frozenset(
    {"0", "1", "1.1", "1.2", "1.2.3", "1.2.3.4", "1.2.3.4.5", "1.1.1.1", "1.2.3.4.5.6"}
    | {"1.2.3.4.5.6.7", "1.2.3.4.5.6.7.8", "1.2.3.4.5.6.7.8.9", "1.2.3.4.5.6.7.8.9.10"}
    | {"9.9.9.9", "1.1.1.1.1", "0.0"}
)


class Fault(NamedTuple):
    """A breach of a rule by a value; ``step`` is appended to the path of its element."""

    rule: str
    message: str
    step: str = ""


Faults: TypeAlias = tuple[Fault, ...]


_NONE: Faults = ()


def code_faults(code: CodedValue) -> Faults:
    """Code system and text of a DICOM code (PS3.16), code system of a transaction's code.

    Other codes are not judged.
    """
    if len(code.code_system_name) + len(code.original_text) > _MAX_REMEMBERED_CHARACTERS:
        return _judge_code(code.csd_code, code.code_system_name, code.original_text)
    return _remembered_code(code.csd_code, code.code_system_name, code.original_text)


def _judge_code(csd_code: str, system: str, text: str) -> Faults:
    if not _DICOM_CODE.fullmatch(csd_code):
        return _judge_transaction(csd_code, system)
    if system not in code_tables.DICOM_SYSTEMS:
        known = any(csd_code in one.codes for one in code_tables.dicom_tables())
        if not known or not system:
            return _NONE
        said = f"{csd_code} has the code system {system!r:.80}, expected DCM"
        return (Fault("code-system-name", said, "/@codeSystemName"),)
    expected = code_tables.text_of(csd_code, "DCM")
    if not expected or text == expected or _is_variant(text, expected):
        return _NONE
    said = f"{csd_code} is {expected!r}, not {text!r:.80}"
    return (Fault("code-text", said, "/@originalText"),)


def _judge_transaction(csd_code: str, system: str) -> Faults:
    if not system or system in _TRANSACTION_SYSTEMS or is_oid(system):
        return _NONE
    if not any(csd_code in code_tables.table(name).codes for name in _TRANSACTION_TABLES):
        return _NONE
    said = f"{csd_code} has the code system {system!r:.80}, expected IHE Transactions"
    return (Fault("code-system-name", said, "/@codeSystemName"),)


def _is_variant(sent: str, text: str) -> bool:
    """Case, blanks, and the older short names: Source for Source Role ID."""
    short = text.casefold().removesuffix(" role id")
    return sent.strip().casefold() in {text.casefold(), short}


_remembered_code = lru_cache(maxsize=_REMEMBERED)(_judge_code)


def identifier_faults(value: str) -> Faults:
    """A mandatory identifier: there, and not a known placeholder."""
    if not value.strip():
        return (Fault("value-empty", "the identifier is empty"),)
    if len(value) <= _MAX_PLACEHOLDER and value.strip().lower() in _PLACEHOLDERS:
        return (Fault("placeholder", f"{value!r} looks like a placeholder"),)
    return _NONE


def ae_title_faults(value: str) -> Faults:
    """AE titles in an AlternativeUserID, if that is what it holds (PS3.15 A.5.2)."""
    if len(value) > _MAX_REMEMBERED_CHARACTERS:
        return _judge_ae_titles(value)
    return _remembered_ae_titles(value)


def _judge_ae_titles(value: str) -> Faults:
    matched = _AE_TITLES.fullmatch(value)
    if matched is None:
        return _NONE
    found: Faults = ()
    wrong = (one for one in matched[1].split(";") if not _AE_TITLE.fullmatch(one.strip(" ")))
    if (title := next(wrong, None)) is not None:
        found += (Fault("ae-title", f"{title!r:.80} is no AE title"),)
    if not value.startswith("AETITLES="):
        found += (Fault("ae-titles", f"written {value!r:.80}"),)
    return found


_remembered_ae_titles = lru_cache(maxsize=_REMEMBERED)(_judge_ae_titles)


def access_point_faults(value: str | None, kind: str | None) -> Faults:
    """A network access point against its type (PS3.15 A.5.1)."""
    if len(value or "") > _MAX_REMEMBERED_CHARACTERS:
        return _judge_access_point(value, kind)
    return _remembered_access_point(value, kind)


def _judge_access_point(value: str | None, kind: str | None) -> Faults:
    if value and kind:
        if _fits(value.strip(), kind.strip()):
            return _NONE
        said = f"type {kind.strip()!r:.10} does not fit {value!r:.80}"
        return (Fault("network-access-point-type", said, "/@NetworkAccessPointTypeCode"),)
    if kind:
        said = "NetworkAccessPointTypeCode without NetworkAccessPointID"
        return (Fault("network-access-point-id", said, "/@NetworkAccessPointTypeCode"),)
    return _NONE


_remembered_access_point = lru_cache(maxsize=_REMEMBERED)(_judge_access_point)


def _fits(value: str, kind: str) -> bool:
    match kind:
        case "1":
            return _MACHINE_NAME.fullmatch(value) is not None and not _is_ip_address(value)
        case "2":
            return _is_ip_address(value)
        case "3":
            return _TELEPHONE.fullmatch(value) is not None
        case "4":
            return "@" in value
        case "5":
            return _URI.fullmatch(value) is not None
        case _:
            return True


def _is_ip_address(value: str) -> bool:
    if len(value) > _LONGEST_ADDRESS:
        return False
    try:
        ip_address(value.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def is_oid(text: str) -> bool:
    """Whether the text has the form of an object identifier."""
    return _UID.fullmatch(text) is not None


def uid_faults(uid: str) -> Faults:
    """A UID: well-formed (PS3.5 9.1) and not a known placeholder."""
    if uid in _PLACEHOLDER_UIDS:
        return (Fault("placeholder", f"the UID {uid} looks like a placeholder"),)
    if len(uid) > _MAX_UID or not _UID.fullmatch(uid):
        return (Fault("uid-malformed", f"{uid!r:.90} is no UID"),)
    return _NONE
