"""Identities from CSV: rows of the same ``person`` are one patient or person.

person,identifier,assigner
1,P48003,1.2.276.0.76
1,A-17,2.16.756.5.30
"""

import csv
from collections.abc import Iterable, Iterator

from audit.errors import RequestError
from audit.state.aliases import KnownName, Link, Name

HEADER = ("person", "identifier", "assigner")
MOST_ROWS = 100_000
"""More are imported as several files: each import is one change, all of it or nothing."""


def links_of_csv(lines: Iterable[str], source: str) -> tuple[Link, ...]:
    """The links that the lines make; a person in one row only makes none.

    Args:
        lines: of a CSV file with the header ``person,identifier`` and perhaps ``assigner``.
        source: the file's name, as evidence.

    Raises:
        RequestError: it is no such file, or has too many rows; the text names the line.
    """
    people: dict[str, list[Name]] = {}
    for person, name in _rows(lines):
        people.setdefault(person, []).append(name)
    return tuple(Link(tuple(names), source) for names in people.values() if len(names) > 1)


def _rows(lines: Iterable[str]) -> Iterator[tuple[str, Name]]:
    reader = csv.reader(lines, strict=True)
    try:
        header = [cell.strip().lower().removeprefix("\ufeff") for cell in next(reader, [])]
        if tuple(header) not in {HEADER, HEADER[:2]}:
            raise RequestError("the first line must be person,identifier,assigner")
        for number, row in enumerate(reader, 1):
            if number > MOST_ROWS:
                raise RequestError(f"the file has more than {MOST_ROWS} rows; split it")
            if any(cell.strip() for cell in row):
                yield _row(row, reader.line_num)
    except csv.Error as error:
        raise RequestError(f"line {reader.line_num}: {error}") from error


def _row(row: list[str], line: int) -> tuple[str, Name]:
    cells = [cell.strip() for cell in row]
    if len(cells) not in {2, 3} or not cells[0] or not cells[1]:
        raise RequestError(f"line {line}: write person,identifier,assigner")
    return cells[0], Name(cells[1], cells[2] if len(cells) > len(HEADER) - 1 else "")


def csv_rows(person: str, names: Iterable[KnownName]) -> Iterator[tuple[str, str, str]]:
    """Rows from which an import makes the same person again."""
    for known in names:
        yield person, known.name.identifier, known.name.assigner
