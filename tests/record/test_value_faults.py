import pytest

from audit.record.audit_message import CodedValue
from audit.record.value_faults import (
    access_point_faults,
    ae_title_faults,
    code_faults,
    identifier_faults,
    uid_faults,
)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("ct1.example", "1"),
        ("CT_1", "1"),
        ("DOMAIN\\COMPUTER", "1"),
        ("RÖNTGEN#1", "1"),
        ("tel:+49-30-1234", "3"),
        ("10.0.0.1", None),
        ("10.0.0.1", "2"),
        ("fe80::1%eth0", "2"),
        ("[2001:db8::1]", "2"),
        ("+49 30 1234-5", "3"),
        ("anna@example.org", "4"),
        ("https://a.example/x", "5"),
        ("anything", "9"),
        (None, None),
        ("", ""),
    ],
)
def test_an_access_point_that_fits_its_type(value: str | None, kind: str | None) -> None:
    assert access_point_faults(value, kind) == ()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("10.0.0.1", "1"),
        ("a b", "1"),
        ("ct1.example", "2"),
        ("10.0.0.256", "2"),
        ("?", "3"),
        ("anna", "4"),
        ("www.example", "5"),
        ("x" * 300, "1"),
        ("http://a.example/x", "1"),
        ("anna@example.org", "1"),
        (None, "2"),
    ],
)
def test_an_access_point_that_does_not_fit(value: str | None, kind: str | None) -> None:
    assert len(access_point_faults(value, kind)) == 1


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("AETITLES=A;B", []),
        ("815", []),
        ("a.mueller@example.org", []),
        ("AETITLE=A", ["ae-titles"]),
        ("AETITLES= A", []),
        ("aetitles=A", ["ae-titles"]),
        ("AE_TITLE: A", ["ae-titles"]),
        ("AETITLES=", ["ae-title"]),
        ("AETITLES=A;;B", ["ae-title"]),
        ("AETITLES=A\\B", ["ae-title"]),
        ("AETITLES=" + "X" * 400, ["ae-title"]),
    ],
)
def test_ae_titles(text: str, rules: list[str]) -> None:
    assert [one.rule for one in ae_title_faults(text)] == rules


@pytest.mark.parametrize(
    ("uid", "rules"),
    [
        ("1.2.840.10008.1.1", []),
        ("2.999.0.1", []),
        ("2." + "1" * 62, []),
        ("2." + "1" * 63, ["uid-malformed"]),
        ("3.1", ["uid-malformed"]),
        ("1.02", ["uid-malformed"]),
        ("1..2", ["uid-malformed"]),
        ("1.2 ", ["uid-malformed"]),
        ("", ["uid-malformed"]),
        ("1.٢", ["uid-malformed"]),
        ("1.2.3", ["placeholder"]),
    ],
)
def test_uids(uid: str, rules: list[str]) -> None:
    assert [one.rule for one in uid_faults(uid)] == rules


@pytest.mark.parametrize(
    ("code", "rules"),
    [
        (CodedValue("110153", "DCM", "Source Role ID"), []),
        (CodedValue("110153", "DCM", "Source"), []),
        (CodedValue("110153", "DCM", "source role id "), []),
        (CodedValue("110153", "DCM", "Destination"), ["code-text"]),
        (CodedValue("110153", "99X", "Source"), ["code-system-name"]),
        (CodedValue("110153", "", "Source"), []),
        (CodedValue("110199", "99X", "private"), []),
        (CodedValue("110199", "DCM", "new"), []),
        (CodedValue("R-1", "SRT", "x"), []),
        (CodedValue("110153", "DCM", "x" * 1000), ["code-text"]),
    ],
)
def test_codes(code: CodedValue, rules: list[str]) -> None:
    assert [one.rule for one in code_faults(code)] == rules


@pytest.mark.parametrize(
    ("value", "rules"),
    [
        ("anna", []),
        ("  ", ["value-empty"]),
        ("<none>", ["placeholder"]),
        (" Unknown ", ["placeholder"]),
        ("unknown-but-long-name", []),
    ],
)
def test_identifiers(value: str, rules: list[str]) -> None:
    assert [one.rule for one in identifier_faults(value)] == rules
