import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.query.exports import record_export
from audit.query.exports.csv_form import CsvExport, cell, columns, line
from audit.query.exports.record_export import ExportOrder
from tests.projector.messages import NOW, SECOND, message, patient, syslog
from tests.query.trail import MARA, Trail

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "|cmd",
    "%0A",
    "\uff1d1",
    "\uff0b1",
]


def read(octets: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(octets.decode(), newline=""), strict=True))


@pytest.mark.parametrize("hostile", FORMULAS)
def test_no_cell_begins_like_a_formula(hostile: str) -> None:
    ((shown,),) = read(line([hostile]))
    assert shown.startswith("'")
    assert shown.replace("'", "") == hostile


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=5))
def test_every_text_comes_back(values: list[str]) -> None:
    (shown,) = read(line(values))
    plain = [value.replace("\0", "\ufffd") for value in values]
    assert [one.replace("'", "") for one in shown] == [one.replace("'", "") for one in plain]


@given(st.text(st.sampled_from("a ;\"'\t\r\n\0=+-@|%\uff1d\uff0b\uff0d\uff20\u00a0\ufeff\u200b")))
def test_what_needs_no_care_is_found_in_every_cell_that_does(value: str) -> None:
    with_care = cell(value + ";")  # which is changed nowhere itself
    assert cell(value) == with_care.removesuffix(';"') + '"'


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("within", [";{}", ';"{}', "\t{}", "\r\n{}", "; {}", ';"" {}', "a;b;{}"])
def test_no_program_that_parts_cells_elsewhere_sees_a_formula(within: str, delimiter: str) -> None:
    """As spreadsheets do where a comma stands before decimals."""
    octets = line(["a", "x" + within.format("=1+1"), within.format("@SUM(A1)")])
    for row in csv.reader(io.StringIO(octets.decode(), newline=""), delimiter=delimiter):
        assert not [one for one in row if one.lstrip(' "').startswith(("=", "@"))]


def test_numbers_and_lists_stay_as_they_are() -> None:
    values = ["a; b", "x;y-1", "1;2;3", "k-7 | -x", "2026-01-01T00:00:00Z"]
    assert read(line(values)) == [values]


def test_nothing_breaks_out_of_a_cell() -> None:
    assert cell('a"b\r\nc,d') == '"a""b\r\nc,d"'
    assert line(["lone \ud800"]).decode() == '"lone ?"\r\n'


def test_an_export_is_a_table_with_a_trailer(trail: Trail) -> None:
    for n in range(5):
        trail.take(f"<85>1 - host app - - - number {n}".encode(), at=NOW + n * SECOND)
    trail.follow()
    audited = trail.service(export_page=2).trail
    export = CsvExport(audited, MARA, "number", ExportOrder(oldest_first=True, reason="why"))
    chunks = list(export.chunks())
    export.close()
    header, *rows, trailer = read(b"".join(chunks))
    assert tuple(header) == columns()
    assert {len(row) for row in (header, *rows, trailer)} == {len(header)}
    assert [row[header.index("sequence")] for row in rows] == list("01234")
    assert trailer[:2] == ["_trailer", "count 5"]
    assert trailer[3] == "complete"
    assert trail.details()[0] == {
        "query": "number",
        "format": "csv",
        "reason": "why",
        "export": "begun",
    }


def test_the_end_names_the_patients(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(3):
        trail.take(syslog(message(objects=(patient(f"P{n}"),))), at=NOW + n * SECOND)
    trail.follow()
    for most, told in ((10, "3"), (2, "more than 2")):
        monkeypatch.setattr(record_export, "MOST_PATIENTS", most)
        export = CsvExport(trail.service(export_page=2).trail, MARA, "patient:P*")
        list(export.chunks())
        ended = [one for one in trail.details() if one.get("export") == "ended"][-1]
        assert ended["patients shown"] == told
