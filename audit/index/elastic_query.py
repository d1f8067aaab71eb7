"""Criteria to Elasticsearch's query DSL. Pure.

Every value stands as a value in the DSL; no query string is ever built. What the index can't tell
(very long prefixes, whole values of free text) is asked for too widely, and the query says so: the
caller then holds each record against ``criteria.matches``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from audit.index import tokens
from audit.index.bounds import within_64_bits
from audit.index.criteria import (
    And,
    Criteria,
    Everything,
    Exists,
    InNetwork,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    Term,
    Text,
)
from audit.index.elastic_mapping import ADDRESS_BITS

DEEPEST_QUERY: Final = 20
"""Nesting beyond which Elasticsearch isn't asked (it refuses 30); records are looked at."""

MOST_VALUES: Final = 60_000
"""Values of one ``terms`` query; Elasticsearch's own limit is 65,536."""

_EVERYTHING: Final[dict[str, Any]] = {"match_all": {}}
_NOTHING: Final[dict[str, Any]] = {"match_none": {}}


@dataclass(frozen=True, slots=True)
class Query:
    """A query; ``exact`` False when it finds a superset of the matches."""

    body: dict[str, Any]
    exact: bool = True
    depth: int = 0


def query_of(criteria: Criteria) -> Query:
    """The narrowest query that finds every match.

    Raises:
        ValueError: a field that can't exist, or a range over one that has none.
    """
    return _query(criteria, widest=True)


def _unknown(*, widest: bool) -> Query:
    return Query(_EVERYTHING if widest else _NOTHING, exact=False)


def _query(criteria: Criteria, *, widest: bool) -> Query:
    match criteria:
        case And(parts):
            made = _joined("filter", [_query(part, widest=widest) for part in parts])
        case Or(parts):
            made = _any_of(parts, widest=widest)
        case Not(part):
            made = _joined("must_not", [_query(part, widest=not widest)])
        case Range():
            made = Query(_range(criteria))
        case _:
            made = _leaf(criteria, widest=widest)
    return made if made.depth <= DEEPEST_QUERY else _unknown(widest=widest)


def _joined(how: str, parts: list[Query]) -> Query:
    if not parts:
        return Query(_EVERYTHING)
    return Query(
        {"bool": {how: [part.body for part in parts]}},
        all(part.exact for part in parts),
        max(part.depth for part in parts) + 1,
    )


def _any_of(parts: tuple[Criteria, ...], *, widest: bool) -> Query:
    if not parts:
        return Query(_NOTHING)
    values = _values_of_one_field(parts)
    if values is not None:
        return Query({"terms": values})
    joined = _joined("should", [_query(part, widest=widest) for part in parts])
    joined.body["bool"]["minimum_should_match"] = 1
    return joined


def _values_of_one_field(parts: tuple[Criteria, ...]) -> dict[str, list[str]] | None:
    """An alternative of terms of one field: any number of them is one query."""
    terms = [part for part in parts if isinstance(part, Term)]
    names = {term.field for term in terms}
    if len(terms) != len(parts) or len(names) != 1 or len(terms) > MOST_VALUES:
        return None
    name = names.pop()
    if name in tokens.text_fields():
        return None
    return {name: [tokens.indexed_value(name, term.value) for term in terms]}


def _range(asked: Range) -> dict[str, Any]:
    held = within_64_bits(asked)
    if held is None:
        return _NOTHING
    given = {"gte": held.at_least, "lt": held.below}
    bounds = {sign: value for sign, value in given.items() if value is not None}
    return {"range": {held.field: bounds}} if bounds else _EVERYTHING


def _leaf(
    leaf: Everything | Term | Prefix | Text | Phrase | InNetwork | Exists, *, widest: bool
) -> Query:
    match leaf:
        case Term() | Prefix():
            return _value(leaf, widest=widest)
        case Exists(name):
            tokens.field_prefix(name)
            return Query({"exists": {"field": name}})
        case InNetwork(network):
            begins = [{"prefix": {ADDRESS_BITS: p}} for p in tokens.network_prefixes(network)]
            return Query({"bool": {"should": begins, "minimum_should_match": 1}}, depth=1)
        case Text(words):
            return Query(_words(tokens.word_tokens(words)))
        case Phrase(words):
            return Query(_phrase(tokens.word_tokens(words)))
        case Everything():
            return Query(_EVERYTHING)


def _value(leaf: Term | Prefix, *, widest: bool) -> Query:
    if leaf.field in tokens.text_fields():
        words = tokens.word_tokens(leaf.value)
        return _whole_text(words if isinstance(leaf, Term) else words[:-1], widest=widest)
    if isinstance(leaf, Prefix):
        return _prefix(leaf.field, leaf.value, widest=widest)
    return Query({"term": {leaf.field: tokens.indexed_value(leaf.field, leaf.value)}})


def _whole_text(words: Sequence[str], *, widest: bool) -> Query:
    return Query(_words(words), exact=False) if widest else _unknown(widest=False)


def _prefix(name: str, value: str, *, widest: bool) -> Query:
    token, exact = tokens.value_prefix_token(name, value)
    if not exact and not widest:
        return _unknown(widest=False)
    begin = token[len(tokens.field_prefix(name)) :]
    if not begin:
        return Query({"exists": {"field": name}})
    return Query({"prefix": {name: begin}}, exact)


def _words(words: Sequence[str]) -> dict[str, Any]:
    if not words:
        return _EVERYTHING
    return {"match": {"text": {"query": " ".join(words), "operator": "and"}}}


def _phrase(words: Sequence[str]) -> dict[str, Any]:
    if not words:  # of no words: any value at all has it
        return {"exists": {"field": "text"}}
    return {"match_phrase": {"text": " ".join(words)}}
