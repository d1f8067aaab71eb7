"""A report as PDF: A4 across, the qualifications before the tables, a footer on each page.

Text is set in DejaVu Sans Condensed, which comes with the product (licence beside the files).
Characters that it lacks, control characters and such as change the direction of text are written
out as ``[U+0041]``, so that nothing a sender wrote can hide or move what stands on the page.
Arabic and Hebrew are shaped and set from right to left.
"""

import re
import unicodedata
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace, TTFFont
from typing_extensions import override

from audit.query.reports.report import Report, Section

MEDIA_TYPE = "application/pdf"
MOST_ROWS = 1_000
"""Rows of one table in a PDF; the CSV has them all."""
MOST_CHARACTERS = 500
"""Characters of one cell; a longer text is cut, and says so."""

_FAMILY = "DejaVu"
_TOTAL = "\x02nb\x02"
"""Stands for the number of pages; no text of a report can hold it, for it is written out there."""
_MARGIN, _LINE = 12.0, 4.0
_SIZE, _SMALL, _LARGE = 8.0, 7.0, 15.0
_GREY, _LIGHT, _WARN = (90, 90, 90), (236, 239, 243), (255, 244, 214)
_TIME = re.compile(r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)")
"""A time that may be broken between date and hour."""
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


class _Fonts(NamedTuple):
    regular: Path
    bold: Path
    known: frozenset[int]


@cache
def _fonts() -> _Fonts:
    folder = Path(str(files("audit.query.reports").joinpath("fonts")))
    regular, bold = (folder / f"DejaVuSansCondensed{name}.ttf" for name in ("", "-Bold"))
    blank = FPDF()
    blank.add_font(_FAMILY, "", regular)
    blank.add_font(_FAMILY, "B", bold)
    held = [set(font.cmap) for font in blank.fonts.values() if isinstance(font, TTFFont)]
    _close_fonts(blank)
    return _Fonts(regular, bold, frozenset(set.intersection(*held)))


def _close_fonts(pages: FPDF) -> None:
    """Give the files back, which the library leaves open."""
    for font in pages.fonts.values():
        if isinstance(font, TTFFont):
            font.ttfont.close()


def printable(text: str, most: int = MOST_CHARACTERS) -> str:
    """The text as it can be printed: cut, and what has no picture written out."""
    cut = len(text) > most
    known = _fonts().known
    shown = "".join(_shown(character, known) for character in text[:most])
    return f"{shown} … ({len(text)} characters)" if cut else shown


def _shown(character: str, known: frozenset[int]) -> str:
    if character == "\n":
        return " "
    code = ord(character)
    hidden = unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return f"[U+{code:04X}]" if hidden or code not in known else character


class _Pages(FPDF):
    """Pages with a footer."""

    def __init__(self, report: Report) -> None:
        super().__init__(orientation="landscape", format="A4")
        self.alias_nb_pages(_TOTAL)
        fonts = _fonts()
        self.add_font(_FAMILY, "", fonts.regular)
        self.add_font(_FAMILY, "B", fonts.bold)
        self.set_margins(_MARGIN, _MARGIN)
        self.set_auto_page_break(auto=True, margin=_MARGIN + 4)
        made = datetime.fromtimestamp(report.made_at // 1_000_000_000, UTC)
        self.set_creation_date(made)
        self.set_title(printable(report.title))
        self.set_lang("en")
        self._foot = printable(f"{report.title} · record {report.record or 'not yet'}")

    @override
    def footer(self) -> None:
        """Which report, which page of how many."""
        self.set_y(-_MARGIN)
        self.set_font(_FAMILY, size=_SMALL)
        self.set_text_color(*_GREY)
        self.cell(0, _LINE, self._foot)
        self.set_x(_MARGIN)
        self.cell(0, _LINE, f"{self.page_no()} / {_TOTAL}", align="R")

    def text_of(self, text: str, *, bold: bool = False, size: float = _SIZE) -> None:
        """A paragraph."""
        self.set_font(_FAMILY, "B" if bold else "", size)
        self.multi_cell(
            0, size * 0.5, printable(text, 4_000), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L"
        )


def pdf_of(report: Report) -> bytes:
    """The report as one file; the same report gives the same octets."""
    pages = _Pages(report)
    try:
        return _filled(pages, report)
    finally:
        _close_fonts(pages)


def _filled(pages: _Pages, report: Report) -> bytes:
    if _needs_shaping(report):
        pages.set_text_shaping(use_shaping_engine=True)
    pages.add_page()
    pages.set_text_color(20, 20, 20)
    pages.text_of(report.title, bold=True, size=_LARGE)
    pages.ln(1)
    pages.set_text_color(*_GREY)
    pages.text_of(report.basis)
    pages.set_text_color(20, 20, 20)
    pages.ln(2)
    for name, value in report.facts:
        pages.text_of(f"{name}: {value}")
    _qualifications(pages, report)
    for section in report.sections:
        _section(pages, section)
    pages.ln(4)
    pages.text_of("On what this report rests", bold=True, size=12)
    for section in report.reliance:
        _section(pages, section)
    _legend(pages)
    return bytes(pages.output())


def _qualifications(pages: _Pages, report: Report) -> None:
    pages.ln(2)
    pages.set_fill_color(*_WARN)
    pages.set_font(_FAMILY, "B", _SIZE)
    head = "How far this can be relied on"
    pages.cell(0, 5, head, fill=True, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pages.set_font(_FAMILY, size=_SIZE)
    for said in report.qualifications:
        text = printable(f"\u2022 {said}", 4_000)
        pages.multi_cell(0, _LINE, text, fill=True, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")


def _section(pages: _Pages, section: Section) -> None:
    pages.set_fill_color(255, 255, 255)
    pages.ln(4)
    if pages.will_page_break(25):
        pages.add_page()
    pages.text_of(section.title, bold=True, size=10)
    if section.note:
        pages.set_text_color(*_GREY)
        pages.text_of(section.note, size=_SMALL)
        pages.set_text_color(20, 20, 20)
    if not section.rows:
        pages.text_of(section.empty)
        return
    pages.ln(1)
    _table(pages, section)
    left = len(section.rows) - MOST_ROWS
    if left > 0:
        pages.text_of(f"{left} more rows are in the CSV and JSON forms of this report.", bold=True)


def _table(pages: _Pages, section: Section) -> None:
    pages.set_font(_FAMILY, size=_SMALL)
    pages.set_draw_color(200, 205, 212)
    with pages.table(
        col_widths=tuple(column.share for column in section.columns),
        line_height=_LINE - 0.6,
        text_align="LEFT",
        v_align="TOP",
        padding=0.8,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis="BOLD", fill_color=_LIGHT),
    ) as table:
        table.row([printable(column.title) for column in section.columns])
        for row in section.rows[:MOST_ROWS]:
            table.row([_TIME.sub(r"\1 \2", printable(value)) for value in row])


def _legend(pages: _Pages) -> None:
    pages.ln(4)
    pages.set_text_color(*_GREY)
    pages.text_of(
        "Times are UTC. [U+ and a hexadecimal number] stands for a character that can't be "
        f"printed or would change the text around it. Texts are cut at {MOST_CHARACTERS} "
        f"characters and tables at {MOST_ROWS} rows; the JSON and CSV forms have all of them.",
        size=_SMALL,
    )


def _needs_shaping(report: Report) -> bool:
    """Whether some text runs from right to left."""
    every = (*report.sections, *report.reliance)
    texts = [value for section in every for row in section.rows for value in row]
    texts += [value for _, value in report.facts]
    wide = (text for text in texts if not text.isascii())
    return any(unicodedata.bidirectional(one) in _RIGHT_TO_LEFT for text in wide for one in text)
