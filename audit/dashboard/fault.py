"""Where a query can't be read, as a page shows it."""

from dataclasses import dataclass

from audit.errors import QuerySyntaxError

_CARET_BEFORE = 60
"""Characters of a query shown before a fault; the rest of a long one is cut."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a query can't be read; ``caret`` is the blank before the mark."""

    text: str
    query: str
    column: int
    caret: str


def fault_of(error: QuerySyntaxError, query: str) -> Fault:
    """The fault, with as much of the query around it as fits on a line."""
    start = max(0, error.column - _CARET_BEFORE)
    piece = " ".join(query[start : start + 2 * _CARET_BEFORE].splitlines())
    return Fault(str(error), piece, error.column, " " * (error.column - start))
