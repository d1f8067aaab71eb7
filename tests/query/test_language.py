from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import QuerySyntaxError
from audit.index.criteria import (
    And,
    Criteria,
    Everything,
    Exists,
    InNetwork,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    Term,
    Text,
    fold,
)
from audit.query.language import LanguageLimits, parse_query, quoted, term_text
from audit.query.language_terms import fields_by_query_name
from audit.standards.fields import FIELDS
from tests.query.test_language_times import NOW, at

FAILED = Or(tuple(Term("outcome", f"{name}-failure") for name in ("minor", "serious", "major")))
DAY_START, DAY_END = at(2026, 1, 31), at(2026, 2, 1)


@pytest.mark.parametrize(
    ("text", "criteria"),
    [
        ("", Everything()),
        ("   ", Everything()),
        ("patient:12345", Term("patient", "12345")),
        ('user:"jdoe"', Term("user", "jdoe")),
        ("USER:jdoe", Term("user", "jdoe")),
        ("user:jd*", Prefix("user", "jd")),
        ('user:"jd*"', Term("user", "jd*")),
        ("user:*", Exists("user")),
        ("type:110122", Term("event_type", "110122")),
        ("assigner:1.2.3", Term("patient_assigner", "1.2.3")),
        ("patient_assigner:1.2.3", Term("patient_assigner", "1.2.3")),
        ("Event_Type:110122", Term("event_type", "110122")),
        ("query_key:PatientID=7", Term("query_key", "PatientID=7")),
        ("has:query_key", Exists("query_key")),
        ("patient:P^^^&1.2&ISO", And((Term("patient", "P"), Term("patient_assigner", "1.2")))),
        ("patient:Doe^Jane", Term("patient", "Doe^Jane")),
        ("category:Export", Term("category", "Export")),
        ("outcome:failure", FAILED),
        ("outcome:success", Term("outcome", "success")),
        ("chest", Text("chest")),
        ('"chest ct"', Phrase("chest ct")),
        ("text:chest", Text("chest")),
        ('text:"chest ct"', Phrase("chest ct")),
        ("has:finding", Exists("finding")),
        ("-source:PACS1", Not(Term("source", "PACS1"))),
        ("NOT source:PACS1", Not(Term("source", "PACS1"))),
        ("- -ct", Not(Not(Text("ct")))),
        ("a b", And((Text("a"), Text("b")))),
        ("a AND b", And((Text("a"), Text("b")))),
        ("a OR b c", Or((Text("a"), And((Text("b"), Text("c")))))),
        ("(a OR b) c", And((Or((Text("a"), Text("b"))), Text("c")))),
        ("-(a b)", Not(And((Text("a"), Text("b"))))),
        ("or and", And((Text("or"), Text("and")))),
        ('"OR"', Phrase("OR")),
        ("address:10.0.0.0/8", InNetwork(ip_network("10.0.0.0/8"))),
        ("address:10.1.2.3/8", InNetwork(ip_network("10.0.0.0/8"))),
        ("address:10.1.2.3", Term("address", "10.1.2.3")),
        ("address:2001:DB8::1", InNetwork(ip_network("2001:db8::1/128"))),
        ("address:fe80::1%eth0", Term("address", "fe80::1%eth0")),
        ("address:ws-12", Term("address", "ws-12")),
        ("address:10.*", Prefix("address", "10.")),
        ('address:"10.0.0.0/8"', Term("address", "10.0.0.0/8")),
        ("address:https://h.example/x", Term("address", "https://h.example/x")),
        ('patient:"P^^^&1.2&ISO"', Term("patient", "P^^^&1.2&ISO")),
        ("after:2026-01-31", Range("time", at_least=DAY_START)),
        ("before:2026-01-31", Range("time", below=DAY_START)),
        ("time:2026-01-31", Range("time", DAY_START, DAY_END)),
        ("time:2026-01-30..2026-01-31", Range("time", at(2026, 1, 30), DAY_END)),
        ("time:2026-01-31..", Range("time", at_least=DAY_START)),
        ("received:..2026-01-31", Range("received", below=DAY_END)),
        ("time:now-1h..now", Range("time", NOW - 3600 * 10**9, NOW + 1)),
        ("sequence:5", Range("sequence", 5, 6)),
        ("sequence:5..9", Range("sequence", 5, 10)),
        ("sequence:..9", Range("sequence", None, 10)),
        ("sequence:9..", Range("sequence", 9, None)),
        (r'user:"a\"b\\c"', Term("user", r'a"b\c')),
        ('user:"two words"', Term("user", "two words")),
        ("key:PatientID=P1", Term("query_key", "PatientID=P1")),
        ("user:DOMAIN\\jdoe", Term("user", "DOMAIN\\jdoe")),
        ("ward-3", Text("ward-3")),
    ],
)  # fmt: skip
def test_queries(text: str, criteria: Criteria) -> None:
    assert parse_query(text, now=NOW) == criteria


def test_the_example_of_the_documentation() -> None:
    text = (
        'patient:12345 user:"jdoe" category:export outcome:failure after:2026-01-01 '
        '-source:PACS1 "chest ct"'
    )
    assert parse_query(text, now=NOW) == And(
        (
            Term("patient", "12345"),
            Term("user", "jdoe"),
            Term("category", "export"),
            FAILED,
            Range("time", at_least=at(2026, 1, 1)),
            Not(Term("source", "PACS1")),
            Phrase("chest ct"),
        )
    )


@pytest.mark.parametrize(
    ("text", "column", "complaint"),
    [
        ("patinet:1", 0, "did you mean patient?"),
        ("ct  patinet:1", 4, "did you mean patient?"),
        ("zzz:1", 0, "quote it"),
        ("category:exprot", 9, "did you mean export?"),
        ("outcome:bad", 8, "success"),
        ("severity:none tier:x", 19, "no tier x"),
        ("user:", 5, "needs a value"),
        ("user: jdoe", 5, "needs a value"),
        ('user:""', 5, "needs a value"),
        ("user:(a)", 5, "takes one value"),
        ("user:j*d", 5, "only end a value"),
        ("user:j*d*", 5, "only end a value"),
        ("ches*", 0, "free word"),
        ("***", 0, "no letter or digit"),
        ('"--"', 0, "no letter or digit"),
        ('a "never closed', 2, "never closed"),
        ("(a", 0, "never closed"),
        ("a)", 1, "closes nothing"),
        ("()", 1, "missing before )"),
        ("a OR", 4, "missing before the end"),
        ("OR a", 0, "missing before OR"),
        ("a AND AND b", 6, "missing before AND"),
        ("-", 1, "missing before the end"),
        ("address:10.0.0.0/99", 8, "no network"),
        ("after:2026-99", 6, "calendar"),
        ("time:2026-01-01..soon", 17, "no time"),
        ("time:..", 5, "at least one end"),
        ("time:2026-01-01T08:00:00", 5, "no time zone"),
        ("sequence:x", 9, "no number"),
        ("sequence:1..x", 12, "no number"),
        ("sequence:" + "9" * 30, 9, "no number"),
        ("has:time", 4, "no field time"),
        ("has:findings", 4, "did you mean finding?"),
    ],
)
def test_errors_point_at_the_column(text: str, column: int, complaint: str) -> None:
    with pytest.raises(
        QuerySyntaxError, match=complaint.replace("?", r"\?").replace(")", r"\)")
    ) as caught:
        parse_query(text, now=NOW)
    assert caught.value.column == column


def test_bounds() -> None:
    limits = LanguageLimits(max_chars=30, max_terms=3, max_depth=2)
    assert parse_query("((a)) b c", now=NOW, limits=limits) == parse_query("a b c", now=NOW)
    for text, complaint in (
        ("a b c d", "more than 3 terms"),
        ("(((a)))", "deeper than 2"),
        ("- - - a", "deeper than 2"),
        ("a" * 31, "at most 30"),
    ):
        with pytest.raises(QuerySyntaxError, match=complaint):
            parse_query(text, now=NOW, limits=limits)


def test_every_field_can_be_asked_for() -> None:
    assert set(fields_by_query_name().values()) == set(FIELDS)
    for name, field in fields_by_query_name().items():
        if field.type == "keyword" and name != "address":
            assert parse_query(f"has:{name}", now=NOW) == Exists(field.name)
            assert parse_query(f"{name}:x*", now=NOW) == Prefix(field.name, "x")


@given(st.text(max_size=40))
def test_a_quoted_value_means_itself(value: str) -> None:
    if value.strip():
        assert parse_query(term_text("user", value), now=NOW) == Term("user", value)
        assert parse_query(f"user:{quoted(value)} x", now=NOW) == And(
            (Term("user", value), Text("x"))
        )


def complaint_about(text: str) -> QuerySyntaxError | None:
    try:
        parse_query(text, now=NOW)
    except QuerySyntaxError as error:
        return error
    return None


ODD = st.text(alphabet='ab:"()-*\\ \n:./0123456789TZ^&,~ÄORNDuser', max_size=40)


@given(ODD | st.text(max_size=60))
def test_any_text_is_a_query_or_an_error_with_a_column(text: str) -> None:
    error = complaint_about(text)
    assert error is None or (str(error) and 0 <= error.column <= len(text))


def test_folding_makes_no_difference_to_known_values() -> None:
    assert parse_query("verdict:VALID", now=NOW) == Term("verdict", "VALID")
    assert fold("VALID") == "valid"
