"""Criteria: what can be asked of an index. A small pure tree with one meaning.

``matches`` is that meaning, written as plainly as possible: every backend is held against it.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TypeAlias

from audit.index.document import IndexedRecord

_ASCII_WORD = re.compile("[0-9a-z]+")


@dataclass(frozen=True, slots=True)
class Everything:
    """Every record."""


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts; none given is everything."""

    parts: "tuple[Criteria, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the parts; none given is nothing."""

    parts: "tuple[Criteria, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """Not the part."""

    part: "Criteria"


@dataclass(frozen=True, slots=True)
class Term:
    """A keyword field has this value, after folding."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Prefix:
    """A keyword field has a value that begins so, after folding."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Range:
    """``time``, ``received`` or ``sequence`` in [at_least, below); None leaves that end open."""

    field: str
    at_least: int | None = None
    below: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """Every word of ``words`` stands somewhere in the record's text."""

    words: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """The words of ``words`` stand one after the other in one value of the record's text."""

    words: str


@dataclass(frozen=True, slots=True)
class InNetwork:
    """A value of ``address`` is an IP address inside the network."""

    network: IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Exists:
    """The keyword field has a value."""

    field: str


Criteria: TypeAlias = (
    Everything | And | Or | Not | Term | Prefix | Range | Text | Phrase | InNetwork | Exists
)


def fold(value: str) -> str:
    """Case and accent folding, the one definition for both backends and every comparison.

    Compatibility-decomposes, drops combining marks, case-folds, and trims white space.
    """
    if value.isascii():  # the same result, an order of magnitude sooner
        return value.lower().strip()
    decomposed = unicodedata.normalize("NFKD", value)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return unicodedata.normalize("NFKC", bare).casefold().strip()


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text: maximal runs of letters and digits of its folded form."""
    folded = fold(text)
    if folded.isascii():
        return tuple(_ASCII_WORD.findall(folded))
    return tuple("".join(c if c.isalnum() else " " for c in folded).split())


def _is_address_in(value: str, network: IPv4Network | IPv6Network) -> bool:
    try:
        return ip_address(value.strip()) in network
    except ValueError:
        return False


def _has_phrase(values: Iterable[str], words: tuple[str, ...]) -> bool:
    size = len(words)
    for value in values:
        # Most values don't have the words at all, which is told sooner than what words they have.
        if value.isascii() and not all(map(value.lower().__contains__, words)):
            continue
        there = words_of(value)
        if any(there[i : i + size] == words for i in range(len(there) - size + 1)):
            return True
    return False


def _in_range(record: IndexedRecord, asked: Range) -> bool:
    value: int = getattr(record, asked.field)
    return (asked.at_least is None or value >= asked.at_least) and (
        asked.below is None or value < asked.below
    )


def matches(criteria: Criteria, record: IndexedRecord) -> bool:
    """Whether the record meets the criteria: the definition that backends are tested against."""
    match criteria:
        case Everything():
            return True
        case And(parts):
            return all(matches(part, record) for part in parts)
        case Or(parts):
            return any(matches(part, record) for part in parts)
        case Not(part):
            return not matches(part, record)
        case Range():
            return _in_range(record, criteria)
        case _:
            return _matches_values(criteria, record)


def _matches_values(
    criteria: Term | Prefix | Text | Phrase | InNetwork | Exists, record: IndexedRecord
) -> bool:
    match criteria:
        case Term(name, value):
            return fold(value) in map(fold, record.values(name))
        case Prefix(name, value):
            return any(fold(v).startswith(fold(value)) for v in record.values(name))
        case Text(words):
            there = {w for v in record.values("text") for w in words_of(v)}
            return there.issuperset(words_of(words))
        case Phrase(words):
            return _has_phrase(record.values("text"), words_of(words))
        case InNetwork(network):
            return any(_is_address_in(v, network) for v in record.values("address"))
        case Exists(name):
            return bool(record.values(name))
