"""ParticipantObjects → entities.

Source: FHIR R4 AuditEvent 6.4.6; FHIR R4 extensions auditevent-*.
"""

from collections.abc import Iterator

from audit.fhir.agents import source_types
from audit.fhir.descriptions import extensions_of, words_of
from audit.fhir.values import (
    NOT_TOLD,
    Json,
    absolute_uri,
    code,
    concept,
    enumerated,
    string,
    without_gaps,
)
from audit.projector.identities import PatientIdentifier, patient_identifiers
from audit.projector.objects import is_patient
from audit.record.audit_message import (
    AuditSource,
    ParticipantObject,
    ParticipantObjectDetail,
    octets_of,
)

_QUERY_AS_SENT = "ParticipantObjectQuery"


def entities_of(subject: ParticipantObject, assigner: str = "") -> list[Json]:
    """One object as entities: one, or one for each patient that its identifier names.

    Args:
        subject: the object.
        assigner: assigning authority of a bare patient identifier; empty when none is known.
    """
    common = _common(subject)
    return [without_gaps({"what": what, **common}) for what in _whats(subject, assigner)]


def source_entity(source: AuditSource) -> Json:
    """A further AuditSource, for which FHIR has no other place."""
    types = ", ".join(one.get("display") or one.get("code", "") for one in source_types(source))
    told = {"Site": string(source.audit_enterprise_site_id), "Type": string(types)}
    return without_gaps(
        {
            "what": {"identifier": {"value": string(source.audit_source_id) or NOT_TOLD}},
            "type": enumerated("object_type", "2"),
            "description": "A further audit source of the event",
            "detail": [{"type": name, "valueString": one} for name, one in told.items() if one],
        }
    )


def _whats(subject: ParticipantObject, assigner: str) -> Iterator[Json]:
    id_type = concept(subject.participant_object_id_type_code)
    shown = _name_beside_query(subject)
    if is_patient(subject):
        patients = patient_identifiers(string(subject.participant_object_id))
        for one in patients:
            identifier = without_gaps({"type": id_type, **_patient(one, assigner)})
            yield without_gaps({"identifier": identifier, "display": shown})
        if patients:
            return
    value = string(subject.participant_object_id)
    identifier = without_gaps({"type": id_type, "value": value})
    yield without_gaps({"identifier": identifier, "display": shown})


def _patient(patient: PatientIdentifier, assigner: str) -> Json:
    """Identifier and assigning authority; a name of it that is no URI goes to the assigner."""
    assigners = patient.assigners or ((assigner,) if assigner else ())
    systems = [uri for one in assigners if (uri := absolute_uri(one))]
    names = [string(one) for one in assigners if not absolute_uri(one)]
    display = next(filter(None, names), "")
    return without_gaps(
        {
            "system": systems[0] if systems else "",
            "value": string(patient.identifier),
            "assigner": {"display": display} if display else {},
        }
    )


def _name_beside_query(subject: ParticipantObject) -> str:
    """FHIR allows name or query (sev-1); where both came, the name is told as display."""
    has_query = bool(_query(subject))
    return string(subject.participant_object_name) if has_query else ""


def _common(subject: ParticipantObject) -> Json:
    query = _query(subject)
    labels = code(subject.participant_object_sensitivity)
    descriptions = subject.participant_object_descriptions
    return {
        "extension": extensions_of(descriptions),
        "type": enumerated("object_type", subject.participant_object_type_code),
        "role": enumerated("object_role", subject.participant_object_type_code_role),
        "lifecycle": enumerated("life_cycle", subject.participant_object_data_life_cycle),
        "securityLabel": [{"code": labels}] if labels else [],
        "name": "" if query else string(subject.participant_object_name),
        "description": words_of(descriptions),
        "query": query,
        "detail": _details(subject, query),
    }


def _query(subject: ParticipantObject) -> str:
    """The base64 as sent, without the white space inside; empty when it isn't base64."""
    sent = subject.participant_object_query
    if not sent or not octets_of(sent):
        return ""
    return "".join(sent.split())


def _details(subject: ParticipantObject, query: str) -> list[Json]:
    details = [_detail(one) for one in subject.participant_object_details]
    sent = string(subject.participant_object_query)
    if sent and not query:
        details.append({"type": _QUERY_AS_SENT, "valueString": sent})
    return details


def _detail(detail: ParticipantObjectDetail) -> Json:
    kind = {"type": string(detail.type) or NOT_TOLD}
    if octets_of(detail.value):
        return kind | {"valueBase64Binary": "".join(detail.value.split())}
    return kind | {"valueString": string(detail.value) or NOT_TOLD}
