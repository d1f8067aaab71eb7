"""Where a query can't be read, as a line with a mark below it."""

from audit.query.pointing import safe, width_of

_BEFORE = 60
"""Characters of a query shown before a fault, and after it; the rest of a long one is cut."""


def pointed(query: str, column: int) -> tuple[str, str]:
    """The query around a fault on one line, and the blanks before the mark that goes below it.

    Control characters and those that turn the direction are replaced, each by one character; wide
    characters take two columns and combining ones none.
    """
    start = max(0, column - _BEFORE)
    shown = safe(query[start : start + 2 * _BEFORE])
    return shown, " " * width_of(shown[: column - start])
