import pytest
from pydicom.dataset import Dataset

from audit.nodes.study_store import StoreLimits, Study, StudyStore


def instance(study: str, uid: str) -> Dataset:
    dataset = Dataset()
    dataset.StudyInstanceUID = study
    dataset.SOPInstanceUID = uid
    return dataset


@pytest.fixture
def gone() -> list[Study]:
    return []


def test_the_oldest_study_makes_room_for_a_new_one(gone: list[Study]) -> None:
    store = StudyStore(StoreLimits(max_studies=2), gone.append)
    for number in range(3):
        assert store.add(instance(f"1.{number}", f"2.{number}"), 10)
    assert [study.uid for study in gone] == ["1.0"]
    assert len(store) == 2
    assert not store.holds("2.0")
    assert store.holds("2.2")


def test_octets_are_bounded_over_all_studies(gone: list[Study]) -> None:
    store = StudyStore(StoreLimits(max_studies=10, max_octets=100), gone.append)
    store.add(instance("1.1", "2.1"), 60)
    store.add(instance("1.2", "2.2"), 60)
    assert [study.uid for study in gone] == ["1.1"]


def test_a_study_never_outgrows_the_store(gone: list[Study]) -> None:
    store = StudyStore(StoreLimits(max_octets=100), gone.append)
    store.add(instance("1.1", "2.1"), 60)
    assert not store.fits("1.1", 60)
    assert store.fits("1.1", 40)
    assert store.fits("1.2", 100)


def test_an_instance_held_already_is_kept_once(gone: list[Study]) -> None:
    store = StudyStore(StoreLimits(), gone.append)
    assert store.add(instance("1.1", "2.1"), 10)
    assert not store.add(instance("1.1", "2.1"), 10)
    assert len(store.newest_studies(5)[0].instances) == 1


def test_selection_matches_only_the_attributes_named(gone: list[Study]) -> None:
    store = StudyStore(StoreLimits(), gone.append)
    store.add(instance("1.1", "2.1"), 10)
    store.add(instance("1.2", "2.2"), 10)
    keys = instance("1.2", "9.9")
    assert [one.SOPInstanceUID for one in store.select(keys, ("StudyInstanceUID",))] == ["2.2"]
    assert [study.uid for study in store.newest_studies(1)] == ["1.2"]
