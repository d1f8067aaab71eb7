"""The review's filters and the query language, each made from the other.

The box holds the whole query, the fields beside it show its plain terms. A form comes back with
the query it was shown for (``was``): a field that was changed replaces its term in the box, and a
box that was changed wins over fields that were left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from audit.dashboard.query_terms import (
    Piece,
    bounded,
    joined,
    pieces_of,
    words_written,
    written,
)
from audit.web.errors import BadRequest

TERMS = {"category": "category", "outcome": "outcome", "patient": "patient", "user": "user"}
"""Form field → field of the query language."""

TIMES = {"from": "after", "until": "before"}
"""Form field → the word of the query language for that end of time."""

WORDS = "words"
"""The form field of free words."""

QUERY = "query"
WAS = "was"
FORM_FIELDS = (*TERMS, *TIMES, WORDS)
WITHOUT = "without"
"""The parameter of a link that names the category to leave out."""

NON_IDENTIFYING = ("category", WITHOUT, "outcome", "from", "until", "verdict", "finding", "node")
"""What a link may carry: none of these names a patient or a member of staff."""

_FIELD_OF = {term: name for name, term in (TERMS | TIMES).items()}


@dataclass(frozen=True, slots=True)
class Filters:
    """The review form filled in: the query, and what the fields show of it."""

    query: str = ""
    values: dict[str, str] = field(default_factory=dict)


def filters_of(query: str, zone: tzinfo) -> Filters:
    """The form that means the query."""
    values: dict[str, str] = {}
    pieces = pieces_of(query)
    for piece in pieces:
        name = _field_of(piece)
        value = None if name is None else _shown(name, piece, zone)
        if name is not None and value is not None:
            values.setdefault(name, value)
    words = " ".join(piece.text for piece in pieces if _is_free_word(piece))
    if words:
        values[WORDS] = words
    return Filters(query, values)


def _field_of(piece: Piece) -> str | None:
    return None if piece.negated else _FIELD_OF.get(piece.name)


def _is_free_word(piece: Piece) -> bool:
    return piece.is_word and not piece.negated and piece.value != '"'


def _shown(name: str, piece: Piece, zone: tzinfo) -> str | None:
    value = piece.plain_value
    return _local(value, zone) if value is not None and name in TIMES else value


def _local(text: str, zone: tzinfo) -> str | None:
    """An instant with offset as the form shows it; None for relative and partial times."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None or moment.microsecond:
        return None
    seconds = ":%S" if moment.second else ""
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M" + seconds)


def query_of(form: Mapping[str, str], zone: tzinfo) -> str:
    """The query that a form means: its box, with the fields that were changed put into it.

    Raises:
        BadRequest: a time isn't one.
    """
    query = form.get(QUERY, "").strip()
    shown = filters_of(form.get(WAS, ""), zone).values
    for name in FORM_FIELDS:
        value = form.get(name)
        if value is not None and value != shown.get(name, ""):
            query = with_value(query, name, value, zone)
    return query


def with_value(query: str, name: str, value: str, zone: tzinfo) -> str:
    """The query in which one field of the form holds this value; an empty one takes it away.

    Raises:
        BadRequest: a time isn't one.
    """
    term = _term(name, value, zone)
    pieces = pieces_of(query)
    held = [place for place, piece in enumerate(pieces) if _shows(name, piece, zone)]
    if not held:
        return f"{bounded(query)} {term}".strip() if term else query
    changed = held if name == WORDS else held[:1]
    kept = [
        Piece(term) if place == held[0] else piece
        for place, piece in enumerate(pieces)
        if place not in changed or (term and place == held[0])
    ]
    return joined(kept)


def _shows(name: str, piece: Piece, zone: tzinfo) -> bool:
    """Whether the form's field shows this piece."""
    if name == WORDS:
        return _is_free_word(piece)
    return _field_of(piece) == name and _shown(name, piece, zone) is not None


def _term(name: str, value: str, zone: tzinfo) -> str:
    value = value.strip()
    if not value:
        return ""
    if name == WORDS:
        return words_written(value)
    if name in TIMES:
        return f"{TIMES[name]}:{_instant(name, value, zone)}"
    return written(TERMS[name], value)


def _instant(name: str, text: str, zone: tzinfo) -> str:
    """``2026-07-03T14:02`` of the form as an instant with offset; the form's own fault is 400."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(f"{name} is no date and time: write it as 2026-07-03T14:02") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


def query_of_link(parameters: Mapping[str, str], zone: tzinfo) -> str:
    """The query that a link of ours means; only non-identifying parameters are read."""
    form = {name: parameters[name] for name in NON_IDENTIFYING if parameters.get(name)}
    extra = [written(name, form[name]) for name in ("verdict", "finding", "node") if name in form]
    if WITHOUT in form:
        extra.append("-" + written("category", form[WITHOUT]))
    return " ".join(filter(None, (query_of(form, zone), *extra)))
