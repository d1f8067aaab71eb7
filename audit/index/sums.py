"""Shapes: the values of a record's few-valued fields, by which a month file keeps sums. Pure.

Criteria that ask for nothing else are answered from a few hundred shapes instead of millions of
records, with the same meaning: a shape is held against ``criteria.matches`` as a small record.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import orjson

from audit.index.criteria import (
    And,
    Criteria,
    Everything,
    Exists,
    Not,
    Or,
    Prefix,
    Range,
    Term,
    fold,
)
from audit.index.document import IndexedRecord
from audit.standards.fields import fields_of

UNITS: Final = (86_400_000_000_000, 3_600_000_000_000, 900_000_000_000)
"""Days, hours and quarters of an hour (UTC) in nanoseconds, by each of which sums are kept."""

REPEAT: Final = "repeat_of"
MOST_SHAPES: Final = 4096
"""Shapes beyond which a month file stops to keep sums: someone sends nonsense in coded fields."""


@cache
def summed_fields() -> tuple[str, ...]:
    """The fields whose values make a shape."""
    return tuple(sorted(f.name for f in fields_of("keyword") if f.summed))


def shape_of(record: IndexedRecord) -> str:
    """The shape of a record, as canonical JSON."""
    values = tuple(record.fields.get(name, ()) for name in summed_fields())
    return _shape(values, bool(record.values(REPEAT)))


@lru_cache(maxsize=MOST_SHAPES)
def _shape(values: tuple[tuple[str, ...], ...], repeats: bool) -> str:
    facts = {
        name: sorted({fold(v) for v in of_field})
        for name, of_field in zip(summed_fields(), values, strict=True)
        if of_field
    }
    if repeats:
        facts[REPEAT] = ["yes"]
    return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS).decode()


def shape_record(facts: str) -> IndexedRecord:
    """A record that has the values of a shape and no other."""
    fields = {name: tuple(values) for name, values in orjson.loads(facts).items()}
    return IndexedRecord(id="", sequence=0, time=0, received=0, fields=fields)


def dividing(*lengths: int) -> tuple[int, ...]:
    """The units that all of these lengths are multiples of, the longest first."""
    return tuple(unit for unit in UNITS if all(length % unit == 0 for length in lengths))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole units from ``first`` up to ``end``, not included; None is open (unit 0: a remainder).

    A remainder is a piece of time, in nanoseconds, that no whole unit fills.
    """

    unit: int
    first: int | None
    end: int | None


def stretches(at_least: int | None, below: int | None, units: tuple[int, ...]) -> list[Stretch]:
    """A piece of time cut into whole units, long ones in the middle, and remainders."""
    if not units:
        return [Stretch(0, at_least, below)]
    unit = units[0]
    first = None if at_least is None else -(-at_least // unit)
    end = None if below is None else below // unit
    if first is not None and end is not None and first >= end:
        return stretches(at_least, below, units[1:])
    made = [Stretch(unit, first, end)]
    if first is not None and at_least is not None and at_least < first * unit:
        made += stretches(at_least, first * unit, units[1:])
    if end is not None and below is not None and end * unit < below:
        made += stretches(end * unit, below, units[1:])
    return made


def without_time(criteria: Criteria) -> tuple[Criteria, int | None, int | None]:
    """The criteria without the bounds of time that hold for all of it, and these bounds."""
    parts = criteria.parts if isinstance(criteria, And) else (criteria,)
    ranges = [p for p in parts if isinstance(p, Range) and p.field == "time"]
    rest = tuple(p for p in parts if p not in ranges)
    at_least = max((r.at_least for r in ranges if r.at_least is not None), default=None)
    below = min((r.below for r in ranges if r.below is not None), default=None)
    return And(rest), at_least, below


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
