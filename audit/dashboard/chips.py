"""What is active in a search, term by term, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from audit.dashboard.display import zoned
from audit.dashboard.names import CATEGORY_NAMES, OUTCOME_NAMES
from audit.dashboard.query_terms import Piece
from audit.standards.fields import field_named

TITLES = {
    "after": "From",
    "before": "Before",
    "has": "Has",
    "node": "Sender",
    "requestor": "Requesting user",
    "finding": "Finding",
    "purpose": "Purpose of use",
    "outcome": "Outcome",
    "ae": "AE title",
    "sop_class": "SOP class",
}
_VALUES = {"category": CATEGORY_NAMES, "outcome": OUTCOME_NAMES | {"failure": "Any failure"}}
_NS_PER_US = 1_000


@dataclass(frozen=True, slots=True)
class Chip:
    """One active term.

    Attributes:
        place: of the piece in the query.
        title: the field in words; empty for words and groups.
        value: what is asked of it.
        negated: whether it is left out.
        text: the term as written.
    """

    place: int
    title: str
    value: str
    negated: bool
    text: str


def chips_of(pieces: Iterable[Piece], zone: tzinfo) -> list[Chip]:
    """The terms in words, in order."""
    return [_chip(place, piece, zone) for place, piece in enumerate(pieces)]


def _chip(place: int, piece: Piece, zone: tzinfo) -> Chip:
    if not piece.name:
        text = piece.value if piece.is_word else piece.text.removeprefix("-")
        return Chip(place, "", text, piece.negated, piece.text)
    value = piece.plain_value or piece.value
    if piece.name in {"after", "before"}:
        value = _moment(value, zone)
    value = _VALUES.get(piece.name, {}).get(value, value)
    return Chip(place, title_of(piece.name), value, piece.negated, piece.text)


def title_of(name: str) -> str:
    """A field of the query language in words."""
    known = field_named(name)
    words = known.query_name if known else name
    return TITLES.get(words, words.replace("_", " ").capitalize())


def _moment(value: str, zone: tzinfo) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    if moment.tzinfo is None or len(value) <= len("2026-01-01"):
        return value
    return zoned(int(moment.timestamp() * 1_000_000) * _NS_PER_US, zone)
