"""Shown: a record as a format gets it, with whatever may not leave hidden already."""

from dataclasses import dataclass

from audit.index.document import IndexedRecord
from audit.siem.disclosure import Discloser
from audit.siem.values import Facts


@dataclass(frozen=True, slots=True)
class Shown:
    """What a format may write of one record.

    Attributes:
        facts: that may leave, with ``message``, a sentence made of them.
        original: the message as received, when it may leave; else empty.
        max_values: most values of a list.
    """

    facts: Facts
    original: bytes = b""
    max_values: int = 100

    def first(self, name: str) -> str:
        """The first value of a fact as text; empty without one."""
        return str(next(iter(self.facts.get(name, ())), ""))


def shown(
    record: IndexedRecord, discloser: Discloser, original: bytes = b"", max_values: int = 100
) -> Shown:
    """The record as formats get it."""
    facts = discloser.facts(record, max_values)
    facts["message"] = (sentence(facts),)
    return Shown(facts, original if discloser.disclosure.original else b"", max_values)


def sentence(facts: Facts) -> str:
    """What happened, in words that the repository chose: event, who, where, outcome."""

    def first(name: str) -> str:
        return str(next(iter(facts.get(name, ())), ""))

    said = [first("event_name") or first("event_code") or "Message that can't be read"]
    who = first("requestor_name") or first("requestor_id")
    said += [f"by {who}"] if who else []
    said += [f"reported by {first('node')}"] if first("node") else []
    outcome = first("outcome_name")
    return " ".join(said) + (f": {outcome}" if outcome else "")
