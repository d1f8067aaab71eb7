"""Mapping: rows ``target = "fact"`` of ``schemas/siem`` turned into nested JSON.

A row's right side names facts, the first of which has a value gives it: ``"requestor_id | node"``.
Behind it may stand ``[]`` for a list, ``#`` for a whole number, ``@`` for a time in the format's
form. The left side is a path; ``a[].b`` makes a list of objects, one for each value.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from audit.siem.values import Facts, Value

_ROW: Final = re.compile(r"(?P<names>[a-z_]+(?: \| [a-z_]+)*)(?P<form>\[\]|#|@)?")

JsonObject = dict[str, Any]
TimeForm = Callable[[int], Value]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a mapping.

    Attributes:
        target: path of the format's field.
        facts: names of facts, the first that has a value gives it.
        form: empty, ``[]``, ``#`` or ``@``.
    """

    target: str
    facts: tuple[str, ...]
    form: str = ""

    def values(self, facts: Facts) -> tuple[Value, ...]:
        """The values of the first fact that has any; () without one."""
        for name in self.facts:
            if name in facts:
                return facts[name]
        return ()


def rows_of(table: Mapping[str, str]) -> tuple[Row, ...]:
    """The rows of a table of a mapping file; ValueError for one that can't be read."""
    return tuple(_row(target, source) for target, source in table.items())


def _row(target: str, source: str) -> Row:
    found = _ROW.fullmatch(source)
    if found is None:
        raise ValueError(f"{target} = {source!r} is no row of a mapping")
    return Row(target, tuple(found["names"].split(" | ")), found["form"] or "")


def fill(
    document: JsonObject,
    rows: Iterable[Row],
    facts: Facts,
    time_form: TimeForm,
    max_values: int,
) -> None:
    """Put into the document what the rows say of the facts.

    Args:
        document: what is filled.
        rows: of the mapping.
        facts: those that may leave.
        time_form: how the format writes a time of UTC nanoseconds.
        max_values: most values of a list; the others are left out.
    """
    for row in rows:
        values = row.values(facts)
        if not values:
            continue
        if "[]." in row.target:
            _put_objects(document, row.target, [str(value) for value in values[:max_values]])
        elif row.form == "[]":
            put(document, row.target, [str(value) for value in values[:max_values]])
        elif row.form == "#":
            put(document, row.target, int(values[0]))
        elif row.form == "@":
            put(document, row.target, time_form(int(values[0])))
        else:
            put(document, row.target, str(values[0]))


def put(document: JsonObject, path: str, value: Any) -> None:
    """Set the value at a dotted path; ``@timestamp`` and the like are plain names."""
    *parents, name = path.split(".")
    for parent in parents:
        document = document.setdefault(parent, {})
    document[name] = value


def _put_objects(document: JsonObject, target: str, values: list[str]) -> None:
    """``a.b[].c``: objects with this field, beside what other rows gave to the same list."""
    path, _, name = target.partition("[].")
    *parents, last = path.split(".")
    for parent in parents:
        document = document.setdefault(parent, {})
    document.setdefault(last, []).extend({name: value} for value in values)
