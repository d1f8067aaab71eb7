"""MSG octets → what the message is, how good it is, and what its sender should mend.

Source: DICOM PS3.15 A.5; IHE ITI TF-2 3.20; RFC 3881. Tiers and verdicts: docs/divergences.md.
"""

from dataclasses import replace
from typing import NamedTuple

from audit.errors import MalformedMessage
from audit.record import grammar
from audit.record.audit_message import AuditMessage
from audit.record.event_rules import judge_event
from audit.record.fhir import read_audit_event
from audit.record.findings import Finding, Severity, finding
from audit.record.json_input import is_json
from audit.record.known_parts import (
    Pieces,
    cut_up,
    is_clean,
    known_message,
    learn,
    read_known,
    remember_clean,
)
from audit.record.location import begun, line_of, local_name
from audit.record.message_rules import judge_message
from audit.record.normalise import normalise, strip_foreign
from audit.record.parse import event_id_of, read_message
from audit.record.xml_input import DEFAULT_LIMITS, Refused, XmlInput, XmlLimits, prepare, raw_text
from audit.record.xml_tree import Element, check_depth, read_tree, salvage
from audit.standards.rules import rule

_LARGE_OCTETS = 32 * 1024
_UNCHANGED = frozenset({"dicom", "ihe"})
_MIXED = "rfc3881-mixed"
"""Tiers of messages that needn't be put into today's words."""
_GRAMMAR_RULES = frozenset({"not-base64", "event-date-time", "wrong-namespace"})


class Assessment(NamedTuple):
    """What is said of one message.

    Attributes:
        message: the AuditMessage, normalised; of a message that was cut off, what could be saved;
            None when there is none.
        dialect: ``dicom``, ``rfc3881`` or ``unknown``, by the attribute of the EventID; ``fhir``
            for an AuditEvent in JSON.
        tier: ``dicom``, ``ihe``, ``legacy`` or ``none``: the strictest grammar that it meets.
        verdict: ``valid``, ``invalid``, or ``malformed`` when it can't be parsed safely.
        event: code of the EventID, or empty.
        findings: what is to be said of it, in the order of lines.
        raw_text: its beginning as safe text when ``message`` is None, for free-text search.
    """

    message: AuditMessage | None
    dialect: str
    tier: str
    verdict: str
    event: str
    findings: tuple[Finding, ...]
    raw_text: str = ""


def assess(msg: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> Assessment:
    """Assess the MSG part of a syslog message, or a bare message. Never raises for bad input.

    Args:
        msg: the octets; a byte order mark is allowed.
        limits: bounds on size and structure; beyond them a message is ``malformed``.
    """
    pieces = cut_up(msg, limits)
    if pieces is not None and (message := _by_parts(pieces)) is not None:
        return _valid(message, "dicom", "dicom")
    if is_json(msg):
        return _assess_json(msg, limits)
    source: XmlInput | None = None
    try:
        source = prepare(msg, limits)
        root = read_tree(source, limits)
        return _assess_tree(root, source, msg, limits, pieces)
    except Refused as refused:
        before = source.findings if source else ()
        return _malformed((*before, refused.finding), msg, limits)
    except MalformedMessage as fault:
        return _assess_broken(source or XmlInput(b""), fault, msg, limits)


def _by_parts(pieces: Pieces) -> AuditMessage | None:
    """The message, when all its parts are known or can be learned, and nothing is to be said."""
    message = known_message(pieces)
    return known_message(pieces) if message is None and learn(pieces) else message


def _assess_json(msg: bytes, limits: XmlLimits) -> Assessment:
    try:
        told = read_audit_event(msg, limits)
    except Refused as refused:
        return _malformed((refused.finding,), msg, limits)
    message, tier = told.message, told.tier
    is_valid = tier != "none" and all(one.severity is not Severity.ERROR for one in told.findings)
    return Assessment(
        message=message,
        dialect="unknown" if message is None else "fhir",
        tier=tier,
        verdict="valid" if is_valid else "invalid",
        event="" if message is None else message.event_identification.event_id.csd_code,
        findings=told.findings,
        raw_text=raw_text(msg, limits) if message is None else "",
    )


def _malformed(findings: tuple[Finding, ...], msg: bytes, limits: XmlLimits) -> Assessment:
    return Assessment(
        message=None,
        dialect="unknown",
        tier="none",
        verdict="malformed",
        event="",
        findings=findings,
        raw_text=raw_text(msg, limits),
    )


def _assess_broken(
    source: XmlInput, fault: MalformedMessage, msg: bytes, limits: XmlLimits
) -> Assessment:
    where = f"line {fault.line}, column {fault.column}: " if fault.line else ""
    if source.octets.rstrip().endswith((b"AuditMessage>", b"?>")):
        said = finding("xml-not-well-formed", f"{where}{fault}", line=fault.line)
        return _malformed((*source.findings, said), msg, limits)
    root = salvage(source, limits)
    if root is None or root.tag != "AuditMessage":
        said = finding("xml-not-well-formed", f"{where}{fault}", line=fault.line)
        return _malformed((*source.findings, said), msg, limits)
    said = finding("xml-cut-off", f"{where}the XML ends before its end", line=fault.line)
    dialect = _dialect(root)
    normalise(root, rfc3881=dialect == "rfc3881")
    message = read_message(root, limits.max_parts)
    return Assessment(
        message=message,
        dialect=dialect,
        tier="none",
        verdict="malformed",
        event=message.event_identification.event_id.csd_code,
        findings=(*source.findings, said),
    )


def _valid(message: AuditMessage, dialect: str, tier: str) -> Assessment:
    """Of a message of which there is nothing to say."""
    return Assessment(
        message=message,
        dialect=dialect,
        tier=tier,
        verdict="valid",
        event=message.event_identification.event_id.csd_code,
        findings=(),
    )


def _assess_tree(
    root: Element, source: XmlInput, msg: bytes, limits: XmlLimits, pieces: Pieces | None
) -> Assessment:
    octets = source.octets
    found = list(source.findings)
    if b"xmlns" in octets:
        found += strip_foreign(root)
    if root.tag != "AuditMessage":
        return _other_root(root, found, msg, limits)
    dialect, tier, said = _grade(root, octets, limits)
    found += said
    is_known = tier == "dicom" and pieces is not None and not found
    message, rules = _judged(root, octets, pieces if is_known else None, tier, limits)
    if not rules and not found and tier in _UNCHANGED:
        return _valid(message, dialect, tier)
    tier = _final_tier(tier, [*found, *rules])
    if tier == "legacy":
        rules = list(map(_for_legacy, rules))
    findings = _located([*found, *_new(rules, said)], root, source, limits)
    is_valid = tier != "none" and all(one.severity is not Severity.ERROR for one in findings)
    return Assessment(
        message=message,
        dialect=dialect,
        tier=tier,
        verdict="valid" if is_valid else "invalid",
        event=message.event_identification.event_id.csd_code,
        findings=findings,
    )


def _judged(
    root: Element, octets: bytes, pieces: Pieces | None, tier: str, limits: XmlLimits
) -> tuple[AuditMessage, list[Finding]]:
    """The message, and what the rules say of it; by its known parts where there are pieces."""
    known = read_known(pieces, root, octets) if pieces is not None else None
    if pieces is not None and known is not None and is_clean(pieces, known[1]):
        return known[0], []
    message = known[0] if known else read_message(root, limits.max_parts)
    rules = judge_message(message, strict=tier == "dicom") + judge_event(message)
    if len(root) > limits.max_parts:
        rules += _passed_over(root, limits)
    if known and not rules:
        remember_clean(known[1])
    return message, rules


def _passed_over(root: Element, limits: XmlLimits) -> list[Finding]:
    """That there are more participants or objects than are read."""
    return [
        finding(
            "message-read-partly",
            f"{number} of {name}; the first {limits.max_parts} were read and judged",
            path="/AuditMessage",
        )
        for name in ("ActiveParticipant", "ParticipantObjectIdentification")
        if (number := sum(1 for _ in root.iterchildren(name))) > limits.max_parts
    ]


def _new(rules: list[Finding], said: list[Finding]) -> list[Finding]:
    """Without what the grammar has said of the same place already."""
    if not said:
        return rules
    there = {(one.rule, one.path) for one in said}
    absent = {one.path for one in said if one.rule == "grammar-attribute-missing"}
    return [
        one
        for one in rules
        if (one.rule, one.path) not in there
        and not (one.rule == "value-empty" and one.path in absent)
    ]


def _other_root(root: Element, found: list[Finding], msg: bytes, limits: XmlLimits) -> Assessment:
    check_depth(root, limits)
    said = finding(
        "wrong-root",
        f"the root element is {local_name(root)[:80]}",
        path=f"/{local_name(root)[:80]}",
        line=root.sourceline or 0,
    )
    return Assessment(
        message=None,
        dialect="unknown",
        tier="none",
        verdict="invalid",
        event="",
        findings=(*found, said),
        raw_text=raw_text(msg, limits),
    )


def _dialect(root: Element) -> str:
    event_id = event_id_of(root)
    if event_id is None:
        return "unknown"
    if event_id.get("csd-code") is not None:
        return "dicom"
    return "rfc3881" if event_id.get("code") is not None else "unknown"


def _grade(root: Element, octets: bytes, limits: XmlLimits) -> tuple[str, str, list[Finding]]:
    """Dialect, the strictest grammar that is met, and what keeps it from a stricter one."""
    large = len(octets) > _LARGE_OCTETS
    with grammar.borrowed() as grammars:
        is_likely = not large and b"csd-code" in octets
        if is_likely and grammars.accepts("dicom", root):
            return "dicom", "dicom", []  # the grammar demands csd-code, which tells the dialect
        dialect = _dialect(root)
        if dialect != "rfc3881":
            if not is_likely and grammars.accepts("dicom", root, large=large):
                return dialect, "dicom", []
            if grammars.accepts("ihe", root, large=large):
                return dialect, "ihe", _not_strict(grammars, limits)
        check_depth(root, limits)
        return dialect, *_legacy_tier(grammars, root, dialect, large, limits)


def _legacy_tier(
    grammars: grammar.Grammars, root: Element, dialect: str, large: bool, limits: XmlLimits
) -> tuple[str, list[Finding]]:
    """``legacy`` or ``none`` of a message put into today's words, and what was changed."""
    mixed = dialect == "rfc3881" and not grammars.accepts("rfc3881", root, large=large)
    said = normalise(root, rfc3881=dialect == "rfc3881")
    if mixed:
        said.append(_mixed(grammars, limits))
    if grammars.accepts("legacy", root, large=large):
        return "legacy", said
    breaches = grammars.breaches("legacy", limits.max_findings)
    there = {one.path for one in breaches}
    return "none", [one for one in said if one.rule != _MIXED or one.path not in there] + breaches


def _mixed(grammars: grammar.Grammars, limits: XmlLimits) -> Finding:
    first = grammars.breaches("rfc3881", limits.max_findings)[0]
    return finding(_MIXED, first.message, path=first.path, line=first.line)


def _not_strict(grammars: grammar.Grammars, limits: XmlLimits) -> list[Finding]:
    return [
        finding("not-strict", one.message, path=one.path, line=one.line)
        for one in grammars.breaches("dicom", limits.max_findings)
    ]


def _final_tier(tier: str, found: list[Finding]) -> str:
    """What XSD can't say is part of the grammar as well."""
    rules = {one.rule for one in found}
    if rules & _GRAMMAR_RULES:
        return "none"
    if tier == "dicom" and "audit-source-type-code" in rules:
        return "ihe"
    return tier


def _for_legacy(one: Finding) -> Finding:
    severity = Severity(rule(one.rule).legacy_severity)
    return one if one.severity is not Severity.ERROR else replace(one, severity=severity)


def _is_no_error(one: Finding) -> bool:
    return one.severity is not Severity.ERROR


def _located(
    findings: list[Finding], root: Element, source: XmlInput, limits: XmlLimits
) -> tuple[Finding, ...]:
    """With their lines, in the order of lines, and not more than a person can use."""
    if not findings:
        return ()
    kept = findings
    if len(findings) > limits.max_findings:  # errors first: the verdict rests on them
        kept = sorted(findings, key=_is_no_error)[: limits.max_findings]
    known = [
        replace(one, line=one.line or line_of(root, one.path)) if one.path else one for one in kept
    ]
    placed = [
        replace(one, line=one.line + source.lines_before) if one.path else one
        for one in begun(known, source.octets)
    ]
    return tuple(sorted(placed, key=lambda one: one.line))
