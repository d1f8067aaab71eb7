"""A query cut into the terms that stand side by side in it, each removable on its own.

It works on the text, so that whatever somebody wrote stays as written. What can't be cut safely
(a choice at the top, a quotation or a parenthesis that is never closed) is one whole piece.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audit.query.language import quoted, term_text

_STRING = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(
    rf'(?P<minus>-?)(?:(?P<name>[A-Za-z_][A-Za-z0-9_-]*):(?P<value>{_STRING}|[^\s()"]*)'
    rf'|(?P<word>{_STRING}|[()]|[^\s()"]+|"))',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CHOICE = re.compile(r"\bOR\b")
_KEYWORDS = frozenset({"AND", "OR", "NOT"})
_PLAIN_WORD = re.compile(r"[\w.@+][\w.@+-]*")
_SPOKEN = re.compile(rf"{_STRING}|\S+", re.DOTALL)
_SHORTEST_QUOTED = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """One term of a query.

    Attributes:
        text: as written, with its negation.
        negated: whether it must not hold.
        name: the field's name in lower case; empty for words and groups.
        value: what stands after the colon, or the word, as written; empty for groups.
    """

    text: str
    negated: bool = False
    name: str = ""
    value: str = ""

    @property
    def is_word(self) -> bool:
        """Whether it is a free word or phrase."""
        return not self.name and bool(self.value)

    @property
    def plain_value(self) -> str | None:
        """The value without quotation; None when a form's field can't hold it."""
        return plain_value(self.value)


@dataclass(slots=True)
class _Open:
    """The piece that is being read."""

    start: int = -1
    negated: bool = False


def plain_value(text: str) -> str | None:
    """What a value of the language means; None for a form that a field can't hold."""
    if text.startswith('"'):
        value = _ESCAPED.sub(r"\1", text[1:-1])
        return None if value.endswith("*") else value
    return text or None


def pieces_of(query: str) -> tuple[Piece, ...]:
    """The terms that must all hold, in order."""
    if not query.strip():
        return ()
    found = list(_cut(query))
    return tuple(found) if found and None not in found else (Piece(query.strip()),)  # type: ignore[arg-type]  # no None is among them


def _cut(query: str) -> Iterator[Piece | None]:
    """The pieces; None where the text can't be cut."""
    depth, opened = 0, _Open()
    for match in _TOKEN.finditer(query):
        word = match["word"]
        if depth == 0 and opened.start < 0:
            opened = _Open(match.start())
        opened.negated ^= depth == 0 and (bool(match["minus"]) or word in {"-", "NOT"})
        depth += (word == "(") - (word == ")")
        if _spoils(word, depth):
            yield None
        elif depth == 0 and word not in {"-", "NOT"}:
            if word != "AND":
                yield _piece(query[opened.start : match.end()], match, negated=opened.negated)
            opened = _Open()
    if depth or opened.start >= 0:
        yield None


def _spoils(word: str | None, depth: int) -> bool:
    return depth < 0 or word == '"' or (depth == 0 and word == "OR")


def _piece(text: str, match: re.Match[str], *, negated: bool) -> Piece:
    if match["word"] == ")":
        return Piece(text, negated)
    if match["name"]:
        return Piece(text, negated, match["name"].lower(), match["value"])
    return Piece(text, negated, "", match["word"])


def joined(pieces: Iterable[Piece]) -> str:
    """The pieces as one query."""
    return " ".join(piece.text for piece in pieces)


def bounded(query: str) -> str:
    """The query so that a term may stand beside it: in parentheses where it has a choice."""
    query = query.strip()
    return f"({query})" if len(pieces_of(query)) == 1 and _CHOICE.search(query) else query


def and_term(query: str, name: str, value: str) -> str:
    """The query narrowed by one exact term."""
    return f"{bounded(query)} {name}:{quoted(value)}".strip()


def and_not_term(query: str, name: str, value: str) -> str:
    """The query without the records that this exact term finds."""
    return f"{bounded(query)} -{name}:{quoted(value)}".strip()


def without(query: str, place: int) -> str:
    """The query without its piece at this place; unchanged when there is none."""
    pieces = pieces_of(query)
    return joined(piece for i, piece in enumerate(pieces) if i != place)


def written(name: str, value: str) -> str:
    """``name:value``; a star at the end keeps its meaning."""
    stem = value.removesuffix("*")
    if stem != value and term_text(name, stem) == f"{name}:{stem}":
        return f"{name}:{value}"
    return term_text(name, value)


def words_written(text: str) -> str:
    """What somebody typed as words to look for, as terms: nothing in it is a command."""
    return " ".join(_word(one) for one in _SPOKEN.findall(text))


def _word(text: str) -> str:
    if len(text) > _SHORTEST_QUOTED and text.startswith('"') and text.endswith('"'):
        return text
    plain = _PLAIN_WORD.fullmatch(text) is not None and text not in _KEYWORDS
    return text if plain else quoted(text)
