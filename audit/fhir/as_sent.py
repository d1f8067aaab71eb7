"""An AuditEvent as its sender wrote it, without what can't be passed on unchecked.

Whoever reads the trail must be able to parse each answer, whatever a sender put into one event. So
only elements of the grammar are copied, each with a value that FHIR R4 allows. Left out are the
narrative, the profiles that a sender claims, members that FHIR R4 doesn't know, and extensions
with values beyond the simple types. A resource with modifying or contained parts is not copied at
all: leaving those out would change what it says. The message as received holds everything.
"""

import re
from typing import Any

import orjson

from audit.fhir.values import Json, code, string
from audit.record import fhir_grammar
from audit.record.times import is_usual, parse_date_time

_CHANGES_MEANING = frozenset({"modifierExtension", "implicitRules", "contained"})
_LEFT_OUT = frozenset({"id", "meta", "text", "resourceType", "language"})
_USES = frozenset({"usual", "official", "temp", "secondary", "old"})
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_TEXTS = frozenset({"valueString", "valueCode", "valueUri", "valueUrl", "valueId", "valueOid"})
_TYPED = {
    "valueCoding": "Coding",
    "valueCodeableConcept": "CodeableConcept",
    "valueIdentifier": "Identifier",
    "valueReference": "Reference",
}
_LARGEST_INTEGER = 2**31


def as_sent(msg: bytes) -> Json | None:
    """The resource; None when it is better told by its mapping.

    Args:
        msg: JSON that was read as an AuditEvent and meets the grammar of FHIR R4.
    """
    try:
        resource = orjson.loads(msg.removeprefix(b"\xef\xbb\xbf").rstrip(b" \t\r\n\x00"))
    except orjson.JSONDecodeError:
        return None
    if _changes_meaning(resource):
        return None
    kept = {name: value for name, value in resource.items() if name not in _LEFT_OUT}
    copy = {"resourceType": fhir_grammar.ROOT, **_copied(kept, fhir_grammar.ROOT)}
    # What was left out may have been all that an element had to have.
    return None if fhir_grammar.breaches(copy, 1) else copy


def _changes_meaning(value: Any) -> bool:
    if isinstance(value, dict):
        return not _CHANGES_MEANING.isdisjoint(value) or any(map(_changes_meaning, value.values()))
    return isinstance(value, list) and any(map(_changes_meaning, value))


def _copied(value: Json, kind: str) -> Json:
    elements = fhir_grammar.elements(kind)
    made: Json = {}
    for name, inner in value.items():
        element = elements.get(name)
        if element is None:
            continue
        if name == "extension":
            copy: Any = _extensions(inner)
        elif element.is_list:
            copy = [told for one in inner if (told := _one(one, element.type, name)) is not None]
        else:
            copy = _one(inner, element.type, name)
        if copy not in (None, [], {}, ""):
            made[name] = copy
    return made


def _one(value: Any, kind: str, name: str) -> Any:
    if isinstance(value, dict):
        return _copied(value, kind) or None
    if not isinstance(value, str):
        return value
    told = code(value) if kind in {"code", "uri"} else string(value)
    if (kind == "uri" and " " in told) or (name == "use" and told not in _USES):
        return None
    if kind == "base64Binary":
        return "".join(told.split()) or None
    if name in {"start", "end"} and not _is_date_time(told):
        return None
    return told or None


def _is_date_time(text: str) -> bool:
    if _DATE.fullmatch(text):
        return parse_date_time(f"{text}{'-01-01'[len(text) - 4 :]}T00:00:00Z").ns is not None
    return is_usual(text)


def _extensions(extensions: Any) -> list[Json]:
    told = extensions if isinstance(extensions, list) else []
    return [made for one in told if isinstance(one, dict) and (made := _extension(one))]


def _extension(extension: Json) -> Json:
    """One extension with a value that can be told; empty for any other."""
    url = extension.get("url")
    if not isinstance(url, str) or not url or " " in url or code(url) != url:
        return {}
    if inner := _extensions(extension.get("extension")):
        return {"url": url, "extension": inner}
    values = [name for name in extension if name.startswith("value")]
    if len(values) != 1:
        return {}
    value = _extension_value(values[0], extension[values[0]])
    return {} if value in (None, "", {}) else {"url": url, values[0]: value}


def _extension_value(name: str, value: Any) -> Any:
    if name in _TEXTS and isinstance(value, str):
        return string(value) if name == "valueString" else code(value).replace(" ", "")
    if name == "valueBoolean" and isinstance(value, bool):
        return value
    if name == "valueInteger" and type(value) is int and abs(value) < _LARGEST_INTEGER:
        return value
    kind = _TYPED.get(name)
    if kind and isinstance(value, dict) and fhir_grammar.is_sound(value, kind):
        return _copied(value, kind)
    return None
