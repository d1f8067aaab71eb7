"""The records of one patient: those that name it, or its documents and studies."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from audit.index.criteria import And, Criteria, Exists, Not, Or, Term, fold, matches
from audit.index.document import IndexedRecord
from audit.query.reports.asked import PatientIdentity
from audit.query.reports.gather import Gather
from audit.query.reports.wording import data_objects, described, message_of

_BATCH = 50
"""Documents asked for at once."""


@dataclass(frozen=True, slots=True)
class Touched:
    """A record that concerns the patient.

    Attributes:
        record: the whole; a report shows of it only what concerns the patient.
        others: it names other patients too, so nothing that could be theirs is shown.
        through: the document or study by which it is attributed; empty when it names the patient.
        inferred: only a query names the patient.
    """

    record: IndexedRecord
    others: bool = False
    through: str = ""
    inferred: bool = False

    @property
    def data(self) -> str:
        """Which of the patient's data, as far as it can be told."""
        if self.others:
            return "not told: the event names other patients as well"
        if self.through:
            return self.through
        return described(self.record)

    @property
    def attributed(self) -> str:
        """How it was found to concern the patient."""
        if self.through:
            return f"names no patient; attributed by {self.through}"
        return "named in a query" if self.inferred else "names the patient"


def touched(
    gather: Gather, identities: Sequence[PatientIdentity], more: Criteria | None = None
) -> list[Touched]:
    """Records of the period that concern the patient, oldest first.

    Args:
        gather: asks.
        identities: identifiers of one patient; others known of it are used as well.
        more: only these of them; the documents by which records are attributed come from all.
    """
    identities = gather.names.patients(identities)
    named = Or(tuple(one.criteria for one in identities))
    every = [
        one for one in gather.records(named, "records of the patient") if _is(one, identities)
    ]
    found = {one.id: _touched(one, identities) for one in every}
    for record, through in _by_documents(gather, _documents(found.values())):
        found.setdefault(record.id, Touched(record, through=through))
    if more is not None:
        found = {name: one for name, one in found.items() if matches(more, one.record)}
    return sorted(found.values(), key=lambda one: (one.record.time, one.record.sequence))


def _is(record: IndexedRecord, identities: Sequence[PatientIdentity]) -> bool:
    """Whether the record names the patient, the assigner beside the identifier considered."""
    return any(_names(one, record) or _asks_for(one, record) for one in identities)


def _names(identity: PatientIdentity, record: IndexedRecord) -> bool:
    return any(
        identity.names(identifier, one["id"])
        for one in message_of(record)["objects"]
        for identifier in one["patients"]
    )


def _asks_for(identity: PatientIdentity, record: IndexedRecord) -> bool:
    inferred = (record.body.get("inferred") or {}).get("patient", ())
    return fold(identity.identifier) in map(fold, inferred)


def _touched(record: IndexedRecord, identities: Sequence[PatientIdentity]) -> Touched:
    named = any(_names(one, record) for one in identities)
    own = {fold(one.identifier) for one in identities}
    others = any(fold(value) not in own for value in record.values("patient")) or any(
        not any(identity.names(identifier, one["id"]) for identity in identities)
        for one in message_of(record)["objects"]
        for identifier in one["patients"]
    )
    return Touched(record, others=others, inferred=not named)


def _documents(found: Iterable[Touched]) -> dict[str, str]:
    """Identifiers of documents and studies that are surely the patient's, with words for each."""
    told: dict[str, str] = {}
    for one in found:
        if not one.others and not one.inferred:
            for thing in data_objects(one.record):
                what = "study" if thing["id_type"]["code"] == "110180" else "document"
                told.setdefault(thing["id"], f"{what} {thing['id']}")
    return told


def _by_documents(gather: Gather, told: dict[str, str]) -> Iterator[tuple[IndexedRecord, str]]:
    """Records without any patient that name one of the documents."""
    most = gather.options.documents
    if len(told) > most:
        gather.cut.append(f"documents and studies by which records are attributed ({len(told)})")
    names = list(told)[-most:]
    for start in range(0, len(names), _BATCH):
        batch = names[start : start + _BATCH]
        asked = Or(tuple(Term("object", name) for name in batch))
        nameless = And((asked, Not(Exists("patient"))))
        for record in gather.records(nameless, "records without a patient"):
            by = next((told[one["id"]] for one in data_objects(record) if one["id"] in told), "")
            if by:
                yield record, by
