"""A page about one patient shows nobody else."""

import json

from audit.index.document import IndexedRecord
from audit.projector.project import project
from audit.query.one_patient import only_patient, other_patients
from audit.query.presentation import sentences
from tests.projector.messages import entry

PATIENT = (
    '<ParticipantObjectIdentification ParticipantObjectID="{0}^^^&amp;1.2&amp;ISO" '
    'ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1"><ParticipantObjectIDTypeCode '
    'csd-code="2" codeSystemName="RFC-3881" originalText="Patient Number"/>'
    "<ParticipantObjectName>{1}</ParticipantObjectName></ParticipantObjectIdentification>"
)
STUDY = (
    '<ParticipantObjectIdentification ParticipantObjectID="{0}" ParticipantObjectTypeCode="2" '
    'ParticipantObjectTypeCodeRole="3"><ParticipantObjectIDTypeCode csd-code="110180" '
    'codeSystemName="DCM" originalText="Study Instance UID"/>'
    "<ParticipantObjectName>{1}</ParticipantObjectName></ParticipantObjectIdentification>"
)


def record(*objects: str) -> IndexedRecord:
    text = (
        '<85>1 - h a - IHE+RFC-3881 - <?xml version="1.0"?><AuditMessage><EventIdentification '
        'EventActionCode="R" EventDateTime="2026-07-03T14:02:11Z" EventOutcomeIndicator="0">'
        '<EventID csd-code="110103" codeSystemName="DCM" originalText="DICOM Instances Accessed"/>'
        '</EventIdentification><ActiveParticipant UserID="voss" UserName="Mara Voss" '
        'UserIsRequestor="true"/><AuditSourceIdentification AuditSourceID="ct"/>'
        + "".join(objects)
        + "</AuditMessage>"
    )
    return project(entry(text.encode()), "own")


ANNA, BERT = PATIENT.format("P1", "Ash^Anna"), PATIENT.format("P2", "Birch^Bert")
FIRST, SECOND = STUDY.format("1.2.1", "CT chest"), STUDY.format("1.2.2", "MR knee")


def said(one: IndexedRecord) -> str:
    return json.dumps([one.fields, one.body.get("message"), one.body.get("inferred")]) + "".join(
        part.text for sentence in sentences(one) for part in sentence
    )


def test_a_record_about_one_patient_stays_as_it_is() -> None:
    one = record(ANNA, FIRST)
    assert other_patients(one, ["p1"]) == 0
    assert only_patient(one, ["P1"]) is one


def test_nothing_of_another_patient_is_left() -> None:
    both = record(ANNA, BERT, FIRST, SECOND)
    assert other_patients(both, ["P1"]) == 1
    shown = said(only_patient(both, ["P1"]))
    assert "P1" in shown
    assert "Anna" in shown
    for foreign in ("P2", "Bert", "MR knee", "1.2.2", "CT chest"):
        assert foreign not in shown


def test_studies_known_to_be_the_patients_are_shown() -> None:
    both = record(ANNA, BERT, FIRST, SECOND)
    shown = said(only_patient(both, ["P1"], ["1.2.1"]))
    assert "CT chest" in shown
    assert "MR knee" not in shown


def test_all_identifiers_of_the_patient_are_one() -> None:
    both = record(ANNA, BERT)
    assert other_patients(both, ["p1", "P2"]) == 0


def test_an_unreadable_message_holds_no_patient() -> None:
    torn = project(entry(b"<85>1 - h a - - - torn P2"), "own")
    assert only_patient(torn, ["P1"]) is torn
