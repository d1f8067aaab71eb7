"""ParticipantObjects → patient, study, accession, sop_class, object, query_key."""

from collections.abc import Iterable

from audit.projector.derivations import derivations
from audit.projector.field_values import FieldValues
from audit.projector.identities import patient_identifiers
from audit.record.audit_message import ParticipantObject, ParticipantObjectDescription

QueryKeys = tuple[tuple[str, str], ...]
Asked = tuple[tuple[str, str], ...]
"""Field and identity that a query names."""
_WILD = frozenset("*?")
_PERSON = "1"


def is_patient(subject: ParticipantObject) -> bool:
    """A patient by type and role, or by a Patient Number of which the sender gave no role."""
    if subject.is_patient:
        return True
    type_code = subject.participant_object_id_type_code
    return (
        type_code.csd_code in derivations().object_types["patient"]
        and type_code.code_system_name.replace("-", "").upper() in {"RFC3881", ""}
        and subject.participant_object_type_code in {None, _PERSON}
        and subject.participant_object_type_code_role is None
    )


def add_object(values: FieldValues, subject: ParticipantObject, default_assigner: str) -> None:
    """Add what one object says, less its decoded query keys (`add_query_keys`)."""
    values.add("object", subject.participant_object_id)
    type_code = subject.participant_object_id_type_code.csd_code
    if is_patient(subject):
        _add_patient(values, subject, default_assigner)
    for field in ("study", "sop_class"):
        if type_code in derivations().object_types[field]:
            values.add(field, subject.participant_object_id)
    for description in subject.participant_object_descriptions:
        _add_description(values, description)


def _add_patient(values: FieldValues, subject: ParticipantObject, default_assigner: str) -> None:
    name = (subject.participant_object_name or "").strip()
    no_names = {subject.participant_object_id.strip()}
    for patient in patient_identifiers(subject.participant_object_id):
        values.add("patient", patient.identifier)
        values.add("patient_assigner", *(patient.assigners or (default_assigner,)))
        no_names.add(patient.identifier)
    # A sender that knows no name but must write one repeats the identifier.
    if name not in no_names:
        values.add("patient_name", name)


def _add_description(values: FieldValues, description: ParticipantObjectDescription) -> None:
    values.add("accession", *description.accessions)
    values.add("study", *(description.contains_study or ()))
    values.add("sop_class", *(sop_class.uid for sop_class in description.sop_classes))


def _innermost(keyword: str) -> str:
    """``PatientID`` of ``OtherPatientIDsSequence.PatientID``."""
    return keyword.rpartition(".")[2]


def _identities(keyword: str, value: str) -> Iterable[str]:
    """The identities that a query key names: none for a wild card, several for a list of UIDs."""
    for part in value.split("\\"):
        if part.strip() and not _WILD.intersection(part):
            if _innermost(keyword) == "PatientID":
                yield from (patient.identifier for patient in patient_identifiers(part))
            else:
                yield part.strip()


def add_query_keys(values: FieldValues, keys: QueryKeys) -> Asked:
    """Add decoded query keys; gives the identities that they name, for `add_asked`."""
    values.add("query_key", *[f"{keyword}={value}" for keyword, value in keys])
    fields = derivations().query_fields
    return tuple(
        [
            (field, identity)
            for keyword, value in keys
            if value and (field := fields.get(_innermost(keyword))) is not None
            for identity in _identities(keyword, value)
        ]
    )


def add_asked(values: FieldValues, asked: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Add the identities that queries name, after all else; those known from them alone, by field
    (marked inferred).
    """
    inferred: dict[str, dict[str, None]] = {}
    for field, identity in asked:
        if identity not in values.values(field):
            inferred.setdefault(field, {})[identity] = None
    for field, found in inferred.items():
        values.add(field, *found)
    return {field: tuple(found) for field, found in inferred.items()}
