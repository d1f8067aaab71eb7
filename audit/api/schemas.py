"""Shapes of requests and answers, as OpenAPI shows them.

Requests are validated with these models. Answers are made by ``audit.query`` and documented by
them; the tests hold every answer against its schema. The keyword fields of an item are those of
``schemas/index/fields.toml``.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    create_model,
    model_validator,
)

from audit.query.query_tree import QueryNode
from audit.standards.fields import FIELDS

LONGEST_QUERY = 4_096
MOST_ITEMS = 1_000
DEFAULT_ITEMS = 100
_LONGEST_CURSOR = 256

_EXAMPLE_QUERY = 'category:export outcome:failure patient:P48003 "chest ct"'
_ID = "k3f9x2ab-1042"


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Strict(BaseModel):
    """No member beyond those named."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _whole_numbers(cls, given: Any) -> Any:
        """To JSON Schema 100.0 is an integer (6.1.1 of its validation), and so it is here."""
        if not isinstance(given, dict):
            return given
        return {name: _whole(value) for name, value in given.items()}


QueryText = Annotated[
    str,
    StringConstraints(max_length=LONGEST_QUERY),
    Field(
        description="Fields and words in the query language of docs/query-language.md; "
        "empty finds everything.",
        examples=[_EXAMPLE_QUERY],
    ),
]
Limit = Annotated[int, Field(ge=1, le=MOST_ITEMS, description="Most items in the answer.")]
Sort = Annotated[
    Literal["newest", "oldest"], Field(description="Which records come first, by their time.")
]
IncludeRepeats = Annotated[bool, Field(description="Show byte-identical re-deliveries too.")]
PageCursor = Annotated[
    Annotated[str, StringConstraints(max_length=_LONGEST_CURSOR)] | None,
    Field(description="next_cursor of the page before; everything else must be the same."),
]


_BOTH_FORMS: dict[str, Any] = {
    "required": ["query", "where"],
    "properties": {"query": {"minLength": 1}, "where": {"type": "object"}},
}


class Question(Strict):
    """Which records: as a line of text or as a tree, not both."""

    model_config = ConfigDict(json_schema_extra={"not": _BOTH_FORMS})

    query: QueryText = ""
    where: QueryNode | None = Field(
        default=None,
        description="The question as a tree, in place of query.",
        examples=[{"op": "is", "field": "patient", "value": "P48003"}],
    )

    @model_validator(mode="after")
    def _one_form(self) -> "Question":
        if self.query and self.where is not None:
            raise ValueError("ask by query or by where, not by both")
        return self


ByIdentities = Annotated[
    bool,
    Field(
        description="Ask for patients and users by their other names too, and for a patient's "
        "studies and documents as the trail knows them; false asks by the names in the question "
        "alone."
    ),
]


class NamedQuestion(Question):
    """A question, by all names of whoever is named in it or by those names alone."""

    identities: ByIdentities = True


class SearchRequest(NamedQuestion):
    """A question, one page of its answer at a time."""

    limit: Limit = DEFAULT_ITEMS
    cursor: PageCursor = None
    include_repeats: IncludeRepeats = False
    sort: Sort = "newest"


class ExportRequest(NamedQuestion):
    """A question, answered by every record that matches."""

    include_repeats: IncludeRepeats = False
    sort: Sort = "newest"


class Total(Strict):
    """How many match."""

    value: int = Field(ge=0, description="The number, or the bound at which counting stopped.")
    relation: Literal["eq", "gte"] = Field(description="gte: at least so many.")


class IndexLag(Strict):
    """How far the index is behind the journal."""

    journal_seq: int = Field(ge=0, description="Entries that are durable.")
    index_seq: int = Field(ge=0, description="Entries that the index has taken in.")
    behind: int = Field(ge=0, description="Entries not yet searchable.")


class Part(Strict):
    """A piece of a sentence."""

    text: str
    field: str = Field(description="Query field that finds like events by value; may be empty.")
    value: str


def _fields() -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": (str, Field(description="Place in the journal.", examples=[_ID])),
        "sequence": (int, Field(ge=0, description="Sequence in the journal.")),
        "time": (str, Field(description="Time of the event, RFC 3339 UTC.")),
        "received": (str, Field(description="Time of receipt, RFC 3339 UTC.")),
        "summary": (str, Field(description="What happened, in one sentence.")),
    }
    for field in FIELDS:
        if field.type == "keyword":
            kind: Any = list[str] if field.many else str | None
            made[field.name] = (kind, Field(description=field.meaning))
    return made


EventItem = create_model("EventItem", __base__=Strict, __doc__="One record.", **_fields())


class UsedName(Strict):
    """A name that an answer used beside the one that was asked for."""

    field: str = Field(description="Of the query language: patient, user or requestor.")
    asked: str = Field(description="The name in the question.")
    identifier: str
    assigner: str = Field(description="Who assigned it; may be empty.")
    source: Literal["csv", "api", "trail"] = Field(description="From where it is known.")


class IdentitiesUsed(Strict):
    """Which identities an answer used."""

    version: int = Field(ge=0, description="Of the alias table.")
    names: list[UsedName]
    studies: list[str] = Field(description="Known from the trail to be the patient's.")
    documents: list[str] = Field(description="Likewise.")
    inferred: dict[str, str] = Field(
        description="Items that name no patient, by id: the study or document that leads to one."
    )
    warnings: list[str]


NamesUsed = Annotated[
    IdentitiesUsed | None,
    Field(description="Which identities were used; null when only those in the question."),
]


class SearchAnswer(Strict):
    """One page of an answer."""

    items: list[EventItem]
    next_cursor: str | None = Field(description="For the next page; null on the last.")
    total: Total
    repeats_hidden: Total
    index_lag: IndexLag
    partial: bool = Field(description="A part of the index did not answer.")
    warnings: list[str]
    identities: NamesUsed


class EventDetail(EventItem):
    """One record whole."""

    sentences: list[list[Part]] = Field(description="What happened, sentence by sentence.")
    body: dict[str, Any] = Field(
        description="Header, peer, times, findings and every member of the message."
    )
    index_lag: IndexLag


class Me(Strict):
    """Who you are and what you may do."""

    name: str
    display_name: str
    kind: Literal["account", "token", "process"]
    scopes: list[str]
