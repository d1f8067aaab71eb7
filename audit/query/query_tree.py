"""The query language as a tree of JSON: the same questions, for programs that build them.

Every tree has a text in the one-line language that asks the same, and that text is what is asked:
the two forms can't drift apart, and the audit trail names both alike.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from typing_extensions import TypeAliasType

from audit.errors import QuerySyntaxError
from audit.index.criteria import words_of
from audit.query.language import DEFAULT_LIMITS, LanguageLimits, quoted

_LONGEST_VALUE = 1_024
_MOST_PARTS = 200

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=64),
    Field(description="A field, as answers name it.", examples=["patient"]),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_VALUE)]
_SPACE = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What the language takes for space; ``\\s`` is not the same to Python, to JSON Schema and to what
checks it here."""
Bare = Annotated[str, StringConstraints(pattern=rf'^[^{_SPACE}()"*]+$', max_length=_LONGEST_VALUE)]
Time = Annotated[
    Bare,
    Field(
        description="A day, month or year, an instant with its offset, or a time before now.",
        examples=["2026-01-31", "2026-01-31T08:00:00+01:00", "-24h"],
    ),
]


class _Node(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class QueryAll(_Node):
    """Every part must hold."""

    op: Literal["all"]
    of: list["QueryNode"] = Field(min_length=1, max_length=_MOST_PARTS)


class QueryAny(_Node):
    """At least one part must hold."""

    op: Literal["any"]
    of: list["QueryNode"] = Field(min_length=1, max_length=_MOST_PARTS)


class QueryNot(_Node):
    """The part must not hold."""

    op: Literal["not"]
    of: "QueryNode"


class QueryIs(_Node):
    """The field holds exactly this value, whatever the case and the accents."""

    op: Literal["is"]
    field: Name
    value: Text


class QueryBegins(_Node):
    """A value of the field begins so."""

    op: Literal["begins"]
    field: Name
    value: Bare


class QueryHas(_Node):
    """The field holds a value."""

    op: Literal["has"]
    field: Name


class QueryNetwork(_Node):
    """An address lies in this network."""

    op: Literal["network"]
    network: Bare = Field(description="As 10.0.0.0/8 or 2001:db8::/32.", examples=["10.0.0.0/8"])


class QueryWords(_Node):
    """The record holds each of these words anywhere."""

    op: Literal["words"]
    text: Text


class QueryPhrase(_Node):
    """The record holds these words one after the other."""

    op: Literal["phrase"]
    text: Text


class QueryAfter(_Node):
    """The event's time is at or after the beginning of this."""

    op: Literal["after"]
    time: Time


class QueryBefore(_Node):
    """The event's time is before the beginning of this."""

    op: Literal["before"]
    time: Time


class QueryBetween(_Node):
    """The field lies between these, both included; one end may be left out."""

    op: Literal["between"]
    field: Literal["time", "received", "sequence"]
    first: Bare | None = Field(default=None, examples=["2026-01-01"])
    last: Bare | None = Field(default=None, examples=["2026-01-31"])


Leaf = (
    QueryIs
    | QueryBegins
    | QueryHas
    | QueryNetwork
    | QueryWords
    | QueryPhrase
    | QueryAfter
    | QueryBefore
    | QueryBetween
)
QueryNode = TypeAliasType(
    "QueryNode",
    Annotated[
        QueryAll | QueryAny | QueryNot | Leaf,
        Field(
            discriminator="op",
            title="QueryNode",
            description="A question as a tree; every one can be written in the query language.",
        ),
    ],
)
QueryAll.model_rebuild()
QueryAny.model_rebuild()
QueryNot.model_rebuild()

OPERATIONS: tuple[type[_Node], ...] = (QueryAll, QueryAny, QueryNot, *get_args(Leaf))


@dataclass
class _Writer:
    limits: LanguageLimits
    text: str = ""
    starts: list[int] = field(default_factory=list)
    pointers: list[str] = field(default_factory=list)

    def write(self, text: str, pointer: str) -> None:
        self.starts.append(len(self.text))
        self.pointers.append(pointer)
        self.text += text

    def node(self, node: Any, pointer: str, depth: int) -> None:
        if depth > self.limits.max_depth:
            raise QuerySyntaxError(
                f"the query nests deeper than {self.limits.max_depth} levels", pointer=pointer
            )
        match node:
            case QueryAll(of=parts):
                self.group(parts, " ", pointer, depth)
            case QueryAny(of=parts):
                self.group(parts, " OR ", pointer, depth)
            case QueryNot(of=part):
                self.write("-", pointer)
                self.node(part, f"{pointer}/of", depth + 1)
            case _:
                self.write(_LEAVES[type(node)](node), pointer)

    def group(self, parts: list[Any], joint: str, pointer: str, depth: int) -> None:
        self.write("(" if depth else "", pointer)
        for place, part in enumerate(parts):
            self.write(joint if place else "", pointer)
            self.node(part, f"{pointer}/of/{place}", depth + 1)
        self.write(")" if depth else "", pointer)


def _words(node: QueryWords) -> str:
    words = words_of(node.text)
    if not words:
        return quoted(node.text)
    return words[0] if len(words) == 1 else f"({' '.join(words)})"


_LEAVES: dict[type[_Node], Callable[[Any], str]] = {
    QueryIs: lambda node: f"{node.field}:{quoted(node.value)}",
    QueryBegins: lambda node: f"{node.field}:{node.value}*",
    QueryHas: lambda node: f"has:{node.field}",
    QueryNetwork: lambda node: f"address:{node.network}",
    QueryWords: _words,
    QueryPhrase: lambda node: quoted(node.text),
    QueryAfter: lambda node: f"after:{node.time}",
    QueryBefore: lambda node: f"before:{node.time}",
    QueryBetween: lambda node: f"{node.field}:{node.first or ''}..{node.last or ''}",
}


@dataclass(frozen=True, slots=True)
class WrittenQuery:
    """A tree in the one-line language.

    Attributes:
        text: it asks what the tree asks.
    """

    text: str
    _starts: tuple[int, ...]
    _pointers: tuple[str, ...]

    def pointer_at(self, column: int) -> str:
        """The JSON pointer, from the tree's root, to the node that stands at a column."""
        return self._pointers[max(0, bisect_right(self._starts, column) - 1)]


def written(tree: Any, limits: LanguageLimits = DEFAULT_LIMITS) -> WrittenQuery:
    """The tree in the one-line language.

    Raises:
        QuerySyntaxError: it nests too deep; ``pointer`` says where.
    """
    writer = _Writer(limits)
    writer.node(tree, "", 0)
    return WrittenQuery(writer.text, tuple(writer.starts), tuple(writer.pointers))
