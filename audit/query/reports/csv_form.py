"""A report as CSV: every table in one file, each line saying to which it belongs."""

from collections.abc import Iterator

from audit.query.exports.csv_form import MEDIA_TYPE, line
from audit.query.reports.report import Report, Section

__all__ = ["MEDIA_TYPE", "csv_of"]


def csv_of(report: Report) -> Iterator[bytes]:
    """Lines of RFC 4180, no cell of which a spreadsheet runs.

    The first column names the table, the second says what the line is: ``head`` (headings),
    ``row``, ``note``. All lines have equally many cells.
    """
    every = (*report.sections, *report.reliance)
    width = 2 + max([2, *(len(section.columns) for section in every)])
    for name, value in (("title", report.title), ("basis", report.basis), *report.facts):
        yield _padded(("report", "fact", name, value), width)
    for said in report.qualifications:
        yield _padded(("report", "qualification", said), width)
    for section in every:
        yield from _section(section, width)


def _section(section: Section, width: int) -> Iterator[bytes]:
    titles = (column.title for column in section.columns)
    yield _padded((section.name, "head", *titles), width)
    for row in section.rows:
        yield _padded((section.name, "row", *row), width)
    note = section.note if section.rows else f"{section.empty} {section.note}".strip()
    if note:
        yield _padded((section.name, "note", note), width)


def _padded(cells: tuple[str, ...], width: int) -> bytes:
    return line((*cells, *([""] * (width - len(cells)))))
