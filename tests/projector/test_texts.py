from base64 import b64encode

from audit.projector.texts import event_texts, object_texts, participant_texts, source_texts
from audit.record.audit_message import (
    CodedValue,
    ParticipantObjectDescription,
    ParticipantObjectDetail,
    SOPClass,
)
from tests.projector.messages import event, message, person, study


def test_every_readable_value_and_no_instance() -> None:
    described = study(
        participant_object_details=(
            ParticipantObjectDetail("Protocol", b64encode(b"chest ct").decode()),
        ),
        participant_object_descriptions=(
            ParticipantObjectDescription(
                accessions=("A77",),
                mpps=("1.9",),
                sop_classes=(SOPClass(uid="1.8", number_of_instances="1", instances=("1.7.7",)),),
                contains_study=("1.6",),
            ),
        ),
    )
    one = message(
        event(event_outcome_description="disk full"),
        (person(media_type=CodedValue("110032", "DCM", "CD", "Compact disc")),),
        (described,),
    )
    found = {
        *event_texts(one.event_identification),
        *participant_texts(one.active_participants[0]),
        *source_texts(one.audit_sources[0]),
        *object_texts(described, (("PatientName", "Do*"),)),
    }
    assert found >= {
        "DICOM Instances Accessed",
        "disk full",
        "Mara Voss",
        "mvoss@example.org",
        "Compact disc",
        "viewer-3",
        "radiology",
        "CT Thorax",
        "Protocol",
        "chest ct",
        "A77",
        "1.9",
        "1.6",
        "Do*",
    }
    assert "1.7.7" not in found
