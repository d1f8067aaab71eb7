"""Criteria to the WHERE of one month file: an FTS5 expression over tokens, and columns. Pure.

What tokens can't tell (phrases, very long prefixes) is asked for too widely, and the statement
says what the caller then holds each record against (``criteria.matches``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard

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
    matches,
)
from audit.index.document import IndexedRecord
from audit.index.row_ids import SECOND

DEEPEST_EXPRESSION: Final = 40
"""Nesting beyond which the FTS5 parser isn't asked; such criteria are held against records."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What to ask one month file.

    Attributes:
        match: FTS5 expression, None when every record may match.
        conditions: SQL conditions over ``d`` (documents) and ``f`` (tokens), all to be met.
        parameters: their bound values, in order.
        at_least: lower bound of ``time`` in nanoseconds, None when open.
        below: upper bound of ``time``, not included.
        unproved: what each row must still be held against, as the statement only narrows it; None
            when the rows are the matches.
    """

    match: str | None
    conditions: tuple[str, ...]
    parameters: tuple[int | str, ...]
    at_least: int | None
    below: int | None
    unproved: Criteria | None

    @property
    def exact(self) -> bool:
        """Whether the rows are the matches, and not a superset of them."""
        return self.unproved is None

    def holds(self, record: IndexedRecord) -> bool:
        """Whether the record of a row that was told is a match."""
        return self.unproved is None or matches(self.unproved, record)

    @property
    def reads_documents(self) -> bool:
        """Whether columns of the documents are needed to tell the rows."""
        return (
            bool(self.conditions)
            or (self.at_least or 0) % SECOND != 0
            or (self.below or 0) % SECOND != 0
        )

    @property
    def asks_everything(self) -> bool:
        """Whether every record is told."""
        open_ended = self.at_least is None and self.below is None
        return self.exact and self.match is None and not self.conditions and open_ended


@dataclass(frozen=True, slots=True)
class _Expression:
    """An FTS5 expression or its complement, and how far it can be trusted and is nested."""

    text: str
    negated: bool = False
    exact: bool = True
    depth: int = 0

    def plain(self) -> "_Expression":
        """The same rows without ``negated``."""
        if not self.negated:
            return self
        every = quoted(tokens.ALL)
        return _Expression(f"({every} NOT {self.text})", False, self.exact, self.depth + 1)


def quoted(token: str) -> str:
    """A token as an FTS5 string that is nothing but that token."""
    return '"' + token.replace('"', '""') + '"'


def _begins(token: str) -> str:
    return quoted(token) + " *"


def _none(*, exact: bool = True) -> _Expression:
    return _Expression(quoted(tokens.NONE), exact=exact)


def _joined(word: str, parts: Sequence[_Expression]) -> _Expression:
    exact = all(part.exact for part in parts)
    if len(parts) == 1:
        return parts[0]
    text = "(" + f" {word} ".join(part.text for part in parts) + ")"
    return _Expression(text, False, exact, max(part.depth for part in parts) + 1)


def _all_of(parts: Sequence[_Expression]) -> _Expression:
    kept = [part for part in parts if not part.negated]
    dropped = [part for part in parts if part.negated]
    if not dropped:
        return _joined("AND", kept)
    away = _joined("OR", [_Expression(p.text, False, p.exact, p.depth) for p in dropped])
    if not kept:
        return _Expression(away.text, True, away.exact, away.depth)
    there = _joined("AND", kept)
    return _Expression(
        f"({there.text} NOT {away.text})",
        False,
        there.exact and away.exact,
        max(there.depth, away.depth) + 1,
    )


def _any_of(parts: Sequence[_Expression]) -> _Expression:
    if not any(part.negated for part in parts):
        return _joined("OR", parts)
    turned = [_Expression(p.text, not p.negated, p.exact, p.depth) for p in parts]
    both = _all_of(turned)
    return _Expression(both.text, not both.negated, both.exact, both.depth)


def _words(words: Sequence[str], *, widest: bool, exact: bool) -> _Expression:
    if not widest and not exact:
        return _none(exact=False)
    if not words:
        return _Expression(quoted(tokens.NONE), True, exact)
    parts = [_Expression(quoted(word)) for word in dict.fromkeys(words)]
    joined = _joined("AND", parts)
    return _Expression(joined.text, False, exact, joined.depth)


def _of_text_field(leaf: Term | Prefix, *, widest: bool) -> _Expression:
    words = tokens.word_tokens(leaf.value)
    return _words(words if isinstance(leaf, Term) else words[:-1], widest=widest, exact=False)


def _prefix(leaf: Prefix, *, widest: bool) -> _Expression:
    begin, exact = tokens.value_prefix_token(leaf.field, leaf.value)
    if begin == tokens.field_prefix(leaf.field):
        return _exists(leaf.field)
    return _Expression(_begins(begin), exact=exact) if exact or widest else _none(exact=False)


def _exists(name: str) -> _Expression:
    token, present = tokens.presence_token(name)
    return _Expression(quoted(token), not present)


def _leaf(
    leaf: Everything | Term | Prefix | Text | Phrase | InNetwork | Exists, *, widest: bool
) -> _Expression:
    match leaf:
        case Term() | Prefix():
            return _value(leaf, widest=widest)
        case Exists(name):
            return _exists(name)
        case InNetwork(network):
            begins = [_Expression(_begins(p)) for p in tokens.network_prefixes(network)]
            return _joined("OR", begins)
        case Text(words):
            return _words(tokens.word_tokens(words), widest=widest, exact=True)
        case Phrase(words):
            return _phrase(tokens.word_tokens(words), widest=widest)
        case Everything():
            return _Expression(quoted(tokens.NONE), negated=True)


def _value(leaf: Term | Prefix, *, widest: bool) -> _Expression:
    if leaf.field in tokens.text_fields():
        return _of_text_field(leaf, widest=widest)
    if isinstance(leaf, Prefix):
        return _prefix(leaf, widest=widest)
    return _Expression(quoted(tokens.key_token(leaf.field, leaf.value)))


def _phrase(words: Sequence[str], *, widest: bool) -> _Expression:
    if not words:  # of no words: any value at all has it
        return _exists("text")
    return _words(words, widest=widest, exact=len(words) == 1)


def _expression(criteria: Criteria, *, widest: bool = True) -> _Expression:
    """The narrowest expression that holds every match (widest), or that holds only matches."""
    match criteria:
        case And(parts):
            inner = [_expression(part, widest=widest) for part in parts]
            made = _all_of(inner) if inner else _leaf(Everything(), widest=widest)
        case Or(parts):
            inner = [_expression(part, widest=widest) for part in parts]
            made = _any_of(inner) if inner else _none()
        case Not(part):
            turned = _expression(part, widest=not widest)
            made = _Expression(turned.text, not turned.negated, turned.exact, turned.depth)
        case Range():
            raise AssertionError("ranges are columns, not tokens")
        case _:
            made = _leaf(criteria, widest=widest)
    if made.depth <= DEEPEST_EXPRESSION:
        return made
    return _Expression(quoted(tokens.NONE), widest, exact=False)


def holds_range(criteria: Criteria) -> bool:
    """Whether a range stands somewhere inside."""
    match criteria:
        case Range():
            return True
        case And(parts) | Or(parts):
            return any(map(holds_range, parts))
        case Not(part):
            return holds_range(part)
        case _:
            return False


def flat(criteria: Criteria) -> list[Criteria]:
    """The parts that must all be met, without any And among them."""
    if isinstance(criteria, And):
        return [leaf for part in criteria.parts for leaf in flat(part)]
    return [criteria]


def _range_condition(asked: Range) -> tuple[str, list[int | str]]:
    held = within_64_bits(asked)
    if held is None:
        return "0", []
    bounds = [(">=", held.at_least), ("<", held.below)]
    given = [(f"d.{held.field} {sign} ?", value) for sign, value in bounds if value is not None]
    return " AND ".join(sql for sql, _ in given) or "1", [value for _, value in given]


def _mixed_condition(
    criteria: Criteria, *, widest: bool = True
) -> tuple[str, list[int | str], bool]:
    """SQL over ``d`` for criteria with ranges inside, its parameters, and whether it is exact."""
    match criteria:
        case Range():
            sql, values = _range_condition(criteria)
            return f"({sql})", values, True
        case And(parts) | Or(parts) if holds_range(criteria):
            word, empty = (" AND ", "1") if isinstance(criteria, And) else (" OR ", "0")
            made = [_mixed_condition(part, widest=widest) for part in parts]
            sql = word.join(part for part, _, _ in made) or empty
            return f"({sql})", [v for _, vs, _ in made for v in vs], all(e for _, _, e in made)
        case Not(part) if holds_range(criteria):
            sql, values, exact = _mixed_condition(part, widest=not widest)
            return f"(NOT {sql})", values, exact
        case _:
            made_ = _expression(criteria, widest=widest).plain()
            return (
                "d.rowid IN (SELECT rowid FROM inverted WHERE inverted MATCH ?)",
                [made_.text],
                made_.exact,
            )


def _is_bound_of_time(criteria: Criteria) -> TypeGuard[Range]:
    """Whether this is a range of time that row ids can tell."""
    if not isinstance(criteria, Range) or criteria.field != "time":
        return False
    return within_64_bits(criteria) == criteria


def statement_of(criteria: Criteria) -> Statement:
    """What to ask each month file for these criteria.

    Raises:
        ValueError: a field that can't exist, or a range over one that has none.
    """
    parts = flat(criteria)
    times = [p for p in parts if _is_bound_of_time(p)]
    by_column = [p for p in parts if p not in times and holds_range(p)]
    by_tokens = [p for p in parts if not holds_range(p)]
    mixed = [_mixed_condition(p) for p in by_column]
    expressions = [_expression(p) for p in by_tokens]
    match = _all_of(expressions).plain().text if expressions else None
    unproved = [p for p, (*_, exact) in zip(by_column, mixed, strict=True) if not exact]
    unproved += [p for p, e in zip(by_tokens, expressions, strict=True) if not e.exact]
    return Statement(
        match=None if match == _EVERYTHING else match,
        conditions=tuple(sql for sql, _, _ in mixed),
        parameters=tuple(value for _, values, _ in mixed for value in values),
        at_least=max((p.at_least for p in times if p.at_least is not None), default=None),
        below=min((p.below for p in times if p.below is not None), default=None),
        unproved=And(tuple(unproved)) if unproved else None,
    )


_EVERYTHING: Final = _Expression(quoted(tokens.NONE), negated=True).plain().text
