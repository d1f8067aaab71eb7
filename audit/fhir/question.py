"""A FHIR search as it was asked → Question: conditions, and how the answer is to look.

What a client asks and this server doesn't know is ignored and told as a warning, or refused when
the client asked for strict handling.

Source: FHIR R4 3.1.1 (search), 3.1.1.4.4 (modifiers), 3.1.1.5 (managing returned resources).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from audit.errors import RequestError
from audit.fhir.options import FhirOptions
from audit.fhir.parameters import Condition, Setting, condition, known_parameter
from audit.fhir.values import Json
from audit.index.criteria import And, Criteria

Pairs: TypeAlias = tuple[tuple[str, str], ...]
Summary = Literal["false", "true", "text", "data", "count"]
Totals = Literal["", "none", "estimate", "accurate"]

_SUMMARIES = frozenset({"false", "true", "text", "data", "count"})
_TOTALS = frozenset({"none", "estimate", "accurate"})
_MEANT_FOR_HTTP = frozenset({"_format", "_pretty"})
_SORTS = {"date": True, "-date": False}
_NAMES = "arr-identities"
_CONTROLS = frozenset({"_count", "_sort", "_total", "_summary", "_elements", _NAMES})
_YES_NO = frozenset({"true", "false"})
_MOST_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked.

    Attributes:
        pairs: the parameters that count, in order.
        conditions: all of which must hold.
        oldest_first: the order asked for.
        count: resources on a page.
        total: whether the client wants to know how many match.
        summary: which part of each resource is wanted.
        elements: names of the elements wanted; empty for all.
        ignored: names of parameters that were not understood.
        by_all_names: patients and people are asked for by their other identifiers too.
    """

    pairs: Pairs
    conditions: tuple[Condition, ...]
    oldest_first: bool = False
    count: int
    total: Totals = ""
    summary: Summary = "false"
    elements: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    by_all_names: bool = True

    @property
    def criteria(self) -> Criteria:
        """Met by every record that may be an answer."""
        return And(tuple(one.criteria for one in self.conditions))

    @property
    def exact(self) -> bool:
        """Whether every record that meets the criteria is an answer."""
        return all(one.exact for one in self.conditions)

    def holds(self, resource: Json) -> bool:
        """Whether the resource is an answer."""
        return all(one.holds(resource) for one in self.conditions)

    def words(self) -> str:
        """The question for the audit trail."""
        return "&".join(f"{name}={value}" for name, value in self.pairs)


def question(
    asked: Iterable[tuple[str, str]], options: FhirOptions, setting: Setting, *, strict: bool
) -> Question:
    """Read a search.

    Args:
        asked: names and values, decoded.
        options: limits, and how many bounds of time are demanded.
        setting: now, and the journal's name.
        strict: refuse what isn't understood instead of ignoring it.

    Raises:
        RequestError: it can't be answered; the text says why and never quotes a value.
    """
    pairs = [pair for pair in asked if pair[0] not in _MEANT_FOR_HTTP]
    if sum(len(name) + len(value) for name, value in pairs) > options.max_parameter_chars:
        raise RequestError(f"the search is longer than {options.max_parameter_chars} characters")
    read = _Reading(options, setting)
    for name, value in pairs:
        read.take(name, value)
    if read.ignored and strict:
        names = ", ".join(name for name in read.ignored if name.isprintable())[:200]
        raise RequestError(f"not understood: {names}")
    _demand_dates(read.conditions, options)
    return read.question()


class _Reading:
    """Takes one parameter after the other."""

    def __init__(self, options: FhirOptions, setting: Setting) -> None:
        self._options = options
        self._setting = setting
        self._kept: list[tuple[str, str]] = []
        self._controls: dict[str, str] = {}
        self.conditions: list[Condition] = []
        self.ignored: list[str] = []

    def take(self, name: str, value: str) -> None:
        """Read one parameter, or note that it wasn't understood."""
        if not value.strip():
            self.ignored.append(name)
            return
        if name in _CONTROLS:
            self._control(name, value.strip())
            return
        known = known_parameter(name)
        if known is None:
            self.ignored.append(name)
            return
        self.conditions.append(condition(*known, value, self._setting))
        self._kept.append((name, value))

    def _control(self, name: str, value: str) -> None:
        if name in self._controls:
            raise RequestError(f"{name} is given twice")
        allowed = {"_summary": _SUMMARIES, "_total": _TOTALS, _NAMES: _YES_NO}.get(name)
        if allowed is not None and value not in allowed:
            raise RequestError(f"{name} is one of {', '.join(sorted(allowed))}")
        if name == "_sort" and value not in _SORTS:
            self.ignored.append(name)
            return
        if name == "_count" and not (
            value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS
        ):
            raise RequestError("_count is a number")
        self._controls[name] = value
        self._kept.append((name, value))

    def question(self) -> Question:
        """All that was read."""
        told = self._controls
        count = int(told.get("_count", self._options.default_count))
        summary = "count" if count == 0 else told.get("_summary", "false")
        elements = (name.strip() for name in told.get("_elements", "").split(","))
        return Question(
            pairs=tuple(self._kept),
            conditions=tuple(self.conditions),
            oldest_first=_SORTS[told.get("_sort", "-date")],
            count=min(count, self._options.max_count) or self._options.default_count,
            total=cast("Totals", told.get("_total", "")),
            summary=cast("Summary", summary),
            elements=tuple(filter(None, elements)),
            ignored=tuple(self.ignored),
            by_all_names=told.get(_NAMES) != "false",
        )


def _demand_dates(conditions: list[Condition], options: FhirOptions) -> None:
    """Raises RequestError when the time isn't bounded as demanded (ITI TF-2 3.81)."""
    dated = [one.dates for one in conditions if one.dates]
    lower = any(all(date.has_lower for date in dates) for dates in dated)
    upper = any(all(date.has_upper for date in dates) for dates in dated)
    if options.date_bounds == "both" and not (lower and upper):
        raise RequestError("date must be bounded on both sides: date=ge…&date=le…")
    if not (lower or upper):
        raise RequestError("date must be bounded: date=ge… or date=le…")
