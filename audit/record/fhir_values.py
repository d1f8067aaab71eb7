"""Members of a FHIR resource, whatever it holds: the wrong type counts as absent."""

from typing import Any, TypeAlias

from audit.record.json_input import clean

Json: TypeAlias = dict[str, Any]


def member(holder: Json, name: str) -> Json:
    """The object of that name; an empty one when there is none."""
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def listed(holder: Json, name: str, most: int | None = None) -> list[Json]:
    """The objects of the array of that name, an empty one for each value that is none.

    Args:
        holder: of the array.
        name: of the array.
        most: so many of them; None is all.
    """
    values = holder.get(name)
    if not isinstance(values, list):
        return []
    return [value if isinstance(value, dict) else {} for value in values[:most]]


def text_of(holder: Json, name: str) -> str:
    """The text of that name, fit to be stored; empty when there is none."""
    value = holder.get(name)
    return clean(value) if isinstance(value, str) else ""


def identifier_of(reference: Json) -> str:
    """What a Reference refers to: the identifier's value, else the literal reference."""
    return text_of(member(reference, "identifier"), "value") or text_of(reference, "reference")
