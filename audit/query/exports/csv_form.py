"""CSV: RFC 4180, every cell quoted, and none that a spreadsheet would run as a formula."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from typing_extensions import override

from audit.index.document import IndexedRecord
from audit.query.exports.record_export import Form, RecordExport
from audit.query.presentation import item
from audit.standards.fields import FIELDS

TRAILER = "_trailer"
MEDIA_TYPE = "text/csv; charset=utf-8"
_FORMULA = re.compile("[=+\\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20]")
_BLANKS = " \u00a0\ufeff\u200b"
_CELL_WITHIN = re.compile(f"([;\t\r\n][{_BLANKS}\"']*)(?=[=+\\-@|%\uff1d\uff0b\uff0d\uff20])")
"""Where a program that parts cells at ``;`` or a tab would see one begin, with a formula."""
_CARE = re.compile('[=+\\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20;"\0]')
"""What a cell without isn't changed by `cell`."""
_BETWEEN = " | "
_FIRST = ("id", "sequence", "time", "received", "summary")


def cell(value: str) -> str:
    """One cell, quoted; a beginning that spreadsheets take for a formula is made harmless.

    OWASP CSV injection: ``= + - @``, tab, carriage return and line feed, their full-width twins,
    and ``|`` and ``%``, also behind blanks, get an apostrophe in front; also behind a semicolon,
    a tab or a line's end inside, for programs that part cells there. NUL becomes U+FFFD, for
    programs end a text there.
    """
    if _CARE.search(value) is None:
        return f'"{value}"'
    text = value.replace("\0", "\ufffd")
    text = _CELL_WITHIN.sub(r"\1'", text)
    if _FORMULA.match(text.lstrip(_BLANKS)):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"'


def line(values: Iterable[str]) -> bytes:
    """One record of the file, ended by CR LF (RFC 4180 2.1)."""
    return (",".join(map(cell, values)) + "\r\n").encode("utf-8", "replace")


def columns() -> tuple[str, ...]:
    """The header: what an event is shown with, each searchable field in its column."""
    apart = {"time", "received", "sequence", "text"}
    return (*_FIRST, *(field.name for field in FIELDS if field.name not in apart))


class CsvExport(RecordExport):
    """An export as CSV; several values of a field stand in one cell, `` | `` between them."""

    form: ClassVar[Form] = "csv"
    media_type = MEDIA_TYPE
    suffix = ".csv"

    @override
    def _first(self) -> Iterator[bytes]:
        self._columns = columns()
        yield line(self._columns)

    @override
    def _piece(self, records: tuple[IndexedRecord, ...]) -> Iterator[bytes]:
        self.count += len(records)
        rows = (item(record) for record in records)
        yield b"".join(line(_text(row[name]) for name in self._columns) for row in rows)

    @override
    def _trailer(self, count: int, digest: str) -> bytes:
        told = (TRAILER, f"count {count}", f"sha256 {digest}", "complete")
        return line((*told, *([""] * (len(self._columns) - len(told)))))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return _BETWEEN.join(value)
    return "" if value is None else str(value)
