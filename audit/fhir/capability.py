"""CapabilityStatement: what this server does, for ``/fhir/metadata``.

Source: FHIR R4 CapabilityStatement; IHE ITI TF-1 9 (actor Audit Record Repository).
"""

from audit.fhir.audit_event import TYPE
from audit.fhir.parameters import Parameter, parameters
from audit.fhir.values import Json

JSON = "application/fhir+json"
_DEFINITIONS = "http://hl7.org/fhir/SearchParameter/AuditEvent-"


def capability_statement(base: str, version: str) -> Json:
    """The statement of this server.

    Args:
        base: address of the FHIR interface.
        version: of the product.
    """
    return {
        "resourceType": "CapabilityStatement",
        "name": "AuditRecordRepository",
        "title": "IHE ITI Audit Record Repository",
        "status": "active",
        "date": "2026-11-01",
        "description": (
            "Actor Audit Record Repository of IHE ITI ATNA: Retrieve ATNA Audit Event [ITI-81] "
            "and Record Audit Event [ITI-20], option ATX: FHIR Feed."
        ),
        "kind": "instance",
        "software": {"name": "ATNA Audit Record Repository", "version": version},
        "implementation": {"description": "Audit Record Repository", "url": base},
        "fhirVersion": "4.0.1",
        "format": [JSON, "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": (
                    "Every search and read is itself recorded as Audit Log Used before it is "
                    "answered. A search names a bound of date."
                ),
                "security": {"description": "Authorization: Bearer and an API token"},
                "resource": [_resource()],
                "interaction": [{"code": "batch", "documentation": "Creates of AuditEvents only"}],
            }
        ],
    }


def _resource() -> Json:
    return {
        "type": TYPE,
        "profile": "http://hl7.org/fhir/StructureDefinition/AuditEvent",
        "interaction": [{"code": code} for code in ("create", "read", "search-type")],
        "versioning": "no-version",
        "readHistory": False,
        "updateCreate": False,
        "conditionalCreate": False,
        "searchParam": [_parameter(one) for one in parameters().values()],
    }


def _parameter(parameter: Parameter) -> Json:
    made: Json = {"name": parameter.name, "type": parameter.type}
    definition = parameter.definition
    if not definition and "." not in parameter.name:
        definition = _DEFINITIONS + parameter.name
    if definition:
        made["definition"] = definition
    return made | {"documentation": parameter.meaning}
