"""The derivation tables of ``schemas/index/categories.toml``, read once on first use."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from audit.standards.files import read_toml

OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRule:
    """One rule of the ``kind`` table: every condition that is given must hold."""

    name: str
    categories: frozenset[str]
    events: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    media: frozenset[str] = frozenset()
    near: str = ""
    network: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivations:
    """The whole table.

    Attributes:
        category_of_event: category by EventID code.
        rest_by_subtype: category of RESTful access in FHIR by EventTypeCode.
        rest_by_action: the same by EventActionCode, where no EventTypeCode tells it.
        outcomes: name by EventOutcomeIndicator.
        roles: role codes by ``source``, ``destination``, ``media``, ``technical``.
        object_types: ParticipantObjectIDTypeCodes by ``study``, ``sop_class``, ``patient``.
        query_fields: field by the keyword of a decoded query key.
        kinds_of: rules by category, in the order in which they are tried.
        destination_words: what a destination's name says of it, by kind, in order.
    """

    category_of_event: Mapping[str, str]
    rest_by_subtype: Mapping[str, str]
    rest_by_action: Mapping[str, str]
    outcomes: Mapping[str, str]
    roles: Mapping[str, frozenset[str]]
    object_types: Mapping[str, frozenset[str]]
    query_fields: Mapping[str, str]
    kinds_of: Mapping[str, tuple[KindRule, ...]]
    destination_words: Mapping[str, frozenset[str]]


def _kind(row: Mapping[str, Any]) -> KindRule:
    return KindRule(
        name=row["name"],
        categories=frozenset(row["category"]),
        events=frozenset(row.get("event", ())),
        types=frozenset(row.get("type", ())),
        media=frozenset(row.get("media", ())),
        near=row.get("near", ""),
        network=row.get("network", False),
    )


def _by_category(rules: tuple[KindRule, ...]) -> dict[str, tuple[KindRule, ...]]:
    names = {name for rule in rules for name in rule.categories}
    return {name: tuple(rule for rule in rules if name in rule.categories) for name in names}


def _inverse(table: Mapping[str, list[str]]) -> dict[str, str]:
    return {code: name for name, codes in table.items() for code in codes}


def _sets(table: Mapping[str, list[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(codes) for name, codes in table.items()}


@cache
def derivations() -> Derivations:
    """The table, the same object each time."""
    table = read_toml("index/categories.toml")
    return Derivations(
        category_of_event=_inverse(table["category"]),
        rest_by_subtype=_inverse(table["rest"]["subtype"]),
        rest_by_action=_inverse(table["rest"]["action"]),
        outcomes=dict(table["outcome"]),
        roles=_sets(table["role"]),
        object_types=_sets(table["object"]),
        query_fields=_inverse(table["query_key"]),
        kinds_of=_by_category(tuple(map(_kind, table["kind"]))),
        destination_words=_sets(table["destination"]),
    )
