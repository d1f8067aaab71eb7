"""Reports as PDF and CSV: what stands in them, and what hostile text can't do to them."""

import csv
import io
from dataclasses import replace

import pypdfium2  # type: ignore[import-untyped]
import pytest

from audit.query.reports.csv_form import csv_of
from audit.query.reports.pdf_form import MOST_CHARACTERS, MOST_ROWS, pdf_of, printable
from audit.query.reports.report import Column, Report, Section
from audit.query.reports.text_form import text_of as terminal_text

HOSTILE = [
    "شارلوت محمد",
    "דוד כהן",
    "山田太郎",
    "a\x1b[31mred\x07\0",
    "x" * 65_536,
    "\u202eevil\u202c",
    "\ud800 alone",
    "=cmd|' /C calc'!A0",
    "line\r\nbreak\u2028",
    "é" * 3_000,
    "{nb}",
    "",
]
COLUMNS = (Column("one", "One", 3), Column("two", "Two", 1))


def made(*rows: tuple[str, str]) -> Report:
    return Report(
        kind="access",
        title="Who accessed a patient's records",
        basis="A voluntary access report.",
        start=0,
        end=1_000_000_000,
        made_at=1_780_000_000_000_000_000,
        made_by="Mara Voß",
        reason="complaint 12",
        asked=(("Patient", "P1"),),
        record="k3f9x2ab-7",
        sections=(Section(name="accesses", title="Accesses", columns=COLUMNS, rows=rows),),
        reliance=(
            Section(name="sources", title="Sources", columns=COLUMNS, rows=(), empty="No source."),
        ),
        qualifications=("Silent in the whole period: lab-gate.",),
    )


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return " ".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


def test_a_pdf_says_what_the_report_says() -> None:
    said = " ".join(
        text_of(pdf_of(made(("Dr. Vera Klein", "7"), ("Zażółć Кириллица", "1")))).split()
    )
    for words in (
        "Who accessed a patient's records",
        "Patient: P1",
        "for Mara Voß",
        "Reason: complaint 12",
        "How far this can be relied on",
        "Silent in the whole period: lab-gate.",
        "Dr. Vera Klein",
        "Zażółć Кириллица",
        "No source.",
        "record k3f9x2ab-7",
        "1 / 1",
    ):
        assert words in said, words


def test_the_same_report_is_the_same_file() -> None:
    assert pdf_of(made(("a", "b"))) == pdf_of(made(("a", "b")))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_breaks_no_pdf(hostile: str) -> None:
    report = replace(made((hostile, hostile)), title=hostile, reason=hostile, made_by=hostile)
    said = text_of(pdf_of(report))
    assert "Accesses" in said
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_nothing_that_was_sent_becomes_the_number_of_pages() -> None:
    said = text_of(pdf_of(made(("Dr. {nb}\x02nb\x02", "of {nb}"), *[("a", "b")] * 90)))
    assert "Dr. {nb}[U+0002]nb[U+0002]" in said
    assert "of {nb}" in said
    assert "4 / 4" in said


def test_what_cannot_be_printed_is_written_out() -> None:
    assert printable("a\x1b\u202eb") == "a[U+001B][U+202E]b"
    assert printable("山") == "[U+5C71]"
    assert printable("x" * 600) == "x" * MOST_CHARACTERS + " … (600 characters)"
    assert printable("שלום é") == "שלום é"


def test_a_long_table_is_cut_and_says_so() -> None:
    rows = tuple((str(n), "x") for n in range(MOST_ROWS + 3))
    said = " ".join(text_of(pdf_of(made(*rows))).split())
    assert "3 more rows are in the CSV and JSON forms" in said


@pytest.mark.parametrize("hostile", HOSTILE)
def test_csv_keeps_every_text_and_runs_none(hostile: str) -> None:
    octets = b"".join(csv_of(made((hostile, "1"))))
    rows = list(csv.reader(io.StringIO(octets.decode(), newline=""), strict=True))
    assert len({len(row) for row in rows}) == 1
    (row,) = [row for row in rows if row[:2] == ["accesses", "row"]]
    expected = hostile.replace("\0", "\ufffd").replace("\ud800", "?")
    assert row[2] in {expected, "'" + expected}
    assert not row[2].startswith("=")
    assert [row for row in rows if row[0] == "sources"][1][:3] == ["sources", "note", "No source."]


def test_a_terminal_is_told_which_value_is_which() -> None:
    said = terminal_text(made(("Vera", "7"), ("", "8")).as_dict()).splitlines()
    at = said.index("Accesses (2)")
    assert [line.strip() for line in said[at + 1 : at + 4]] == [
        "one  |  two",
        "Vera  |  7",
        "-  |  8",
    ]
    assert "Sources (0)" in said
    steering = terminal_text(made(("a\x1b[31mred", "\u202eevil")).as_dict())
    assert "\x1b" not in steering
    assert "\u202e" not in steering
