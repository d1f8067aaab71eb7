"""The syslog header: RFC 5424 on one regular expression, RFC 3164 and no header as fallback.

``read_header`` never raises and never changes an octet: what is odd becomes a remark, and
``raw[header.msg_offset:]`` is MSG, with its BOM where there is one.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from audit.frame import header_remarks
from audit.frame.explain import explain_header
from audit.frame.header_remarks import KNOWN_MSGIDS, Remark
from audit.frame.structured_data import NIL, end_of_structured_data

AUDIT_FACILITY = 10
"""``authpriv``: ITI-20 and DICOM PS3.15 A.6 prescribe it."""

IHE_MSGID = "IHE+RFC-3881"

BOM = b"\xef\xbb\xbf"

Format = Literal["rfc5424", "rfc3164", "none"]

_RFC5424 = re.compile(
    rb"<([0-9]{1,3})>([1-9][0-9]{0,2}) +([^\x00-\x20<]+) +([^\x00-\x20<]+) +([^\x00-\x20<]+) +"
    rb"([^\x00-\x20<]+) +([^\x00-\x20<]+) +"
)
_USUAL = re.compile(
    rb"<(8[0-7])>(1) (%b) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) (%b) -(?: |\Z)"
    % (header_remarks.TIMESTAMP, b"|".join(re.escape(m.encode()) for m in KNOWN_MSGIDS))
)
"""A header that nothing is to be remarked on."""

_RFC3164 = re.compile(
    rb"<([0-9]{1,3})>([A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}) "
    rb"(?:([^\x00-\x20<]{0,254}[^\x00-\x20<:]) )?"
    rb"(?:([!-/0-9;A-Z\\^-~]{1,48})(?:\[([!-Z\\^-~]{0,128})\])?: ?)?"
)
_PRI_ONLY = re.compile(rb"<([0-9]{1,3})>[ \t]*")
_MSG_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?<[A-Za-z?!]")
_COUNT_PREFIX = re.compile(rb"[1-9][0-9]{0,9} (?=<[0-9])")
_HEADER_SCAN_OCTETS = 4096
"""No part of a header before STRUCTURED-DATA lies behind this octet."""


class SyslogHeader(NamedTuple):
    """What stands before MSG, as sent; empty text where nothing was sent.

    Attributes:
        format: how the header was read; ``none`` when there is none.
        priority: PRI as a number, None without PRI.
        facility: PRI divided by 8 (RFC 5424 6.2.1).
        severity: PRI modulo 8.
        version: VERSION of RFC 5424, 0 otherwise.
        timestamp: as sent; ``-`` is the nil value.
        structured_data: as sent, escapes kept; ``-`` is the nil value.
        has_bom: whether MSG begins with the UTF-8 byte order mark.
        msg_offset: octets before MSG.
        remarks: what is odd, in the order of the header.
    """

    format: Format
    priority: int | None = None
    facility: int | None = None
    severity: int | None = None
    version: int = 0
    timestamp: str = ""
    hostname: str = ""
    app_name: str = ""
    procid: str = ""
    msgid: str = ""
    structured_data: str = ""
    has_bom: bool = False
    msg_offset: int = 0
    remarks: tuple[Remark, ...] = ()


def read_header(raw: bytes) -> SyslogHeader:
    """The header of one message, whatever it is. Never raises.

    Source: RFC 5424 6, RFC 3164 4, IHE ITI TF-2 3.20, DICOM PS3.15 A.6.
    """
    match = _USUAL.match(raw)
    if match:
        return _rfc5424_header(match.groups(), match.end(), raw)
    start = _start(raw)
    stop = start + _HEADER_SCAN_OCTETS
    match = _RFC5424.match(raw, start, stop)
    if match:
        return _rfc5424(raw, match)
    match = _RFC3164.match(raw, start, stop)
    if match:
        return _rfc3164(raw, match)
    match = _PRI_ONLY.match(raw, start)
    return _priority_only(raw, match) if match else _no_header(raw)


def format_message(  # noqa: PLR0913 - one keyword for each field of the header
    *,
    severity: int,
    hostname: str,
    app_name: str,
    procid: str,
    timestamp: datetime,
    msg: bytes,
    msgid: str = IHE_MSGID,
) -> bytes:
    """One RFC 5424 message of facility 10 without structured data and without BOM (ITI-20).

    Header fields are cut to their longest length and to printable ASCII; an empty one becomes
    the nil value, so that the message is well formed whatever is passed.

    Args:
        severity: 0 to 7; ITI-20 uses 5 (notice) and 4 (warning).
        hostname: of the sender, at best a full domain name.
        app_name: of the sender.
        procid: process id or any other text.
        timestamp: aware; written in UTC with milliseconds.
        msg: the XML, UTF-8.
        msgid: ``IHE+RFC-3881`` by ITI-20, whatever the dialect.

    Raises:
        ValueError: ``timestamp`` is naive, or ``severity`` out of range.
    """
    if timestamp.tzinfo is None or not 0 <= severity <= 7:  # noqa: PLR2004 - RFC 5424 table 2
        raise ValueError("timestamp must be aware and severity 0 to 7")
    fields = (
        f"<{AUDIT_FACILITY * 8 + severity}>1",
        timestamp.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        _printable(hostname, 255),
        _printable(app_name, 48),
        _printable(procid, 128),
        _printable(msgid, 32),
        NIL,
    )
    return " ".join(fields).encode("ascii") + b" " + msg


def _printable(text: str, longest: int) -> str:
    return "".join(c for c in text if "!" <= c <= "~")[:longest] or NIL


def _text(octets: bytes | None) -> str:
    return "" if octets is None else octets.decode("utf-8", "replace")


def _start(raw: bytes) -> int:
    """Octets to pass over: a byte order mark or a frame's MSG-LEN in front of PRI."""
    if raw.startswith(BOM + b"<") and raw[4:5].isdigit():
        return len(BOM)
    prefix = _COUNT_PREFIX.match(raw)
    return prefix.end() if prefix else 0


def _rfc5424(raw: bytes, match: re.Match[bytes]) -> SyslogHeader:
    digits, _, timestamp, *fields = match.groups()
    end, well_formed = end_of_structured_data(raw, match.end())
    data = raw[match.end() : end]
    msg_offset = end + raw.startswith(b" ", end)
    remarks = [
        *header_remarks.priority_remarks(digits),
        *_version_remarks(raw, match),
        *header_remarks.timestamp_remarks(timestamp),
        *header_remarks.field_remarks(tuple(fields)),
        *header_remarks.msgid_remarks(fields[-1]),
        *header_remarks.structured_data_remarks(data, well_formed),
    ]
    return _rfc5424_header(match.groups(), msg_offset, raw, _text(data), remarks)


def _rfc5424_header(
    fields: tuple[bytes, ...],
    msg_offset: int,
    raw: bytes,
    structured_data: str = NIL,
    remarks: Sequence[Remark] = (),
) -> SyslogHeader:
    """The header of the seven fields from PRI to MSGID."""
    has_bom = raw.startswith(BOM, msg_offset)
    priority, version, timestamp, hostname, app_name, procid, msgid = fields
    number = int(priority)
    return SyslogHeader(
        "rfc5424",
        number,
        number // 8,
        number % 8,
        int(version),
        timestamp.decode("utf-8", "replace"),
        hostname.decode("utf-8", "replace"),
        app_name.decode("utf-8", "replace"),
        procid.decode("utf-8", "replace"),
        msgid.decode("utf-8", "replace"),
        structured_data,
        has_bom,
        msg_offset,
        (*remarks, *header_remarks.message_remarks(raw, has_bom)),
    )


def _version_remarks(raw: bytes, match: re.Match[bytes]) -> list[Remark]:
    """VERSION other than 1, more than one space between fields, or octets in front of PRI."""
    if match.start():
        prefix = header_remarks.shown(raw[: match.start()])
        return [Remark("syslog-header-malformed", f"{prefix} stands in front of PRI")]
    if b"  " in match[0]:
        return [Remark("syslog-header-malformed", "two spaces stand between header fields")]
    if match[2] != b"1":
        return [Remark("syslog-header-malformed", f"VERSION is {match[2].decode()}, not 1")]
    return []


def _rfc3164(raw: bytes, match: re.Match[bytes]) -> SyslogHeader:
    digits, timestamp, hostname, tag, procid = match.groups()
    has_bom = raw.startswith(BOM, match.end())
    text = "the header is that of RFC 3164, without year, zone and MSGID; RFC 5424 is expected"
    remarks = [
        *header_remarks.priority_remarks(digits),
        Remark("syslog-header-rfc3164", text),
        *header_remarks.message_remarks(raw, has_bom),
    ]
    priority = int(digits)
    return SyslogHeader(
        format="rfc3164",
        priority=priority,
        facility=priority // 8,
        severity=priority % 8,
        timestamp=_text(timestamp),
        hostname=_text(hostname),
        app_name=_text(tag),
        procid=_text(procid),
        has_bom=has_bom,
        msg_offset=match.end(),
        remarks=tuple(remarks),
    )


def _priority_only(raw: bytes, match: re.Match[bytes]) -> SyslogHeader:
    """PRI and then no header of either kind: MSG begins at the XML, else right behind PRI."""
    found = _MSG_BEGIN.search(raw, match.end(), match.end() + _HEADER_SCAN_OCTETS)
    msg_offset = found.start() if found else match.end()
    has_bom = raw.startswith(BOM, msg_offset)
    why = explain_header(raw[match.start() : msg_offset]) or "no header follows PRI"
    remarks = [
        *header_remarks.priority_remarks(match[1]),
        Remark("syslog-header-malformed", f"not a header of RFC 5424: {why}"),
        *header_remarks.message_remarks(raw, has_bom),
    ]
    priority = int(match[1])
    return SyslogHeader(
        format="rfc3164",
        priority=priority,
        facility=priority // 8,
        severity=priority % 8,
        has_bom=has_bom,
        msg_offset=msg_offset,
        remarks=tuple(remarks),
    )


def _no_header(raw: bytes) -> SyslogHeader:
    has_bom = raw.startswith(BOM)
    text = f"no syslog header; the message begins with {header_remarks.shown(raw[:20])}"
    return SyslogHeader(
        format="none",
        has_bom=has_bom,
        remarks=(
            Remark("syslog-header-missing", text),
            *header_remarks.message_remarks(raw, has_bom),
        ),
    )
