"""The searchable fields of an indexed record, from ``schemas/index/fields.toml``.

The query language, both index backends, the Elasticsearch mapping and docs/api.md are made from
this one table.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from audit.standards import files

FieldType = Literal["keyword", "text", "time", "number"]

TYPES: Final[tuple[FieldType, ...]] = ("keyword", "text", "time", "number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One searchable field.

    Attributes:
        name: its name in records and in the index.
        type: keyword (whole values), text (words), time (UTC nanoseconds) or number.
        many: a record may hold several values.
        exact: values are codes or digests in which folding changes nothing.
        query_name: its name in the query language.
        identifying: names a patient or a member of staff, or leads to one.
        usual: nearly every record has a value.
        summed: single-valued with few different values; an index may count by all such at once.
        counted: has few enough different values for an index to keep a column of them.
        meaning: what it holds, in words for documentation.
    """

    name: str
    type: FieldType
    many: bool = False
    exact: bool = False
    query_name: str
    identifying: bool = False
    usual: bool = False
    summed: bool = False
    counted: bool = False
    meaning: str


def _field(name: str, row: dict[str, Any]) -> Field:
    if row["type"] not in TYPES:
        raise ValueError(f"field {name} of schemas/index/fields.toml has type {row['type']!r}")
    return Field(name=name, query_name=row.get("query", name), **_without_query(row))


def _without_query(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "query"}


@cache
def all_fields() -> tuple[Field, ...]:
    """Every field, in the order of the table."""
    table = files.read_toml("index/fields.toml")["field"]
    return tuple(_field(name, row) for name, row in table.items())


def field_named(name: str) -> Field | None:
    """The field of that name or of that name in the query language; None when there is none."""
    return next((f for f in all_fields() if name in (f.name, f.query_name)), None)


def fields_of(*types: FieldType) -> tuple[Field, ...]:
    """The fields of these types, in the order of the table."""
    return tuple(f for f in all_fields() if f.type in types)


def __getattr__(name: str) -> tuple[Field, ...]:
    """Give ``FIELDS`` on first use, so that importing this module reads no file."""
    if name == "FIELDS":
        return all_fields()
    raise AttributeError(name)
