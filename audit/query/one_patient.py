"""One patient's share of a record: whoever looks at one patient never sees another beside them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from audit.index.criteria import fold
from audit.index.document import IndexedRecord
from audit.query.identities import Asked
from audit.query.identities_used import IdentitiesUsed

_STUDY = "110180"
_DROPPED = frozenset(
    {"patient_name", "patient_assigner", "study", "accession", "object", "query_key", "text"}
)
"""Fields in which values of several patients can't be told apart."""


@dataclass(frozen=True, slots=True)
class AboutPatient:
    """A question about one patient: of each record only that patient's share is shown.

    Attributes:
        query: what finds the records.
        identifier: of the patient, as the question has it.
    """

    query: Asked
    identifier: str

    def shares(
        self, records: Iterable[IndexedRecord], used: IdentitiesUsed | None
    ) -> tuple[IndexedRecord, ...]:
        """That patient's share of each, known by the identifiers that the answer used."""
        own = (self.identifier,) if used is None else used.identifiers(self.identifier)
        studies = () if used is None else used.studies
        return tuple(only_patient(record, own, studies) for record in records)


def other_patients(record: IndexedRecord, identifiers: Iterable[str]) -> int:
    """How many patients the record names beside the one known by these identifiers."""
    own = frozenset(map(fold, identifiers))
    return len({fold(value) for value in record.values("patient")} - own)


def only_patient(
    record: IndexedRecord, identifiers: Iterable[str], studies: Iterable[str] = ()
) -> IndexedRecord:
    """The record without whatever it holds of other patients.

    Objects that name another patient go, and so do objects that name none (studies, reports,
    queries), unless they are among ``studies``: in an event about several patients nothing says
    whose they are. A record about this patient alone stays as it is.

    Args:
        record: any record.
        identifiers: by which the patient is known.
        studies: Study Instance UIDs known to be the patient's.
    """
    own = frozenset(map(fold, identifiers))
    if not other_patients(record, own):
        return record
    message: Mapping[str, Any] = record.body.get("message") or {}
    kept = [one for one in message.get("objects", ()) if _is_own(one, own, frozenset(studies))]
    named = tuple(value for value in record.values("patient") if fold(value) in own)
    fields = {name: values for name, values in record.fields.items() if name not in _DROPPED}
    inferred = [one for one in record.body.get("inferred", {}).get("patient", ()) if one in own]
    body = dict(record.body) | {
        "inferred": {"patient": inferred} if inferred else {},
        "message": dict(message) | {"objects": kept} if message else None,
    }
    return replace(record, fields=fields | {"patient": named}, body=body)


def _is_own(one: Mapping[str, Any], own: frozenset[str], studies: frozenset[str]) -> bool:
    named = {fold(identifier) for identifier in one["patients"]}
    if named:
        return named <= own
    return bool(one["id_type"]["code"] == _STUDY and one["id"] in studies)
