"""Rules: the first that fits says how a format names what happened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from audit.siem.values import Facts

_CONDITIONS = {"event": "event_code", "type": "types", "action_code": "action"}
"""Fact that each condition looks at."""

_MOST_VALUES = 20
"""Values of a fact that are looked at: nobody sends more EventTypeCodes than these."""

_LONGEST = 64
"""Characters of a value that are looked at, more than any code of a rule has."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: every condition that is given must hold; then ``says`` holds.

    Attributes:
        conditions: by fact, the values of which one must be there.
        says: what the rule says, as its file has it.
    """

    conditions: Mapping[str, frozenset[str]]
    says: Mapping[str, Any]

    def fits(self, facts: Facts) -> bool:
        """Whether the rule speaks of such a record."""
        return all(
            not wanted.isdisjoint(map(str, facts.get(fact, ())))
            for fact, wanted in self.conditions.items()
        )


def rules_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The rules of a mapping, in the order in which they are tried."""
    return tuple(
        Rule(
            {_CONDITIONS[key]: frozenset(row[key]) for key in _CONDITIONS if key in row},
            {key: value for key, value in row.items() if key not in _CONDITIONS},
        )
        for row in rows
    )


class Rules:
    """The rules of one mapping. What they say of a sort of event is remembered."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.rules = rules_of(rows)
        self._remembered = lru_cache(maxsize=1_024)(self._first)

    def ruling(self, facts: Facts) -> Mapping[str, Any]:
        """What the first rule says that fits; the last rule of a mapping always does."""
        return self._remembered(
            tuple(
                tuple(str(value)[:_LONGEST] for value in facts.get(fact, ())[:_MOST_VALUES])
                for fact in _CONDITIONS.values()
            )
        )

    def _first(self, asked: tuple[tuple[str, ...], ...]) -> Mapping[str, Any]:
        facts: Facts = dict(zip(_CONDITIONS.values(), asked, strict=True))
        return next(rule.says for rule in self.rules if rule.fits(facts))
