"""ParticipantObjectDescriptions → the FHIR core extensions, and the same in words.

An extension that FHIR allows once (ContainsStudy, NumberOfInstances) holds the first value, or
the sum; the words hold every one.

Source: FHIR R4 extensions auditevent-MPPS, -Accession, -SOPClass, -NumberOfInstances, -Instance,
-Encrypted, -Anonymized, -ParticipantObjectContainsStudy.
"""

from collections.abc import Iterable

from audit.fhir.values import NOT_TOLD, Json, string
from audit.record.audit_message import ParticipantObjectDescription, SOPClass

_BEGINNING = "http://hl7.org/fhir/StructureDefinition/auditevent-"
_TRUE = {"true": True, "1": True, "false": False, "0": False}
_LARGEST_INTEGER = 2**31 - 1
_MOST_DIGITS = 10

Descriptions = tuple[ParticipantObjectDescription, ...]


def extensions_of(descriptions: Descriptions) -> list[Json]:
    """The extensions of an entity."""
    made = [_identified("MPPS", uid) for one in descriptions for uid in one.mpps]
    made += [_identified("Accession", uid) for one in descriptions for uid in one.accessions]
    made += [
        _extension("SOPClass", "Reference", _reference(one.uid)) for one in _classes(descriptions)
    ]
    made += _numbers(descriptions)
    instances = (uid for one in _classes(descriptions) for uid in one.instances)
    made += [_identified("Instance", uid) for uid in instances]
    studies = [uid for one in descriptions for uid in one.contains_study or () if string(uid)]
    made += [_identified("ParticipantObjectContainsStudy", uid) for uid in studies[:1]]
    made += _flag("Encrypted", [one.encrypted for one in descriptions])
    made += _flag("Anonymized", [one.anonymized for one in descriptions])
    return [one for one in made if one]


def words_of(descriptions: Descriptions) -> str:
    """The descriptions as one line of text; empty without any."""
    return "; ".join(part for one in descriptions for part in _parts(one))


def _parts(one: ParticipantObjectDescription) -> Iterable[str]:
    yield from (f"MPPS {told}" for uid in one.mpps if (told := string(uid)))
    yield from (f"Accession {told}" for number in one.accessions if (told := string(number)))
    for sop_class in one.sop_classes:
        yield _sop_class(sop_class)
    yield from (f"Study {told}" for uid in one.contains_study or () if (told := string(uid)))
    for name, flag in (("Encrypted", one.encrypted), ("Anonymized", one.anonymized)):
        if told := string(flag):
            yield f"{name} {told}"


def _sop_class(one: SOPClass) -> str:
    said = f"SOPClass {string(one.uid) or NOT_TOLD}"
    number = string(one.number_of_instances)
    said += f": {number} instances" if number else ""
    return said + "".join(f" {told}" for uid in one.instances if (told := string(uid)))


def _classes(descriptions: Descriptions) -> list[SOPClass]:
    return [sop_class for one in descriptions for sop_class in one.sop_classes]


def _extension(name: str, kind: str, value: object) -> Json:
    if value in ("", {}, None):
        return {}
    return {"url": _BEGINNING + name, f"value{kind}": value}


def _identified(name: str, value: str) -> Json:
    told = string(value)
    return _extension(name, "Identifier", {"value": told} if told else {})


def _reference(uid: str | None) -> Json:
    told = string(uid)
    return {"identifier": {"value": told}} if told else {}


def _numbers(descriptions: Descriptions) -> list[Json]:
    texts = (string(one.number_of_instances) for one in _classes(descriptions))
    numbers = [int(t) for t in texts if t.isdecimal() and len(t) <= _MOST_DIGITS]
    if not numbers or sum(numbers) > _LARGEST_INTEGER:
        return []
    return [_extension("NumberOfInstances", "Integer", sum(numbers))]


def _flag(name: str, values: list[str | None]) -> list[Json]:
    told = [_TRUE[text] for value in values if (text := string(value).lower()) in _TRUE]
    return [_extension(name, "Boolean", told[0])] if told else []
