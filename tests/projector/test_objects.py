from base64 import b64encode

from audit.projector.field_values import FieldValues
from audit.projector.objects import add_asked, add_object, add_query_keys, is_patient
from audit.record.audit_message import (
    CodedValue,
    ParticipantObject,
    ParticipantObjectDescription,
    SOPClass,
)
from audit.record.query_content import decode_query
from tests.projector.messages import SOP_CLASS_UID, patient, study


def values() -> FieldValues:
    return FieldValues(100, 100, 1000)


def test_a_patient_and_its_assigner() -> None:
    found = values()
    add_object(found, patient("P1^^^&1.2.3&ISO"), "9.9")
    add_object(found, patient("P2", None), "9.9")
    assert found.fields() == {
        "object": ("P1^^^&1.2.3&ISO", "P2"),
        "patient": ("P1", "P2"),
        "patient_assigner": ("1.2.3", "9.9"),
        "patient_name": ("Doe^Jane",),
    }


def test_a_name_that_only_repeats_the_id_is_no_name() -> None:
    found = values()
    add_object(found, patient("P2", "P2"), "")
    assert found.values("patient_name") == ()


def test_a_patient_number_without_type_and_role_is_a_patient() -> None:
    def numbered(code: str, system: str, role: str | None) -> ParticipantObject:
        return ParticipantObject(
            participant_object_id="P1",
            participant_object_id_type_code=CodedValue(code, system, ""),
            participant_object_type_code_role=role,
        )

    assert is_patient(numbered("2", "RFC3881", None))
    assert is_patient(numbered("2", "", None))
    assert not is_patient(numbered("2", "DCM", None))
    assert not is_patient(numbered("2", "RFC-3881", "6"))
    assert not is_patient(numbered("1", "RFC-3881", None))


def test_a_study_with_all_that_it_held() -> None:
    described = study(
        participant_object_descriptions=(
            ParticipantObjectDescription(
                accessions=("A1", "A2"),
                sop_classes=(SOPClass(uid="1.2.840.10008.5.1.4.1.1.2", number_of_instances="7"),),
                contains_study=("1.2.840.99.8",),
            ),
        )
    )
    found = values()
    add_object(found, described, "")
    assert found.fields() == {
        "object": ("1.2.840.99.7",),
        "study": ("1.2.840.99.7", "1.2.840.99.8"),
        "accession": ("A1", "A2"),
        "sop_class": ("1.2.840.10008.5.1.4.1.1.2",),
    }


def test_a_query_names_whom_it_sought() -> None:
    url = "https://pacs.example/studies?PatientID=P7&StudyDate=20260528&PatientName=Do*"
    asked = study(
        "1.2.840.10008.5.1.4.1.2.2.1",
        participant_object_id_type_code=CodedValue("12", "RFC-3881", "URI"),
        participant_object_query=b64encode(url.encode()).decode(),
        participant_object_name=None,
    )
    found = values()
    add_object(found, asked, "")
    keys = decode_query(asked)
    assert keys == (("PatientID", "P7"), ("StudyDate", "20260528"), ("PatientName", "Do*"))
    assert add_asked(found, add_query_keys(found, keys)) == {"patient": ("P7",)}
    assert found.values("query_key") == ("PatientID=P7", "StudyDate=20260528", "PatientName=Do*")
    assert found.values("patient") == ("P7",)
    assert found.values("patient_name") == ()


def test_only_what_the_query_alone_tells_is_inferred() -> None:
    found = values()
    add_object(found, patient("P1"), "")
    keys = (
        ("PatientID", "P1"),
        ("OtherPatientIDsSequence.PatientID", "P2^^^&1.2&ISO"),
        ("StudyInstanceUID", "1.2\\1.3"),
        ("AccessionNumber", ""),
    )
    assert add_asked(found, add_query_keys(found, keys)) == {
        "patient": ("P2",),
        "study": ("1.2", "1.3"),
    }
    assert found.values("patient") == ("P1", "P2")
    assert found.values("study") == ("1.2", "1.3")


def test_a_sop_class_object() -> None:
    found = values()
    add_object(found, study("1.2.3", participant_object_id_type_code=SOP_CLASS_UID), "")
    assert found.fields() == {"object": ("1.2.3",), "sop_class": ("1.2.3",)}
