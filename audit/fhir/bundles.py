"""Answers as FHIR resources: searchset and batch-response Bundles, OperationOutcomes.

Source: FHIR R4 3.1.1 (search), 3.1.0.11 (batch), Bundle, OperationOutcome.
"""

from collections.abc import Iterable, Sequence
from uuid import uuid4

from audit.fhir.question import Question
from audit.fhir.trail import Found
from audit.fhir.values import Json
from audit.record.times import format_ns

PAGE = "_page"
"""The parameter of a paging link."""

_SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
_ALWAYS = frozenset({"resourceType", "id", "meta"})
_MANDATORY = frozenset({"type", "recorded", "agent", "source"})
_SUMMARY = _MANDATORY | {
    "subtype",
    "action",
    "outcome",
    "outcomeDesc",
    "purposeOfEvent",
    "entity",
}
_SUMMARY_INSIDE = {
    "agent": frozenset({"who", "requestor"}),
    "source": frozenset({"observer"}),
    "entity": frozenset({"what", "name", "query"}),
}
_MANDATORY_INSIDE = {"agent": frozenset({"requestor"}), "source": frozenset({"observer"})}


def outcome(severity: str, kind: str, words: Iterable[str]) -> Json:
    """An OperationOutcome with one issue for each text."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {"severity": severity, "code": kind, "diagnostics": one} for one in words if one
        ],
    }


def searchset(found: Found, base: str, self_link: str, now: int) -> Json:
    """One page of an answer as a Bundle.

    Args:
        found: the page.
        base: address of the FHIR interface, without a slash at the end.
        self_link: address of this very page.
        now: UTC nanoseconds.
    """
    links = [{"relation": "self", "url": self_link}]
    if found.next_page is not None:
        links.append({"relation": "next", "url": page_link(base, found.next_page)})
    bundle: Json = {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "meta": {"lastUpdated": format_ns(now)},
        "type": "searchset",
    }
    if found.total is not None:
        bundle["total"] = found.total
    bundle["link"] = links
    entries = [_entry(one, found.question, base) for one in found.resources]
    warnings = (*map(_not_understood, found.question.ignored), *found.warnings)
    if warnings:
        told = outcome("warning", "processing", warnings)
        mode = {"mode": "outcome"}
        entries.append({"fullUrl": f"urn:uuid:{uuid4()}", "resource": told, "search": mode})
    return bundle | ({"entry": entries} if entries else {})


def _not_understood(name: str) -> str:
    shown = name if name.isprintable() and len(name) <= 64 else "a parameter"  # noqa: PLR2004 - names are short
    return f"{shown} was ignored: it is empty, or this server doesn't know it"


def page_link(base: str, page: str) -> str:
    """The address of a page."""
    return f"{base}/AuditEvent?{PAGE}={page}"


def resource_link(base: str, record_id: str) -> str:
    """The address of one AuditEvent."""
    return f"{base}/AuditEvent/{record_id}"


def _entry(resource: Json, question: Question, base: str) -> Json:
    return {
        "fullUrl": resource_link(base, resource["id"]),
        "resource": shown_part(resource, question.summary, question.elements),
        "search": {"mode": "match"},
    }


def shown_part(resource: Json, summary: str = "false", elements: Sequence[str] = ()) -> Json:
    """The part of a resource that is wanted; what FHIR demands is always there.

    Args:
        resource: an AuditEvent.
        summary: value of ``_summary``.
        elements: values of ``_elements``; they win.
    """
    if elements:
        return _subset(resource, _MANDATORY | set(elements), {})
    if summary == "true":
        return _subset(resource, _SUMMARY, _SUMMARY_INSIDE)
    if summary == "text":
        return _subset(resource, _MANDATORY, _MANDATORY_INSIDE)
    return resource


def _subset(
    resource: Json, names: frozenset[str] | set[str], inside: dict[str, frozenset[str]]
) -> Json:
    kept = {
        name: _inside(value, inside.get(name))
        for name, value in resource.items()
        if name in names or name in _ALWAYS
    }
    kept = {name: value for name, value in kept.items() if value}
    return kept | {"meta": {**resource.get("meta", {}), "tag": [_SUBSETTED]}}


def _inside(value: object, names: frozenset[str] | None) -> object:
    if names is None:
        return value
    if isinstance(value, list):
        return [kept for one in value if (kept := _inside(one, names))]
    if isinstance(value, dict):
        return {name: one for name, one in value.items() if name in names}
    return value
