"""Shapes: the values of a record's few-valued fields, taken together as one value. Pure.

Criteria that ask for nothing else are answered from a few hundred shapes instead of millions of
records, with the same meaning: a shape is held against ``criteria.matches`` as a small record.
"""

from functools import cache
from typing import Final

from audit.index.criteria import (
    And,
    Criteria,
    Everything,
    Exists,
    Not,
    Or,
    Prefix,
    Term,
    fold,
)
from audit.index.document import IndexedRecord
from audit.standards.fields import fields_of

REPEAT: Final = "repeat_of"

Values = tuple[tuple[str, ...], ...]
"""The values as sent: of the summed fields, then whether it is a repeat."""


@cache
def summed_fields() -> tuple[str, ...]:
    """The fields whose values make a shape."""
    return tuple(sorted(f.name for f in fields_of("keyword") if f.summed))


def values_of(record: IndexedRecord) -> Values:
    """What decides a record's shape, as sent."""
    fields = record.fields
    repeats = ("yes",) if fields.get(REPEAT) else ()
    return (*[fields.get(name, ()) for name in summed_fields()], repeats)


def facts_of(values: Values) -> dict[str, list[str]]:
    """A shape: folded values by field."""
    return {
        name: sorted({fold(v) for v in of_field})
        for name, of_field in zip((*summed_fields(), REPEAT), values, strict=True)
        if of_field
    }


def shape_record(facts: dict[str, list[str]]) -> IndexedRecord:
    """A record that has the values of a shape and no other."""
    fields = {name: tuple(values) for name, values in facts.items()}
    return IndexedRecord(id="", sequence=0, time=0, received=0, fields=fields)


def answers(criteria: Criteria) -> bool:
    """Whether a shape alone tells if these criteria are met."""
    match criteria:
        case Everything():
            return True
        case And(parts) | Or(parts):
            return all(map(answers, parts))
        case Not(part):
            return answers(part)
        case Term(name) | Prefix(name):
            return name in summed_fields()
        case Exists(name):
            return name in summed_fields() or name == REPEAT
        case _:
            return False
