import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.projector.identities import (
    PatientIdentifier,
    UserNames,
    ae_titles,
    canonical_user,
    host_of,
    is_internet_address,
    patient_identifiers,
    user_names,
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("alias<jdoe@idp.example>", UserNames("jdoe@idp.example", ("jdoe", "alias"))),
        ("<jdoe@idp.example>", UserNames("jdoe@idp.example", ("jdoe",))),
        ("<a@b@idp.example>", UserNames("a@b@idp.example", ("a@b",))),
        ("HOSPITAL\\jdoe", UserNames("jdoe@HOSPITAL", ("jdoe",))),
        (" jdoe@hospital.example ", UserNames("jdoe@hospital.example", ("jdoe",))),
        ("jdoe", None),
        ("", None),
        ("Doe, Jane <jane>", None),
        ("two words@host name", None),
        ("\\jdoe", None),
    ],
)
def test_forms_of_a_user(written: str, meant: UserNames | None) -> None:
    assert user_names(written) == meant


@pytest.mark.parametrize(
    ("user_id", "alternative", "name", "canonical"),
    [
        ("4711", "jdoe@h.example", "alias<jd@idp.example>", "jd@idp.example"),
        ("4711", "jdoe@h.example", "Jane Doe", "jdoe@h.example"),
        ("H\\jdoe", "x@y", "", "jdoe@H"),
        ("4711", "AETITLES=A", "Archive", "4711"),
        ("", "4712", "", "4712"),
        ("jdoe", "", "jane@somewhere", "jdoe"),
    ],
)
def test_one_canonical_user(user_id: str, alternative: str, name: str, canonical: str) -> None:
    assert canonical_user(user_id, alternative, name) == canonical


@pytest.mark.parametrize(
    ("written", "titles"),
    [
        ("AETITLES=A;B", ("A", "B")),
        ("AETITLE= ARCHIVE ", ("ARCHIVE",)),
        ("AETITLES = A ; ;B;", ("A", "B")),
        ("AETITLES=", ()),
        ("4711", ()),
        ("aetitles=A", ()),
    ],
)
def test_ae_titles_in_either_spelling(written: str, titles: tuple[str, ...]) -> None:
    assert ae_titles(written) == titles


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("P1", (PatientIdentifier("P1"),)),
        (" P1 ", (PatientIdentifier("P1"),)),
        ("P~1", (PatientIdentifier("P~1"),)),
        ("P1^^^&1.2.3&ISO", (PatientIdentifier("P1", ("1.2.3",)),)),
        ("P1^^^ADT&1.2.3&ISO", (PatientIdentifier("P1", ("ADT", "1.2.3")),)),
        ("P1^^^ADT", (PatientIdentifier("P1", ("ADT",)),)),
        ("P1^^", (PatientIdentifier("P1"),)),
        (
            "P1^^^&1.2&ISO~P2^^^&1.3&ISO",
            (PatientIdentifier("P1", ("1.2",)), PatientIdentifier("P2", ("1.3",))),
        ),
        ("P\\S\\1^^^A\\T\\B&1.2&ISO", (PatientIdentifier("P^1", ("A&B", "1.2")),)),
        ("^^^&1.2&ISO", ()),
        ("  ", ()),
    ],
)
def test_patient_and_assigner_apart(written: str, meant: tuple[PatientIdentifier, ...]) -> None:
    assert patient_identifiers(written) == meant


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("192.0.2.1:6514", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:db8::1]:6514", "2001:db8::1"),
        ("[fe80::1%eth0]", "fe80::1%eth0"),
        ("2001:db8::1", "2001:db8::1"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_address_without_port(peer: str, host: str) -> None:
    assert host_of(peer) == host


def test_internet_addresses() -> None:
    assert is_internet_address("8.8.8.8")
    assert not is_internet_address("10.1.2.3")
    assert not is_internet_address("pacs.example.org")


@given(st.text(alphabet="a@<>\\^&~.;= 1", max_size=30))
def test_any_text_is_taken_apart_without_error(text: str) -> None:
    names = user_names(text)
    assert names is None or names.canonical
    assert all(one.identifier for one in patient_identifiers(text))
    assert isinstance(ae_titles(text), tuple)
    assert host_of(text) in text or text.startswith("[")
