"""Search parameters → conditions: criteria that narrow the index, and the exact test.

Criteria find every record that may hold, never fewer; whether one holds is then seen on the
resource that would be answered, so that no answer says less or more than was asked.

Source: FHIR R4 3.1.1.4; the parameters stand in ``schemas/fhir/parameters.toml``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias, cast

from audit.errors import RequestError
from audit.fhir.dates import DateRange, date_range
from audit.fhir.matching import Token, bare_identifier, refers_to, says, values_at
from audit.fhir.values import Json
from audit.index.criteria import (
    And,
    Criteria,
    Everything,
    Exists,
    Not,
    Or,
    Prefix,
    Range,
    Term,
    Text,
    fold,
    words_of,
)
from audit.projector.derivations import derivations
from audit.record.times import parse_date_time
from audit.standards.files import read_toml

Kind = Literal["date", "token", "string", "reference", "uri"]
Holds: TypeAlias = Callable[[Json], bool]

_TIMES = {"date": "time", "_lastUpdated": "received"}
_EXACT_FIELDS = frozenset({"action", "outcome"})
_EXACT_CODES = frozenset({"type", "subtype"})
_MODIFIERS: dict[str, frozenset[str]] = {
    "date": frozenset({"missing"}),
    "token": frozenset({"missing", "not", "text"}),
    "string": frozenset({"missing", "exact", "contains"}),
    "reference": frozenset({"missing", "identifier"}),
    "uri": frozenset({"missing"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One search parameter; see ``schemas/fhir/parameters.toml``."""

    name: str
    type: Kind
    path: str
    fields: tuple[str, ...]
    beside: str
    words: bool
    system: str
    definition: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Condition:
    """What one occurrence of a parameter asks.

    Attributes:
        criteria: met by every record that may hold.
        exact: whether every record that meets them holds.
        holds: the test on the resource.
        dates: the ranges of which one must hold; only of ``date``.
    """

    criteria: Criteria
    exact: bool
    holds: Holds
    dates: tuple[DateRange, ...] = ()


@cache
def parameters() -> dict[str, Parameter]:
    """Every search parameter by its name."""
    return {
        name: Parameter(
            name=name,
            type=cast("Kind", row["type"]),
            path=row["path"],
            fields=tuple(row.get("fields", ())),
            beside=row.get("beside", ""),
            words=bool(row.get("words", False)),
            system=row.get("system", ""),
            definition=row.get("definition", ""),
            meaning=row["meaning"],
        )
        for name, row in read_toml("fhir/parameters.toml")["parameter"].items()
    }


@dataclass(frozen=True, slots=True)
class Setting:
    """What a value may mean here and now.

    Attributes:
        now: UTC nanoseconds.
        origin: the journal's short name, first part of every id.
    """

    now: int
    origin: str


def known_parameter(written: str) -> tuple[Parameter, str] | None:
    """The parameter and modifier of a name such as ``agent:identifier``; None when unknown.

    Raises:
        RequestError: the parameter doesn't take that modifier, which must never be ignored.
    """
    name, _, modifier = written.partition(":")
    parameter = parameters().get(name)
    if parameter is None:
        return None
    if modifier and modifier not in _MODIFIERS[parameter.type]:
        raise RequestError(f"{name} doesn't take that modifier")
    if modifier == "identifier":
        return parameters()[f"{name}.identifier"], ""
    return parameter, modifier


def condition(parameter: Parameter, modifier: str, text: str, setting: Setting) -> Condition:
    """What one occurrence asks; its values are joined by commas, one of them must hold.

    Raises:
        RequestError: a value can't be read; the text names the parameter, never the value.
    """
    if modifier == "missing":
        return _missing(parameter, text)
    try:
        made = [_one(parameter, modifier, value, setting) for value in values_in(text)]
    except RequestError as error:
        raise RequestError(f"{parameter.name}: {error}") from error
    if modifier == "not":
        return _none_of(made)
    return Condition(
        Or(tuple(one.criteria for one in made)),
        all(one.exact for one in made),
        lambda resource: any(one.holds(resource) for one in made),
        tuple(date for one in made for date in one.dates),
    )


def _none_of(made: list[Condition]) -> Condition:
    exact = all(one.exact for one in made)
    criteria: Criteria = Not(Or(tuple(one.criteria for one in made))) if exact else Everything()
    return Condition(
        criteria, exact, lambda resource: not any(one.holds(resource) for one in made)
    )


def _missing(parameter: Parameter, text: str) -> Condition:
    if text not in {"true", "false"}:
        raise RequestError(f"{parameter.name}:missing is true or false")
    wanted = text == "true"
    return Condition(
        Everything(), False, lambda resource: bool(values_at(resource, parameter.path)) != wanted
    )


def values_in(text: str) -> list[str]:
    r"""The values that commas part; ``\,`` is a comma inside one. Raises RequestError."""
    values, place, escaped = [""], 0, False
    while place < len(text):
        character = text[place]
        if character == "," and not escaped:
            values.append("")
        elif character != "\\" or escaped:
            values[-1] += f"\\{character}" if escaped and character != "," else character
        escaped = character == "\\" and not escaped
        place += 1
    if not all(value.strip() for value in values):
        raise RequestError("a value is empty")
    return [value.strip() for value in values]


def _plain(text: str) -> str:
    r"""Without the backslashes before ``|``, ``$`` and a backslash."""
    for character in "|$\\":
        text = text.replace(f"\\{character}", character)
    return text


def _one(parameter: Parameter, modifier: str, value: str, setting: Setting) -> Condition:
    match parameter.type:
        case "date":
            return _date(parameter, _plain(value), setting)
        case "token":
            if modifier == "text":
                words = _plain(value)
                return _looking(parameter, lambda one: says(one, words), Everything())
            return _token(parameter, value, setting)
        case "string":
            return _string(parameter, modifier, _plain(value))
        case "reference":
            literal = _plain(value)
            return _looking(
                parameter, lambda one: refers_to(one, literal), _any(parameter, literal)
            )
        case "uri":
            uri = _plain(value)
            return _looking(parameter, lambda one: one == uri, Everything())


def _looking(
    parameter: Parameter,
    matches: Callable[[object], bool],
    criteria: Criteria,
    *,
    exact: bool = False,
) -> Condition:
    return Condition(
        criteria, exact, lambda resource: any(map(matches, values_at(resource, parameter.path)))
    )


def _any(parameter: Parameter, value: str) -> Criteria:
    """One of the parameter's fields has the value, a UID with or without ``urn:oid:``."""
    if not parameter.fields:
        return Everything()
    spellings = dict.fromkeys((value, bare_identifier(value)))
    terms = tuple(Term(field, one) for field in parameter.fields for one in spellings)
    return Or((*terms, *_beside(parameter)))


def _beside(parameter: Parameter) -> tuple[Criteria, ...]:
    return (Exists(parameter.beside),) if parameter.beside else ()


def _date(parameter: Parameter, value: str, setting: Setting) -> Condition:
    asked = date_range(value, setting.now)

    def matches(text: object) -> bool:
        ns = parse_date_time(str(text)).ns
        return ns is not None and asked.holds(ns)

    made = _looking(parameter, matches, asked.criteria(_TIMES[parameter.name]), exact=True)
    dates = (asked,) if parameter.name == "date" else ()
    return Condition(made.criteria, made.exact, made.holds, dates)


def _token(parameter: Parameter, value: str, setting: Setting) -> Condition:
    token = read_token(value)
    system = parameter.system
    exact = parameter.name == "_id" or _is_exact(parameter, token)
    criteria = _token_criteria(parameter, token, setting)
    return _looking(parameter, lambda one: token.holds(one, system), criteria, exact=exact)


def _is_exact(parameter: Parameter, token: Token) -> bool:
    """Whether the index tells as much as the resource: it holds codes without their systems."""
    if parameter.name in _EXACT_CODES:
        return token.system is None and bool(token.code)
    return parameter.name in _EXACT_FIELDS and token.system in {None, parameter.system}


def read_token(value: str) -> Token:
    r"""Split at the first bar that has no backslash before it; raises RequestError."""
    for place, character in enumerate(value):
        if character == "|" and not value[:place].endswith("\\"):
            token = Token(_plain(value[:place]), _plain(value[place + 1 :]))
            if token.system or token.code:
                return token
            raise RequestError("neither system nor code is named")
    return Token(None, _plain(value))


def _token_criteria(parameter: Parameter, token: Token, setting: Setting) -> Criteria:
    if parameter.name == "_id":
        return _place(token.code, setting.origin)
    if not token.code:
        there = (*map(Exists, parameter.fields), *_beside(parameter))
        return Or(there) if there else Everything()
    if parameter.name == "outcome":
        return Term("outcome", derivations().outcomes.get(token.code, "none"))
    return _any(parameter, token.code)


def _place(record_id: str, origin: str) -> Criteria:
    """The one record of an id."""
    first, _, digits = record_id.partition("-")
    if first != origin or not digits.isascii() or not digits.isdecimal() or len(digits) > 18:  # noqa: PLR2004 - digits that surely fit 63 bits
        return Or(())
    return Range("sequence", int(digits), int(digits) + 1)


def _string(parameter: Parameter, modifier: str, value: str) -> Condition:
    folded = fold(value)

    def matches(text: object) -> bool:
        match modifier:
            case "exact":
                return str(text) == value
            case "contains":
                return folded in fold(str(text))
            case _:
                return fold(str(text)).startswith(folded)

    return _looking(parameter, matches, _string_criteria(parameter, modifier, value))


def _string_criteria(parameter: Parameter, modifier: str, value: str) -> Criteria:
    if parameter.words:
        words = list(words_of(value))
        whole = words if modifier == "exact" else words[:-1]
        if modifier == "contains":
            whole = whole[1:]
        return And(tuple(map(Text, whole)))
    match modifier:
        case "exact":
            asked: Iterable[Criteria] = (Term(field, value) for field in parameter.fields)
        case "contains":
            asked = map(Exists, parameter.fields)
        case _:
            asked = (Prefix(field, value) for field in parameter.fields)
    return Or((*asked, *_beside(parameter)))
