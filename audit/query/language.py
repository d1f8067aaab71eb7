"""The one-line query language (docs/query-language.md): text → Criteria.

    patient:12345 user:"jdoe" category:export -source:PACS1 after:2026-01-01 "chest ct"

It builds a tree of criteria and never a statement of any backend.
"""

import re
from dataclasses import dataclass
from typing import Literal

from audit.errors import QuerySyntaxError
from audit.index.criteria import And, Criteria, Everything, Not, Or
from audit.query.language_terms import Name, Value, free_words, term

_NAME = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_-]*):")
_QUOTED = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r'[^\s()"]+')
_SPACE = re.compile(r"\s*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PLAIN_VALUE = re.compile(r"[\w.:@=+-]+")

_ONE_VALUE = "a field takes one value; write ({0}:a OR {0}:b)"

Kind = Literal["term", "word", "(", ")", "-", "AND", "OR", "NOT", "end"]
_KEYWORDS: dict[str, Kind] = {"AND": "AND", "OR": "OR", "NOT": "NOT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageLimits:
    """Bounds of a query.

    Attributes:
        max_chars: longest text.
        max_terms: most terms.
        max_depth: deepest nesting of parentheses and negations.
    """

    max_chars: int = 4_096
    max_terms: int = 200
    max_depth: int = 20


DEFAULT_LIMITS = LanguageLimits()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Kind
    column: int
    name: Name | None = None
    value: Value | None = None


def parse_query(text: str, *, now: int, limits: LanguageLimits = DEFAULT_LIMITS) -> Criteria:
    """What the query asks; an empty one asks for everything.

    Args:
        text: the query.
        now: UTC nanoseconds that relative times count from.
        limits: bounds of the text.

    Raises:
        QuerySyntaxError: it can't be read; ``column`` is where, the text says what to write.
    """
    if len(text) > limits.max_chars:
        raise QuerySyntaxError(
            f"the query has {len(text)} characters; at most {limits.max_chars} are read",
            limits.max_chars,
        )
    return _Parser(_Scanner(text), now, limits).whole()


def quoted(value: str) -> str:
    """A value as the language quotes it: it means itself, whatever it holds."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def term_text(field: str, value: str) -> str:
    """``field:value`` for pages that build queries, quoted where needed."""
    return f"{field}:{value if _PLAIN_VALUE.fullmatch(value) else quoted(value)}"


class _Scanner:
    """Cuts the text into tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def next(self) -> _Token:
        self._place = self._end_of(_SPACE)
        start = self._place
        if start == len(self._text):
            return _Token("end", start)
        for mark in ("(", ")", "-"):
            if self._text[start] == mark:
                self._place += 1
                return _Token(mark, start)
        if named := _NAME.match(self._text, start):
            self._place = named.end()
            if self._text.startswith("(", self._place):
                raise QuerySyntaxError(_ONE_VALUE.format(named["name"]), self._place)
            return _Token("term", start, Name(named["name"], start), self._value())
        value = self._value()
        if not value.quoted and value.text in _KEYWORDS:
            return _Token(_KEYWORDS[value.text], start)
        return _Token("word", start, None, value)

    def _end_of(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._place)
        return self._place if found is None else found.end()

    def _value(self) -> Value:
        start = self._place
        if self._text.startswith('"', start):
            found = _QUOTED.match(self._text, start)
            if found is None:
                raise QuerySyntaxError("the quotation mark is never closed", start)
            self._place = found.end()
            return Value(_ESCAPED.sub(r"\1", found["text"]), start, quoted=True)
        self._place = self._end_of(_BARE)
        return Value(self._text[start : self._place], start, quoted=False)


class _Parser:
    """Recursive descent: OR binds weaker than standing side by side, negation strongest."""

    def __init__(self, scanner: _Scanner, now: int, limits: LanguageLimits) -> None:
        self._scanner = scanner
        self._now = now
        self._limits = limits
        self._terms = 0
        self._token = scanner.next()

    def whole(self) -> Criteria:
        if self._at("end"):
            return Everything()
        criteria = self._any(0)
        if not self._at("end"):
            raise QuerySyntaxError("this parenthesis closes nothing", self._token.column)
        return criteria

    def _at(self, *kinds: Kind) -> bool:
        return self._token.kind in kinds

    def _advance(self) -> _Token:
        token = self._token
        self._token = self._scanner.next()
        return token

    def _any(self, depth: int) -> Criteria:
        parts = [self._all(depth)]
        while self._at("OR"):
            self._advance()
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self, depth: int) -> Criteria:
        parts = [self._one(depth)]
        while not self._at("OR", ")", "end"):
            if self._at("AND"):
                self._advance()
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self, depth: int) -> Criteria:
        token = self._advance()
        if depth > self._limits.max_depth:
            raise QuerySyntaxError(
                f"the query nests deeper than {self._limits.max_depth} levels", token.column
            )
        if token.kind in {"-", "NOT"}:
            return Not(self._one(depth + 1))
        if token.kind == "(":
            return self._group(token, depth)
        return self._term(token)

    def _group(self, opened: _Token, depth: int) -> Criteria:
        criteria = self._any(depth + 1)
        if not self._at(")"):
            raise QuerySyntaxError("the parenthesis is never closed", opened.column)
        self._advance()
        return criteria

    def _term(self, token: _Token) -> Criteria:
        if token.value is None:
            written = "the end" if token.kind == "end" else token.kind
            raise QuerySyntaxError(f"a term is missing before {written}", token.column)
        self._terms += 1
        if self._terms > self._limits.max_terms:
            raise QuerySyntaxError(
                f"the query has more than {self._limits.max_terms} terms", token.column
            )
        if token.name is None:
            return free_words(token.value)
        return term(token.name, token.value, self._now)
