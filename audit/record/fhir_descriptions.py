"""The FHIR core extensions that carry what ParticipantObjectDescription holds.

Source: FHIR R4 extensions auditevent-MPPS, -Accession, -SOPClass, -NumberOfInstances, -Instance,
-Encrypted, -Anonymized, -ParticipantObjectContainsStudy.
"""

from audit.record.audit_message import ParticipantObjectDescription, SOPClass
from audit.record.fhir_values import Json, identifier_of, listed, member, text_of

_BEGINNING = "http://hl7.org/fhir/StructureDefinition/auditevent-"
_URN_OID = "urn:oid:"


def descriptions_of(entity: Json) -> tuple[ParticipantObjectDescription, ...]:
    """One description of all such extensions of an entity or its description; () without any."""
    values: dict[str, list[str]] = {}
    for extension in (
        *listed(entity, "extension"),
        *listed(member(entity, "_description"), "extension"),
    ):
        url = text_of(extension, "url")
        if url.startswith(_BEGINNING):
            values.setdefault(url.removeprefix(_BEGINNING), []).append(_value(extension))
    if not values:
        return ()
    studies = values.get("ParticipantObjectContainsStudy")
    return (
        ParticipantObjectDescription(
            mpps=tuple(values.get("MPPS", ())),
            accessions=tuple(values.get("Accession", ())),
            sop_classes=_sop_classes(values),
            contains_study=None if studies is None else tuple(studies),
            encrypted=next(iter(values.get("Encrypted", ())), None),
            anonymized=next(iter(values.get("Anonymized", ())), None),
        ),
    )


def _sop_classes(values: dict[str, list[str]]) -> tuple[SOPClass, ...]:
    """Extensions don't tell which number or instance belongs to which class: by their order."""
    uids = values.get("SOPClass", [])
    numbers = values.get("NumberOfInstances", [])
    instances = tuple(values.get("Instance", ()))
    if not uids:
        uids_or_none: list[str | None] = [None] if numbers or instances else []
    else:
        uids_or_none = list(uids)
    return tuple(
        SOPClass(
            uid=uid,
            number_of_instances=numbers[n] if n < len(numbers) else None,
            instances=instances if n == 0 else (),
        )
        for n, uid in enumerate(uids_or_none)
    )


def _value(extension: Json) -> str:
    for name, value in extension.items():
        if name == "valueIdentifier" and isinstance(value, dict):
            return text_of(value, "value").removeprefix(_URN_OID)
        if name == "valueReference" and isinstance(value, dict):
            return (identifier_of(value) or text_of(value, "display")).removeprefix(_URN_OID)
        if name.startswith("value"):
            if isinstance(value, bool):
                return "true" if value else "false"
            return text_of(extension, name).removeprefix(_URN_OID)
    return ""
