from hypothesis import given
from hypothesis import strategies as st

from audit.query.pseudonyms import Pseudonyms

KEY = bytes(range(32))
OTHER_KEY = bytes(32)


def test_a_pseudonym_is_stable_and_says_its_kind() -> None:
    assert Pseudonyms(KEY).of("patient", "12345") == Pseudonyms(KEY).of("patient", "12345")
    assert Pseudonyms(KEY).of("patient", "12345").startswith("patient-")


def test_another_key_or_kind_gives_other_letters() -> None:
    here = Pseudonyms(KEY).of("patient", "12345")
    assert here != Pseudonyms(OTHER_KEY).of("patient", "12345")
    assert here.split("-")[1] != Pseudonyms(KEY).of("user", "12345").split("-")[1]


@given(st.text(), st.text())
def test_values_are_told_apart_and_not_shown(one: str, other: str) -> None:
    of = Pseudonyms(KEY).of
    assert (of("user", one) == of("user", other)) == (one == other)
    letters = of("user", one).removeprefix("user-")
    assert len(letters) == 16
    assert letters.isalnum()
