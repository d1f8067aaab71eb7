from base64 import b64decode
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filereader import read_dataset

from audit.simulate.c_find import study_query, worklist_query


def decoded(query: str) -> Dataset:
    return read_dataset(BytesIO(b64decode(query)), is_implicit_VR=True, is_little_endian=True)


def test_a_study_query_can_be_read() -> None:
    read = decoded(study_query(patient_id="4711", patient_name="Müller*", study_date="20260302"))
    assert read.QueryRetrieveLevel == "STUDY"
    assert read.PatientID == "4711"
    assert str(read.PatientName) == "Müller*"
    assert read.StudyDate == "20260302"
    assert read.StudyInstanceUID in {"", None}


def test_a_worklist_query_can_be_read() -> None:
    (step,) = decoded(worklist_query("CT01", "20260302")).ScheduledProcedureStepSequence
    assert step.ScheduledStationAETitle == "CT01"
    assert step.ScheduledProcedureStepStartDate == "20260302"


@given(st.from_regex(r"[A-ZÄÖÜ]{1,9}\*?", fullmatch=True))
def test_any_name_comes_back(name: str) -> None:
    assert str(decoded(study_query(patient_name=name)).PatientName) == name
