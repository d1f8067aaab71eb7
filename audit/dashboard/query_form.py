"""The review's filters and the query language, each made from the other.

A form's fields become terms of one query, and the plain terms of any query fill the form again, so
that both say the same. What the form has no field for stays in the text box.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from audit.query.language import quoted, term_text
from audit.web.errors import BadRequest

TERMS = {"category": "category", "outcome": "outcome", "patient": "patient", "user": "user"}
"""Form field → field of the query language."""

TIMES = {"from": "after", "until": "before"}
"""Form field → the word of the query language for that end of time."""

TEXT = "query"
NON_IDENTIFYING = ("category", "outcome", "from", "until", "verdict", "finding", "node")
"""What a link may carry: none of these names a patient or a member of staff."""

_STRING = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(
    rf'(?P<minus>-?)(?:(?P<name>[A-Za-z_][A-Za-z0-9_-]*):(?P<value>{_STRING}|[^\s()"]*)'
    rf'|(?P<word>{_STRING}|[()]|[^\s()"]+|"))'
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Filters:
    """The review form filled in: values by field name, and the rest of the query as text."""

    values: dict[str, str] = field(default_factory=dict)
    text: str = ""


def _instant(name: str, text: str, zone: tzinfo) -> str:
    """``2026-07-03T14:02`` of the form as an instant with offset; the form's own fault is 400."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(f"{name} is no date and time: write it as 2026-07-03T14:02") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


def _written(name: str, value: str) -> str:
    """``name:value``; a star at the end keeps its meaning."""
    stem = value.removesuffix("*")
    if stem != value and term_text(name, stem) == f"{name}:{stem}":
        return f"{name}:{value}"
    return term_text(name, value)


def query_of(form: Mapping[str, str], zone: tzinfo) -> str:
    """The query that a filled form means.

    Raises:
        BadRequest: a time isn't one.
    """
    parts = [_written(TERMS[name], form[name]) for name in TERMS if form.get(name)]
    parts += [
        f"{word}:{_instant(name, form[name], zone)}"
        for name, word in TIMES.items()
        if form.get(name)
    ]
    text = form.get(TEXT, "").strip()
    if text and parts and re.search(r"\bOR\b", text):
        text = f"({text})"
    return " ".join([*parts, text] if text else parts)


def query_of_link(parameters: Mapping[str, str], zone: tzinfo) -> str:
    """The query that a link of ours means; only non-identifying parameters are read."""
    form = {name: parameters[name] for name in NON_IDENTIFYING if parameters.get(name)}
    extra = (_written(name, form[name]) for name in ("verdict", "finding", "node") if name in form)
    return " ".join(filter(None, (query_of(form, zone), *extra)))


def and_term(query: str, name: str, value: str) -> str:
    """The query narrowed by one exact term."""
    bounded = f"({query})" if re.search(r"\bOR\b", query) else query
    return f"{bounded} {name}:{quoted(value)}".strip()


def _tokens(query: str) -> Iterator[tuple[int, re.Match[str]]]:
    depth = 0
    for match in _TOKEN.finditer(query):
        depth -= match["word"] == ")"
        yield depth, match
        depth += match["word"] == "("


def _plain_value(text: str) -> str | None:
    """What a value of the language means; None for a form that a field can't hold."""
    if text.startswith('"'):
        value = _ESCAPED.sub(r"\1", text[1:-1])
        return None if value.endswith("*") else value
    return text or None


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


def filters_of(query: str, zone: tzinfo) -> Filters:
    """The form that means the query; everything it has no field for is in the text."""
    tokens = list(_tokens(query))
    if any(depth == 0 and match["word"] == "OR" for depth, match in tokens):
        return Filters(text=query)
    values: dict[str, str] = {}
    rest: list[str] = []
    negated = False
    for depth, match in tokens:
        found = None if depth or negated else _field(match, zone)
        negated = match["word"] in {"NOT", "-"}
        if found is not None and found[0] not in values:
            values[found[0]] = found[1]
        else:
            rest.append(match.group())
    return Filters(values, _joined(rest))


def _joined(rest: list[str]) -> str:
    text = " ".join(rest).replace("( ", "(").replace(" )", ")")
    whole = text.startswith("(") and text.endswith(")") and text.count("(") == 1
    return text[1:-1] if whole else text


_FIELD_OF = {term: name for name, term in (TERMS | TIMES).items()}


def _field(match: re.Match[str], zone: tzinfo) -> tuple[str, str] | None:
    name = _FIELD_OF.get((match["name"] or "").lower())
    if name is None or match["minus"]:
        return None
    value = _plain_value(match["value"])
    if value is not None and name in TIMES:
        value = _local(value, zone)
    return None if value is None else (name, value)
