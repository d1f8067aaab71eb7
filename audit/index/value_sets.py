"""Numbers for the values that records hold together in a field, one numbering per month file.

A record's values of one field, folded, are one set; a column holds the number of the set, 0 for
none. A number is never given to another set, also after its set was forgotten.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, TypeAlias

import apsw

from audit.index import shapes
from audit.index.criteria import fold
from audit.index.memo import Memo
from audit.index.sqlite_documents import to_json
from audit.standards.fields import fields_of

Values: TypeAlias = tuple[Any, ...]
"""What a record has in a column, as sent: of a field its strings, of the shape `shapes.Values`."""

SHAPE: Final = ":shape"
"""The name of the column of shapes; no field is called so."""

MOST_SETS: Final = 65_536
"""Different sets beyond which a file keeps no column of a field: they outgrow the records."""

_MOST_KNOWN: Final = 32_768


def columns_to_keep() -> tuple[str, ...]:
    """What a new month file keeps columns of, in the order of their numbers."""
    return (SHAPE, *(f.name for f in fields_of("keyword") if f.counted))


def folded_set(values: Iterable[str]) -> list[str]:
    """The different values after folding, in order."""
    return sorted({fold(value) for value in values})


class ValueSets:
    """The sets of one column. Used by the writer, inside its transactions.

    Args:
        connection: the month file.
        number: of the column.
        name: of the field, or `SHAPE`.

    Attributes:
        place: of the column among `columns_to_keep`.
    """

    def __init__(self, connection: apsw.Connection, number: int, name: str) -> None:
        self.number = number
        self._connection = connection
        rows = connection.execute(
            "SELECT id, value_set FROM value_sets WHERE number = ?", (number,)
        )
        self._ids: dict[str, int] = {}
        self._last = 0
        for set_id, text in rows:
            self._last = max(self._last, set_id)
            if text is not None:
                self._ids[text] = set_id
        self._facts_of: Callable[[Values], object] = (
            shapes.facts_of if name == SHAPE else folded_set
        )
        self._known = Memo(self._number_of, _MOST_KNOWN)
        self._new: list[tuple[int, int, str]] = []
        self.place = columns_to_keep().index(name)

    @property
    def is_overfull(self) -> bool:
        """Whether there are more sets than a column is kept for."""
        return len(self._ids) > MOST_SETS

    def ids_of(self, records: Iterable[Values]) -> list[int]:
        """The number of each record's set; new sets get one."""
        found = list(map(self._known.__getitem__, records))
        if self._new:
            new, self._new = self._new, []
            self._connection.executemany("INSERT INTO value_sets VALUES(?, ?, ?)", new)
        return found

    def _number_of(self, values: Values) -> int:
        if not values:
            return 0
        text = to_json(self._facts_of(values)).decode()
        found = self._ids.get(text)
        if found is None:
            found = self._last = self._last + 1
            self._ids[text] = found
            self._new.append((self.number, found, text))
        return found

    def forget(self, gone: Collection[int]) -> None:
        """Sets that no record holds any more: their values leave the file."""
        for set_id in gone:
            self._connection.execute(
                "UPDATE value_sets SET value_set = NULL WHERE number = ? AND id = ?",
                (self.number, set_id),
            )
        forgotten = set(gone)
        self._ids = {text: n for text, n in self._ids.items() if n not in forgotten}
        self._known.clear()
