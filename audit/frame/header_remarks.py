"""What is odd about a syslog header, as remarks whose rules stand in ``schemas/rules.toml``."""

import re
from dataclasses import dataclass

KNOWN_MSGIDS = ("IHE+RFC-3881", "DICOM+RFC3881")
"""ITI TF-2 3.20 and DICOM PS3.15 A.6. Neither tells the dialect of the XML."""

HIGHEST_PRIORITY = 191
"""Facility 23, severity 7 (RFC 5424 6.2.1)."""

SUPPORTED_BY_ALL_OCTETS = 32768
"""Every receiver of the DICOM TLS transport takes this much (PS3.15 A.6), none need take more."""

TIMESTAMP = (
    rb"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:"
    rb"[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
"""RFC 5424 6.2.3: at most six digits of a second, no leap second."""

_AUDIT_FACILITY = 10
_TIMESTAMP = re.compile(TIMESTAMP)
_FIELDS = (("HOSTNAME", 255), ("APP-NAME", 48), ("PROCID", 128), ("MSGID", 32))
_PRINTABLE = re.compile(rb"[!-~]+")
_SHOWN_OCTETS = 60


@dataclass(frozen=True, slots=True)
class Remark:
    """One oddity.

    Attributes:
        rule: id in ``schemas/rules.toml``.
        message: what was found, and what was expected.
    """

    rule: str
    message: str


def shown(octets: bytes) -> str:
    """The octets for a person to read: quoted, escaped, cut."""
    cut = octets[:_SHOWN_OCTETS]
    return ascii(cut.decode("utf-8", "replace")) + ("…" if len(octets) > len(cut) else "")


def priority_remarks(digits: bytes) -> list[Remark]:
    """PRI out of range, badly written, or not of the audit facility."""
    priority = int(digits)
    if priority > HIGHEST_PRIORITY or digits != b"%d" % priority:
        text = f"PRI is {shown(digits)}, not a number from 0 to 191 without leading zeros"
        return [Remark("syslog-pri", text)]
    if priority // 8 != _AUDIT_FACILITY:
        text = f"PRI {priority} means facility {priority // 8}; audit messages use facility 10"
        return [Remark("syslog-pri", text)]
    return []


def timestamp_remarks(timestamp: bytes) -> list[Remark]:
    """TIMESTAMP not in the form of RFC 5424 6.2.3."""
    if timestamp == b"-" or _TIMESTAMP.fullmatch(timestamp):
        return []
    text = f"TIMESTAMP {shown(timestamp)} is not a date-time of RFC 5424 6.2.3"
    return [Remark("syslog-timestamp", text)]


def field_remarks(fields: tuple[bytes, ...]) -> list[Remark]:
    """HOSTNAME, APP-NAME, PROCID or MSGID too long or not printable ASCII."""
    remarks = []
    for (name, longest), octets in zip(_FIELDS, fields, strict=True):
        if len(octets) > longest:
            text = f"{name} has {len(octets)} octets; at most {longest} are allowed"
            remarks.append(Remark("syslog-header-field", text))
        elif not _PRINTABLE.fullmatch(octets):
            text = f"{name} {shown(octets)} is not printable ASCII"
            remarks.append(Remark("syslog-header-field", text))
    return remarks


def msgid_remarks(msgid: bytes) -> list[Remark]:
    """MSGID other than the two that audit messages use."""
    if msgid.decode("ascii", "replace") in KNOWN_MSGIDS:
        return []
    known = " or ".join(KNOWN_MSGIDS)
    return [Remark("syslog-msgid", f"MSGID is {shown(msgid)}; expected {known}")]


def structured_data_remarks(octets: bytes, well_formed: bool) -> list[Remark]:
    """STRUCTURED-DATA used, which ITI-20 does not, or malformed."""
    if octets == b"-":
        return []
    if not octets:
        text = "STRUCTURED-DATA is missing; a hyphen is expected where there is none"
    elif well_formed:
        text = f"STRUCTURED-DATA {shown(octets)} is present; audit messages carry the nil value -"
    else:
        text = f"STRUCTURED-DATA {shown(octets)} is malformed (RFC 5424 6.3)"
    return [Remark("syslog-structured-data", text)]


def message_remarks(raw: bytes, has_bom: bool) -> list[Remark]:
    """A byte order mark in front of the XML; a size that not every receiver takes."""
    remarks = []
    if has_bom:
        text = "MSG begins with a byte order mark, which ITI-20 discourages"
        remarks.append(Remark("syslog-bom", text))
    if len(raw) > SUPPORTED_BY_ALL_OCTETS:
        text = (
            f"the message has {len(raw)} octets; receivers need not take more than "
            f"{SUPPORTED_BY_ALL_OCTETS}"
        )
        remarks.append(Remark("syslog-size", text))
    return remarks
