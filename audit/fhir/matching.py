"""Whether a resource has a value: what a search parameter means, on the resource as answered.

Texts are compared without regard to case and accents, as FHIR advises for a server that isn't
told otherwise; ``:exact`` compares them as they are.

Source: FHIR R4 3.1.1.4 (token, string, reference).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from audit.fhir.agents import OTHER_ID
from audit.fhir.values import Json
from audit.index.criteria import fold

_URN_OID = "urn:oid:"
_DICOM_UIDS = "urn:dicom:uid"
_PATIENT = "Patient"
_PERSON, _PATIENT_ROLE, _PATIENT_NUMBER = "1", "1", "2"


def values_at(resource: Json, path: str) -> list[Any]:
    """Every value at a path such as ``agent.who``; ``patient()`` is each one that is a patient."""
    first, _, rest = path.partition(".")
    start: Iterable[Any] = (
        _patients(resource) if first == "patient()" else _member(resource, first)
    )
    values = list(start)
    for step in filter(None, rest.split(".")):
        values = [inner for value in values for inner in _member(value, step)]
    return values


def _member(holder: Any, name: str) -> Iterator[Any]:
    if not isinstance(holder, dict):
        return
    value = holder.get(name)
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value
    if name == "identifier":  # another identifier of the same one (BALP)
        for extension in holder.get("extension", ()):
            if extension.get("url") == OTHER_ID:
                yield extension["valueIdentifier"]


def _patients(resource: Json) -> Iterator[Json]:
    """References to patients: said by the kind of the object, or by the reference."""
    for entity in resource.get("entity", ()):
        what = entity.get("what", {})
        if what and (_is_patient_object(entity) or _refers_to_patient(what)):
            yield what
    for agent in resource.get("agent", ()):
        who = agent.get("who", {})
        if _refers_to_patient(who):
            yield who


def _is_patient_object(entity: Json) -> bool:
    kind, role = (entity.get(name, {}).get("code") for name in ("type", "role"))
    if role is None and kind in {None, _PERSON}:
        codings = values_at(entity, "what.identifier.type.coding")
        return any(one.get("code") == _PATIENT_NUMBER for one in codings)
    return (kind, role) == (_PERSON, _PATIENT_ROLE)


def _refers_to_patient(reference: Json) -> bool:
    literal = str(reference.get("reference", ""))
    return reference.get("type") == _PATIENT or _PATIENT in literal.split("/")[:-1]


@dataclass(frozen=True, slots=True)
class Token:
    """``code``, ``system|code``, ``|code`` or ``system|``.

    Attributes:
        system: as asked; None when none was named, empty when there must be none.
        code: as asked; empty for any of the system.
    """

    system: str | None
    code: str

    def holds(self, value: Any, system: str = "") -> bool:
        """Whether a Coding, CodeableConcept, Identifier or plain code is the one asked for.

        Args:
            value: from the resource.
            system: that of plain codes of this parameter.
        """
        if not isinstance(value, dict):
            return self._is(system, str(value))
        if "coding" in value:
            return any(self.holds(one) for one in value["coding"])
        written = value.get("code", value.get("value", ""))
        return self._is(str(value.get("system", "")), str(written))

    def _is(self, system: str, code: str) -> bool:
        if self.code and _bare(code) != _bare(self.code):
            return False
        if self.system is None:
            return bool(code)
        if self.system == _DICOM_UIDS and not system:
            return True
        return system == self.system


def _bare(value: str) -> str:
    """An identifier for comparison; a UID may be written as a URI."""
    return fold(value).removeprefix(_URN_OID)


def bare_identifier(value: str) -> str:
    """The identifier without ``urn:oid:``, as the index holds UIDs."""
    return value[len(_URN_OID) :] if value.lower().startswith(_URN_OID) else value


def says(value: Any, words: str) -> bool:
    """``:text``: the display or text of a code begins so."""
    if not isinstance(value, dict):
        return False
    told = [value.get("display"), value.get("text")]
    told += [one.get("display") for one in value.get("coding", ())]
    return any(fold(text).startswith(fold(words)) for text in told if text)


def refers_to(value: Any, reference: str) -> bool:
    """Whether a Reference is this literal one: whole, or by its last two parts."""
    told = str(value.get("reference", "")) if isinstance(value, dict) else ""
    return bool(told) and (told == reference or told.endswith(f"/{reference}"))
