"""MSG octets → octets that are surely UTF-8 XML without a document type, or the reason why not.

libxml2 never gets to choose an encoding: UTF-7, for instance, would turn plain ASCII into markup.
"""

import re
from dataclasses import dataclass

from audit.record.findings import Finding, finding

_BLANKS = b" \t\r\n"
USUAL_DECLARATION = (
    rb"""<\?xml version=(?:"1\.0"|'1\.0')(?: encoding=(?:"(?:UTF|utf)-8"|'(?:UTF|utf)-8'))?"""
    rb"""(?: standalone=(?:"yes"|"no"|'yes'|'no'))?\?>"""
)
"""A declaration, as a pattern, of which there is nothing to say."""
_USUAL = re.compile(rb"(?:%b[ \t\r\n]*)?<AuditMessage[ \t\r\n>]" % USUAL_DECLARATION)
"""The beginning of a message in which there is nothing to put right."""
_DECLARATION = re.compile(rb"<\?xml\s[^>]*?\?>")
_DECLARED = re.compile(rb"""encoding\s*=\s*["']([A-Za-z0-9._\-]{1,40})["']""")
_UTF_8 = {"utf-8", "utf8", "us-ascii", "ascii"}
_TOLERATED = {
    "iso-8859-1": "iso8859-1",
    "latin1": "iso8859-1",
    "iso-8859-15": "iso8859-15",
    "windows-1252": "cp1252",
}
_UTF_16 = {"utf-16", "utf-16le", "utf-16be"}
_UTF_8_BOM = b"\xef\xbb\xbf"
_UTF_16_BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UTF_32_BOMS = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlLimits:
    """Bounds on one message; each has its own finding.

    Attributes:
        max_octets: of the MSG part; as large as the largest message the journal takes whole.
        max_nodes: elements; a study of 15,000 instances listed one by one still passes.
        max_attributes: attributes of all elements together, and namespaces.
        max_attributes_of_element: of one element; the grammar has eight at most.
        max_depth: nesting; the grammar needs six.
        max_parts: participants, and objects, that are read and judged; the grammar is held
            against all of them. Thousands of studies in one message still pass.
        raw_text_octets: how much of an unreadable message is offered to free-text search.
        max_findings: findings kept of one message; the rest are counted in the last.
    """

    max_octets: int = 16 * 1024 * 1024
    max_nodes: int = 20_000
    max_attributes: int = 60_000
    max_attributes_of_element: int = 64
    max_depth: int = 32
    max_parts: int = 2_000
    raw_text_octets: int = 64 * 1024
    max_findings: int = 100


DEFAULT_LIMITS = XmlLimits()


class Refused(Exception):
    """The octets are not handed to the parser; ``finding`` says why."""

    def __init__(self, why: Finding) -> None:
        super().__init__(why.message)
        self.finding = why


@dataclass(frozen=True, slots=True)
class XmlInput:
    """Octets fit for the parser.

    Attributes:
        octets: UTF-8, beginning with ``<``.
        findings: what had to be put right.
        lines_before: line breaks that were cut off in front.
    """

    octets: bytes
    findings: tuple[Finding, ...] = ()
    lines_before: int = 0


def prepare(msg: bytes, limits: XmlLimits) -> XmlInput:
    """Make the MSG part fit for the parser.

    Raises:
        Refused: empty, too large, not XML, of an unsafe encoding, or with a document type.
    """
    if len(msg) > limits.max_octets:
        raise Refused(
            finding("xml-too-large", f"{len(msg)} octets, at most {limits.max_octets} allowed")
        )
    if _USUAL.match(msg) and msg[-1:] != b"\x00":
        _refuse_masses(msg, limits)
        return XmlInput(msg)
    octets, findings = _as_utf_8(msg)
    trimmed, around, lines = _trim(octets)
    if not trimmed:
        raise Refused(finding("message-empty", "the message has no content"))
    if trimmed[:1] != b"<":
        raise Refused(finding("not-xml", f"begins with {_shown(trimmed)!r} instead of <", line=1))
    trimmed, more = _declared_encoding(trimmed, bom=octets is not msg)
    _refuse_document_type(trimmed, lines)
    _refuse_masses(trimmed, limits)
    return XmlInput(trimmed, (*findings, *around, *more), lines)


def raw_text(msg: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> str:
    """The beginning of any octets as text that is safe to store and search."""
    head = msg[: limits.raw_text_octets]
    codec = _UTF_16_BOMS.get(head[:2], "utf-8")
    text = head.decode(codec, errors="replace").lstrip("\ufeff")
    return "".join(c if c.isprintable() or c in "\t\n" else "\ufffd" for c in text)


def _as_utf_8(msg: bytes) -> tuple[bytes, tuple[Finding, ...]]:
    if msg.startswith(_UTF_8_BOM):
        return msg[3:].removeprefix(_UTF_8_BOM), ()
    if msg.startswith(_UTF_32_BOMS):
        raise Refused(finding("encoding-refused", "the message is encoded in UTF-32", line=1))
    codec = _UTF_16_BOMS.get(msg[:2])
    if codec is None:
        _refuse_other_widths(msg)
        return msg, ()
    found = finding("encoding-not-utf-8", "the message is encoded in UTF-16", line=1)
    return _recoded(msg[2:], codec), (found,)


def _refuse_other_widths(msg: bytes) -> None:
    head = msg[:4].lstrip(_BLANKS)
    if head.startswith((b"<\x00", b"\x00<", b"\x00\x00\x00<", b"\x4c\x6f\xa7\x94")):
        raise Refused(
            finding(
                "encoding-refused", "UTF-16 or UTF-32 without byte order mark, or EBCDIC", line=1
            )
        )


def _recoded(octets: bytes, codec: str) -> bytes:
    try:
        return octets.decode(codec).encode("utf-8")
    except UnicodeError as fault:
        raise Refused(
            finding("xml-not-well-formed", f"octets that are not {codec}: {fault}", line=1)
        ) from None


def _trim(octets: bytes) -> tuple[bytes, tuple[Finding, ...], int]:
    if octets[:1] == b"<" and octets[-1:] != b"\x00":
        return octets, (), 0
    trimmed = octets.strip(_BLANKS + b"\x00")
    front = len(octets) - len(octets.lstrip(_BLANKS + b"\x00"))
    found = finding("octets-around-xml", "blanks before the XML or NUL octets after it", line=1)
    return trimmed, (found,), octets[:front].count(b"\n")


def _declared_encoding(octets: bytes, *, bom: bool) -> tuple[bytes, tuple[Finding, ...]]:
    """Judge what the XML declaration says, and recode if it names one of the tolerated.

    A message in UTF-8 that calls itself UTF-16 comes from writers that join text; it is read as
    what it is.
    """
    declaration = _DECLARATION.match(octets) if octets.startswith(b"<?xml") else None
    declared = _DECLARED.search(declaration[0]) if declaration else None
    if declared is None:
        return octets, ()
    name = declared[1].decode("ascii").lower()
    if name in _UTF_8:
        return octets, ()
    if bom and name in _UTF_16:
        return octets, ()
    if name in _UTF_16 or (bom and name in _TOLERATED):
        return octets, (_conflict(name),)
    codec = _TOLERATED.get(name)
    if codec is None:
        raise Refused(finding("encoding-refused", f"declared as {name}", line=1))
    found = finding("encoding-not-utf-8", f"the message is encoded in {name}", line=1)
    return _recoded(octets, codec), (found,)


def _conflict(name: str) -> Finding:
    return finding("encoding-conflict", f"declared as {name}, which it is not", line=1)


def _refuse_document_type(octets: bytes, lines_before: int) -> None:
    """A document type can only stand before the root element: look there, whatever is around."""
    place = 0
    while (at := octets.find(b"<", place)) >= 0:
        if octets.startswith(b"<?", at):
            end = octets.find(b"?>", at)
        elif octets.startswith(b"<!--", at):
            end = octets.find(b"-->", at + 4)
        elif octets[at : at + 9].upper() == b"<!DOCTYPE":
            line = lines_before + octets.count(b"\n", 0, at) + 1
            raise Refused(finding("doctype-refused", "the message has a <!DOCTYPE>", line=line))
        else:
            return
        if end < 0:
            return
        place = end


def _refuse_masses(octets: bytes, limits: XmlLimits) -> None:
    """Bound what the parser may build: every element has a ``<``, every attribute a ``=``."""
    opening = octets.count(b"<") if len(octets) > limits.max_nodes else 0
    if opening > 2 * limits.max_nodes:
        raise Refused(_masses("elements", limits.max_nodes))
    equals = octets.count(b"=") if len(octets) > limits.max_attributes else 0
    if equals > limits.max_attributes:
        raise Refused(_masses("attributes", limits.max_attributes))


def _masses(what: str, most: int) -> Finding:
    return finding("xml-too-many-nodes", f"more than {most} {what}")


def _shown(octets: bytes) -> str:
    return octets[:_SHOWN].decode("utf-8", errors="replace")
