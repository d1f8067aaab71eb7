"""FHIR R4 AuditEvent in JSON → AuditMessage and findings.

The tier is ``legacy``: the event had to be put into the words of PS3.15 before its rules could be
applied. Paths of findings are those of the JSON, such as ``AuditEvent.agent[1].who``.

Source: FHIR R4 4.0.1 AuditEvent and its mapping to DICOM; IHE ITI TF-2 3.20 (ATX: FHIR Feed).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from audit.record import fhir_grammar
from audit.record.audit_message import AuditMessage
from audit.record.event_rules import judge_fhir_event
from audit.record.fhir_mapping import message_of
from audit.record.fhir_values import listed, member
from audit.record.findings import Finding, Severity, finding
from audit.record.json_input import clean, positions, read_object
from audit.record.message_rules import judge_message
from audit.record.xml_input import XmlLimits
from audit.standards.files import read_toml
from audit.standards.rules import rule

_STEP = re.compile(r"(?P<name>@?[^/\[\]]+)(?:\[(?P<number>\d+)\])?")
_JSON_STEP = re.compile(r"\.(?P<name>\w+)(?:\[(?P<number>\d+)\])?")
_WHAT = re.compile(r"AuditEvent\.entity\[(\d+)\]\.what")
_OF_OTHER_EDITIONS = {
    "userId": "STU3",
    "reference": "STU3",
    "networkString": "R5",
    "networkUri": "R5",
    "networkReference": "R5",
}
"""What an agent holds in other editions alone."""
_OF_PS3_15 = frozenset({"object-role-deprecated"})
"""Rules about codes that FHIR defines anew: 4 is a Domain Resource."""


@dataclass(frozen=True, slots=True)
class AuditEventReading:
    """What is said of one resource.

    Attributes:
        message: what it says in the words of PS3.15; None when it is no AuditEvent.
        tier: ``legacy``, or ``none`` when it doesn't meet the grammar of FHIR R4.
        findings: in the order of lines.
    """

    message: AuditMessage | None
    tier: str
    findings: tuple[Finding, ...]


def read_audit_event(msg: bytes, limits: XmlLimits) -> AuditEventReading:
    """Read and judge one AuditEvent.

    Raises:
        Refused: the octets can't be parsed safely as one JSON object.
    """
    source = read_object(msg, limits)
    resource = source.value
    if resource.get("resourceType") != fhir_grammar.ROOT:
        kind = clean(str(resource.get("resourceType", "none")))[:80]
        said = f"the resourceType is {kind}"
        wrong = finding("fhir-resource-type", said, path="AuditEvent.resourceType")
        return AuditEventReading(None, "none", _located([wrong], source.text))
    said_of_grammar = _grammar(resource, limits.max_findings)
    is_sound = all(one.severity is not Severity.ERROR for one in said_of_grammar)
    message = message_of(resource, limits.max_parts)
    there = {one.path for one in said_of_grammar}
    is_of_r4 = all(one.rule != "fhir-edition" for one in said_of_grammar)
    told = _rules(message, resource) if is_of_r4 else []
    rules = [one for one in told if one.path not in there]
    rules += _passed_over(resource, limits)
    kept = [*said_of_grammar, *rules][: limits.max_findings]
    return AuditEventReading(
        message, "legacy" if is_sound else "none", _located(kept, source.text)
    )


def _grammar(resource: dict[str, Any], most: int) -> list[Finding]:
    other = _other_edition(resource)
    if other is not None:
        return [other]
    found = fhir_grammar.breaches(resource, most)
    if "outcome" not in resource:
        said = "AuditEvent has no outcome"
        found.append(finding("fhir-outcome-missing", said, path="AuditEvent.outcome"))
    return found


def _other_edition(resource: dict[str, Any]) -> Finding | None:
    """What tells that the resource is one of FHIR STU3 or R5."""
    if "code" in resource and "type" not in resource:
        said = "the event is told by code, as in R5, not by type"
        return finding("fhir-edition", said, path="AuditEvent.code")
    if isinstance(resource.get("outcome"), dict):
        said = "the outcome is an object, as in R5, not a code"
        return finding("fhir-edition", said, path="AuditEvent.outcome")
    for number, agent in enumerate(listed(resource, "agent")):
        for name, edition in _OF_OTHER_EDITIONS.items():
            if name in agent:
                said = f"an agent has {name}, as in {edition}"
                return finding("fhir-edition", said, path=f"AuditEvent.agent[{number}].{name}")
    source = member(resource, "source")
    if "identifier" in source and "observer" not in source:
        said = "the source has an identifier, as in STU3, and no observer"
        return finding("fhir-edition", said, path="AuditEvent.source.identifier")
    return None


def _rules(message: AuditMessage, resource: dict[str, Any]) -> list[Finding]:
    """The rules of PS3.15 and IHE, weighed as for any message that was put into their words.

    What an event must hold is advice here: FHIR makes no rule of A.5.3 its own.
    """
    system = message.event_identification.event_id.code_system_name
    of_event = judge_fhir_event(message, _profiles(resource))
    found = [*judge_message(message, strict=False), *map(_as_advice, of_event)]
    told = (
        _in_fhir(one, resource)
        for one in found
        if one.rule not in _OF_PS3_15
        and (one.rule != "event-id-unknown" or system in {"", "DCM", "IHE"})
    )
    return [one for one in told if not _is_lawfully_absent(one, resource)]


def _profiles(resource: dict[str, Any]) -> list[str]:
    """Names of the profiles that the resource claims."""
    claimed = member(resource, "meta").get("profile")
    urls = claimed if isinstance(claimed, list) else []
    return [url.partition("|")[0].rpartition("/")[2] for url in urls if isinstance(url, str)]


def _as_advice(one: Finding) -> Finding:
    return replace(one, severity=Severity.WARNING) if one.severity is Severity.ERROR else one


def _is_lawfully_absent(one: Finding, resource: dict[str, Any]) -> bool:
    """FHIR lets an entity have no identity, as a query has none, and a code no text."""
    if one.rule == "code-text":
        code = _member_at(resource, one.path)
        inner = listed(code, "coding")
        return "text" not in code and not any("display" in each for each in (code, *inner))
    at = _WHAT.fullmatch(one.path) if one.rule == "value-empty" else None
    return at is not None and "what" not in _member_at(resource, one.path.removesuffix(".what"))


def _member_at(resource: dict[str, Any], path: str) -> dict[str, Any]:
    """The object at a path of the JSON; an empty one when there is none."""
    found = resource
    for step in _JSON_STEP.finditer(path.removeprefix(fhir_grammar.ROOT)):
        if step["number"] is None:
            found = member(found, step["name"])
        else:
            found = _numbered(found.get(step["name"]), int(step["number"]))
    return found


def _numbered(several: object, number: int) -> dict[str, Any]:
    one = several[number] if isinstance(several, list) and number < len(several) else None
    return one if isinstance(one, dict) else {}


def _passed_over(resource: dict[str, Any], limits: XmlLimits) -> list[Finding]:
    """That there are more agents or entities than are read."""
    return [
        finding(
            "message-read-partly",
            f"{len(values)} of {name}; the first {limits.max_parts} were read and judged",
            path="AuditEvent",
        )
        for name in ("agent", "entity")
        if isinstance(values := resource.get(name), list) and len(values) > limits.max_parts
    ]


def _in_fhir(one: Finding, resource: Mapping[str, Any]) -> Finding:
    severity = one.severity
    if severity is Severity.ERROR:
        severity = Severity(rule(one.rule).legacy_severity)
    return replace(one, severity=severity, path=fhir_path(one.path, resource))


@cache
def _steps() -> Mapping[str, str]:
    steps: dict[str, str] = read_toml("fhir/audit-event.toml")["path"]
    return steps


def fhir_path(path: str, resource: Mapping[str, Any]) -> str:
    """The path of the JSON for a path of an AuditMessage; as far as there is one."""
    found = fhir_grammar.ROOT
    for step in _STEP.finditer(path.removeprefix("/AuditMessage")):
        name = _steps().get(step["name"])
        if name is None:
            break
        if name.endswith("[]"):
            name = f"{name[:-2]}[{int(step['number'] or 1) - 1}]"
        found += f".{name}" if name else ""
    return _corrected(found, resource)


def _corrected(path: str, resource: Mapping[str, Any]) -> str:
    """Roles of an agent stand in two elements: its type comes first."""
    at = re.fullmatch(r"AuditEvent\.agent\[(\d+)\]\.role\[(\d+)\](.*)", path)
    if at is None:
        return path
    agents = resource.get("agent")
    agent = agents[int(at[1])] if isinstance(agents, list) and int(at[1]) < len(agents) else {}
    if not isinstance(agent, dict) or "type" not in agent:
        return path
    number = int(at[2])
    role = "type" if number == 0 else f"role[{number - 1}]"
    return f"AuditEvent.agent[{at[1]}].{role}{at[3]}"


def _located(findings: list[Finding], text: str) -> tuple[Finding, ...]:
    """With their lines, in the order of lines."""
    if not findings:
        return ()
    places = positions(text, {one.path for one in findings})
    placed = [replace(one, line=text.count("\n", 0, places[one.path]) + 1) for one in findings]
    return tuple(sorted(placed, key=lambda one: one.line))
