"""The grammar of FHIR R4 AuditEvent, as ``schemas/fhir/audit-event.toml`` gives it.

Contained resources, extensions, narrative and metadata are taken as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from audit.record.audit_message import octets_of
from audit.record.findings import Finding, finding
from audit.record.json_input import clean, is_odd
from audit.record.times import parse_date_time
from audit.standards.files import read_toml

ROOT = "AuditEvent"

_ANY = "Any"
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type.

    Attributes:
        name: as JSON writes it.
        type: a type of the table, a set of codes, or a primitive type.
        is_required: whether it must be there.
        is_list: whether it may repeat, and is an array then.
    """

    name: str
    type: str
    is_required: bool
    is_list: bool


@cache
def _table() -> dict[str, Any]:
    return read_toml("fhir/audit-event.toml")


@cache
def _types() -> Mapping[str, Mapping[str, Element]]:
    shared = {"id": "string 0..1", "extension": "Any 0..*"}
    return {
        name: {key: _element(key, said) for key, said in (shared | elements).items()}
        for name, elements in _table()["type"].items()
    }


def _element(name: str, said: str) -> Element:
    kind, _, bounds = said.partition(" ")
    least, _, most = bounds.partition("..")
    return Element(name, kind, least == "1", most == "*")


def elements(kind: str) -> Mapping[str, Element]:
    """The elements of a type of the table, by name; none for any other."""
    return _types().get(kind, {})


def is_sound(value: dict[str, Any], kind: str) -> bool:
    """Whether the object meets the grammar of a type of the table."""
    return next(_judge_object(value, kind, kind), None) is None


def breaches(resource: dict[str, Any], most: int) -> list[Finding]:
    """What keeps the resource from being a FHIR R4 AuditEvent, at most so many findings."""
    found: list[Finding] = []
    for one in _judge_object(resource, ROOT, ROOT):
        found.append(one)
        if len(found) >= most:
            break
    return found


def _judge_object(value: dict[str, Any], kind: str, path: str) -> Iterator[Finding]:
    elements = _types()[kind]
    for element in elements.values():
        if element.is_required and element.name not in value:
            said = f"{path} has no {element.name}"
            yield finding("fhir-element-missing", said, path=f"{path}.{element.name}")
    for name, inner in value.items():
        known = elements.get(name)
        if known is not None:
            yield from _judge_element(inner, known, f"{path}.{name}")
        elif name.removeprefix("_") not in elements:
            shown = clean(name)[:_SHOWN]
            said = f"FHIR R4 knows no {shown} in {path}"
            yield finding("fhir-element-unexpected", said, path=f"{path}.{shown}")
    yield from _judge_together(value, kind, path)


def _judge_together(value: dict[str, Any], kind: str, path: str) -> Iterator[Finding]:
    if kind == "Entity" and "name" in value and "query" in value:
        said = f"{path} has a name and a query"
        yield finding("fhir-name-and-query", said, path=f"{path}.query")
    if kind == "Detail" and not {"valueString", "valueBase64Binary"} & value.keys():
        said = f"{path} has neither valueString nor valueBase64Binary"
        yield finding("fhir-element-missing", said, path=path)


def _judge_element(value: Any, element: Element, path: str) -> Iterator[Finding]:
    if not element.is_list:
        yield from _judge_value(value, element.type, path)
    elif not isinstance(value, list) or not value:
        yield finding("fhir-type", f"{path} is no array of at least one value", path=path)
    else:
        for number, one in enumerate(value):
            yield from _judge_value(one, element.type, f"{path}[{number}]")


def _judge_value(value: Any, kind: str, path: str) -> Iterator[Finding]:
    if kind == _ANY:
        return
    if kind in _types():
        if isinstance(value, dict) and value:
            yield from _judge_object(value, kind, path)
        else:
            yield finding("fhir-type", f"{path} is no object with content", path=path)
    elif kind == "boolean":
        if not isinstance(value, bool):
            yield finding("fhir-type", f"{path} is not true or false, without quotes", path=path)
    elif type(value) is not str:
        yield finding("fhir-type", f"{path} is no text", path=path)
    elif fault := _fault(value, kind):
        yield finding("fhir-value", f"{path} is {value[:_SHOWN]!r}, {fault}", path=path)


def _fault(value: str, kind: str) -> str:
    """What is wrong with a primitive value; empty when nothing is."""
    allowed = _table()["codes"].get(kind)
    if allowed is not None:
        return "" if value in allowed else f"expected {', '.join(allowed)}"
    if not value.strip():
        return "which is empty"
    if is_odd(value):
        return "which holds control characters"
    return _fault_of_kind(value, kind)


def _fault_of_kind(value: str, kind: str) -> str:
    if kind == "uri" and any(map(str.isspace, value)):
        return "which holds a blank"
    if kind == "instant":
        when = parse_date_time(value)
        return "" if when.ns is not None and when.zone else "expected a time with its zone"
    if kind == "base64Binary" and octets_of(value) is None:
        return "which is not base64"
    return ""
