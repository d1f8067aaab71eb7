from fnmatch import translate
from re import compile as compiled

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset

from audit.nodes.matching import element_matches


def matches(keyword: str, wanted: object, held: object) -> bool:
    key, stored = Dataset(), Dataset()
    with disable_value_validation():
        setattr(key, keyword, wanted)
        if held is not None:
            setattr(stored, keyword, held)
    return element_matches(key[keyword], stored.get(key[keyword].tag))


@pytest.mark.parametrize(
    ("keyword", "wanted", "held", "expected"),
    [
        ("PatientID", "", "123", True),
        ("PatientID", None, None, True),
        ("PatientID", "123", "123", True),
        ("PatientID", "123", "1234", False),
        ("PatientID", "123", None, False),
        ("PatientID", "12*", "1234", True),
        ("PatientID", "*", None, True),
        ("PatientID", "?23", "123", True),
        ("PatientID", "?23", "23", False),
        ("PatientID", "a*", "ABC", False),
        ("PatientName", "novak^priya", "Novak^Priya", True),
        ("PatientName", "NOV*", "Novak^Priya", True),
        ("PatientName", "Novak^Priya^^", "Novak^Priya", True),
        ("PatientName", "Novak", "Novak^Priya", False),
        ("ModalitiesInStudy", "CT", ["CT", "SR"], True),
        ("ModalitiesInStudy", ["MR", "SR"], ["CT", "SR"], True),
        ("ModalitiesInStudy", "US", ["CT", "SR"], False),
        ("StudyInstanceUID", ["1.2", "1.3"], "1.3", True),
        ("StudyInstanceUID", ["1.2", "1.3"], "1.4", False),
        ("StudyInstanceUID", "1.*", "1.4", False),
        ("StudyDate", "20261121", "20261121", True),
        ("StudyDate", "20261121-", "20261122", True),
        ("StudyDate", "20261121-", "20261120", False),
        ("StudyDate", "-20261121", "20261120", True),
        ("StudyDate", "20261101-20261130", "20261121", True),
        ("StudyDate", "20261101-20261130", "20261201", False),
        ("StudyDate", "20261101-20261130", None, False),
        ("StudyTime", "10", "101530", True),
        ("StudyTime", "10-11", "115959", True),
        ("StudyTime", "10-11", "120000", False),
        ("StudyTime", "101530.5", "101530", True),
        ("AcquisitionDateTime", "2026-2027", "20261121101530", True),
        ("AcquisitionDateTime", "20261122-", "20261121101530.25+0100", False),
    ],
)
def test_attribute_matching(keyword: str, wanted: object, held: object, expected: bool) -> None:
    assert matches(keyword, wanted, held) is expected


def _item(keyword: str, value: str) -> list[Dataset]:
    item = Dataset()
    setattr(item, keyword, value)
    return [item]


def test_a_sequence_matches_when_one_stored_item_matches_every_key() -> None:
    def code(value: str) -> list[Dataset]:
        return _item("CodeValue", value)

    assert matches("ProcedureCodeSequence", code("A*"), code("ABC"))
    assert matches("ProcedureCodeSequence", [], code("ABC"))
    assert matches("ProcedureCodeSequence", [Dataset()], None)
    assert not matches("ProcedureCodeSequence", code("A*"), code("BC"))
    assert not matches("ProcedureCodeSequence", code("A*"), None)


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=12))
def test_wild_cards_match_as_the_shell_does(wanted: str, held: str) -> None:
    if "*" in wanted or "?" in wanted:
        expected = compiled(translate(wanted)).match(held) is not None
        assert matches("StudyDescription", wanted, held) is expected


def test_a_wild_card_made_to_be_slow_is_quick() -> None:
    assert not matches("StudyDescription", "*a" * 30 + "b", "a" * 60)
