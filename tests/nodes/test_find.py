import pytest
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset

from audit.nodes.find import (
    PATIENT_ROOT,
    STUDY_ROOT,
    IdentifierRefused,
    answers,
    root_of,
    selected,
)
from audit.nodes.instances import instances
from audit.nodes.people import patients
from audit.nodes.sop_classes import PATIENT_MOVE, STUDY_FIND
from audit.nodes.study_store import StoreLimits, StudyStore
from tests.nodes.examinations import examination


@pytest.fixture
def store() -> StudyStore:
    store = StudyStore(StoreLimits(), lambda _study: None)
    first, second = patients(1)[:2]
    for modality, patient in (("CT", first), ("MR", first), ("US", second)):
        for dataset in instances(examination(modality, 2, patient)):
            store.add(dataset, 10)
    return store


def identifier(level: str, **keys: object) -> Dataset:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = level
    with disable_value_validation():
        for keyword, value in keys.items():
            setattr(dataset, keyword, value)
    return dataset


def test_a_study_query_answers_once_for_each_study_with_what_was_asked(store: StudyStore) -> None:
    wanted = identifier(
        "STUDY",
        PatientID=patients(1)[0].patient_id,
        StudyInstanceUID="",
        ModalitiesInStudy="",
        NumberOfStudyRelatedInstances="",
        NumberOfPatientRelatedStudies="",
        OtherPatientIDsSequence=[],
        StudyComments="",
    )
    found = answers(store, STUDY_ROOT, wanted, "PACS_MAIN")
    assert sorted(one.ModalitiesInStudy for one in found) == ["CT", "MR"]
    for one in found:
        assert one.NumberOfStudyRelatedInstances == 2
        assert one.RetrieveAETitle == "PACS_MAIN"
        assert one.SpecificCharacterSet == "ISO_IR 192"
        assert one.QueryRetrieveLevel == "STUDY"
        assert not one.StudyComments
        assert not one.OtherPatientIDsSequence
        assert "PatientName" not in one


def test_computed_keys_are_matched_too(store: StudyStore) -> None:
    found = answers(store, STUDY_ROOT, identifier("STUDY", ModalitiesInStudy="US"), "X")
    assert len(found) == 1
    assert not answers(store, STUDY_ROOT, identifier("STUDY", ModalitiesInStudy="NM"), "X")


def test_patient_series_and_image_levels(store: StudyStore) -> None:
    assert len(answers(store, PATIENT_ROOT, identifier("PATIENT", PatientID=""), "X")) == 2
    study = store.newest_studies(1)[0]
    series = identifier("SERIES", StudyInstanceUID=study.uid, SeriesInstanceUID="")
    (one,) = answers(store, STUDY_ROOT, series, "X")
    image = identifier(
        "IMAGE",
        StudyInstanceUID=study.uid,
        SeriesInstanceUID=one.SeriesInstanceUID,
        SOPInstanceUID="",
    )
    assert len(answers(store, STUDY_ROOT, image, "X")) == 2


@pytest.mark.parametrize(
    "wanted",
    [
        identifier("PATIENT"),
        identifier("SERIES"),
        identifier("SERIES", StudyInstanceUID="*"),
        identifier("FRAME"),
        Dataset(),
    ],
)
def test_an_identifier_that_does_not_fit_is_refused(store: StudyStore, wanted: Dataset) -> None:
    with pytest.raises(IdentifierRefused):
        answers(store, STUDY_ROOT, wanted, "X")


def test_a_retrieval_needs_the_unique_key_of_its_level(store: StudyStore) -> None:
    newest = store.newest_studies(2)
    wanted = identifier("STUDY", StudyInstanceUID="\\".join(study.uid for study in newest))
    assert len(selected(store, STUDY_ROOT, wanted)) == 4
    with pytest.raises(IdentifierRefused):
        selected(store, STUDY_ROOT, identifier("STUDY"))


def test_the_model_follows_the_sop_class() -> None:
    assert root_of(PATIENT_MOVE) is PATIENT_ROOT
    assert root_of(STUDY_FIND) is STUDY_ROOT


def test_a_private_key_does_not_narrow_the_answers(store: StudyStore) -> None:
    wanted = identifier("STUDY", StudyInstanceUID="")
    wanted.add_new((0x0009, 0x0010), "LO", "SOMEBODY")
    assert len(answers(store, STUDY_ROOT, wanted, "X")) == 3
