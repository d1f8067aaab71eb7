"""One term of the query language → one criterion."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

from audit.errors import QuerySyntaxError
from audit.index.criteria import (
    And,
    Criteria,
    Exists,
    InNetwork,
    Or,
    Phrase,
    Prefix,
    Range,
    Term,
    Text,
    fold,
    words_of,
)
from audit.query.language_times import Moment, moment
from audit.standards.fields import Field, all_fields
from audit.standards.files import read_toml

WORDS = {
    "after": "`time` at or after this",
    "before": "`time` before this",
    "has": "the field of this name holds a value",
}
"""Names of the language that are no field, and what they mean."""

_LARGEST_SEQUENCE_DIGITS = 18
_ASSIGNER_COMPONENT = 3


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a term: its text, where it stands, and whether it was quoted."""

    text: str
    column: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Name:
    """The name before the colon, as written, and where it stands."""

    text: str
    column: int


@cache
def fields_by_query_name() -> Mapping[str, Field]:
    """Every field by its name in the query language."""
    return {field.query_name: field for field in all_fields()}


@cache
def fields_by_any_name() -> Mapping[str, Field]:
    """The same, and by the names that answers of the API give them: ``query_key`` is ``key``."""
    return {field.name: field for field in all_fields()} | dict(fields_by_query_name())


@cache
def allowed_values() -> Mapping[str, frozenset[str]]:
    """The folded values of the fields that hold few, unions included."""
    table = read_toml("index/categories.toml")
    allowed = {name: set(map(fold, values)) for name, values in table["values"].items()}
    allowed["category"] = set(table["category"])
    allowed["outcome"] = set(table["outcome"].values()) | set(table["union"]["outcome"])
    return {name: frozenset(values) for name, values in allowed.items()}


def _union(field: str, value: str) -> tuple[str, ...]:
    unions: Mapping[str, Any] = read_toml("index/categories.toml")["union"].get(field, {})
    return tuple(unions.get(fold(value), ()))


def free_words(value: Value) -> Criteria:
    """A word or a quoted phrase without a field."""
    if not words_of(value.text):
        raise QuerySyntaxError("there is no letter or digit to look for", value.column)
    if value.quoted:
        return Phrase(value.text)
    if value.text.endswith("*"):
        raise QuerySyntaxError(
            "a free word can't end in *; only the value of a field can", value.column
        )
    return Text(value.text)


def term(name: Name, value: Value, now: int) -> Criteria:
    """A term with a field; raises QuerySyntaxError at the name or the value that is wrong."""
    written = name.text.lower()
    if not value.text.strip():
        raise QuerySyntaxError(f"{name.text}: needs a value", value.column)
    if written in WORDS:
        return _WORD_TERMS[written](value, now)
    field = fields_by_any_name().get(written)
    if field is None:
        raise QuerySyntaxError(_unknown("field", name.text, _all_names()), name.column)
    if field.type == "time":
        return _span(field.name, value, now)
    if field.type == "number":
        return _numbers(field.name, value)
    if field.type == "text":
        return free_words(value)
    return _keyword(field, value)


def _all_names() -> tuple[str, ...]:
    return (*fields_by_query_name(), *WORDS)


def _unknown(what: str, written: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(fold(written), known, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]}?" if near else ""
    if what == "field" and not near:
        hint = "; quote it to look for these words"
    return f"there is no {what} {written}{hint}"


def _keyword(field: Field, value: Value) -> Criteria:
    text = value.text
    if not value.quoted and text.endswith("*"):
        return _prefix(field.name, value)
    if not value.quoted and "*" in text:
        raise QuerySyntaxError("* can only end a value; quote it to mean itself", value.column)
    allowed = allowed_values().get(field.name)
    if allowed is not None and fold(text) not in allowed:
        known = ", ".join(sorted(allowed))
        hint = _unknown(field.query_name, text, tuple(sorted(allowed)))
        raise QuerySyntaxError(f"{hint} (known are {known})", value.column)
    if union := _union(field.name, text):
        return Or(tuple(Term(field.name, one) for one in union))
    special = _SPECIAL.get(field.name)
    return special(value) if special else Term(field.name, text)


def _prefix(field: str, value: Value) -> Criteria:
    stem = value.text[:-1]
    if "*" in stem:
        raise QuerySyntaxError("* can only end a value; quote it to mean itself", value.column)
    return Prefix(field, stem) if stem else Exists(field)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _address(value: Value) -> Criteria:
    """A network as ``10.0.0.0/8``, an address, a host name, or what else senders write there."""
    text = value.text.strip()
    if not value.quoted and _is_address(text.partition("/")[0]) and "/" in text:
        try:
            return InNetwork(ip_network(text, strict=False))
        except ValueError:
            raise QuerySyntaxError(
                f"{text} is no network; write it as 10.0.0.0/8", value.column
            ) from None
    # An IPv6 address has many spellings; a network of one finds them all.
    if ":" in text and "%" not in text and _is_address(text):
        return InNetwork(ip_network(text))
    return Term("address", text)


def _patient(value: Value) -> Criteria:
    """An identifier, or ``id^^^assigner`` as HL7 writes it."""
    parts = value.text.split("^")
    if value.quoted or len(parts) <= _ASSIGNER_COMPONENT:
        return Term("patient", value.text)
    assigners = [part for part in parts[_ASSIGNER_COMPONENT].split("&")[:2] if part]
    named = (Term("patient_assigner", assigner) for assigner in assigners)
    return And((Term("patient", parts[0]), *named))


_SPECIAL: dict[str, Callable[[Value], Criteria]] = {"address": _address, "patient": _patient}


def _moment(text: str, column: int, now: int) -> Moment:
    try:
        return moment(text, now)
    except ValueError as error:
        raise QuerySyntaxError(str(error), column) from None


def _after(value: Value, now: int) -> Criteria:
    return Range("time", at_least=_moment(value.text, value.column, now).start)


def _before(value: Value, now: int) -> Criteria:
    return Range("time", below=_moment(value.text, value.column, now).start)


def _has(value: Value, _now: int) -> Criteria:
    field = fields_by_any_name().get(value.text.lower())
    names = tuple(name for name, one in fields_by_query_name().items() if one.type == "keyword")
    if field is None or field.type != "keyword":
        raise QuerySyntaxError(_unknown("field", value.text, names), value.column)
    return Exists(field.name)


_WORD_TERMS: dict[str, Callable[[Value, int], Criteria]] = {
    "after": _after,
    "before": _before,
    "has": _has,
}


def _ends(value: Value) -> tuple[str, str, int]:
    """Both ends of ``A..B`` and the column of B; a single value is both."""
    first, dots, last = value.text.partition("..")
    if not dots:
        return first, first, value.column
    if not first and not last:
        raise QuerySyntaxError("a range needs at least one end, as in 2026-01-01..", value.column)
    return first, last, value.column + len(first) + len(dots)


def _span(field: str, value: Value, now: int) -> Criteria:
    first, last, column = _ends(value)
    start = _moment(first, value.column, now) if first else None
    end = _moment(last, column, now) if last else None
    below = None
    if end is not None:
        below = end.end if end.end > end.start else end.end + 1
    return Range(field, at_least=start.start if start else None, below=below)


def _number(text: str, column: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LARGEST_SEQUENCE_DIGITS):
        raise QuerySyntaxError(f"{text} is no number", column)
    return int(text)


def _numbers(field: str, value: Value) -> Criteria:
    first, last, column = _ends(value)
    return Range(
        field,
        at_least=_number(first, value.column) if first else None,
        below=_number(last, column) + 1 if last else None,
    )
