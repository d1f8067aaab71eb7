"""Where a query can't be read, as a page shows it."""

from dataclasses import dataclass

from audit.errors import QuerySyntaxError
from audit.query.language_fault import pointed


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a query can't be read; ``caret`` is the blank before the mark."""

    text: str
    query: str
    column: int
    caret: str


def fault_of(error: QuerySyntaxError, query: str) -> Fault:
    """The fault, with as much of the query around it as fits on a line."""
    piece, caret = pointed(query, error.column)
    return Fault(str(error), piece, error.column, caret)
